/**
 * What `import … from 'electron'` gives to the app under the harness: the parts it uses, as Electron documents them. Anything else is
 * missing, so a new use fails loudly. The test speaks to it over the process's channel (see `app-under-test.ts`).
 */
import { EventEmitter } from 'node:events';
import { startBrowser } from './browser.ts';
import type { HarnessBrowser } from './browser.ts';
import { FakeBrowserWindow, FakeFrame } from './fake-window.ts';
import type { Harness, ProtocolHandler } from './fake-window.ts';
import { FakeUtilityProcess } from './fake-utility.ts';
import { FakeMessageChannel } from './ports.ts';

const handlers = new Map<string, ProtocolHandler>();
const privileged = new Set<string>();
let browser: HarnessBrowser | undefined;
let quitting = false;

export function trace(event: string, details: Record<string, unknown> = {}): void {
  process.send?.({ type: 'trace', event, ...details });
}

class FakeApp extends EventEmitter {
  readonly isPackaged = false;
  readonly #ready = Promise.withResolvers<void>();
  #isReady = false;

  becomeReady(): void {
    this.#isReady = true;
    this.#ready.resolve();
    this.emit('ready');
  }

  isReady(): boolean {
    return this.#isReady;
  }

  whenReady(): Promise<void> {
    return this.#ready.promise;
  }

  requestSingleInstanceLock(): boolean {
    return process.env['SAMSA_HARNESS_SECOND_INSTANCE'] === undefined;
  }

  setAsDefaultProtocolClient(scheme: string): boolean {
    trace('default-protocol-client', { scheme });
    return true;
  }

  getPath(): string {
    return process.cwd();
  }

  /** Windows are closed by the app's own listener, as Electron would after `before-quit`. */
  quit(): void {
    let prevented = false;
    this.emit('before-quit', { preventDefault: () => (prevented = true) });
    if (!prevented) this.exit(0);
  }

  exit(code = 0): void {
    if (quitting) return;
    quitting = true;
    trace('exit', { code });
    const end = (): void => process.exit(code);
    if (browser === undefined) end();
    else browser.close().then(end, end);
  }
}

export const app = new FakeApp();
export const ipcMain = new EventEmitter();
export const BrowserWindow = FakeBrowserWindow;
export const MessageChannelMain = FakeMessageChannel;

export const protocol = {
  registerSchemesAsPrivileged(schemes: readonly { readonly scheme: string; readonly privileges: Record<string, boolean> }[]): void {
    if (app.isReady()) throw new Error('schemes must be registered before the app is ready');
    for (const { scheme, privileges } of schemes) {
      privileged.add(scheme);
      trace('privileged-scheme', { scheme, privileges });
    }
  },
  handle(scheme: string, handler: ProtocolHandler): void {
    if (!privileged.has(scheme)) throw new Error(`${scheme} is not registered`);
    handlers.set(scheme, handler);
  },
};

export const utilityProcess = {
  fork(entry: string, args: readonly string[] = []): FakeUtilityProcess {
    const child = new FakeUtilityProcess(entry, args);
    trace('utility-started', { pid: child.pid });
    child.once('exit', (code: number) => trace('utility-exited', { code }));
    return child;
  },
};

type PermissionHandler = (contents: { getURL(): string }, permission: string, callback: (granted: boolean) => void) => void;
const permissions: {
  request?: PermissionHandler;
  check?: (contents: unknown, permission: string, origin: string) => boolean;
  device?: () => boolean;
} = {};

export const session = {
  defaultSession: {
    setPermissionRequestHandler: (handler: PermissionHandler): void => void (permissions.request = handler),
    setPermissionCheckHandler: (handler: (contents: unknown, permission: string, origin: string) => boolean): void =>
      void (permissions.check = handler),
    setDevicePermissionHandler: (handler: () => boolean): void => void (permissions.device = handler),
  },
};

export const nativeTheme = { shouldUseDarkColors: false };
export const nativeImage = { createFromPath: (): { isEmpty(): boolean } => ({ isEmpty: () => false }) };
export const dialog = { showErrorBox: (title: string, content: string): void => trace('error-box', { title, content }) };

export const Menu = {
  setApplicationMenu: (menu: unknown): void => trace('menu', { items: menu }),
  buildFromTemplate: (template: readonly { readonly label?: string; readonly role?: string }[]): unknown =>
    template.map(({ label, role }) => label ?? role),
};

export class Tray extends EventEmitter {
  setToolTip(text: string): void {
    trace('tray', { text });
  }
  setContextMenu(): void {}
  destroy(): void {
    trace('tray-destroyed');
  }
}

/** What the test asks for; each is answered with `{ type: 'answer', id, result }`. */
function onTestMessage(message: { readonly id: number; readonly ask: string; readonly value?: string }): void {
  const answer = (result: unknown): void => void process.send?.({ type: 'answer', id: message.id, result });
  const { value = '' } = message;
  const [window] = FakeBrowserWindow.getAllWindows();
  switch (message.ask) {
    case 'quit':
      app.quit();
      return answer(true);
    case 'close-window':
      window?.close();
      return answer(true);
    case 'permission':
      permissions.request?.({ getURL: () => window?.webContents.getURL() ?? '' }, value, (granted) =>
        answer({
          request: granted,
          check: permissions.check?.(undefined, value, 'samsa-app://console/') ?? null,
          device: permissions.device?.() ?? null,
        }),
      );
      return undefined;
    case 'second-instance':
      app.emit('second-instance', {}, ['samsa', value]);
      return answer(true);
    case 'ipc-from': {
      // A frame with that URL, which is not the window's main frame, asks for a port.
      let handed = false;
      const contents = window?.webContents;
      if (contents === undefined) return answer('no window');
      const frame = Object.assign(new FakeFrame(contents), { url: value, postMessage: () => void (handed = true) });
      ipcMain.emit('samsa:console-connect', { sender: contents, senderFrame: frame });
      setTimeout(() => answer(handed), 100);
      return undefined;
    }
    case 'evaluate':
      // In the page's own world, without Playwright: it loses its way when a window is closed as soon as it opens.
      window?.webContents.evaluateInPage(value).then(answer, (error: unknown) => answer(String(error)));
      return undefined;
    case 'url':
      return answer(window?.webContents.getURL() ?? null);
    default:
      return answer('unknown');
  }
}

process.on('message', onTestMessage);

const harness: Omit<Harness, 'cdp'> = { handlers, ipcMain, app, trace };

// The app's own module runs first (it registers its scheme); then the browser is started and the app is ready.
setImmediate(() => {
  if (quitting) return;
  startBrowser().then(
    (started) => {
      browser = started;
      FakeBrowserWindow.harness = { ...harness, cdp: started.cdp };
      trace('browser', { endpoint: started.endpoint });
      app.becomeReady();
    },
    (error: unknown) => {
      trace('browser-failed', { message: String(error) });
      process.exit(1);
    },
  );
});
