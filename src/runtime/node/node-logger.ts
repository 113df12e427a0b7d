/** Logger on pino: JSON lines, written synchronously to a file or a file descriptor so that a crash loses none. */
import pino from 'pino';
import type { Logger } from '../logger.ts';

export interface NodeLoggerOptions {
  /** A file's path, or 1 / 2 for standard output / error. */
  readonly destination: string | 1 | 2;
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export function createNodeLogger(options: NodeLoggerOptions): Logger {
  return pino(
    { level: options.level ?? 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: options.destination, sync: true, mkdir: true }),
  );
}

const ignore = (): void => {};

/** A logger that says nothing, for tests. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore, fatal: ignore, child: () => silentLogger };
