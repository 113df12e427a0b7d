/**
 * Reads of a log as Fetch and ListOffsets ask for them: bounds, what is answered for a damaged file or a failing disk, aborted transactions.
 * Source: Kafka's UnifiedLog.read, UnifiedLog.fetchOffsetByTimestamp.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import { fetchOffsetByTimestamp } from './fetch-offset-by-timestamp.ts';
import type { LeaderEpochFileCache } from './leader-epoch-file-cache.ts';
import { lastOffsetIn } from './local-log.ts';
import type { LocalLog } from './local-log.ts';
import { DamagedLogError } from './log-errors.ts';
import type { LogGuard } from './log-guard.ts';
import { offsetOnly } from './log-offset-metadata.ts';
import type { LogOffsets } from './log-offsets.ts';
import type { AbortedTransaction, FetchDataInfo, ReadOptions } from './log-types.ts';
import type { TimestampAndOffset } from './timestamp-search.ts';

export interface LogReaderParts {
  readonly local: LocalLog;
  readonly offsets: LogOffsets;
  readonly epochs: LeaderEpochFileCache;
  readonly guard: LogGuard;
  readonly logger: Logger;
  /** Topic and partition, for messages. */
  readonly name: string;
}

export class LogReader {
  readonly #local: LocalLog;
  readonly #offsets: LogOffsets;
  readonly #epochs: LeaderEpochFileCache;
  readonly #guard: LogGuard;
  readonly #logger: Logger;
  readonly #name: string;

  constructor(parts: LogReaderParts) {
    this.#local = parts.local;
    this.#offsets = parts.offsets;
    this.#epochs = parts.epochs;
    this.#guard = parts.guard;
    this.#logger = parts.logger;
    this.#name = parts.name;
  }

  /** Whole batches from the one that holds `startOffset`. Errors: OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE (the file is damaged), KAFKA_STORAGE_ERROR. */
  read(startOffset: number, options: ReadOptions): FetchDataInfo {
    const { failure } = this.#guard;
    if (failure !== undefined) return readError(startOffset, failure.errorCode, failure.message);
    const { logStartOffset } = this.#offsets;
    const { logEndOffset } = this.#local;
    if (startOffset < logStartOffset || startOffset > logEndOffset) {
      return readError(
        startOffset,
        ErrorCode.OFFSET_OUT_OF_RANGE,
        `Offset ${startOffset} of ${this.#name} is not in the log, which has ${logStartOffset} to ${logEndOffset}`,
      );
    }
    const endOffset = Math.min(options.maxOffset, logEndOffset);
    const read = this.#guard.run(() => {
      try {
        return this.#read(startOffset, endOffset, options);
      } catch (error) {
        if (!(error instanceof DamagedLogError)) throw error;
        this.#logger.error({ err: error }, `Reading ${this.#name} at offset ${startOffset} failed`);
        return readError(startOffset, error.errorCode, error.message);
      }
    });
    return read ?? readError(startOffset, ErrorCode.KAFKA_STORAGE_ERROR, `Reading ${this.#name} failed`);
  }

  #read(startOffset: number, endOffset: number, options: ReadOptions): FetchDataInfo {
    const { maxBytes, minOneMessage = false } = options;
    const { metadata, records, sizeBytes, firstEntryIncomplete } = this.#local.read(startOffset, { maxBytes, endOffset, minOneMessage });
    let abortedTransactions: readonly AbortedTransaction[] | undefined;
    if (options.includeAbortedTransactions === true) {
      abortedTransactions = records.length === 0 ? [] : this.#local.collectAbortedTransactions(startOffset, lastOffsetIn(records) + 1);
    }
    return {
      errorCode: ErrorCode.NONE,
      errorMessage: undefined,
      fetchOffsetMetadata: metadata,
      records,
      sizeBytes,
      firstEntryIncomplete,
      abortedTransactions,
    };
  }

  /** The first record at or after `timestamp`, or an end of the log: -1 latest, -2 earliest, -3 the record with the largest timestamp. */
  fetchOffsetByTimestamp(timestamp: number): TimestampAndOffset | undefined {
    const { logStartOffset } = this.#offsets;
    const { logEndOffset, segments } = this.#local;
    return this.#guard.run(() =>
      fetchOffsetByTimestamp({ segments: segments.all, logStartOffset, logEndOffset, epochs: this.#epochs }, timestamp),
    );
  }
}

function readError(startOffset: number, errorCode: number, errorMessage: string): FetchDataInfo {
  return {
    errorCode,
    errorMessage,
    fetchOffsetMetadata: offsetOnly(startOffset),
    records: [],
    sizeBytes: 0,
    firstEntryIncomplete: false,
    abortedTransactions: undefined,
  };
}
