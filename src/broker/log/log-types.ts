/** What a log is asked and what it answers: appending and reading. */
import type { LogAppendError, LogStorageError } from './log-errors.ts';
import type { LogOffsetMetadata } from './log-offset-metadata.ts';
import type { LeaderAppendOrigin, ValidatedBatch } from './log-validator.ts';

/** An append that was accepted; `onComplete` tells when it is written. It is made for every batch and has only what somebody asks for. */
export interface LogAppendInfo {
  readonly ok: true;
  readonly firstOffset: number;
  /** Below the first one when no batch was given. */
  readonly lastOffset: number;
  /** -1 with CreateTime. */
  readonly logAppendTimeMs: number;
  /** The producer sent it before; offsets are those of the first time and nothing is written. */
  readonly isDuplicate: boolean;
}

export type LogAppendResult = LogAppendInfo | LogAppendError;

export interface AppendOptions {
  /** Called once, after this turn at the earliest: without error when the bytes are in the page cache. Not called for a refused append. */
  readonly onComplete?: (error?: LogStorageError) => void;
}

export interface LeaderAppendOptions extends AppendOptions {
  readonly leaderEpoch: number;
  readonly origin?: LeaderAppendOrigin;
  /** What a worker made of the batch: it isn't validated again, and its bytes are taken instead. */
  readonly validated?: ValidatedBatch | LogAppendError | undefined;
}

export interface ReadOptions {
  readonly maxBytes: number;
  /** Exclusive: the high watermark, the last stable offset, or the log end offset. */
  readonly maxOffset: number;
  /** The first batch is returned whatever its size. */
  readonly minOneMessage?: boolean;
  /** For read_committed. */
  readonly includeAbortedTransactions?: boolean;
}

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** The answer to a read. With an error there are no records. */
export interface FetchDataInfo {
  /** NONE, OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE or KAFKA_STORAGE_ERROR. */
  readonly errorCode: number;
  readonly errorMessage: string | undefined;
  readonly fetchOffsetMetadata: LogOffsetMetadata;
  /** Whole batches in order, contiguous: views that stay valid. Not to be changed. */
  readonly records: readonly Buffer[];
  readonly sizeBytes: number;
  /** There is a batch at the fetch offset, but larger than `maxBytes`. */
  readonly firstEntryIncomplete: boolean;
  readonly abortedTransactions: readonly AbortedTransaction[] | undefined;
}
