/**
 * The preload: hands the page a port to the console, and does nothing else. It exposes no function and no object to the page.
 * Runs sandboxed, in its own world; built as one CommonJS file.
 */
import { ipcRenderer } from 'electron';
import { CONNECT_CHANNEL, CONNECT_EVENT, PORT_CHANNEL, PORT_MESSAGE } from '../console/contract/host.ts';

interface PreloadWindow {
  readonly location: { readonly origin: string };
  addEventListener(type: string, listener: (event: Event) => void): void;
  postMessage(message: unknown, targetOrigin: string, transfer: readonly unknown[]): void;
}

// The DOM's types are not part of this program; this is what is used of them.
const page = globalThis as unknown as PreloadWindow;

page.addEventListener(CONNECT_EVENT, (event) => {
  // The page learns from this, at once, that a port is on its way.
  event.preventDefault();
  ipcRenderer.send(CONNECT_CHANNEL);
});

ipcRenderer.on(PORT_CHANNEL, (event) => {
  page.postMessage(PORT_MESSAGE, page.location.origin, [...event.ports]);
});
