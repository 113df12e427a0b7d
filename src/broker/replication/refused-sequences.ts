/**
 * Producers that were refused a batch for want of in-sync replicas, and at which sequence. What they had sent behind it, before they could know,
 * may come when there are enough replicas again: the log calls it out of order, which librdkafka takes for the loss of records and gives its producer up
 * for good. It is refused for the same reason as the first one instead, and all are sent again in order. Kafka has no such memory.
 */
import { baseSequenceAt, producerEpochAt, producerIdAt } from '../../log-format/batch-fields.ts';
import { NO_PRODUCER_ID, RECORD_BATCH_OVERHEAD } from '../../protocol/records/record-batch.ts';

/** The oldest goes for a newer one: its producer is told what Kafka would tell it. */
const MAX_PRODUCERS = 1000;

interface Refused {
  readonly producerEpoch: number;
  readonly sequence: number;
}

export class RefusedSequences {
  readonly #byProducer = new Map<number, Refused>();

  /** `batch` was refused; of several in a row the first one counts. */
  note(batch: Buffer): void {
    if (batch.length < RECORD_BATCH_OVERHEAD || producerIdAt(batch, 0) === NO_PRODUCER_ID) return;
    if (this.isBehindRefused(batch)) return;
    const producerId = producerIdAt(batch, 0);
    if (this.#byProducer.size >= MAX_PRODUCERS && !this.#byProducer.has(producerId)) this.#removeOldest();
    this.#byProducer.set(producerId, { producerEpoch: producerEpochAt(batch, 0), sequence: baseSequenceAt(batch, 0) });
  }

  /** Whether `batch` follows one that was refused and hasn't come again. */
  isBehindRefused(batch: Buffer): boolean {
    if (this.#byProducer.size === 0) return false;
    const refused = this.#byProducer.get(producerIdAt(batch, 0));
    return refused !== undefined && refused.producerEpoch === producerEpochAt(batch, 0) && baseSequenceAt(batch, 0) > refused.sequence;
  }

  /** `batch` is in the log: so is all in front of it. */
  noteAccepted(batch: Buffer): void {
    if (this.#byProducer.size > 0) this.#byProducer.delete(producerIdAt(batch, 0));
  }

  clear(): void {
    this.#byProducer.clear();
  }

  #removeOldest(): void {
    for (const producerId of this.#byProducer.keys()) {
      this.#byProducer.delete(producerId);
      return;
    }
  }
}
