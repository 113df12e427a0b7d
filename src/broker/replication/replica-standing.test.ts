import { describe, expect, it } from 'vitest';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { standingOf } from './replica-standing.ts';
import { TOPIC_ID } from './testing/replication-fixture.ts';

const OTHER_ID = 'BBBBBBBBBBBBBBBBBBBBBQ';
const here = { topicId: TOPIC_ID, leaderEpoch: 4 };
const told = (leader: number, leaderEpoch: number, replicas: readonly number[] = [1, 2, 3], topicId = TOPIC_ID) =>
  standingOf(here, { topicId, state: { leader, leaderEpoch, replicas } }, 1);

describe('metadata of a partition that broker 1 has in leader epoch 4', () => {
  it('says nothing new with an older epoch, with its own, or with a newer one in which it leads: LeaderAndIsr tells that', () => {
    expect([told(2, 3), told(1, 4), told(2, 4), told(1, 5)]).toEqual([undefined, undefined, undefined, undefined]);
    // It was moved here since.
    expect(told(2, 3, [2, 3])).toBeUndefined();
  });

  it('deposes it with a newer epoch in which another leads, or nobody', () => {
    expect(told(2, 5)).toEqual({ kind: 'deposed', leaderEpoch: 5, reason: 'broker 2 leads in epoch 5' });
    expect(told(-1, 5)).toMatchObject({ kind: 'deposed', leaderEpoch: 5 });
  });

  it('makes it a stray where it is no replica, the topic is another, or a full list leaves it out', () => {
    expect(told(2, 6, [2, 3])).toEqual({ kind: 'stray', leaderEpoch: 6, reason: 'its replicas are [2,3]' });
    expect(told(1, 0, [1, 2, 3], OTHER_ID)).toMatchObject({ kind: 'stray', leaderEpoch: 4 });
    expect(standingOf(here, undefined, 1)).toMatchObject({ kind: 'stray', leaderEpoch: 4 });
    // A topic made by an old controller has no id.
    expect(told(1, 4, [1, 2, 3], ZERO_UUID)).toBeUndefined();
  });

  it('leaves a replica of a topic that is to be deleted alone: a reassignment under way needs its leader first', () => {
    expect(told(-2, 0)).toBeUndefined();
    expect(told(-2, 0, [2, 3])).toMatchObject({ kind: 'stray' });
  });
});
