/**
 * Producers whose batch this broker refused without a look at the log (it is not the leader yet, too few replicas are in sync), and at which
 * sequence. What they had sent behind it, before they could know, may come when the reason is gone: the log calls it out of order, which librdkafka
 * may take for the loss of records, and gives its producer up for good. (Or takes it, where it knows nothing of the producer, and calls all in front of
 * it out of order ever after.) It is refused for the same reason as the first one instead, and all are sent again in order.
 *
 * By partition and producer, since a broker that starts refuses for partitions that it doesn't know of yet. Only for a while, far longer than
 * anything can be under way: a producer goes on at another leader, and a gap of its own making is to be called one. Kafka has no such memory.
 */
import { baseSequenceAt, lastSequenceAt, producerEpochAt, producerIdAt } from '../../log-format/batch-fields.ts';
import { NO_PRODUCER_ID, RECORD_BATCH_OVERHEAD } from '../../protocol/records/record-batch.ts';
import type { Clock } from '../../runtime/clock.ts';

/** The oldest goes for a newer one: its producer is told what Kafka would tell it. */
const MAX_PRODUCERS = 1000;
export const REMEMBERED_MS = 10_000;

interface Refused {
  readonly producerEpoch: number;
  /** The first one that was refused and hasn't come again. */
  readonly sequence: number;
  /** The last one that was refused. */
  readonly lastSequence: number;
  readonly errorCode: number;
  readonly atMs: number;
}

export class RefusedSequences {
  readonly #clock: Clock;
  /** The oldest first. */
  readonly #byProducer = new Map<string, Refused>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `batch` was refused with `errorCode`; of several in a row the first one counts. */
  note(partitionKey: string, batch: Buffer, errorCode: number): void {
    if (batch.length < RECORD_BATCH_OVERHEAD || producerIdAt(batch, 0) === NO_PRODUCER_ID) return;
    const key = keyOf(partitionKey, batch);
    const sequence = baseSequenceAt(batch, 0);
    const known = this.#byProducer.get(key);
    if (known !== undefined && this.refusedBefore(partitionKey, batch) !== undefined) {
      if (sequence > known.lastSequence) this.#byProducer.set(key, { ...known, lastSequence: sequence });
      return;
    }
    this.#byProducer.delete(key);
    if (this.#byProducer.size >= MAX_PRODUCERS) this.#removeOldest();
    const [producerEpoch, atMs] = [producerEpochAt(batch, 0), this.#clock.monotonicMs()];
    this.#byProducer.set(key, { producerEpoch, sequence, lastSequence: sequence, errorCode, atMs });
  }

  /** With which error the batch was refused that `batch` follows and that hasn't come again; undefined when there is none. */
  refusedBefore(partitionKey: string, batch: Buffer): number | undefined {
    this.#forgetOld();
    if (this.#byProducer.size === 0 || batch.length < RECORD_BATCH_OVERHEAD) return undefined;
    const refused = this.#byProducer.get(keyOf(partitionKey, batch));
    if (refused === undefined || refused.producerEpoch !== producerEpochAt(batch, 0)) return undefined;
    return baseSequenceAt(batch, 0) > refused.sequence ? refused.errorCode : undefined;
  }

  /**
   * `batch` is in the log: so is all in front of it. It may have come over a connection that its producer has given up; what was refused behind it over another
   * is still to come again.
   */
  noteAccepted(partitionKey: string, batch: Buffer): void {
    this.#forgetOld();
    if (this.#byProducer.size === 0) return;
    const key = keyOf(partitionKey, batch);
    const refused = this.#byProducer.get(key);
    if (refused === undefined) return;
    const accepted = lastSequenceAt(batch, 0);
    if (refused.lastSequence <= accepted || refused.producerEpoch !== producerEpochAt(batch, 0)) this.#byProducer.delete(key);
    else this.#byProducer.set(key, { ...refused, sequence: accepted + 1 });
  }

  #forgetOld(): void {
    if (this.#byProducer.size === 0) return;
    const sinceMs = this.#clock.monotonicMs() - REMEMBERED_MS;
    for (const [key, { atMs }] of this.#byProducer) {
      if (atMs > sinceMs) return;
      this.#byProducer.delete(key);
    }
  }

  #removeOldest(): void {
    for (const key of this.#byProducer.keys()) {
      this.#byProducer.delete(key);
      return;
    }
  }
}

const keyOf = (partitionKey: string, batch: Buffer): string => `${partitionKey}/${producerIdAt(batch, 0)}`;
