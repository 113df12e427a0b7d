/**
 * What a log knows of its producers: who wrote which sequences (idempotence), which transactions are open or were decided above the
 * high watermark (the last stable offset). Kept on every replica, since any may become leader; rebuilt at start from the newest
 * snapshot file and the log after it.
 *
 * `mapEndOffset` is the offset up to which the log is reflected. A snapshot named N holds the state at end offset N; one is made
 * at each roll, when the log is closed, and while recovering.
 * Appends are checked and applied at once, before their bytes are written: after a failed write the folder is offline and the state is
 * read from disk again. Source: Kafka's ProducerStateManager and ProducerAppendInfo. Not here: verification of transactions
 * (KIP-890 part 1), which belongs to the produce path.
 */
import {
  attributesAt,
  baseOffsetAt,
  baseSequenceAt,
  lastSequenceAt,
  maxTimestampAt,
  producerEpochAt,
  producerIdAt,
} from '../../log-format/batch-fields.ts';
import { encodeProducerSnapshot } from '../../log-format/producer-snapshot.ts';
import type { AbortedTxn } from '../../log-format/txn-index.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { CONTROL_FLAG, TRANSACTIONAL_FLAG } from '../../protocol/records/record-batch.ts';
import { readEndTransactionMarker } from './end-transaction-marker.ts';
import type { LogAppendError } from './log-errors.ts';
import { appendError } from './log-errors.ts';
import { batchMetadataAt, NO_PRODUCER_EPOCH, NO_SEQUENCE, ProducerStateEntry } from './producer-state-entry.ts';
import type { BatchMetadata } from './producer-state-entry.ts';

/** A transaction may outlive its time-out by this before it is called late (Kafka's LATE_TRANSACTION_BUFFER_MS). */
const LATE_TRANSACTION_BUFFER_MS = 5 * 60_000;

export interface CompletedTxn {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Of the marker. */
  readonly lastOffset: number;
  readonly isAborted: boolean;
}

interface OngoingTxn {
  readonly producerId: number;
  readonly firstOffset: number;
}

export class ProducerStateManager {
  readonly #producers = new Map<number, ProducerStateEntry>();
  /** By first offset, which only grows: in order. */
  readonly #ongoingTxns = new Map<number, OngoingTxn>();
  /** Decided transactions by first offset, with their marker's offset, until the high watermark has passed the marker. */
  readonly #unreplicatedTxns = new Map<number, number>();
  #mapEndOffset = 0;

  get producers(): ReadonlyMap<number, ProducerStateEntry> {
    return this.#producers;
  }

  get mapEndOffset(): number {
    return this.#mapEndOffset;
  }

  get isEmpty(): boolean {
    return this.#producers.size === 0 && this.#unreplicatedTxns.size === 0;
  }

  updateMapEndOffset(offset: number): void {
    this.#mapEndOffset = offset;
  }

  /** The first offset of the oldest transaction that is open or decided above the high watermark; undefined when there is none. */
  get firstUnstableOffset(): number | undefined {
    let first = this.#firstOngoingOffset();
    for (const offset of this.#unreplicatedTxns.keys()) if (first === undefined || offset < first) first = offset;
    return first;
  }

  /** The batch of the log that the one at `at` repeats, or undefined. */
  findDuplicate(buffer: Buffer, at: number): BatchMetadata | undefined {
    const entry = this.#producers.get(producerIdAt(buffer, at));
    return entry?.findDuplicate(producerEpochAt(buffer, at), baseSequenceAt(buffer, at), lastSequenceAt(buffer, at));
  }

  /**
   * As `findDuplicate`, of a batch that isn't known and may be because only a snapshot told of its producer.
   *
   * @param readEarlier gives the batches right before those that the entry knows. It is asked once for each producer.
   */
  recallDuplicate(
    buffer: Buffer,
    at: number,
    readEarlier: (entry: ProducerStateEntry) => readonly BatchMetadata[],
  ): BatchMetadata | undefined {
    const entry = this.#producers.get(producerIdAt(buffer, at));
    if (entry?.mayHaveEarlier(producerEpochAt(buffer, at), lastSequenceAt(buffer, at)) !== true) return undefined;
    entry.addEarlier(readEarlier(entry));
    return this.findDuplicate(buffer, at);
  }

  /**
   * Whether the leader may append the batch at `at`, which has a producer id.
   *
   * @returns undefined, or INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE, TRANSACTION_COORDINATOR_FENCED.
   */
  checkAppend(buffer: Buffer, at: number, origin: 'client' | 'coordinator'): LogAppendError | undefined {
    const producerId = producerIdAt(buffer, at);
    const entry = this.#producers.get(producerId);
    if (entry === undefined) return undefined;
    const producerEpoch = producerEpochAt(buffer, at);
    if (producerEpoch < entry.producerEpoch) {
      return appendError(
        ErrorCode.INVALID_PRODUCER_EPOCH,
        `Epoch ${producerEpoch} of producer ${producerId} is below ${entry.producerEpoch}, the last one seen`,
      );
    }
    const attributes = attributesAt(buffer, at);
    if ((attributes & CONTROL_FLAG) !== 0) return checkCoordinatorEpoch(entry, buffer, at);
    if (origin === 'client') {
      const error = checkSequence(entry, producerEpoch, baseSequenceAt(buffer, at));
      if (error !== undefined) return error;
    }
    if (entry.currentTxnFirstOffset >= 0 && (attributes & TRANSACTIONAL_FLAG) === 0) {
      return appendError(
        ErrorCode.INVALID_TXN_STATE,
        `Producer ${producerId} has an open transaction: a write outside of it isn't possible`,
      );
    }
    return undefined;
  }

  /** Takes the batch at `at`, which has a producer id, into account. Returns the transaction that it ends, to be completed. */
  update(buffer: Buffer, at: number): CompletedTxn | undefined {
    const producerId = producerIdAt(buffer, at);
    const producerEpoch = producerEpochAt(buffer, at);
    const attributes = attributesAt(buffer, at);
    if ((attributes & CONTROL_FLAG) !== 0) return this.#applyMarker(producerId, producerEpoch, buffer, at);
    const entry = this.#entry(producerId);
    const firstOffset = baseOffsetAt(buffer, at);
    entry.addBatch(producerEpoch, batchMetadataAt(buffer, at));
    if ((attributes & TRANSACTIONAL_FLAG) !== 0 && entry.currentTxnFirstOffset < 0) {
      entry.currentTxnFirstOffset = firstOffset;
      this.#ongoingTxns.set(firstOffset, { producerId, firstOffset });
    }
    return undefined;
  }

  /** The last stable offset once `txn` is completed: what its entry in the transaction index says. */
  abortedTxn(txn: CompletedTxn): AbortedTxn {
    let lastStableOffset = txn.lastOffset + 1;
    for (const ongoing of this.#ongoingTxns.values()) {
      if (ongoing.producerId === txn.producerId) continue;
      lastStableOffset = ongoing.firstOffset;
      break;
    }
    return { producerId: txn.producerId, firstOffset: txn.firstOffset, lastOffset: txn.lastOffset, lastStableOffset };
  }

  /** Ends `txn`; until the high watermark has passed its marker it still holds the last stable offset. */
  completeTxn(txn: CompletedTxn): void {
    this.#ongoingTxns.delete(txn.firstOffset);
    this.#unreplicatedTxns.set(txn.firstOffset, txn.lastOffset);
  }

  /** Forgets decided transactions whose marker lies below `offset`. */
  onHighWatermarkUpdated(offset: number): void {
    for (const [firstOffset, lastOffset] of this.#unreplicatedTxns) if (lastOffset < offset) this.#unreplicatedTxns.delete(firstOffset);
  }

  onLogStartOffsetIncremented(logStartOffset: number): void {
    this.onHighWatermarkUpdated(logStartOffset);
    if (this.#mapEndOffset < logStartOffset) this.#mapEndOffset = logStartOffset;
  }

  /** Forgets producers that have been silent for `expirationMs` and have no open transaction. */
  removeExpiredProducers(nowMs: number, expirationMs: number): void {
    for (const [producerId, entry] of this.#producers) if (isExpired(entry, nowMs, expirationMs)) this.#producers.delete(producerId);
  }

  /** Whether a transaction has been open longer than any may be. */
  hasLateTransaction(nowMs: number, maxTransactionTimeoutMs: number): boolean {
    for (const { producerId } of this.#ongoingTxns.values()) {
      const lastTimestamp = this.#producers.get(producerId)?.lastTimestamp ?? -1;
      return lastTimestamp > 0 && nowMs - lastTimestamp > maxTransactionTimeoutMs + LATE_TRANSACTION_BUFFER_MS;
    }
    return false;
  }

  /** Forgets everything; the log begins anew at `offset`. */
  reset(offset: number): void {
    this.#producers.clear();
    this.#ongoingTxns.clear();
    this.#unreplicatedTxns.clear();
    this.#mapEndOffset = offset;
  }

  /** Takes over a snapshot of offset `offset`; producers that have expired are left out. */
  load(entries: readonly ProducerStateEntry[], offset: number, nowMs: number, expirationMs: number): void {
    this.reset(offset);
    const open: OngoingTxn[] = [];
    for (const entry of entries) {
      if (isExpired(entry, nowMs, expirationMs)) continue;
      this.#producers.set(entry.producerId, entry);
      if (entry.currentTxnFirstOffset >= 0) open.push({ producerId: entry.producerId, firstOffset: entry.currentTxnFirstOffset });
    }
    for (const txn of open.sort((a, b) => a.firstOffset - b.firstOffset)) this.#ongoingTxns.set(txn.firstOffset, txn);
  }

  /** The bytes of a snapshot of this moment. */
  encodeSnapshot(): Buffer {
    return encodeProducerSnapshot(
      Array.from(this.#producers.values(), (entry) => entry.toSnapshot()),
      this.#producers.size,
    );
  }

  /** All of it as numbers, for a worker and back. `restore` reads them. */
  toNumbers(): Float64Array<ArrayBuffer> {
    const numbers: number[] = [this.#mapEndOffset, this.#producers.size, this.#ongoingTxns.size, this.#unreplicatedTxns.size];
    for (const entry of this.#producers.values()) entry.addNumbersTo(numbers);
    for (const { producerId, firstOffset } of this.#ongoingTxns.values()) numbers.push(producerId, firstOffset);
    for (const [firstOffset, lastOffset] of this.#unreplicatedTxns) numbers.push(firstOffset, lastOffset);
    return Float64Array.from(numbers);
  }

  /** Becomes the state that `toNumbers` was asked of. */
  restore(numbers: Float64Array): void {
    const values = numbers.values();
    const next = (): number => values.next().value ?? 0;
    this.reset(next());
    const [producers, ongoing, unreplicated] = [next(), next(), next()];
    for (let count = producers; count > 0; count--) {
      const entry = ProducerStateEntry.fromNumbers(next);
      this.#producers.set(entry.producerId, entry);
    }
    for (let count = ongoing; count > 0; count--) {
      const [producerId, firstOffset] = [next(), next()];
      this.#ongoingTxns.set(firstOffset, { producerId, firstOffset });
    }
    for (let count = unreplicated; count > 0; count--) this.#unreplicatedTxns.set(next(), next());
  }

  #applyMarker(producerId: number, producerEpoch: number, buffer: Buffer, at: number): CompletedTxn | undefined {
    const marker = readEndTransactionMarker(buffer, at);
    if (marker === undefined) return undefined;
    const entry = this.#entry(producerId);
    const lastOffset = baseOffsetAt(buffer, at);
    const firstOffset = entry.currentTxnFirstOffset;
    entry.maybeUpdateProducerEpoch(producerEpoch);
    entry.coordinatorEpoch = marker.coordinatorEpoch;
    entry.lastTimestamp = maxTimestampAt(buffer, at);
    entry.currentTxnFirstOffset = -1;
    // A marker without records before it leaves no trace in the index.
    return firstOffset < 0 ? undefined : { producerId, firstOffset, lastOffset, isAborted: marker.kind === 'abort' };
  }

  #entry(producerId: number): ProducerStateEntry {
    let entry = this.#producers.get(producerId);
    if (entry === undefined) {
      entry = new ProducerStateEntry(producerId);
      this.#producers.set(producerId, entry);
    }
    return entry;
  }

  #firstOngoingOffset(): number | undefined {
    for (const offset of this.#ongoingTxns.keys()) return offset;
    return undefined;
  }
}

function isExpired(entry: ProducerStateEntry, nowMs: number, expirationMs: number): boolean {
  return entry.currentTxnFirstOffset < 0 && nowMs - entry.lastTimestamp >= expirationMs;
}

function checkSequence(entry: ProducerStateEntry, producerEpoch: number, firstSequence: number): LogAppendError | undefined {
  // Nothing is known of it (its records were deleted): any sequence goes.
  if (entry.producerEpoch === NO_PRODUCER_EPOCH) return undefined;
  if (producerEpoch !== entry.producerEpoch) {
    if (firstSequence === 0) return undefined;
    return appendError(
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
      `Producer ${entry.producerId} begins epoch ${producerEpoch} with sequence ${firstSequence}, not 0`,
    );
  }
  const last = entry.isEmpty ? NO_SEQUENCE : entry.lastSequence;
  if (firstSequence === last + 1 || (firstSequence === 0 && last === 0x7fff_ffff)) return undefined;
  return appendError(
    ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    `Out of order sequence number for producer ${entry.producerId}: ${firstSequence} (incoming), ${last} (last)`,
  );
}

function checkCoordinatorEpoch(entry: ProducerStateEntry, buffer: Buffer, at: number): LogAppendError | undefined {
  const marker = readEndTransactionMarker(buffer, at);
  if (marker === undefined || marker.coordinatorEpoch >= entry.coordinatorEpoch) return undefined;
  return appendError(
    ErrorCode.TRANSACTION_COORDINATOR_FENCED,
    `Coordinator epoch ${marker.coordinatorEpoch} for producer ${entry.producerId} is below ${entry.coordinatorEpoch}, the last one seen`,
  );
}
