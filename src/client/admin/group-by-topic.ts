import type { TopicPartition } from '../../protocol/topic-partition.ts';

/** Partitions by their topic, both in the order of first appearance: the shape of most requests. */
export function groupByTopic<T extends TopicPartition>(partitions: Iterable<T>): [topic: string, partitions: T[]][] {
  const topics = new Map<string, T[]>();
  for (const partition of partitions) {
    const own = topics.get(partition.topic);
    if (own === undefined) topics.set(partition.topic, [partition]);
    else own.push(partition);
  }
  return Array.from(topics);
}
