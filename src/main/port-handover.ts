/** Hands a page its port: the only thing the app's IPC does. Who asks is checked: our window's main frame, showing our page. */
import type { IpcMain, IpcMainEvent, MessagePortMain } from 'electron';
import { CONNECT_CHANNEL, PORT_CHANNEL } from '../console/contract/host.ts';
import type { Logger } from '../runtime/logger.ts';
import { isAppUrl } from './main-window.ts';

/** A page that asks more often than this (reload storms aside) is not ours. */
const MIN_GAP_MS = 20;

export function handOverPorts(ipcMain: Pick<IpcMain, 'on'>, connect: () => Promise<MessagePortMain>, logger: Logger): void {
  let lastMs = -Infinity;
  ipcMain.on(CONNECT_CHANNEL, (event: IpcMainEvent) => {
    const { senderFrame, sender } = event;
    // senderFrame is null when the frame is gone already.
    if (senderFrame === null || senderFrame !== sender.mainFrame || !isAppUrl(senderFrame.url)) {
      logger.warn({ url: senderFrame?.url }, "a frame that is not the app's page asked for a port and was refused");
      return;
    }
    const nowMs = performance.now();
    if (nowMs - lastMs < MIN_GAP_MS) return;
    lastMs = nowMs;
    connect().then(
      (port) => {
        // While the console was starting the frame may have gone: its port closes with it.
        if (senderFrame.isDestroyed()) port.close();
        else senderFrame.postMessage(PORT_CHANNEL, null, [port]);
      },
      (error: unknown) => logger.error({ err: error }, 'a page could not be connected'),
    );
  });
}
