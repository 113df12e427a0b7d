/**
 * The committed offsets of one group, by topic and partition, and those of open transactions, which count once the
 * transaction is committed. Source: the offsets half of Kafka's `GroupMetadata`.
 */
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

export class OffsetStore {
  readonly #byTopic = new Map<string, Map<number, OffsetAndMetadata>>();
  readonly #pendingByProducer = new Map<number, CommittedOffset[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get hasPending(): boolean {
    return this.#pendingByProducer.size > 0;
  }

  get(topic: string, partition: number): OffsetAndMetadata | undefined {
    return this.#byTopic.get(topic)?.get(partition);
  }

  put(topic: string, partition: number, value: OffsetAndMetadata): void {
    let partitions = this.#byTopic.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#byTopic.set(topic, partitions);
    }
    if (!partitions.has(partition)) this.#size++;
    partitions.set(partition, value);
  }

  delete(topic: string, partition: number): boolean {
    const partitions = this.#byTopic.get(topic);
    if (partitions?.delete(partition) !== true) return false;
    this.#size--;
    if (partitions.size === 0) this.#byTopic.delete(topic);
    return true;
  }

  *entries(): Generator<CommittedOffset> {
    for (const [topic, partitions] of this.#byTopic) for (const [partition, value] of partitions) yield { topic, partition, ...value };
  }

  /** Remembers what a transaction wants to commit. */
  addPending(producerId: number, offset: CommittedOffset): void {
    const list = this.#pendingByProducer.get(producerId);
    if (list === undefined) this.#pendingByProducer.set(producerId, [offset]);
    else list.push(offset);
  }

  completePending(producerId: number, isCommit: boolean): void {
    const list = this.#pendingByProducer.get(producerId) ?? [];
    this.#pendingByProducer.delete(producerId);
    if (!isCommit) return;
    for (const { topic, partition, ...value } of list) this.put(topic, partition, value);
  }

  isPending(topic: string, partition: number): boolean {
    for (const list of this.#pendingByProducer.values()) {
      if (list.some((entry) => entry.topic === topic && entry.partition === partition)) return true;
    }
    return false;
  }
}
