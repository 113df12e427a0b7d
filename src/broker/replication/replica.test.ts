import { describe, expect, it } from 'vitest';
import { Replica } from './replica.ts';

const MAX_LAG_MS = 30_000;

function fetchAt(replica: Replica, fetchedAtMs: number, followerLogEndOffset: number, leaderLogEndOffset: number): void {
  replica.updateFetchState({ followerLogEndOffset, followerLogStartOffset: 0, leaderLogEndOffset, fetchedAtMs, brokerEpoch: 7 });
}

describe('Replica', () => {
  it('is caught up at the time of a fetch that reaches the leader’s log end', () => {
    const replica = new Replica(2);
    fetchAt(replica, 1_000, 10, 10);
    expect(replica.lastCaughtUpTimeMs).toBe(1_000);
    expect(replica.isCaughtUp(50, 31_000, MAX_LAG_MS)).toBe(true);
    expect(replica.isCaughtUp(50, 31_001, MAX_LAG_MS)).toBe(false);
  });

  it('is caught up at the time of the fetch before when it now reaches the end that the leader had then', () => {
    const replica = new Replica(2);
    fetchAt(replica, 1_000, 0, 10);
    fetchAt(replica, 2_000, 10, 20);
    expect(replica.lastCaughtUpTimeMs).toBe(1_000);
    fetchAt(replica, 3_000, 15, 30);
    expect(replica.lastCaughtUpTimeMs).toBe(1_000);
    fetchAt(replica, 4_000, 30, 40);
    expect(replica.lastCaughtUpTimeMs).toBe(3_000);
  });

  it('stays caught up without fetching while its log end offset is the leader’s', () => {
    const replica = new Replica(2);
    fetchAt(replica, 1_000, 10, 10);
    expect(replica.isCaughtUp(10, 1_000_000, MAX_LAG_MS)).toBe(true);
  });

  it('gives a member of the ISR the whole lag time after a change of leader, and anyone else none', () => {
    const member = new Replica(2);
    const stranger = new Replica(3);
    for (const replica of [member, stranger]) fetchAt(replica, 100, 5, 5);
    member.reset({ leaderLogEndOffset: 9, nowMs: 50_000, isNewLeader: true, isFollowerInSync: true });
    stranger.reset({ leaderLogEndOffset: 9, nowMs: 50_000, isNewLeader: true, isFollowerInSync: false });
    expect(member.logEndOffset).toBe(-1);
    expect(member.isCaughtUp(9, 80_000, MAX_LAG_MS)).toBe(true);
    expect(stranger.isCaughtUp(9, 50_000, MAX_LAG_MS)).toBe(false);
  });
});
