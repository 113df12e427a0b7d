/**
 * The few words that Electron's main process, its preload and the page say to each other to hand over a port. Everything
 * else travels on that port.
 *
 * The page dispatches CONNECT_EVENT (cancelable) on its window; the preload, where there is one, cancels it (so the page knows at
 * once in which host it is) and asks main on CONNECT_CHANNEL. Main makes a channel, gives one end to the console process and the
 * other to the preload, which posts PORT_MESSAGE with it to its own window.
 */
export const CONNECT_EVENT = 'samsa:console-connect';
export const CONNECT_CHANNEL = 'samsa:console-connect';
export const PORT_CHANNEL = 'samsa:console-port';
export const PORT_MESSAGE = 'samsa:console-port';

/** The app's own scheme and the only page it has. `samsa://` is for deep links and never loads anything. */
export const APP_SCHEME = 'samsa-app';
export const APP_ORIGIN = 'samsa-app://console';
export const APP_URL = 'samsa-app://console/';
export const DEEP_LINK_SCHEME = 'samsa';

/** Where the browser host's WebSocket is, on the page's own origin. */
export const RPC_PATH = '/rpc';
