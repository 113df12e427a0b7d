/** Why a log can't be cleaned: its partition is set aside with this as the reason. */
export class LogCleaningError extends Error {
  override readonly name = 'LogCleaningError';
}

/** The cleaning was asked to end: the log is truncated, deleted, offline, or the broker shuts down. */
export class LogCleaningAbortedError extends Error {
  override readonly name = 'LogCleaningAbortedError';
}
