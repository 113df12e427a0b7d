/** KIP-345 and KIP-814. */
import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { CoordinatorFixture, GROUP, GROUP_PARTITION, memberIdOf, subscription } from './testing/coordinator-fixture.ts';

interface StaticGroup {
  readonly fixture: CoordinatorFixture;
  /** Static, instance `leader`. */
  readonly leaderId: string;
  /** Static, instance `follower`. */
  readonly followerId: string;
}

const TIMEOUTS = { sessionTimeoutMs: 20_000, rebalanceTimeoutMs: 8_000 };

async function staticGroup(timeouts = TIMEOUTS): Promise<StaticGroup> {
  const fixture = await CoordinatorFixture.serving();
  const leaderId = memberIdOf(fixture.join({ groupInstanceId: 'leader', ...timeouts }));
  const follower = fixture.join({ groupInstanceId: 'follower', ...timeouts });
  fixture.join({ memberId: leaderId, groupInstanceId: 'leader', ...timeouts });
  const followerId = memberIdOf(follower);
  fixture.syncAll([leaderId, followerId]);
  return { fixture, leaderId, followerId };
}

describe('static members', () => {
  it('are named after their instance', async () => {
    const { leaderId } = await staticGroup();
    expect(leaderId).toMatch(/^leader-/);
  });

  it('come back under a new id without a rebalance, and keep their assignment', async () => {
    const { fixture, leaderId, followerId } = await staticGroup();
    const back = fixture.join({ groupInstanceId: 'follower', ...TIMEOUTS });
    expect(back.result).toMatchObject({ errorCode: ErrorCode.NONE, generationId: 2, leaderId, members: [], skipAssignment: false });
    const newId = memberIdOf(back);
    expect(newId).not.toBe(followerId);
    expect(fixture.group.state).toBe('Stable');
    expect(fixture.sync(newId, { groupInstanceId: 'follower' }).result?.assignment).toEqual(Buffer.of(1));
    const written = fixture.log.records(GROUP_PARTITION).at(-1);
    expect(written?.kind === 'group' ? written.value?.members.map(({ memberId }) => memberId) : []).toEqual([leaderId, newId]);
  });

  it('that led are given the old leader id by JoinGroup 8 and before, so that they do not assign', async () => {
    const { fixture, leaderId } = await staticGroup();
    const { result } = fixture.join({ groupInstanceId: 'leader', ...TIMEOUTS });
    expect(result).toMatchObject({ leaderId, members: [], skipAssignment: false });
    expect(fixture.group.leaderId).toBe(result?.memberId);
  });

  it('that led are told to skip the assignment by JoinGroup 9', async () => {
    const { fixture } = await staticGroup();
    const { result } = fixture.join({ groupInstanceId: 'leader', supportSkippingAssignment: true, ...TIMEOUTS });
    expect(result).toMatchObject({ leaderId: result?.memberId, skipAssignment: true });
    expect(result?.members).toHaveLength(2);
  });

  it('fence whoever speaks for them with the old id', async () => {
    const { fixture, followerId } = await staticGroup();
    fixture.join({ groupInstanceId: 'follower', ...TIMEOUTS });
    expect(fixture.heartbeat(followerId, 2, 'follower')).toBe(ErrorCode.FENCED_INSTANCE_ID);
    expect(fixture.sync(followerId, { groupInstanceId: 'follower' }).result?.errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID);
    expect(fixture.join({ memberId: followerId, groupInstanceId: 'follower' }).result?.errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID);
    const identity = { memberId: followerId, groupInstanceId: 'follower' };
    expect(fixture.coordinator.leave(GROUP, [{ ...identity, reason: null }]).memberErrors).toEqual([ErrorCode.FENCED_INSTANCE_ID]);
    let codes: readonly number[] = [];
    const value = { offset: 1, leaderEpoch: -1, metadata: '', commitTimestamp: 1, expireTimestamp: -1 };
    fixture.coordinator.commitOffsets(GROUP, identity, 2, [{ topic: 't', partition: 0, value }], (result) => {
      codes = result;
    });
    expect(codes).toEqual([ErrorCode.FENCED_INSTANCE_ID]);
  });

  it('answer the old client’s waiting join when they come back', async () => {
    const { fixture, leaderId } = await staticGroup();
    fixture.join();
    const waiting = fixture.join({ memberId: leaderId, groupInstanceId: 'leader', ...TIMEOUTS });
    fixture.join({ groupInstanceId: 'leader', ...TIMEOUTS });
    expect(waiting.result).toMatchObject({ errorCode: ErrorCode.FENCED_INSTANCE_ID, memberId: leaderId });
  });

  it('make a rebalance when the protocol choice changes, or the assignment is still awaited', async () => {
    const changed = await staticGroup();
    // Nobody else speaks sticky, so that the choice would become sticky with one member only; two must agree.
    changed.fixture.leave(changed.leaderId);
    const protocols = [{ name: 'sticky', metadata: subscription('t') }];
    const rejoined = changed.fixture.join({ memberId: changed.followerId, groupInstanceId: 'follower', ...TIMEOUTS });
    changed.fixture.sync(memberIdOf(rejoined), { groupInstanceId: 'follower' });
    expect(changed.fixture.group.state).toBe('Stable');
    const both = [{ name: 'range', metadata: subscription('t') }, ...protocols].toReversed();
    changed.fixture.join({ groupInstanceId: 'follower', protocols: both, ...TIMEOUTS });
    expect([changed.fixture.group.state, changed.fixture.group.protocolName, changed.fixture.group.generationId]).toEqual([
      'CompletingRebalance',
      'sticky',
      4,
    ]);

    const awaited = await CoordinatorFixture.serving();
    awaited.join({ groupInstanceId: 'i', ...TIMEOUTS });
    expect(awaited.group.state).toBe('CompletingRebalance');
    expect(awaited.join({ groupInstanceId: 'i', ...TIMEOUTS }).result?.generationId).toBe(2);
  });

  it('get their old id back when the new one could not be written', async () => {
    const { fixture, followerId } = await staticGroup();
    fixture.log.appendError = ErrorCode.NOT_ENOUGH_REPLICAS;
    const back = fixture.join({ groupInstanceId: 'follower', sessionTimeoutMs: 30_000 });
    expect(back.result).toMatchObject({ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, memberId: '' });
    expect(fixture.heartbeat(followerId, 2, 'follower')).toBe(ErrorCode.NONE);
    expect(fixture.group.get(followerId)?.sessionTimeoutMs).toBe(20_000);
  });

  it('are answered by the rebalance that has begun while the new id was written', async () => {
    const { fixture, leaderId } = await staticGroup();
    fixture.log.hold();
    const back = fixture.join({ groupInstanceId: 'follower', ...TIMEOUTS });
    fixture.join({ memberId: leaderId, groupInstanceId: 'leader', ...TIMEOUTS });
    expect(back.result?.generationId).toBe(3);
    fixture.log.release();
    expect(back.count).toBe(1);
  });

  it('wait on in a rebalance that has begun while the new id was written and goes on', async () => {
    const { fixture, leaderId } = await staticGroup();
    fixture.log.hold();
    const back = fixture.join({ groupInstanceId: 'follower', ...TIMEOUTS });
    const newcomer = fixture.join({ ...TIMEOUTS });
    fixture.log.release();
    expect([back.result, fixture.group.state]).toEqual([undefined, 'PreparingRebalance']);
    fixture.join({ memberId: leaderId, groupInstanceId: 'leader', ...TIMEOUTS });
    expect([back.result?.generationId, newcomer.result?.generationId]).toEqual([3, 3]);
  });

  it('have a session time-out again when their new id was written, however long that took', async () => {
    const { fixture, leaderId } = await staticGroup();
    fixture.log.hold();
    const back = fixture.join({ groupInstanceId: 'follower', ...TIMEOUTS });
    const alive = async (): Promise<void> => {
      await fixture.time.advance(15_000);
      fixture.heartbeat(leaderId, 2, 'leader');
    };
    for (let times = 0; times < 2; times++) await alive();
    expect(back.result).toBeUndefined();
    fixture.log.stopHolding();
    expect(back.result?.errorCode).toBe(ErrorCode.NONE);
    for (let times = 0; times < 2; times++) await alive();
    expect([fixture.group.state, fixture.group.rebalanceReason]).toEqual([
      'PreparingRebalance',
      expect.stringContaining('was not heard of'),
    ]);
  });

  it('keep their place in a rebalance that they miss, until their session ends', async () => {
    const { fixture, leaderId, followerId } = await staticGroup();
    const leader = fixture.join({ memberId: leaderId, groupInstanceId: 'leader', ...TIMEOUTS });
    await fixture.time.advance(8_000);
    expect(leader.result?.members.map(({ memberId }) => memberId)).toEqual([leaderId, followerId]);
  });

  it('that all miss a rebalance postpone it, also with a rebalance time-out of 0, until their sessions end', async () => {
    const { fixture } = await staticGroup();
    const atOnce = { sessionTimeoutMs: 20_000, rebalanceTimeoutMs: 0 };
    const leaderId = memberIdOf(fixture.join({ groupInstanceId: 'leader', ...atOnce }));
    const followerId = memberIdOf(fixture.join({ groupInstanceId: 'follower', ...atOnce }));
    fixture.coordinator.leave(GROUP, [{ memberId: leaderId, groupInstanceId: 'leader', reason: null }]);
    expect([fixture.group.state, fixture.group.members.map(({ memberId }) => memberId)]).toEqual(['PreparingRebalance', [followerId]]);
    await fixture.time.advance(20_000);
    expect([fixture.group.state, fixture.group.size]).toEqual(['Empty', 0]);
  });

  it('are removed by an administrator by their instance alone', async () => {
    const { fixture } = await staticGroup();
    const leaving = [
      { memberId: '', groupInstanceId: 'follower', reason: 'removed by an administrator' },
      { memberId: '', groupInstanceId: 'unknown', reason: null },
      { memberId: '', groupInstanceId: null, reason: null },
    ];
    expect(fixture.coordinator.leave(GROUP, leaving).memberErrors).toEqual([
      ErrorCode.NONE,
      ErrorCode.UNKNOWN_MEMBER_ID,
      ErrorCode.UNKNOWN_MEMBER_ID,
    ]);
    expect([fixture.group.size, fixture.group.state, fixture.group.rebalanceReason]).toEqual([
      1,
      'PreparingRebalance',
      expect.stringContaining('removed by an administrator'),
    ]);
  });

  it('that left without a session are not forced out by a DelayedSync of their old id', async () => {
    const fixture = await CoordinatorFixture.serving();
    const leaderId = memberIdOf(fixture.join({ groupInstanceId: 'leader', ...TIMEOUTS }));
    fixture.join({ groupInstanceId: 'follower', ...TIMEOUTS });
    fixture.join({ memberId: leaderId, groupInstanceId: 'leader', ...TIMEOUTS });
    fixture.sync(leaderId, { groupInstanceId: 'leader' });
    // The follower crashed before it synced, and comes back into the stable group.
    const followerId = memberIdOf(fixture.join({ groupInstanceId: 'follower', ...TIMEOUTS }));
    fixture.sync(followerId, { groupInstanceId: 'follower' });
    await fixture.time.advance(9_000);
    expect([fixture.group.state, fixture.group.generationId]).toEqual(['Stable', 2]);
  });
});
