/**
 * Topic keys, and which broker keys are their defaults. Kafka 3.9: `TopicConfig`, `LogConfig`, `ServerTopicConfigSynonyms`.
 * Of the synonyms of a key the first that is set counts; `factor` turns its unit into the key's.
 */
import { atLeast, between, boolean, double, eachOneOf, int, list, long, LONG_MAX, oneOf, string, type Validator } from '../config-def.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

const throttledReplicas: Validator<readonly string[]> = {
  description: '[partitionId]:[brokerId],[partitionId]:[brokerId],...',
  check: (replicas) =>
    replicas.every((replica) => /^(\d+:\d+)?$/.test(replica)) || (replicas.length === 1 && replicas[0] === '*')
      ? undefined
      : "must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
};

export const topicKeys = {
  'cleanup.policy': list('delete', {
    doc: 'What becomes of old segments: delete removes them by age or size, compact keeps the newest record of each key, both may be set.',
    validator: eachOneOf('compact', 'delete'),
  }),
  'compression.type': string('producer', {
    doc: 'The codec that batches are stored with. producer keeps what the producer chose, uncompressed stores them plain.',
    validator: oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'),
  }),
  'compression.gzip.level': int(-1, {
    doc: "The level when the broker compresses with gzip; -1 is the library's own choice.",
    validator: {
      description: '[1,...,9] or -1',
      check: (level) => (level === -1 || (level >= 1 && level <= 9) ? undefined : 'Value must be between 1 and 9 or equal to -1'),
    },
  }),
  'compression.lz4.level': int(9, {
    doc: 'The level when the broker compresses with LZ4: 9 is the fast compressor, any other LZ4 high compression, with which 12 and above are the same.',
    validator: between(1, 17),
  }),
  'compression.zstd.level': int(3, { doc: 'The level when the broker compresses with zstd.', validator: between(-131_072, 22) }),
  'delete.retention.ms': long(86_400_000, {
    doc: 'How long a tombstone is kept after compaction, so that a consumer that began before sees the deletion.',
    validator: atLeast(0),
  }),
  'file.delete.delay.ms': long(60_000, {
    doc: 'How long the file of a deleted segment is kept, under another name.',
    validator: atLeast(0),
  }),
  'flush.messages': long(LONG_MAX, {
    doc: 'After how many messages the log is flushed to the device (fsync). 1 flushes every message; the default leaves it to the operating system and to replication.',
    validator: atLeast(1),
  }),
  'flush.ms': long(LONG_MAX, {
    doc: 'How long a message may lie in memory before the log is flushed to the device (fsync). The default leaves it to the operating system and to replication.',
    validator: atLeast(0),
  }),
  'follower.replication.throttled.replicas': list('', {
    doc: 'The replicas whose fetching is throttled, as partition:broker, or * for all.',
    validator: throttledReplicas,
  }),
  'index.interval.bytes': int(4096, {
    doc: 'How many bytes of records lie between two entries of the offset index.',
    validator: atLeast(0),
  }),
  'leader.replication.throttled.replicas': list('', {
    doc: 'The replicas to which sending is throttled, as partition:broker, or * for all.',
    validator: throttledReplicas,
  }),
  'local.retention.bytes': long(-2, {
    doc: 'How much of a tiered log is kept on this broker; -2 is what retention.bytes says. There is no tiered storage here.',
    validator: atLeast(-2),
  }),
  'local.retention.ms': long(-2, {
    doc: "How long a tiered log's records are kept on this broker; -2 is what retention.ms says. There is no tiered storage here.",
    validator: atLeast(-2),
  }),
  'max.compaction.lag.ms': long(LONG_MAX, {
    doc: 'The longest time that a record may stay uncompacted.',
    validator: atLeast(1),
  }),
  'max.message.bytes': int(1_048_588, {
    doc: 'The largest record batch, after compression, that is accepted.',
    validator: atLeast(0),
  }),
  'message.downconversion.enable': boolean(true, {
    doc: "Kept for Apache Kafka, without effect: fetch versions that need older record formats aren't offered.",
  }),
  'message.format.version': string('3.0-IV1', { doc: 'Kept for Apache Kafka, without effect: records are always in format 2.' }),
  'message.timestamp.after.max.ms': long(LONG_MAX, {
    doc: "How far in the future, by the broker's clock, a record's timestamp may lie. Not for LogAppendTime.",
    validator: atLeast(0),
  }),
  'message.timestamp.before.max.ms': long(LONG_MAX, {
    doc: "How far in the past, by the broker's clock, a record's timestamp may lie. Not for LogAppendTime.",
    validator: atLeast(0),
  }),
  'message.timestamp.difference.max.ms': long(LONG_MAX, {
    doc: "Replaced by message.timestamp.before.max.ms and message.timestamp.after.max.ms, which it stands in for when they aren't set.",
    validator: atLeast(0),
  }),
  'message.timestamp.type': string('CreateTime', {
    doc: 'Whether a record carries the time of its making (CreateTime) or of its append (LogAppendTime).',
    validator: oneOf('CreateTime', 'LogAppendTime'),
  }),
  'min.cleanable.dirty.ratio': double(0.5, {
    doc: 'The share of the log that must be dirty before it is compacted: more compaction against less wasted space.',
    validator: between(0, 1),
  }),
  'min.compaction.lag.ms': long(0, {
    doc: 'How long a record stays as it is before it may be compacted away.',
    validator: atLeast(0),
  }),
  'min.insync.replicas': int(1, {
    doc: 'How many replicas must be in sync for a write with acks=all. With fewer the write is refused.',
    validator: atLeast(1),
  }),
  preallocate: boolean(false, {
    doc: "Whether a new segment's file has segment.bytes from its begin on; it is cut to its size when it gets no more records.",
  }),
  'remote.storage.enable': boolean(false, { doc: 'Whether old segments move to remote storage. There is no tiered storage here.' }),
  'remote.log.copy.disable': boolean(false, { doc: 'Whether no more segments move to remote storage. There is no tiered storage here.' }),
  'remote.log.delete.on.disable': boolean(false, {
    doc: 'Whether what lies in remote storage is deleted when it is turned off. There is no tiered storage here.',
  }),
  'retention.bytes': long(-1, {
    doc: 'How large a partition may grow before its oldest segments are deleted; -1 is no limit. Needs the cleanup policy delete.',
  }),
  'retention.ms': long(604_800_000, {
    doc: 'How long records are kept before their segment is deleted; -1 is for ever. Needs the cleanup policy delete.',
    validator: atLeast(-1),
  }),
  'segment.bytes': int(1_073_741_824, {
    doc: 'The size at which a segment is closed and a new one begun. Only closed segments are deleted or compacted.',
    validator: atLeast(14),
  }),
  'segment.index.bytes': int(10_485_760, {
    doc: 'The largest offset index of a segment; when it is full, the segment is closed.',
    validator: atLeast(4),
  }),
  'segment.jitter.ms': long(0, {
    doc: 'At most this is taken off segment.ms at random, so that not all segments roll at once.',
    validator: atLeast(0),
  }),
  'segment.ms': long(604_800_000, {
    doc: "The age at which a segment is closed even if it isn't full.",
    validator: atLeast(1),
  }),
  'unclean.leader.election.enable': boolean(false, {
    doc: "Whether a replica that isn't in sync may become leader when no other is left, losing records.",
  }),
};

export type TopicKey = keyof typeof topicKeys;

export interface ServerSynonym {
  readonly brokerKey: string;
  /** Multiplies the broker key's value to give the topic key's unit. */
  readonly factor: number;
}

const same = (brokerKey: string, factor = 1): ServerSynonym => ({ brokerKey, factor });

/** The broker keys that give a topic key its default, the one that counts most first. Keys without any are not here. */
export const serverSynonyms: Readonly<Partial<Record<TopicKey, readonly ServerSynonym[]>>> = {
  'segment.bytes': [same('log.segment.bytes')],
  'segment.ms': [same('log.roll.ms'), same('log.roll.hours', HOUR_MS)],
  'segment.jitter.ms': [same('log.roll.jitter.ms'), same('log.roll.jitter.hours', HOUR_MS)],
  'segment.index.bytes': [same('log.index.size.max.bytes')],
  'flush.messages': [same('log.flush.interval.messages')],
  'flush.ms': [same('log.flush.interval.ms'), same('log.flush.scheduler.interval.ms')],
  'retention.bytes': [same('log.retention.bytes')],
  'retention.ms': [same('log.retention.ms'), same('log.retention.minutes', MINUTE_MS), same('log.retention.hours', HOUR_MS)],
  'max.message.bytes': [same('message.max.bytes')],
  'index.interval.bytes': [same('log.index.interval.bytes')],
  'delete.retention.ms': [same('log.cleaner.delete.retention.ms')],
  'min.compaction.lag.ms': [same('log.cleaner.min.compaction.lag.ms')],
  'max.compaction.lag.ms': [same('log.cleaner.max.compaction.lag.ms')],
  'file.delete.delay.ms': [same('log.segment.delete.delay.ms')],
  'min.cleanable.dirty.ratio': [same('log.cleaner.min.cleanable.ratio')],
  'cleanup.policy': [same('log.cleanup.policy')],
  'unclean.leader.election.enable': [same('unclean.leader.election.enable')],
  'min.insync.replicas': [same('min.insync.replicas')],
  'compression.type': [same('compression.type')],
  'compression.gzip.level': [same('compression.gzip.level')],
  'compression.lz4.level': [same('compression.lz4.level')],
  'compression.zstd.level': [same('compression.zstd.level')],
  preallocate: [same('log.preallocate')],
  'message.format.version': [same('log.message.format.version')],
  'message.timestamp.type': [same('log.message.timestamp.type')],
  'message.timestamp.difference.max.ms': [same('log.message.timestamp.difference.max.ms')],
  'message.timestamp.before.max.ms': [same('log.message.timestamp.before.max.ms')],
  'message.timestamp.after.max.ms': [same('log.message.timestamp.after.max.ms')],
  'local.retention.ms': [same('log.local.retention.ms')],
  'local.retention.bytes': [same('log.local.retention.bytes')],
  'message.downconversion.enable': [same('log.message.downconversion.enable')],
};
