/** A partition's name: what most maps of the engine are keyed by. Source: TopicPartition.java. */

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `topic-partition`, the name that Kafka gives the partition's folder. Unique: the partition is what follows the last '-'. */
export function topicPartitionKey(topicPartition: TopicPartition): string {
  return `${topicPartition.topic}-${topicPartition.partition}`;
}

/** The inverse of `topicPartitionKey`; undefined when `key` has not that form. */
export function parseTopicPartitionKey(key: string): TopicPartition | undefined {
  const match = /^(.+)-(0|[1-9]\d{0,9})$/s.exec(key);
  if (match === null) return undefined;
  const partition = Number(match[2]);
  return partition <= 0x7fffffff ? { topic: match[1]!, partition } : undefined;
}
