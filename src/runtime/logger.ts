/**
 * Structured logs: fields first, then one line of prose that a person can read.
 * The levels and the call shape are pino's, whose loggers fit this interface.
 */
export interface LogMethod {
  (message: string): void;
  (fields: object, message: string): void;
}

export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  /** A logger that adds `bindings` (`component`, `brokerId`, …) to each line. */
  child(bindings: Record<string, unknown>): Logger;
}
