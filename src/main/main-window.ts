/**
 * The app's window. Its page is sandboxed and isolated, has no Node, goes nowhere else and opens nothing; of all permissions it has one,
 * writing to the clipboard, which copying needs.
 */
import { BrowserWindow, nativeTheme, session } from 'electron';
import type { App, WebContents } from 'electron';
import { APP_ORIGIN, APP_URL } from '../console/contract/host.ts';

/** Electron's name for `navigator.clipboard.writeText` after a click. */
const CLIPBOARD_WRITE = 'clipboard-sanitized-write';

export interface MainWindowOptions {
  readonly preload: string;
  readonly isPackaged: boolean;
  /** A deep link's place, or the app's page. */
  readonly url?: string;
}

/** Shows itself when its first frame is drawn, so that no white flash is seen. */
export function createMainWindow({ preload, isPackaged, url }: MainWindowOptions): BrowserWindow {
  const window = new BrowserWindow({
    width: 1280,
    height: 800,
    minWidth: 800,
    minHeight: 500,
    show: false,
    title: 'Samsa',
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#0f1417' : '#ffffff',
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      webSecurity: true,
      webviewTag: false,
      spellcheck: false,
      devTools: !isPackaged,
    },
  });
  window.once('ready-to-show', () => window.show());
  void window.loadURL(url ?? APP_URL);
  return window;
}

/** Whether a frame's URL is the app's own page. */
export function isAppUrl(url: string | undefined): boolean {
  return url !== undefined && (url === APP_URL || url.startsWith(APP_URL)) && URL.parse(url)?.host === 'console';
}

/** Refuses, for every web contents there will ever be, what the app's page never does. */
export function restrictWebContents(app: Pick<App, 'on'>): void {
  app.on('web-contents-created', (_event, contents: WebContents) => {
    contents.on('will-navigate', (event) => {
      if (!isAppUrl(event.url)) event.preventDefault();
    });
    contents.on('will-frame-navigate', (event) => {
      if (!event.isMainFrame || !isAppUrl(event.url)) event.preventDefault();
    });
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
}

/** Call when the app is ready. */
export function restrictPermissions(): void {
  const { defaultSession } = session;
  const isAllowed = (permission: string, origin: string | undefined): boolean => permission === CLIPBOARD_WRITE && origin === APP_ORIGIN;
  defaultSession.setPermissionRequestHandler((contents, permission, callback) =>
    callback(isAllowed(permission, originOf(contents.getURL()))),
  );
  defaultSession.setPermissionCheckHandler((_contents, permission, requestingOrigin) => isAllowed(permission, originOf(requestingOrigin)));
  defaultSession.setDevicePermissionHandler(() => false);
}

/** `new URL().origin` is "null" for a scheme that Node doesn't know. */
function originOf(url: string): string | undefined {
  const parsed = URL.parse(url);
  return parsed === null ? undefined : `${parsed.protocol}//${parsed.host}`;
}
