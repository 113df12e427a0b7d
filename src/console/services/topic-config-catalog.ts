/**
 * The topic configs of Kafka 3.9 in our own words: what each does, its default, unit and range. The create dialog explains and
 * checks with it before a broker is asked; where a broker's default differs, DescribeConfigs tells.
 * Source of the facts: org.apache.kafka.common.config.TopicConfig and LogConfig.
 */
import type { TopicConfigSpec } from '../contract/configs.ts';

type Partial4 = Partial<Pick<TopicConfigSpec, 'unit' | 'min' | 'max' | 'allowed'>>;

const MAX_INT = 2_147_483_647;
const MAX_LONG = Number.MAX_SAFE_INTEGER;

function spec(
  name: string,
  group: TopicConfigSpec['group'],
  type: TopicConfigSpec['type'],
  defaultValue: string,
  documentation: string,
  more: Partial4 = {},
): TopicConfigSpec {
  const bounded = type === 'int' || type === 'long' || type === 'double';
  const max = type === 'int' ? MAX_INT : type === 'long' ? MAX_LONG : null;
  return {
    name,
    group,
    type,
    defaultValue,
    documentation,
    unit: null,
    allowed: null,
    min: bounded ? 0 : null,
    max: bounded ? max : null,
    ...more,
  };
}

const BOOLEAN = { allowed: ['true', 'false'] } as const;

export const topicConfigCatalog: readonly TopicConfigSpec[] = [
  spec(
    'cleanup.policy',
    'retention',
    'list',
    'delete',
    'What happens to old segments: "delete" removes them by time or size, "compact" keeps the last record of each key; both may be given.',
    {
      allowed: ['delete', 'compact'],
    },
  ),
  spec(
    'retention.ms',
    'retention',
    'long',
    '604800000',
    'How long records are kept before their segment may be deleted. -1 keeps them for ever.',
    { unit: 'ms', min: -1 },
  ),
  spec(
    'retention.bytes',
    'retention',
    'long',
    '-1',
    'How large a partition may grow before its oldest segments are deleted. -1 sets no limit; it counts per partition.',
    {
      unit: 'bytes',
      min: -1,
    },
  ),
  spec(
    'file.delete.delay.ms',
    'retention',
    'long',
    '60000',
    'How long a segment that is to go stays on disk, renamed, before it is removed.',
    { unit: 'ms' },
  ),
  spec(
    'flush.messages',
    'flush',
    'long',
    '9223372036854775807',
    'After how many records a partition is forced to disk (fsync). The default leaves it to the operating system: replication is what protects then.',
    {
      unit: 'messages',
      min: 1,
    },
  ),
  spec(
    'flush.ms',
    'flush',
    'long',
    '9223372036854775807',
    'After how long a partition with unflushed records is forced to disk (fsync). The default leaves it to the operating system.',
    {
      unit: 'ms',
    },
  ),
  spec(
    'segment.bytes',
    'segments',
    'int',
    '1073741824',
    'The size at which the active segment is closed and a new one begun. Retention and compaction work on closed segments only.',
    {
      unit: 'bytes',
      min: 14,
    },
  ),
  spec('segment.ms', 'segments', 'long', '604800000', 'The age at which the active segment is closed even if it is not full.', {
    unit: 'ms',
    min: 1,
  }),
  spec('segment.jitter.ms', 'segments', 'long', '0', 'Up to how much earlier, at random, so that not all partitions roll at once.', {
    unit: 'ms',
  }),
  spec('segment.index.bytes', 'segments', 'int', '10485760', 'The largest an offset index may get; a full index closes its segment.', {
    unit: 'bytes',
    min: 4,
  }),
  spec('index.interval.bytes', 'segments', 'int', '4096', 'About how many bytes of log lie between two entries of the offset index.', {
    unit: 'bytes',
  }),
  spec('preallocate', 'segments', 'boolean', 'false', 'Whether the file of a new segment is made at its full size at once.', BOOLEAN),
  spec(
    'min.cleanable.dirty.ratio',
    'compaction',
    'double',
    '0.5',
    'How much of a compacted log must be uncompacted before the cleaner takes it up.',
    { unit: 'ratio', max: 1 },
  ),
  spec('min.compaction.lag.ms', 'compaction', 'long', '0', 'How long a record stays uncompacted at least.', { unit: 'ms' }),
  spec('max.compaction.lag.ms', 'compaction', 'long', '9223372036854775807', 'How long a record may stay uncompacted at most.', {
    unit: 'ms',
    min: 1,
  }),
  spec(
    'delete.retention.ms',
    'compaction',
    'long',
    '86400000',
    'How long a tombstone stays readable in a compacted topic before it is removed too.',
    { unit: 'ms' },
  ),
  spec('min.insync.replicas', 'replication', 'int', '1', 'How many replicas must be in sync for a write with acks=all to be accepted.', {
    min: 1,
  }),
  spec(
    'unclean.leader.election.enable',
    'replication',
    'boolean',
    'false',
    'Whether a replica outside the ISR may become leader when no other is left. That loses records.',
    BOOLEAN,
  ),
  spec(
    'leader.replication.throttled.replicas',
    'replication',
    'list',
    '',
    'Replicas (partition:broker, or *) whose traffic as leader is throttled.',
  ),
  spec(
    'follower.replication.throttled.replicas',
    'replication',
    'list',
    '',
    'Replicas (partition:broker, or *) whose traffic as follower is throttled.',
  ),
  spec('max.message.bytes', 'messages', 'int', '1048588', 'The largest batch of records, after compression, that is accepted.', {
    unit: 'bytes',
  }),
  spec(
    'compression.type',
    'messages',
    'string',
    'producer',
    'The codec on disk. "producer" keeps what the producer chose; "uncompressed" removes compression.',
    {
      allowed: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
    },
  ),
  spec(
    'message.timestamp.type',
    'messages',
    'string',
    'CreateTime',
    'Whether a record carries the time at which it was made or at which it was appended.',
    {
      allowed: ['CreateTime', 'LogAppendTime'],
    },
  ),
  spec(
    'message.timestamp.before.max.ms',
    'messages',
    'long',
    '9223372036854775807',
    "How far before the broker's clock a record's CreateTime may lie.",
    { unit: 'ms' },
  ),
  spec(
    'message.timestamp.after.max.ms',
    'messages',
    'long',
    '9223372036854775807',
    "How far after the broker's clock a record's CreateTime may lie.",
    { unit: 'ms' },
  ),
];

const byName = new Map(topicConfigCatalog.map((entry) => [entry.name, entry]));

export function topicConfigSpec(name: string): TopicConfigSpec | undefined {
  return byName.get(name);
}
