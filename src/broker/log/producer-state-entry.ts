/**
 * What a log knows of one producer: its epoch, its last five batches (so that a retried one is known), its open transaction.
 * Source: Kafka's ProducerStateEntry and BatchMetadata.
 */
import { lastOffsetAt, lastOffsetDeltaAt, lastSequenceAt, maxTimestampAt } from '../../log-format/batch-fields.ts';
import type { ProducerSnapshotEntry } from '../../log-format/producer-snapshot.ts';

export const NUM_BATCHES_TO_RETAIN = 5;
export const NO_SEQUENCE = -1;
export const NO_PRODUCER_EPOCH = -1;

export interface BatchMetadata {
  readonly lastSequence: number;
  readonly lastOffset: number;
  readonly offsetDelta: number;
  readonly timestamp: number;
}

export function batchMetadataAt(buffer: Buffer, at: number): BatchMetadata {
  return {
    lastSequence: lastSequenceAt(buffer, at),
    lastOffset: lastOffsetAt(buffer, at),
    offsetDelta: lastOffsetDeltaAt(buffer, at),
    timestamp: maxTimestampAt(buffer, at),
  };
}

/** Sequences wrap from 2^31 - 1 to 0. */
export const sequenceBefore = (sequence: number): number => (sequence === 0 ? 0x7fff_ffff : sequence - 1);

export function firstSequenceOf(batch: BatchMetadata): number {
  const first = batch.lastSequence - batch.offsetDelta;
  return first < 0 ? first + 0x8000_0000 : first;
}

export const firstOffsetOf = (batch: BatchMetadata): number => batch.lastOffset - batch.offsetDelta;

export class ProducerStateEntry {
  readonly producerId: number;
  producerEpoch = NO_PRODUCER_EPOCH;
  coordinatorEpoch = -1;
  lastTimestamp = -1;
  /** -1 while no transaction is open. */
  currentTxnFirstOffset = -1;
  /** Oldest first, at most five. */
  #batches: BatchMetadata[] = [];
  /** Of the batches of this epoch only the last was in a snapshot, and nobody has looked for those before it. */
  #isFromSnapshot = false;

  constructor(producerId: number) {
    this.producerId = producerId;
  }

  static fromSnapshot(entry: ProducerSnapshotEntry): ProducerStateEntry {
    const state = new ProducerStateEntry(entry.producerId);
    state.producerEpoch = entry.producerEpoch;
    state.coordinatorEpoch = entry.coordinatorEpoch;
    state.lastTimestamp = entry.timestamp;
    state.currentTxnFirstOffset = entry.currentTxnFirstOffset;
    if (entry.lastOffset >= 0) {
      state.#isFromSnapshot = true;
      state.#batches.push({
        lastSequence: entry.lastSequence,
        lastOffset: entry.lastOffset,
        offsetDelta: entry.offsetDelta,
        timestamp: entry.timestamp,
      });
    }
    return state;
  }

  toSnapshot(): ProducerSnapshotEntry {
    const last = this.#batches.at(-1);
    return {
      producerId: this.producerId,
      producerEpoch: this.producerEpoch,
      lastSequence: last?.lastSequence ?? NO_SEQUENCE,
      lastOffset: last?.lastOffset ?? -1,
      offsetDelta: last?.offsetDelta ?? 0,
      timestamp: this.lastTimestamp,
      coordinatorEpoch: this.coordinatorEpoch,
      currentTxnFirstOffset: this.currentTxnFirstOffset,
    };
  }

  addNumbersTo(numbers: number[]): void {
    numbers.push(this.producerId, this.producerEpoch, this.coordinatorEpoch, this.lastTimestamp, this.currentTxnFirstOffset);
    numbers.push(this.#isFromSnapshot ? 1 : 0, this.#batches.length);
    for (const { lastSequence, lastOffset, offsetDelta, timestamp } of this.#batches)
      numbers.push(lastSequence, lastOffset, offsetDelta, timestamp);
  }

  /** @param next gives what `addNumbersTo` has added, one number after another. */
  static fromNumbers(next: () => number): ProducerStateEntry {
    const state = new ProducerStateEntry(next());
    state.producerEpoch = next();
    state.coordinatorEpoch = next();
    state.lastTimestamp = next();
    state.currentTxnFirstOffset = next();
    state.#isFromSnapshot = next() === 1;
    for (let count = next(); count > 0; count--)
      state.#batches.push({ lastSequence: next(), lastOffset: next(), offsetDelta: next(), timestamp: next() });
    return state;
  }

  get batches(): readonly BatchMetadata[] {
    return this.#batches;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  get lastSequence(): number {
    return this.#batches.at(-1)?.lastSequence ?? NO_SEQUENCE;
  }

  get lastDataOffset(): number {
    return this.#batches.at(-1)?.lastOffset ?? -1;
  }

  addBatch(producerEpoch: number, batch: BatchMetadata): void {
    this.maybeUpdateProducerEpoch(producerEpoch);
    if (this.#batches.length === NUM_BATCHES_TO_RETAIN) this.#batches.shift();
    this.#batches.push(batch);
    this.lastTimestamp = batch.timestamp;
  }

  /** A new epoch begins with sequence 0: batches of the old one are forgotten. */
  maybeUpdateProducerEpoch(producerEpoch: number): void {
    if (this.producerEpoch === producerEpoch) return;
    this.#batches = [];
    this.#isFromSnapshot = false;
    this.producerEpoch = producerEpoch;
  }

  /** Whether the log may hold a batch before those known that is among the last five and ends with `lastSequence`. */
  mayHaveEarlier(producerEpoch: number, lastSequence: number): boolean {
    const [oldest] = this.#batches;
    if (!this.#isFromSnapshot || producerEpoch !== this.producerEpoch || oldest === undefined) return false;
    if (this.#batches.length === NUM_BATCHES_TO_RETAIN) return false;
    // Half of all sequences are before any, the others behind it.
    return ((firstSequenceOf(oldest) - lastSequence) & 0x7fff_ffff) < 0x4000_0000;
  }

  /** @param batches those right before the ones known, oldest first, no more than make five. There are no others. */
  addEarlier(batches: readonly BatchMetadata[]): void {
    this.#isFromSnapshot = false;
    this.#batches.unshift(...batches);
  }

  /** The batch with exactly that range of sequences, if it is among the last five of the same epoch. */
  findDuplicate(producerEpoch: number, firstSequence: number, lastSequence: number): BatchMetadata | undefined {
    if (producerEpoch !== this.producerEpoch) return undefined;
    return this.#batches.find((batch) => batch.lastSequence === lastSequence && firstSequenceOf(batch) === firstSequence);
  }
}
