import { afterEach, beforeEach, expect, it } from 'vitest';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { AlterPartitionReassignments } from '../../protocol/generated/alter-partition-reassignments.ts';
import { ElectLeaders } from '../../protocol/generated/elect-leaders.ts';
import { ListPartitionReassignments } from '../../protocol/generated/list-partition-reassignments.ts';
import { Metadata as MetadataApi } from '../../protocol/generated/metadata.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { FakeBroker, metadataOf } from '../testing/fake-broker.ts';
import { Admin } from './admin.ts';

let one: FakeBroker;
let two: FakeBroker;
let admin: Admin;
let controllerId: number;

beforeEach(async () => {
  [one, two] = await Promise.all([FakeBroker.start(), FakeBroker.start()]);
  controllerId = 1;
  const ports = new Map([
    [1, one.port],
    [2, two.port],
  ]);
  for (const broker of [one, two]) broker.on(MetadataApi, () => metadataOf(ports, controllerId, [{ name: 'orders', leaders: [1, 2] }]));
  admin = new Admin({
    runtime: createNodeRuntime(silentLogger),
    bootstrapServers: one.address,
    retryBackoffMs: 1,
    defaultApiTimeoutMs: 3_000,
  });
});
afterEach(async () => {
  await admin.close();
  await Promise.all([one.stop(), two.stop()]);
});

const codeOf = (result: unknown): number => (result instanceof KafkaError ? result.code : ErrorCode.NONE);
const partition = (index: number) => ({ topic: 'orders', partition: index });

it('elects at whoever is controller by now, and gives each partition’s outcome', async () => {
  one.on(ElectLeaders, ({ topicPartitions }) => {
    controllerId = 2;
    const partitionResult = (topicPartitions?.[0]?.partitions ?? []).map((partitionId) => ({
      partitionId,
      errorCode: ErrorCode.NOT_CONTROLLER,
      errorMessage: null,
    }));
    return { throttleTimeMs: 0, errorCode: 0, replicaElectionResults: [{ topic: 'orders', partitionResult }] };
  });
  const types: number[] = [];
  two.on(ElectLeaders, ({ electionType }) => {
    types.push(electionType);
    const partitionResult = [
      { partitionId: 0, errorCode: ErrorCode.NONE, errorMessage: null },
      { partitionId: 1, errorCode: ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE, errorMessage: 'nobody lives' },
    ];
    return { throttleTimeMs: 0, errorCode: 0, replicaElectionResults: [{ topic: 'orders', partitionResult }] };
  });
  const results = await admin.electLeaders('unclean', [partition(0), partition(1)]);
  expect(types).toEqual([1]);
  expect(codeOf(results.get('orders-0'))).toBe(ErrorCode.NONE);
  expect(results.get('orders-1')).toMatchObject({ code: ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE, message: 'nobody lives' });
});

it('asks for moves and their end, and gives each partition’s outcome', async () => {
  const asked: unknown[] = [];
  one.on(AlterPartitionReassignments, ({ topics }) => {
    asked.push(...topics);
    const partitions = [
      { partitionIndex: 0, errorCode: ErrorCode.NONE, errorMessage: null },
      { partitionIndex: 1, errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, errorMessage: null },
    ];
    return { throttleTimeMs: 0, errorCode: 0, errorMessage: null, responses: [{ name: 'orders', partitions }] };
  });
  const results = await admin.alterPartitionReassignments([
    { ...partition(0), replicas: [2, 1] },
    { ...partition(1), replicas: null },
  ]);
  expect(asked).toEqual([
    {
      name: 'orders',
      partitions: [
        { partitionIndex: 0, replicas: [2, 1] },
        { partitionIndex: 1, replicas: null },
      ],
    },
  ]);
  expect([codeOf(results.get('orders-0')), codeOf(results.get('orders-1'))]).toEqual([
    ErrorCode.NONE,
    ErrorCode.NO_REASSIGNMENT_IN_PROGRESS,
  ]);
});

it('lists all moves, or those of some partitions', async () => {
  const asked: unknown[] = [];
  one.on(ListPartitionReassignments, ({ topics }) => {
    asked.push(topics);
    const partitions = [{ partitionIndex: 0, replicas: [3, 1, 2], addingReplicas: [3], removingReplicas: [2] }];
    return { throttleTimeMs: 0, errorCode: 0, errorMessage: null, topics: [{ name: 'orders', partitions }] };
  });
  const move = { ...partition(0), replicas: [3, 1, 2], addingReplicas: [3], removingReplicas: [2] };
  expect(await admin.listPartitionReassignments()).toEqual([move]);
  expect(await admin.listPartitionReassignments([partition(0)])).toEqual([move]);
  expect(asked).toEqual([null, [{ name: 'orders', partitionIndexes: [0] }]]);
});
