import { expect, test } from 'vitest';
import type { LocalReplica, ReplicationState } from '../../../console/contract/partitions.ts';
import { partitionViews, share, withLagSample } from './replication-view.ts';

const base: LocalReplica = {
  partition: 0,
  leader: 1,
  leaderEpoch: 4,
  isLeader: false,
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
  answer: replica === null ? null : { brokerId, nowMs: 5, replicaLagTimeMaxMs: 30_000, partitions: [replica] },
  failure: null,
});

test('a broker that does not answer is shown as far as its leader knows it', () => {
  const [view] = partitionViews({ atMs: 5, brokers: [broker(1, led), broker(2, null)] });
  expect(view?.replicas[1]).toMatchObject({ answered: false, inSync: false, logEndOffset: 400, lag: 600, msSinceCaughtUp: 9000 });
  expect([view?.from, view?.to, view && share(400, view)]).toEqual([0, 1000, 40]);
});

test('of two that say they lead the newer epoch counts, and a leader’s lag is no line of the history', () => {
  const state = { atMs: 5, brokers: [broker(1, led), broker(2, { ...led, leaderEpoch: 5, led: { ...led.led!, followers: [] } })] };
  const views = partitionViews(state);
  expect(views[0]).toMatchObject({ leader: 2, leaderEpoch: 5 });
  expect([...(withLagSample([], state, views)[0]?.lags ?? [])]).toEqual([]);
});

test('without a leader that answers nobody is said to be in sync', () => {
  const [view] = partitionViews({ atMs: 5, brokers: [broker(2, base)] });
  expect(view).toMatchObject({ leader: null, isr: null, replicas: [{ inSync: null, lag: null }] });
});
