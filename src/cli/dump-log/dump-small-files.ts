/**
 * The lines of the small files: producer snapshots as Kafka's tool prints them; checkpoints, `partition.metadata`, `meta.properties` and
 * `.kafka_cleanshutdown`, which Kafka's tool doesn't know, as `name: value` in the same manner. All are read whole: they are bounded by their readers.
 */
import { decodeEpochCheckpoint, decodeOffsetCheckpoint } from '../../log-format/checkpoint.ts';
import { decodeCleanShutdown } from '../../log-format/clean-shutdown.ts';
import { CLEAN_SHUTDOWN_FILE, LEADER_EPOCH_CHECKPOINT, META_PROPERTIES, PARTITION_METADATA } from '../../log-format/file-names.ts';
import { decodeMetaProperties } from '../../log-format/meta-properties.ts';
import { decodePartitionMetadata } from '../../log-format/partition-metadata.ts';
import { decodeProducerSnapshot } from '../../log-format/producer-snapshot.ts';
import type { ProducerSnapshotEntry } from '../../log-format/producer-snapshot.ts';
import { optionalLong } from './dump-batches.ts';

/** A snapshot has 46 bytes a producer, a checkpoint some 40 a partition: a larger file is not what its name says. */
export const MAX_SMALL_FILE_BYTES = 256 * 1024 * 1024;

type Lines = Generator<string, void, undefined>;

/** The dumper of a file that is no segment's, by its name; undefined: unknown. Each throws LogFormatError. */
export function smallFileDumper(name: string): ((content: Buffer) => Lines) | undefined {
  switch (name) {
    case LEADER_EPOCH_CHECKPOINT:
      return dumpEpochs;
    case PARTITION_METADATA:
      return dumpPartitionMetadata;
    case META_PROPERTIES:
      return dumpMetaProperties;
    case CLEAN_SHUTDOWN_FILE:
      return dumpCleanShutdown;
    default:
      return name.endsWith('-offset-checkpoint') ? dumpOffsets : undefined;
  }
}

/** @throws LogFormatError 'corrupt-snapshot'. */
export function* dumpProducerSnapshot(content: Buffer): Lines {
  for (const entry of decodeProducerSnapshot(content)) {
    const { currentTxnFirstOffset } = entry;
    yield (
      `producerId: ${entry.producerId} producerEpoch: ${entry.producerEpoch} coordinatorEpoch: ${entry.coordinatorEpoch} ` +
      `currentTxnFirstOffset: ${optionalLong(currentTxnFirstOffset < 0 ? undefined : currentTxnFirstOffset)} ` +
      `lastTimestamp: ${entry.timestamp} ${lastBatch(entry)}`
    );
  }
}

function lastBatch({ lastSequence, lastOffset, offsetDelta, timestamp }: ProducerSnapshotEntry): string {
  if (lastOffset < 0) return '';
  // Sequences go round below 0 to 2^31 - 1.
  const firstSequence = lastSequence < offsetDelta ? 0x7fff_ffff - (offsetDelta - lastSequence) + 1 : lastSequence - offsetDelta;
  return `firstSequence: ${firstSequence} lastSequence: ${lastSequence} lastOffset: ${lastOffset} offsetDelta: ${offsetDelta} timestamp: ${timestamp}`;
}

function* dumpOffsets(content: Buffer): Lines {
  for (const { topicPartition, offset } of decodeOffsetCheckpoint(content.toString('utf8')))
    yield `topic: ${topicPartition.topic} partition: ${topicPartition.partition} offset: ${offset}`;
}

function* dumpEpochs(content: Buffer): Lines {
  for (const { epoch, startOffset } of decodeEpochCheckpoint(content.toString('utf8'))) yield `epoch: ${epoch} startOffset: ${startOffset}`;
}

function* dumpPartitionMetadata(content: Buffer): Lines {
  yield `version: 0 topicId: ${decodePartitionMetadata(content.toString('utf8'))}`;
}

function* dumpMetaProperties(content: Buffer): Lines {
  const { brokerId, clusterId, directoryId } = decodeMetaProperties(content.toString('utf8'));
  const parts = ['version: 0'];
  if (brokerId !== undefined) parts.push(`brokerId: ${brokerId}`);
  if (clusterId !== undefined) parts.push(`clusterId: ${clusterId}`);
  if (directoryId !== undefined) parts.push(`directoryId: ${directoryId}`);
  yield parts.join(' ');
}

function* dumpCleanShutdown(content: Buffer): Lines {
  const brokerEpoch = decodeCleanShutdown(content.toString('utf8'));
  yield brokerEpoch === -1 ? 'brokerEpoch: unknown' : `brokerEpoch: ${brokerEpoch}`;
}
