/**
 * Electron's main process: the app's life, one window, the supervisor, the hand-over of the port. Everything the UI asks for
 * goes past it, from the page to the console process.
 *
 * Start: one instance; the scheme's privileges before `ready`; the window at once, the cluster beside it, so the page is there while brokers
 * start. End: window, console, brokers, ZooKeeper (see shutdown.ts); a second quit ends by force.
 */
import { join } from 'node:path';
import { BrowserWindow, app, dialog, ipcMain, protocol } from 'electron';
import { projectRoot } from '../cluster/process-entry.ts';
import { dataFolderAt, defaultHome } from '../cluster/data-folder.ts';
import { APP_SCHEME, DEEP_LINK_SCHEME } from '../console/contract/host.ts';
import { createNodeLogger } from '../runtime/node/node-logger.ts';
import { APP_SCHEME_PRIVILEGES, createAppProtocolHandler } from './app-protocol.ts';
import { openClusterHost } from './cluster-host.ts';
import type { ClusterHost } from './cluster-host.ts';
import { ConsoleProcess } from './console-process.ts';
import { linkInArguments, pageUrlOfLink } from './deep-links.ts';
import { createMainWindow, restrictPermissions, restrictWebContents } from './main-window.ts';
import { createTray, installMenu } from './menus.ts';
import type { AppTray } from './menus.ts';
import { handOverPorts } from './port-handover.ts';
import { shutDown } from './shutdown.ts';

const CLUSTER_STOP_MS = 25_000;
const CONSOLE_STOP_MS = 5_000;

const root = projectRoot();
const rendererDir = join(root, 'out', 'renderer');
const preload = join(root, 'out', 'preload', 'index.cjs');
const consoleEntry = join(root, 'out', 'main', 'console.js');
const logsFolder = dataFolderAt(defaultHome()).logs;
const logger = createNodeLogger({ destination: join(logsFolder, 'app.log') });

let cluster: ClusterHost | undefined;
let consoleProcess: ConsoleProcess | undefined;
let tray: AppTray | undefined;
let ending: 'no' | 'in order' | 'done' = 'no';

if (app.requestSingleInstanceLock()) run();
else app.quit();

function run(): void {
  protocol.registerSchemesAsPrivileged(APP_SCHEME_PRIVILEGES);
  restrictWebContents(app);
  app.setAsDefaultProtocolClient(DEEP_LINK_SCHEME);
  app.on('second-instance', (_event, argv) => showWindow(linkInArguments(argv)));
  app.on('open-url', (event, link) => {
    event.preventDefault();
    showWindow(link);
  });
  app.on('window-all-closed', () => {
    // Windows closed by the end itself ask for no second one, which would be by force.
    if (ending === 'no') app.quit();
  });
  app.on('before-quit', onBeforeQuit);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => app.quit());
  // `npm start` holds a channel to us: when it is gone, also by SIGKILL, so are we.
  if (process.channel !== undefined && process.channel !== null) process.on('disconnect', () => app.quit());
  app.whenReady().then(start, fail);
}

async function start(): Promise<void> {
  protocol.handle(APP_SCHEME, createAppProtocolHandler(rendererDir));
  restrictPermissions();
  installMenu(app.isPackaged);
  const { promise: consoleReady, resolve } = Promise.withResolvers<ConsoleProcess>();
  handOverPorts(ipcMain, async () => (await consoleReady).connect(), logger);
  // The page is there while the data folder is being opened; it gets its port when the console is.
  showWindow(linkInArguments(process.argv));
  const opened = await openClusterHost(logger);
  cluster = opened;
  // A quit may have come meanwhile.
  if (ending !== 'no') return opened.stop();
  consoleProcess = new ConsoleProcess({
    entry: consoleEntry,
    controlSocketPath: opened.controlSocketPath,
    logFile: join(logsFolder, 'console.log'),
    logger,
  });
  resolve(consoleProcess);
  tray = createTray(join(root, 'resources', 'icons', 'tray.png'), () => showWindow(undefined));
  opened.onEvent((event) => {
    if (event.type === 'cluster') tray?.setStatus(event.state);
  });
  opened.start();
}

/** Shows the window, at a link's place if one is given; makes one if there is none. */
function showWindow(link: string | undefined): void {
  if (ending !== 'no' || !app.isReady()) return;
  const url = link === undefined ? undefined : pageUrlOfLink(link);
  const [window] = BrowserWindow.getAllWindows();
  if (window === undefined) {
    createMainWindow({ preload, isPackaged: app.isPackaged, ...(url === undefined ? {} : { url }) });
    return;
  }
  if (url !== undefined) void window.loadURL(url);
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}

function onBeforeQuit(event: { preventDefault(): void }): void {
  if (ending === 'done') return;
  event.preventDefault();
  if (ending === 'in order') {
    // Asked twice: at once. Children end with us in any case.
    void cluster?.stopHard().finally(() => app.exit(1));
    return;
  }
  ending = 'in order';
  void endInOrder();
}

async function endInOrder(): Promise<void> {
  const failed = await shutDown(
    [
      { name: 'window', deadlineMs: 1_000, run: () => BrowserWindow.getAllWindows().forEach((window) => window.destroy()) },
      { name: 'console', deadlineMs: CONSOLE_STOP_MS, run: () => consoleProcess?.stop() },
      { name: 'cluster', deadlineMs: CLUSTER_STOP_MS, run: () => cluster?.stop() },
    ],
    logger,
  );
  if (failed.includes('cluster')) await cluster?.stopHard();
  tray?.destroy();
  ending = 'done';
  app.exit(failed.length === 0 ? 0 : 1);
}

function fail(error: unknown): void {
  logger.fatal({ err: error }, 'the app could not start');
  dialog.showErrorBox('Samsa could not start', error instanceof Error ? error.message : String(error));
  app.exit(1);
}
