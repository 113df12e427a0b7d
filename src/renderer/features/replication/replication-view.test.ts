import { expect, test } from 'vitest';
import type { LocalReplica, ReplicationState } from '../../../console/contract/partitions.ts';
import { askFrom, partitionViews, share, withLagSample } from './replication-view.ts';

const base: LocalReplica = {
  partition: 0,
  leader: 1,
  leaderEpoch: 4,
  isLeader: false,
  isStray: false,
  logStartOffset: 0,
  highWatermark: 900,
  logEndOffset: 1000,
  following: null,
  led: null,
};
const led: LocalReplica = {
  ...base,
  isLeader: true,
  led: {
    isr: [1],
    pendingIsr: null,
    minInsyncReplicas: 1,
    epochStartOffset: 0,
    addingReplicas: [],
    removingReplicas: [],
    followers: [{ brokerId: 2, logEndOffset: 400, logStartOffset: 0, lag: 600, msSinceCaughtUp: 9000, msSinceFetched: 9000 }],
  },
};
const broker = (brokerId: number, replica: LocalReplica | null): ReplicationState['brokers'][number] => ({
  brokerId,
  state: replica === null ? 'frozen' : 'running',
  answer: replica === null ? null : { brokerId, nowMs: 5, replicaLagTimeMaxMs: 30_000, partitions: [replica], furthestBehind: [] },
  failure: null,
});

test('a broker that does not answer is shown as far as its leader knows it', () => {
  const [view] = partitionViews({ brokers: [broker(1, led), broker(2, null)] });
  expect(view?.replicas[1]).toMatchObject({ answered: false, inSync: false, logEndOffset: 400, lag: 600, msSinceCaughtUp: 9000 });
  expect([view?.from, view?.to, view && share(400, view)]).toEqual([0, 1000, 40]);
});

test('of two that say they lead the newer epoch counts, and a leader’s lag is no line of the history', () => {
  const state = { atMs: 5, brokers: [broker(1, led), broker(2, { ...led, leaderEpoch: 5, led: { ...led.led!, followers: [] } })] };
  const views = partitionViews(state);
  expect(views[0]).toMatchObject({ leader: 2, leaderEpoch: 5 });
  expect([...(withLagSample([], state, views)[0]?.lags ?? [])]).toEqual([]);
});

test('a log that was left over where a replica was moved away is shown as such', () => {
  const [view] = partitionViews({ brokers: [broker(1, led), broker(3, { ...base, isStray: true })] });
  expect(view?.replicas.map(({ brokerId, isStray }) => [brokerId, isStray])).toEqual([
    [1, false],
    [2, false],
    [3, true],
  ]);
});

test('of a follower that has not fetched from this leader no lag is made up, and one that still leads an old epoch says so', () => {
  const unknown = { brokerId: 2, logEndOffset: -1, logStartOffset: -1, lag: 1000, msSinceCaughtUp: null, msSinceFetched: null };
  const leader = { ...led, leaderEpoch: 5, led: { ...led.led!, followers: [unknown] } };
  const [view] = partitionViews({ brokers: [broker(1, leader), broker(2, led)] });
  expect(view?.replicas).toMatchObject([
    { brokerId: 1, lag: 0, hasNotFetched: false, leadsInEpoch: null },
    { brokerId: 2, lag: null, hasNotFetched: true, leadsInEpoch: 4, inSync: false, logEndOffset: 1000 },
  ]);
});

test('without a leader that answers nobody is said to be in sync', () => {
  const [view] = partitionViews({ brokers: [broker(2, base)] });
  expect(view).toMatchObject({ leader: null, isr: null, replicas: [{ inSync: null, lag: null }] });
});

test('the history has the followers furthest behind of the whole topic, also of partitions that are not looked at', () => {
  const [first] = [broker(1, led)];
  const answer = first?.answer;
  if (first === undefined || answer == null) throw new Error('it answers');
  const state = { atMs: 5, brokers: [{ ...first, answer: { ...answer, furthestBehind: [{ partition: 9_000, brokerId: 3, lag: 70 }] } }] };
  expect([...(withLagSample([], state, partitionViews(state))[0]?.lags ?? [])]).toEqual([
    ['9000@3', 70],
    ['0@2', 600],
  ]);
});

test('asks for all of a small topic, and for what is around the screen of a large one', () => {
  expect(askFrom(150, 200)).toBe(0);
  expect([0, 60, 120, 5_000, 9_990].map((first) => askFrom(first, 10_000))).toEqual([0, 0, 50, 4_950, 9_800]);
});
