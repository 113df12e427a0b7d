/**
 * `partition.metadata`: the topic id of a partition's folder.
 *
 *   version: 0\ntopic_id: <22 characters>      (no line break at the end)
 *
 * Source: Kafka's PartitionMetadataFile, KIP-516.
 */
import { LogFormatError } from './log-format-error.ts';

const TOPIC_ID = /^topic_id: *([\w-]{22})\s*$/;

export function encodePartitionMetadata(topicId: string): string {
  return `version: 0\ntopic_id: ${topicId}`;
}

/** The topic id. @throws LogFormatError 'corrupt-partition-metadata' on an unknown version or a malformed id. */
export function decodePartitionMetadata(text: string): string {
  const [version, id] = text.split('\n');
  if (version === undefined || !/^version: *0\s*$/.test(version)) {
    throw new LogFormatError('corrupt-partition-metadata', `partition.metadata begins with ${JSON.stringify(version)}, not "version: 0"`);
  }
  const topicId = TOPIC_ID.exec(id ?? '')?.[1];
  if (topicId === undefined)
    throw new LogFormatError('corrupt-partition-metadata', `partition.metadata has ${JSON.stringify(id)} for a topic id`);
  return topicId;
}
