/** A log folder with a file of every kind, as a list of names and contents: what dump-log's tests print and Kafka's tool is set beside. */
import { encodeVersioned } from '../../protocol/api.ts';
import { ConsumerProtocolAssignment } from '../../protocol/generated/consumer-protocol-assignment.ts';
import { ConsumerProtocolSubscription } from '../../protocol/generated/consumer-protocol-subscription.ts';
import { GroupMetadataKey } from '../../protocol/generated/group-metadata-key.ts';
import { GroupMetadataValue } from '../../protocol/generated/group-metadata-value.ts';
import { OffsetCommitKey } from '../../protocol/generated/offset-commit-key.ts';
import { OffsetCommitValue } from '../../protocol/generated/offset-commit-value.ts';
import { TransactionLogKey } from '../../protocol/generated/transaction-log-key.ts';
import { TransactionLogValue } from '../../protocol/generated/transaction-log-value.ts';
import { CompressionCodec } from '../../protocol/records/compression.ts';
import { buildControlBatch, buildRecordBatch, ControlRecordType } from '../../protocol/records/record-batch-builder.ts';
import type { RecordInput } from '../../protocol/records/record-batch-builder.ts';
import { encodeEpochCheckpoint, encodeOffsetCheckpoint } from '../checkpoint.ts';
import { lastOffsetAt, maxTimestampAt } from '../batch-fields.ts';
import { OffsetIndex } from '../offset-index.ts';
import { encodePartitionMetadata } from '../partition-metadata.ts';
import { encodeProducerSnapshot } from '../producer-snapshot.ts';
import { TimeIndex } from '../time-index.ts';
import { encodeAbortedTxn } from '../txn-index.ts';
import { goldenMessage, goldenMessageNames } from './golden-messages.ts';

const T = 1_700_000_000_000;
const text = (value: string): Buffer => Buffer.from(value);

function records(count: number, from: number): RecordInput[] {
  return Array.from({ length: count }, (_, at) => ({
    timestamp: T + from + at,
    key: at % 3 === 0 ? null : text(`key ${from + at}`),
    value: at % 4 === 3 ? null : text(`{"n": ${from + at}}`),
    headers:
      at % 2 === 0
        ? []
        : [
            { key: 'trace', value: text('1') },
            { key: 'empty', value: null },
          ],
  }));
}

/** Batches of every kind that a broker writes: each codec, idempotent, transactional with both markers, LogAppendTime, compacted, delete horizon. */
export function goldenBatchesOfLog(): Buffer[] {
  const producer = { producerId: 4000, producerEpoch: 2, partitionLeaderEpoch: 5 };
  const marker = { ...producer, coordinatorEpoch: 7, timestamp: T + 60 };
  return [
    buildRecordBatch(records(3, 0), { baseOffset: 0, partitionLeaderEpoch: 0 }),
    ...[CompressionCodec.GZIP, CompressionCodec.SNAPPY, CompressionCodec.LZ4, CompressionCodec.ZSTD].map((codec, at) =>
      buildRecordBatch(records(10, 3 + at * 10), { baseOffset: 3 + at * 10, codec, partitionLeaderEpoch: 3 }),
    ),
    buildRecordBatch(records(2, 43), { baseOffset: 43, ...producer, baseSequence: 0 }),
    buildRecordBatch(records(2, 45), { baseOffset: 45, ...producer, baseSequence: 2, isTransactional: true }),
    buildControlBatch({ ...marker, baseOffset: 47, type: ControlRecordType.ABORT }),
    buildRecordBatch(records(2, 48), { baseOffset: 48, ...producer, baseSequence: 4, isTransactional: true }),
    buildControlBatch({ ...marker, baseOffset: 50, type: ControlRecordType.COMMIT }),
    buildRecordBatch(records(2, 51), { baseOffset: 51, logAppendTime: T + 100, partitionLeaderEpoch: 5 }),
    buildRecordBatch([{ timestamp: T + 110, offset: 56, key: text('k'), value: text('v') }], {
      baseOffset: 53,
      lastOffset: 58,
      partitionLeaderEpoch: 6,
    }),
    buildRecordBatch([{ timestamp: T + 120, key: text('k'), value: null }], {
      baseOffset: 59,
      deleteHorizonMs: T + 115,
      partitionLeaderEpoch: 6,
    }),
    buildRecordBatch(records(1, 60), { baseOffset: 60, partitionLeaderEpoch: 6 }),
  ];
}

/** Both indexes of a segment, with an entry for each batch but the first. */
export function indexesOf(baseOffset: number, batches: readonly Buffer[]): { readonly index: Buffer; readonly timeIndex: Buffer } {
  const index = new OffsetIndex(baseOffset);
  const timeIndex = new TimeIndex(baseOffset);
  let position = 0;
  for (const [at, batch] of batches.entries()) {
    if (at > 0) {
      index.append(lastOffsetAt(batch, 0), position);
      timeIndex.maybeAppend(maxTimestampAt(batch, 0), lastOffsetAt(batch, 0));
    }
    position += batch.length;
  }
  return { index: Buffer.from(index.bytes), timeIndex: Buffer.from(timeIndex.bytes) };
}

function offsetsTopic(): Buffer {
  const member = {
    memberId: 'm-1',
    clientId: 'c',
    clientHost: '/127.0.0.1',
    rebalanceTimeout: 300_000,
    sessionTimeout: 45_000,
    subscription: encodeVersioned(ConsumerProtocolSubscription, 1, {
      topics: ['t'],
      userData: text('u'),
      ownedPartitions: [{ topic: 't', partitions: [0] }],
    }),
    assignment: encodeVersioned(ConsumerProtocolAssignment, 0, {
      assignedPartitions: [{ topic: 't', partitions: [0, 1] }],
      userData: null,
    }),
  };
  const group = { generation: 3, protocol: 'range', leader: 'm-1', currentStateTimestamp: T };
  const offsetKey = encodeVersioned(OffsetCommitKey, 1, { group: 'g', topic: 't', partition: 2 });
  const groupKey = encodeVersioned(GroupMetadataKey, 2, { group: 'g' });
  const stored: [Buffer, Buffer | null][] = [
    [offsetKey, encodeVersioned(OffsetCommitValue, 3, { offset: 42, leaderEpoch: 5, metadata: 'm "x"', commitTimestamp: T })],
    [offsetKey, encodeVersioned(OffsetCommitValue, 1, { offset: 43, metadata: '', commitTimestamp: T, expireTimestamp: T + 1 })],
    [offsetKey, null],
    [groupKey, encodeVersioned(GroupMetadataValue, 3, { ...group, protocolType: 'consumer', members: [member] })],
    [groupKey, encodeVersioned(GroupMetadataValue, 3, { ...group, protocolType: 'connect', members: [member] })],
    [
      groupKey,
      encodeVersioned(GroupMetadataValue, 3, { ...group, protocolType: 'consumer', members: [{ ...member, subscription: text('?') }] }),
    ],
    [groupKey, null],
  ];
  return buildRecordBatch(
    stored.map(([key, value]) => ({ timestamp: T, key, value })),
    { partitionLeaderEpoch: 0 },
  );
}

function transactionLog(): Buffer {
  const key = encodeVersioned(TransactionLogKey, 0, { transactionalId: 'tx' });
  const times = { transactionLastUpdateTimestampMs: T, transactionStartTimestampMs: T };
  const state = { producerId: 4000, producerEpoch: 2, transactionTimeoutMs: 60_000, ...times };
  return buildRecordBatch(
    [
      encodeVersioned(TransactionLogValue, 0, { ...state, transactionStatus: 0, transactionPartitions: null }),
      encodeVersioned(TransactionLogValue, 0, {
        ...state,
        transactionStatus: 1,
        transactionPartitions: [{ topic: 't', partitionIds: [3] }],
      }),
      null,
    ].map((value) => ({ timestamp: T, key, value })),
    { partitionLeaderEpoch: 0 },
  );
}

/** Name and content of each file; names that begin with a folder belong into one. */
export function goldenLogFolder(): ReadonlyMap<string, Buffer | string> {
  const batches = goldenBatchesOfLog();
  const { index, timeIndex } = indexesOf(0, batches);
  const producers = [
    {
      producerId: 4000,
      producerEpoch: 2,
      lastSequence: 5,
      lastOffset: 49,
      offsetDelta: 1,
      timestamp: T + 49,
      coordinatorEpoch: 7,
      currentTxnFirstOffset: -1,
    },
    {
      producerId: 4001,
      producerEpoch: 0,
      lastSequence: 1,
      lastOffset: 60,
      offsetDelta: 3,
      timestamp: T,
      coordinatorEpoch: -1,
      currentTxnFirstOffset: 58,
    },
    {
      producerId: 4002,
      producerEpoch: 0,
      lastSequence: -1,
      lastOffset: -1,
      offsetDelta: 0,
      timestamp: T,
      coordinatorEpoch: 3,
      currentTxnFirstOffset: -1,
    },
  ];
  const topicPartition = { topic: 'a-topic', partition: 1 };
  const files = new Map<string, Buffer | string>([
    ['00000000000000000000.log', Buffer.concat(batches)],
    ['00000000000000000000.index', index],
    ['00000000000000000000.timeindex', timeIndex],
    ['00000000000000000000.txnindex', encodeAbortedTxn({ producerId: 4000, firstOffset: 45, lastOffset: 47, lastStableOffset: 48 })],
    ['00000000000000000061.snapshot', encodeProducerSnapshot(producers, producers.length)],
    ['00000000000000000061.log', ''],
    ['00000000000000000061.index', ''],
    ['00000000000000000061.timeindex', ''],
    [
      'leader-epoch-checkpoint',
      encodeEpochCheckpoint([
        { epoch: 0, startOffset: 0 },
        { epoch: 3, startOffset: 3 },
      ]),
    ],
    ['partition.metadata', encodePartitionMetadata('AAAAAAAAAAAAAAAAAAAAAQ')],
    ['recovery-point-offset-checkpoint', encodeOffsetCheckpoint([{ topicPartition, offset: 61 }])],
    ['meta.properties', '#\n#date\nbroker.id=1\nversion=0\ncluster.id=AAAAAAAAAAAAAAAAAAAAAQ\n'],
    ['.kafka_cleanshutdown', '{"version":0,"brokerEpoch":12}'],
    ['offsets/00000000000000000000.log', offsetsTopic()],
    ['transactions/00000000000000000000.log', transactionLog()],
  ]);
  for (const name of goldenMessageNames) files.set(`${name}/00000000000000000010.log`, goldenMessage(name));
  return files;
}
