/** What main says to the console process. */
export interface StartMessage {
  readonly type: 'start';
  readonly controlSocketPath: string;
  readonly logFile: string;
}

/** Comes with one port: a page's. */
export interface ConnectMessage {
  readonly type: 'connect';
}

export type ConsoleMessage = StartMessage | ConnectMessage;

/** `data` as a message; undefined for anything else. */
export function checkConsoleMessage(data: unknown): ConsoleMessage | undefined {
  if (typeof data !== 'object' || data === null || !('type' in data)) return undefined;
  if (data.type === 'connect') return { type: 'connect' };
  if (data.type !== 'start' || !('controlSocketPath' in data) || !('logFile' in data)) return undefined;
  const { controlSocketPath, logFile } = data;
  return typeof controlSocketPath === 'string' && typeof logFile === 'string' ? { type: 'start', controlSocketPath, logFile } : undefined;
}
