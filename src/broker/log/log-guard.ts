/**
 * Stands between a log and its disk: an error of the disk takes the log, and through the context its whole folder, offline;
 * what is no error of the disk is a broken invariant of ours and goes on up.
 */
import type { LogContext } from './log-context.ts';
import { LogStorageError } from './log-errors.ts';

export class LogGuard {
  readonly #context: LogContext;
  readonly #directory: () => string;
  readonly #onStop: (failure: LogStorageError) => void;
  #failure: LogStorageError | undefined;

  /**
   * @param directory the log's folder, asked when it is needed.
   * @param onStop the log is to end what it does; called once.
   */
  constructor(context: LogContext, directory: () => string, onStop: (failure: LogStorageError) => void) {
    this.#context = context;
    this.#directory = directory;
    this.#onStop = onStop;
  }

  /** Why the log is refused; undefined while all is well. */
  get failure(): LogStorageError | undefined {
    return this.#failure;
  }

  get logDir(): string {
    const directory = this.#directory();
    return directory.slice(0, directory.lastIndexOf('/'));
  }

  /** What `action` returns; undefined when the disk fails it. */
  run<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!isDiskError(error)) throw error;
      this.failed(error);
      return undefined;
    }
  }

  /** @throws LogStorageError when the disk fails it. */
  runOrThrow<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (!isDiskError(error)) throw error;
      throw this.failed(error);
    }
  }

  /** Never rejects. */
  async runAsync(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.failed(error);
    }
  }

  /** @throws LogStorageError when the disk fails it. */
  async runAsyncOrThrow<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (!isDiskError(error)) throw error;
      throw this.failed(error);
    }
  }

  /** The disk has failed; returns what waiting callers are told. */
  failed(cause: unknown): LogStorageError {
    if (this.#failure !== undefined) return this.#failure;
    const message = `Input or output on ${this.#directory()} failed: ${cause instanceof Error ? cause.message : String(cause)}`;
    const failure = this.stop(message, cause);
    this.#context.onFailure(this.logDir, message, cause);
    return failure;
  }

  /** From here on the log is refused with `message`. */
  stop(message: string, cause?: unknown): LogStorageError {
    if (this.#failure !== undefined) return this.#failure;
    this.#failure = new LogStorageError(this.logDir, message, cause);
    this.#onStop(this.#failure);
    return this.#failure;
  }
}

/** An error of the runtime's Disk has Node's shape. */
export function isDiskError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error;
}
