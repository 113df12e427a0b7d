/** Broker keys: logs, flushing, retention, the cleaner. Kafka 3.9: `LogConfig.SERVER_CONFIG_DEF`, `ServerLogConfigs`, `CleanerConfig`. */
import { atLeast, between, boolean, className, double, eachOneOf, int, list, long, LONG_MAX, oneOf, string } from '../config-def.ts';

export const logKeys = {
  'num.partitions': int(1, { doc: 'How many partitions a topic gets when nobody says.', validator: atLeast(1) }),
  'log.dir': string('/tmp/kafka-logs', { doc: "Where logs lie, when log.dirs isn't set." }),
  'log.dirs': string(null, { doc: 'The folders that logs lie in, separated by commas; by default log.dir.' }),
  'log.segment.bytes': int(1_073_741_824, {
    doc: 'The size at which a segment is closed and a new one begun. Default for topics: segment.bytes.',
    validator: atLeast(14),
    dynamic: 'cluster-wide',
  }),
  'log.roll.ms': long(null, {
    doc: "The age at which a segment is closed even if it isn't full. Default for topics: segment.ms. When not set, log.roll.hours is used.",
    dynamic: 'cluster-wide',
  }),
  'log.roll.hours': int(168, { doc: 'As log.roll.ms, in hours.', validator: atLeast(1) }),
  'log.roll.jitter.ms': long(null, {
    doc: 'At most this is taken off the time of log.roll.ms at random, so that not all segments roll at once. When not set, log.roll.jitter.hours is used.',
    dynamic: 'cluster-wide',
  }),
  'log.roll.jitter.hours': int(0, { doc: 'As log.roll.jitter.ms, in hours.', validator: atLeast(0) }),
  'log.retention.ms': long(null, {
    doc: 'How long records are kept; -1 is for ever. Default for topics: retention.ms. When not set, log.retention.minutes is used.',
    dynamic: 'cluster-wide',
  }),
  'log.retention.minutes': int(null, { doc: 'As log.retention.ms, in minutes. When not set, log.retention.hours is used.' }),
  'log.retention.hours': int(168, { doc: 'As log.retention.ms, in hours.' }),
  'log.retention.bytes': long(-1, {
    doc: 'How large a partition may grow before its oldest segments are deleted; -1 is no limit. Default for topics: retention.bytes.',
    dynamic: 'cluster-wide',
  }),
  'log.retention.check.interval.ms': long(300_000, { doc: 'How often logs are checked for segments to delete.', validator: atLeast(1) }),
  'log.cleanup.policy': list('delete', {
    doc: 'What becomes of old segments: delete, compact, or both. Default for topics: cleanup.policy.',
    validator: eachOneOf('compact', 'delete'),
    dynamic: 'cluster-wide',
  }),
  'log.index.size.max.bytes': int(10_485_760, {
    doc: 'The largest offset index of a segment; when it is full, the segment is closed. Default for topics: segment.index.bytes.',
    validator: atLeast(4),
    dynamic: 'cluster-wide',
  }),
  'log.index.interval.bytes': int(4096, {
    doc: 'How many bytes of records lie between two entries of an offset index. Default for topics: index.interval.bytes.',
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
  'log.flush.interval.messages': long(LONG_MAX, {
    doc: 'After how many messages a log is flushed to the device. Default for topics: flush.messages.',
    validator: atLeast(1),
    dynamic: 'cluster-wide',
  }),
  'log.flush.interval.ms': long(null, {
    doc: 'How long a message may lie in memory before it is flushed to the device. Default for topics: flush.ms. When not set, log.flush.scheduler.interval.ms is used.',
    dynamic: 'cluster-wide',
  }),
  'log.flush.scheduler.interval.ms': long(LONG_MAX, { doc: 'How often logs are checked for messages that are due to be flushed.' }),
  'log.flush.offset.checkpoint.interval.ms': int(60_000, {
    doc: 'How often the offsets up to which logs are flushed are written down; recovery after a crash begins there.',
    validator: atLeast(0),
  }),
  'log.flush.start.offset.checkpoint.interval.ms': int(60_000, {
    doc: 'How often the offsets at which logs begin are written down.',
    validator: atLeast(0),
  }),
  'log.segment.delete.delay.ms': long(60_000, {
    doc: "How long a deleted segment's file is kept under another name. Default for topics: file.delete.delay.ms.",
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
  'log.preallocate': boolean(false, {
    doc: "Whether a new segment's file has segment.bytes from its begin on. Default for topics: preallocate.",
    dynamic: 'cluster-wide',
  }),
  'log.message.format.version': string('3.0-IV1', { doc: 'Kept for Apache Kafka, without effect: records are always in format 2.' }),
  'log.message.timestamp.type': string('CreateTime', {
    doc: 'Whether a record carries the time of its making or of its append. Default for topics: message.timestamp.type.',
    validator: oneOf('CreateTime', 'LogAppendTime'),
    dynamic: 'cluster-wide',
  }),
  'log.message.timestamp.difference.max.ms': long(LONG_MAX, {
    doc: "Replaced by log.message.timestamp.before.max.ms and log.message.timestamp.after.max.ms, which it stands in for when they aren't set.",
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
  'log.message.timestamp.before.max.ms': long(LONG_MAX, {
    doc: "How far in the past a record's timestamp may lie. Default for topics: message.timestamp.before.max.ms.",
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
  'log.message.timestamp.after.max.ms': long(LONG_MAX, {
    doc: "How far in the future a record's timestamp may lie. Default for topics: message.timestamp.after.max.ms.",
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
  'log.message.downconversion.enable': boolean(true, {
    doc: "Kept for Apache Kafka, without effect: fetch versions that need older record formats aren't offered.",
    dynamic: 'cluster-wide',
  }),
  'log.local.retention.ms': long(-2, {
    doc: 'Default for topics: local.retention.ms. There is no tiered storage here.',
    validator: atLeast(-2),
    dynamic: 'cluster-wide',
  }),
  'log.local.retention.bytes': long(-2, {
    doc: 'Default for topics: local.retention.bytes. There is no tiered storage here.',
    validator: atLeast(-2),
    dynamic: 'cluster-wide',
  }),
  'log.initial.task.delay.ms': long(30_000, {
    doc: 'How long after the start the periodic tasks of logs begin.',
    validator: atLeast(0),
    internal: true,
  }),
  'log.dir.failure.timeout.ms': long(30_000, {
    doc: "How long a broker that can't report a failed log directory goes on. Used in KRaft mode only.",
    validator: atLeast(1),
  }),
  'num.recovery.threads.per.data.dir': int(1, {
    doc: 'How many threads read the logs of a log directory at the start, where much was not flushed before the broker died.',
    validator: atLeast(1),
    dynamic: 'cluster-wide',
  }),
  'auto.create.topics.enable': boolean(true, { doc: "Whether a topic that a client asks for and that doesn't exist is made." }),
  'min.insync.replicas': int(1, {
    doc: 'How many replicas must be in sync for a write with acks=all to be accepted. Default for topics: min.insync.replicas.',
    validator: atLeast(1),
    dynamic: 'cluster-wide',
  }),
  'create.topic.policy.class.name': className(null, {
    doc: 'A Java class that judges new topics. Kept for Apache Kafka, without effect here.',
  }),
  'alter.config.policy.class.name': className(null, {
    doc: 'A Java class that judges changes of settings. Kept for Apache Kafka, without effect here.',
  }),

  'log.cleaner.enable': boolean(true, { doc: 'Whether logs with the cleanup policy compact are compacted.' }),
  'log.cleaner.threads': int(1, { doc: 'How many logs are compacted at once.', validator: atLeast(0), dynamic: 'cluster-wide' }),
  'log.cleaner.io.max.bytes.per.second': double(Number.MAX_VALUE, {
    doc: 'How many bytes a second the cleaner reads and writes at most.',
    dynamic: 'cluster-wide',
  }),
  'log.cleaner.dedupe.buffer.size': long(134_217_728, {
    doc: 'The memory in which the cleaner remembers the newest offset of each key, for all its threads together.',
    dynamic: 'cluster-wide',
  }),
  'log.cleaner.io.buffer.size': int(524_288, {
    doc: "The memory of the cleaner's buffers, for all its threads together.",
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
  'log.cleaner.io.buffer.load.factor': double(0.9, {
    doc: "How full the cleaner's map of keys may get; more keys per round against more collisions.",
    dynamic: 'cluster-wide',
  }),
  'log.cleaner.backoff.ms': long(15_000, {
    doc: 'How long the cleaner rests when there is nothing to clean.',
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
  'log.cleaner.min.cleanable.ratio': double(0.5, {
    doc: 'The share of a log that must be dirty before it is compacted. Default for topics: min.cleanable.dirty.ratio.',
    validator: between(0, 1),
    dynamic: 'cluster-wide',
  }),
  'log.cleaner.delete.retention.ms': long(86_400_000, {
    doc: 'How long a tombstone is kept after compaction. Default for topics: delete.retention.ms.',
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
  'log.cleaner.min.compaction.lag.ms': long(0, {
    doc: 'How long a record stays as it is before it may be compacted away. Default for topics: min.compaction.lag.ms.',
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
  'log.cleaner.max.compaction.lag.ms': long(LONG_MAX, {
    doc: 'The longest time that a record may stay uncompacted. Default for topics: max.compaction.lag.ms.',
    validator: atLeast(1),
    dynamic: 'cluster-wide',
  }),
};
