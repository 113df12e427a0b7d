import { expect, it, vi } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { MetadataCache } from './metadata-cache.ts';
import { partitionState, updateMetadata } from './testing/update-metadata.ts';

const ID_T = 'txxxxxxxxxxxxxxxxxxxxA';
const ID_U = 'uxxxxxxxxxxxxxxxxxxxxA';

function cacheWith(...updates: readonly Parameters<typeof updateMetadata>[0][]): MetadataCache {
  const cache = new MetadataCache();
  for (const update of updates) cache.updateMetadata(updateMetadata(update));
  return cache;
}

it('keeps what an update does not name, and replaces brokers and controller', () => {
  const cache = cacheWith(
    { t: { id: ID_T, states: [partitionState(0, 1), partitionState(1, 2)] } },
    { t: { id: ID_T, states: [partitionState(1, 3)] } },
  );
  expect(cache.numPartitions('t')).toBe(2);
  expect(cache.leaderOf({ topic: 't', partition: 0 })).toEqual({ leaderId: 1, leaderEpoch: 0 });
  expect(cache.leaderOf({ topic: 't', partition: 1 })).toEqual({ leaderId: 3, leaderEpoch: 0 });
  cache.updateMetadata(updateMetadata({}, [2], 2));
  expect(cache.getControllerId()).toBe(2);
  expect(cache.getAliveBrokers()).toEqual([{ id: 2, rack: undefined }]);
  expect(cache.topicExists('t')).toBe(true);
  expect(cache.getPartitionLeaderEndpoint({ topic: 't', partition: 1 }, 'PLAINTEXT')).toBeUndefined();
});

it('removes partitions that are being deleted (leader -2), and with the last one the topic and its id', () => {
  const cache = cacheWith({
    t: { id: ID_T, states: [partitionState(0, 1), partitionState(1, 1)] },
    u: { id: ID_U, states: [partitionState(0, 1)] },
  });
  const first = cache.updateMetadata(updateMetadata({ t: { id: ID_T, states: [partitionState(1, -2)] } }));
  expect(first.deletedPartitions).toEqual([{ topic: 't', partition: 1 }]);
  expect(cache.topicIdOf('t')).toBe(ID_T);
  cache.updateMetadata(updateMetadata({ t: { id: ID_T, states: [partitionState(0, -2)] } }));
  expect(cache.topicExists('t')).toBe(false);
  expect(cache.topicIdOf('t')).toBeUndefined();
  expect(cache.topicNameOf(ID_T)).toBeUndefined();
  expect(cache.topicNameOf(ID_U)).toBe('u');
});

it('forgets what a full request does not name: the broker may have missed its deletion', () => {
  const cache = cacheWith({
    t: { id: ID_T, states: [partitionState(0, 1), partitionState(1, 1)] },
    u: { id: ID_U, states: [partitionState(0, 1)] },
  });
  const { topics, deletedPartitions } = cache.updateMetadata({
    ...updateMetadata({ t: { id: ID_T, states: [partitionState(0, 2)] } }),
    type: 2,
  });
  expect(deletedPartitions).toEqual([
    { topic: 't', partition: 1 },
    { topic: 'u', partition: 0 },
  ]);
  expect([...topics].toSorted()).toEqual(['t', 'u']);
  expect([cache.getAllTopics(), cache.topicNameOf(ID_U), cache.wasDeleted({ topic: 'u', partition: 0 })]).toEqual([['t'], undefined, true]);
  cache.updateMetadata({ ...updateMetadata({}), type: 2 });
  expect([cache.getAllTopics(), cache.topicNameOf(ID_T)]).toEqual([[], undefined]);
});

it('gives a topic that was made again its new id and forgets the old one', () => {
  const cache = cacheWith({ t: { id: ID_T, states: [partitionState(0, 1)] } }, { t: { id: ID_U, states: [partitionState(0, 1)] } });
  expect(cache.topicIdOf('t')).toBe(ID_U);
  expect(cache.topicNameOf(ID_T)).toBeUndefined();
  expect(cache.topicNameOf(ID_U)).toBe('t');
});

it('knows no id for topics that have none', () => {
  expect(cacheWith({ t: { id: ZERO_UUID, states: [partitionState(0, 1)] } }).topicIdOf('t')).toBeUndefined();
});

it('never changes a snapshot that someone holds', () => {
  const cache = cacheWith({ t: { id: ID_T, states: [partitionState(0, 1)] } });
  const { snapshot } = cache;
  cache.updateMetadata(
    updateMetadata(
      { t: { id: ID_T, states: [partitionState(0, 2), partitionState(1, 2)] }, u: { id: ID_U, states: [partitionState(0, 1)] } },
      [2],
    ),
  );
  expect(snapshot.partitionStates.get('t')?.size).toBe(1);
  expect(snapshot.partitionStates.get('t')?.get(0)?.leader).toBe(1);
  expect(snapshot.partitionStates.has('u')).toBe(false);
  expect(snapshot.aliveBrokers.size).toBe(3);
});

it('tells which brokers are gone', () => {
  const cache = cacheWith();
  const gone = (alive: number[]): readonly number[] => cache.updateMetadata(updateMetadata({}, alive)).goneBrokers;
  expect([gone([1, 2, 3]), gone([1, 2, 3]), gone([3]), gone([1, 3])]).toEqual([[], [], [1, 2], []]);
});

it('tells listeners after the new snapshot is in place', () => {
  const cache = new MetadataCache();
  const listener = vi.fn(() => expect(cache.topicExists('t')).toBe(true));
  const stop = cache.onChange(listener);
  cache.updateMetadata(updateMetadata({ t: { id: ID_T, states: [partitionState(0, 1)] } }));
  stop();
  cache.updateMetadata(updateMetadata({}));
  expect(listener).toHaveBeenCalledTimes(1);
});

it('names only brokers that have the listener', () => {
  const cache = cacheWith({});
  expect(cache.getAliveBrokerNodes('PLAINTEXT').map(({ port }) => port)).toEqual([9092, 9093, 9094]);
  expect(cache.getAliveBrokerNodes('SSL')).toEqual([]);
  expect(cache.endpointsOf([2, 9], 'PLAINTEXT')).toEqual([{ nodeId: 2, host: 'localhost', port: 9093, rack: null }]);
});

it('does not say of a partition that it is unknown before the controller has told of any', () => {
  const cache = new MetadataCache();
  expect(cache.absentPartitionError).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER);
  cache.updateMetadata(updateMetadata({}));
  expect(cache.absentPartitionError).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER);
  cache.updateMetadata(updateMetadata({ t: { id: ID_T, states: [partitionState(0, 1)] } }));
  expect(cache.absentPartitionError).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
});
