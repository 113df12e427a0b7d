/**
 * The committed offsets of one group, by topic and partition; the commits whose records are being written; and those of open
 * transactions, which count once their transaction is committed.
 *
 * Invariant: of two commits for a partition the one that stands later in the log wins, whichever is confirmed first (a
 * transaction's commit takes effect long after its record was appended). Hence each comes with its place in the order of appends.
 * Source: the offsets half of Kafka's `GroupMetadata`, `CommitRecordMetadataAndOffset`.
 */
import { topicPartitionKey } from '../../protocol/topic-partition.ts';

export interface OffsetAndMetadata {
  readonly offset: number;
  /** -1 when unknown. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitTimestamp: number;
  /** Only from commits with an explicit retention (before OffsetCommit v5); -1 else. */
  readonly expireTimestamp: number;
}

export interface CommittedOffset extends OffsetAndMetadata {
  readonly topic: string;
  readonly partition: number;
}

interface Appended {
  readonly value: OffsetAndMetadata;
  readonly appendOrder: number;
}

interface PendingTransactional extends Appended {
  readonly topic: string;
  readonly partition: number;
}

export class OffsetStore {
  readonly #byTopic = new Map<string, Map<number, Appended>>();
  /** The latest commit of each partition that is being written. */
  readonly #pendingCommits = new Map<string, OffsetAndMetadata>();
  readonly #pendingByProducer = new Map<number, Map<string, PendingTransactional>>();
  #size = 0;

  /** How many partitions have a committed offset. */
  get size(): number {
    return this.#size;
  }

  /** Nothing committed, nothing on its way. */
  get isEmpty(): boolean {
    return this.#size === 0 && this.#pendingCommits.size === 0 && this.#pendingByProducer.size === 0;
  }

  get(topic: string, partition: number): OffsetAndMetadata | undefined {
    return this.#byTopic.get(topic)?.get(partition)?.value;
  }

  *entries(): Generator<CommittedOffset> {
    for (const [topic, partitions] of this.#byTopic) for (const [partition, { value }] of partitions) yield { topic, partition, ...value };
  }

  /** Makes `value` the committed offset, unless one that was appended later is known. */
  put(topic: string, partition: number, value: OffsetAndMetadata, appendOrder: number): void {
    let partitions = this.#byTopic.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#byTopic.set(topic, partitions);
    }
    const known = partitions.get(partition);
    if (known === undefined) this.#size++;
    else if (known.appendOrder > appendOrder) return;
    partitions.set(partition, { value, appendOrder });
  }

  /** Forgets the offset, committed or on its way; tells whether one was committed. */
  delete(topic: string, partition: number): boolean {
    const key = topicPartitionKey({ topic, partition });
    this.#pendingCommits.delete(key);
    for (const producerId of this.#pendingByProducer.keys()) this.removePending(producerId, topic, partition);
    const partitions = this.#byTopic.get(topic);
    if (partitions?.delete(partition) !== true) return false;
    this.#size--;
    if (partitions.size === 0) this.#byTopic.delete(topic);
    return true;
  }

  /** `value` is being written. */
  prepareCommit(topic: string, partition: number, value: OffsetAndMetadata): void {
    this.#pendingCommits.set(topicPartitionKey({ topic, partition }), value);
  }

  /** `value` is written. It doesn't count when the offset was deleted meanwhile. */
  completeCommit(topic: string, partition: number, value: OffsetAndMetadata, appendOrder: number): void {
    const key = topicPartitionKey({ topic, partition });
    const latest = this.#pendingCommits.get(key);
    if (latest !== undefined) this.put(topic, partition, value, appendOrder);
    if (latest === value) this.#pendingCommits.delete(key);
  }

  /** `value` could not be written. */
  failCommit(topic: string, partition: number, value: OffsetAndMetadata): void {
    const key = topicPartitionKey({ topic, partition });
    if (this.#pendingCommits.get(key) === value) this.#pendingCommits.delete(key);
  }

  /** Remembers what a transaction wants to commit. */
  addPending(producerId: number, topic: string, partition: number, value: OffsetAndMetadata, appendOrder: number): void {
    let pending = this.#pendingByProducer.get(producerId);
    if (pending === undefined) {
      pending = new Map();
      this.#pendingByProducer.set(producerId, pending);
    }
    pending.set(topicPartitionKey({ topic, partition }), { topic, partition, value, appendOrder });
  }

  removePending(producerId: number, topic: string, partition: number): void {
    const pending = this.#pendingByProducer.get(producerId);
    if (pending?.delete(topicPartitionKey({ topic, partition })) === true && pending.size === 0) this.#pendingByProducer.delete(producerId);
  }

  /** The transaction is over: what it wanted counts, or is forgotten. */
  completePending(producerId: number, isCommit: boolean): void {
    const pending = this.#pendingByProducer.get(producerId);
    this.#pendingByProducer.delete(producerId);
    if (!isCommit || pending === undefined) return;
    for (const { topic, partition, value, appendOrder } of pending.values()) this.put(topic, partition, value, appendOrder);
  }

  /** Whether a commit for this partition is being written or waits for the end of its transaction. */
  isPending(topic: string, partition: number): boolean {
    const key = topicPartitionKey({ topic, partition });
    if (this.#pendingCommits.has(key)) return true;
    for (const pending of this.#pendingByProducer.values()) if (pending.has(key)) return true;
    return false;
  }
}
