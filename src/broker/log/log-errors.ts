/** What goes wrong in a log, as values where a caller expects it and as errors where its folder has failed. */
import { ErrorCode } from '../../protocol/errors.ts';

/** An append that was refused; nothing of it is in the log. */
export interface LogAppendError {
  readonly ok: false;
  readonly errorCode: number;
  readonly message: string;
  /** The records at fault, by their place in the batch; the first three at most. */
  readonly recordErrors: readonly RecordError[];
}

export interface RecordError {
  readonly batchIndex: number;
  readonly message: string;
}

export function appendError(errorCode: number, message: string, recordErrors: readonly RecordError[] = []): LogAppendError {
  return { ok: false, errorCode, message, recordErrors };
}

/** The log's folder has failed, or the log is closed: KAFKA_STORAGE_ERROR on the wire. */
export class LogStorageError extends Error {
  readonly errorCode = ErrorCode.KAFKA_STORAGE_ERROR;
  readonly logDirectory: string;

  constructor(logDirectory: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'LogStorageError';
    this.logDirectory = logDirectory;
  }
}

/** What lies in a log file is no batch: CORRUPT_MESSAGE for who reads there. To go on behind it would skip records silently. */
export class DamagedLogError extends Error {
  readonly errorCode = ErrorCode.CORRUPT_MESSAGE;

  constructor(message: string) {
    super(message);
    this.name = 'DamagedLogError';
  }
}

/** An offset outside of the log, asked for by DeleteRecords. */
export class OffsetOutOfRangeError extends Error {
  readonly errorCode = ErrorCode.OFFSET_OUT_OF_RANGE;

  constructor(message: string) {
    super(message);
    this.name = 'OffsetOutOfRangeError';
  }
}

/** A folder has another topic's id than the controller says. */
export class InconsistentTopicIdError extends Error {
  readonly errorCode = ErrorCode.INCONSISTENT_TOPIC_ID;

  constructor(message: string) {
    super(message);
    this.name = 'InconsistentTopicIdError';
  }
}

/** A log dir that this broker must not use: another's, or in use. The process says so and ends. */
export class LogDirRefusedError extends Error {
  readonly directory: string;

  constructor(directory: string, message: string) {
    super(message);
    this.name = 'LogDirRefusedError';
    this.directory = directory;
  }
}
