import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { CoordinatorFixture, GROUP, GROUP_PARTITION, memberIdOf, subscription } from './testing/coordinator-fixture.ts';

const stateOf = (fixture: CoordinatorFixture): string => fixture.group.state;

describe('joining a group', () => {
  it('makes the first member the leader of generation 1', async () => {
    const fixture = await CoordinatorFixture.serving();
    const { result } = fixture.join();
    expect(result).toMatchObject({
      errorCode: ErrorCode.NONE,
      generationId: 1,
      protocolType: 'consumer',
      protocolName: 'range',
      skipAssignment: false,
    });
    expect(result?.leaderId).toBe(result?.memberId);
    expect(result?.memberId).toMatch(/^client-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(result?.members.map(({ memberId }) => memberId)).toEqual([result?.memberId]);
    expect(stateOf(fixture)).toBe('CompletingRebalance');
  });

  it('waits until every member has joined again, and shows the members to the leader alone', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [leaderId = ''] = fixture.stableGroup(1);
    const second = fixture.join();
    expect([second.result, stateOf(fixture), fixture.heartbeat(leaderId)]).toEqual([
      undefined,
      'PreparingRebalance',
      ErrorCode.REBALANCE_IN_PROGRESS,
    ]);
    const first = fixture.join({ memberId: leaderId });
    expect(first.result).toMatchObject({ generationId: 2, leaderId });
    expect(first.result?.members).toHaveLength(2);
    expect(second.result).toMatchObject({ generationId: 2, leaderId, members: [] });
  });

  it('collects members for the initial delay, which each new one prolongs up to the rebalance time-out', async () => {
    const fixture = await CoordinatorFixture.serving({ groupInitialRebalanceDelayMs: 3_000 });
    const request = { rebalanceTimeoutMs: 7_000 };
    const answers = [fixture.join(request)];
    await fixture.time.advance(2_000);
    answers.push(fixture.join(request));
    await fixture.time.advance(2_000);
    answers.push(fixture.join(request));
    // 3 s and, since somebody came, 3 s more, and then what is left of the 7 s.
    await fixture.time.advance(2_900);
    expect(answers.map(({ result }) => result)).toEqual([undefined, undefined, undefined]);
    await fixture.time.advance(200);
    expect(answers.map(({ result }) => result?.generationId)).toEqual([1, 1, 1]);
  });

  it('ends the initial delay when nobody more comes', async () => {
    const fixture = await CoordinatorFixture.serving({ groupInitialRebalanceDelayMs: 3_000 });
    const answer = fixture.join();
    await fixture.time.advance(2_999);
    expect(answer.result).toBeUndefined();
    await fixture.time.advance(1);
    expect(answer.result?.generationId).toBe(1);
  });

  it('leaves out who has not rejoined when the rebalance time-out ends', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [leaderId = '', followerId = ''] = fixture.stableGroup(2, { rebalanceTimeoutMs: 5_000, sessionTimeoutMs: 30_000 });
    const third = fixture.join({ rebalanceTimeoutMs: 5_000 });
    const follower = fixture.join({ memberId: followerId, rebalanceTimeoutMs: 5_000 });
    await fixture.time.advance(5_000);
    expect(follower.result).toMatchObject({ errorCode: ErrorCode.NONE, generationId: 3 });
    // The leader was late: another leads.
    expect(follower.result?.leaderId).not.toBe(leaderId);
    expect(third.result?.generationId).toBe(3);
    expect(fixture.heartbeat(leaderId)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(fixture.events.at(-1)).toMatchObject({
      kind: 'group-rebalanced',
      generationId: 3,
      memberCount: 2,
      reason: expect.stringContaining(leaderId),
    });
  });

  it.each([
    ['a session time-out below the allowed', { sessionTimeoutMs: 5_999 }, ErrorCode.INVALID_SESSION_TIMEOUT],
    ['a session time-out above the allowed', { sessionTimeoutMs: 1_800_001 }, ErrorCode.INVALID_SESSION_TIMEOUT],
    ['an empty group id', { groupId: '' }, ErrorCode.INVALID_GROUP_ID],
    ['a group that another broker coordinates', { groupId: 'my-group' }, ErrorCode.NOT_COORDINATOR],
    ['a member id in a group that nobody knows', { memberId: 'x' }, ErrorCode.UNKNOWN_MEMBER_ID],
    ['no protocols', { protocols: [] }, ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
    ['no protocol type', { protocolType: '' }, ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
  ])('refuses %s', async (_, request, errorCode) => {
    const fixture = await CoordinatorFixture.serving();
    expect(fixture.join(request).result).toMatchObject({ errorCode, generationId: -1, leaderId: '' });
  });

  it('refuses protocols that the members do not share, and unknown member ids', async () => {
    const fixture = await CoordinatorFixture.serving();
    fixture.stableGroup(1);
    expect(fixture.join({ protocols: [{ name: 'sticky', metadata: Buffer.alloc(0) }] }).result?.errorCode).toBe(
      ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
    );
    expect(fixture.join({ protocolType: 'connect' }).result?.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    expect(fixture.join({ memberId: 'stranger' }).result?.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(stateOf(fixture)).toBe('Stable');
  });

  it('is refused before the coordinator is started, after it is shut down, and while its groups load', async () => {
    const fixture = new CoordinatorFixture();
    fixture.coordinator.onElection(GROUP_PARTITION, 1);
    expect(fixture.join().result?.errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    await fixture.time.settle();
    expect(fixture.join().result?.errorCode).toBe(ErrorCode.NONE);
    fixture.coordinator.shutdown();
    expect(fixture.join().result?.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  });

  it('repeats the present generation to a follower that has nothing new to say', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [leaderId = '', followerId = ''] = fixture.stableGroup(2);
    expect(fixture.join({ memberId: followerId }).result).toMatchObject({ generationId: 2, leaderId, members: [] });
    expect(stateOf(fixture)).toBe('Stable');
  });

  it('repeats it also while the assignment is awaited, to the leader with the members', async () => {
    const fixture = await CoordinatorFixture.serving();
    const memberId = memberIdOf(fixture.join());
    expect(fixture.join({ memberId }).result).toMatchObject({ generationId: 1, members: [{ memberId }] });
    expect(stateOf(fixture)).toBe('CompletingRebalance');
  });

  it('rebalances when the leader joins again, or a member with another subscription', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [leaderId = '', followerId = ''] = fixture.stableGroup(2);
    fixture.join({ memberId: followerId, protocols: [{ name: 'range', metadata: subscription('other') }] });
    expect(stateOf(fixture)).toBe('PreparingRebalance');
    fixture.join({ memberId: leaderId });
    fixture.syncAll([leaderId, followerId]);
    expect([stateOf(fixture), fixture.group.generationId]).toEqual(['Stable', 3]);
    fixture.join({ memberId: leaderId });
    expect(stateOf(fixture)).toBe('PreparingRebalance');
  });

  it('gives a generation once the last member that is missing leaves', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [leaderId = ''] = fixture.stableGroup(1);
    const second = fixture.join();
    expect(fixture.leave(leaderId)).toEqual([ErrorCode.NONE]);
    expect(second.result).toMatchObject({ generationId: 2, leaderId: second.result?.memberId });
  });
});

describe('group.max.size', () => {
  it('refuses one more member, and takes back those who are in', async () => {
    const fixture = await CoordinatorFixture.serving({ groupMaxSize: 2 });
    const [leaderId = '', followerId = ''] = fixture.stableGroup(2);
    expect(fixture.join().result).toMatchObject({ errorCode: ErrorCode.GROUP_MAX_SIZE_REACHED, memberId: '' });
    expect(fixture.join({ memberId: followerId }).result?.errorCode).toBe(ErrorCode.NONE);
    fixture.join({ memberId: leaderId });
    fixture.join({ memberId: followerId });
    expect(fixture.group.generationId).toBe(3);
  });

  it('drops the last to rejoin of a group that is too large since a broker with a lower limit leads it', async () => {
    const before = await CoordinatorFixture.serving();
    const memberIds = before.stableGroup(3);
    const fixture = await CoordinatorFixture.serving({ groupMaxSize: 2 }, before.log);
    expect([stateOf(fixture), fixture.group.size]).toEqual(['PreparingRebalance', 3]);
    const answers = memberIds.map((memberId) => fixture.join({ memberId }));
    expect(answers.map(({ result }) => result?.errorCode)).toEqual([ErrorCode.NONE, ErrorCode.NONE, ErrorCode.GROUP_MAX_SIZE_REACHED]);
    expect(fixture.group.size).toBe(2);
  });
});

describe('pending members (KIP-394)', () => {
  it('are given an id to come back with, and make the rebalance wait for them', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [leaderId = ''] = fixture.stableGroup(1);
    const required = fixture.join({ requireKnownMemberId: true });
    expect(required.result).toMatchObject({ errorCode: ErrorCode.MEMBER_ID_REQUIRED, generationId: -1 });
    expect([stateOf(fixture), fixture.group.pendingMemberCount]).toEqual(['Stable', 1]);
    const leader = fixture.join({ memberId: leaderId });
    expect(leader.result).toBeUndefined();
    const memberId = memberIdOf(required);
    expect(fixture.join({ memberId, requireKnownMemberId: true }).result?.generationId).toBe(2);
    expect([leader.result?.generationId, fixture.group.pendingMemberCount]).toEqual([2, 0]);
  });

  it('are forgotten when their session time-out ends, which ends the waiting', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [leaderId = ''] = fixture.stableGroup(1, { sessionTimeoutMs: 30_000 });
    const memberId = memberIdOf(fixture.join({ requireKnownMemberId: true, sessionTimeoutMs: 6_000 }));
    const leader = fixture.join({ memberId: leaderId, sessionTimeoutMs: 30_000 });
    await fixture.time.advance(6_000);
    expect([leader.result?.generationId, fixture.group.pendingMemberCount]).toEqual([2, 0]);
    expect(fixture.join({ memberId }).result?.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it('are not expired as pending once they have joined', async () => {
    const fixture = await CoordinatorFixture.serving();
    const memberId = memberIdOf(fixture.join({ requireKnownMemberId: true, sessionTimeoutMs: 6_000 }));
    fixture.join({ memberId, sessionTimeoutMs: 30_000 });
    fixture.syncAll([memberId]);
    await fixture.time.advance(7_000);
    expect(fixture.heartbeat(memberId)).toBe(ErrorCode.NONE);
  });

  it('may leave', async () => {
    const fixture = await CoordinatorFixture.serving();
    const memberId = memberIdOf(fixture.join({ requireKnownMemberId: true }));
    expect([fixture.leave(memberId), fixture.group.pendingMemberCount, fixture.purgatories.heartbeat.numDelayed]).toEqual([
      [ErrorCode.NONE],
      0,
      0,
    ]);
  });

  it('keep an empty group alive through the expiry of offsets', async () => {
    const fixture = await CoordinatorFixture.serving();
    const memberId = memberIdOf(fixture.join({ requireKnownMemberId: true }));
    fixture.coordinator.groups.expireOffsets();
    expect(fixture.join({ memberId }).result?.errorCode).toBe(ErrorCode.NONE);
  });
});

describe('syncing', () => {
  it('answers everyone with its part once the leader’s assignment is written', async () => {
    const fixture = await CoordinatorFixture.serving();
    const leaderId = memberIdOf(fixture.join());
    const follower = fixture.join();
    fixture.join({ memberId: leaderId });
    const followerId = memberIdOf(follower);
    const waiting = fixture.sync(followerId);
    expect(waiting.result).toBeUndefined();
    fixture.log.hold();
    const assignments = new Map([
      [leaderId, Buffer.from('for the leader')],
      [followerId, Buffer.from('for the follower')],
    ]);
    const leading = fixture.sync(leaderId, { assignments });
    expect([leading.result, stateOf(fixture)]).toEqual([undefined, 'CompletingRebalance']);
    fixture.log.release();
    expect(stateOf(fixture)).toBe('Stable');
    expect(leading.result).toMatchObject({
      errorCode: ErrorCode.NONE,
      protocolType: 'consumer',
      protocolName: 'range',
      assignment: Buffer.from('for the leader'),
    });
    expect(waiting.result?.assignment.toString()).toBe('for the follower');
    expect(fixture.log.records(GROUP_PARTITION).at(-1)).toMatchObject({
      kind: 'group',
      groupId: GROUP,
      value: { generationId: 2, leaderId },
    });
  });

  it('gives nothing to a member that the leader has forgotten', async () => {
    const fixture = await CoordinatorFixture.serving();
    const memberId = memberIdOf(fixture.join());
    expect(fixture.sync(memberId, { assignments: new Map([['stranger', Buffer.of(1)]]) }).result?.assignment).toHaveLength(0);
  });

  it('repeats the assignment in a stable group', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [, followerId = ''] = fixture.stableGroup(2);
    expect(fixture.sync(followerId).result?.assignment).toEqual(Buffer.of(1));
  });

  it.each([
    ['an unknown member', { memberId: 'stranger' }, ErrorCode.UNKNOWN_MEMBER_ID],
    ['another generation', { generationId: 0 }, ErrorCode.ILLEGAL_GENERATION],
    ['another protocol type', { protocolType: 'connect' }, ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
    ['another protocol', { protocolName: 'sticky' }, ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
    ['an unknown static identity', { groupInstanceId: 'i' }, ErrorCode.UNKNOWN_MEMBER_ID],
  ])('refuses %s', async (_, request, errorCode) => {
    const fixture = await CoordinatorFixture.serving();
    const memberId = memberIdOf(fixture.join());
    expect(fixture.sync(memberId, request).result).toMatchObject({ errorCode, protocolType: null, protocolName: null });
  });

  it('that is repeated takes the place of the first, which is told so', async () => {
    const fixture = await CoordinatorFixture.serving();
    const leaderId = memberIdOf(fixture.join());
    const second = fixture.join();
    fixture.join({ memberId: leaderId });
    const first = fixture.sync(memberIdOf(second));
    const again = fixture.sync(memberIdOf(second));
    expect([first.result?.errorCode, again.result]).toEqual([ErrorCode.REBALANCE_IN_PROGRESS, undefined]);
    fixture.sync(leaderId);
    expect([first.count, again.result?.errorCode]).toEqual([1, ErrorCode.NONE]);
  });

  it('is refused while the members rejoin, and on a coordinator that is loading', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [leaderId = ''] = fixture.stableGroup(1);
    fixture.join();
    expect(fixture.sync(leaderId).result?.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    const loading = new CoordinatorFixture();
    loading.coordinator.onElection(GROUP_PARTITION, 1);
    let code = -1;
    const request = {
      groupId: GROUP,
      generationId: 1,
      memberId: 'm',
      groupInstanceId: null,
      protocolType: null,
      protocolName: null,
      assignments: new Map(),
    };
    loading.coordinator.sync(request, ({ errorCode }) => {
      code = errorCode;
    });
    expect(code).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
  });

  it('is answered REBALANCE_IN_PROGRESS when another member comes before the assignment', async () => {
    const fixture = await CoordinatorFixture.serving();
    const leaderId = memberIdOf(fixture.join());
    const second = fixture.join();
    fixture.join({ memberId: leaderId });
    const waiting = fixture.sync(memberIdOf(second));
    fixture.join();
    expect([waiting.result?.errorCode, stateOf(fixture)]).toEqual([ErrorCode.REBALANCE_IN_PROGRESS, 'PreparingRebalance']);
  });

  it('drops an assignment that is written after the next rebalance has begun', async () => {
    const fixture = await CoordinatorFixture.serving();
    const memberId = memberIdOf(fixture.join());
    fixture.log.hold();
    const answer = fixture.sync(memberId, { assignments: new Map([[memberId, Buffer.of(1)]]) });
    fixture.join();
    expect(answer.result?.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    fixture.log.release();
    expect([stateOf(fixture), answer.count, fixture.group.get(memberId)?.assignment.length]).toEqual(['PreparingRebalance', 1, 0]);
  });

  it.each([
    [ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.COORDINATOR_NOT_AVAILABLE],
    [ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_COORDINATOR],
    [ErrorCode.REQUEST_TIMED_OUT, ErrorCode.REBALANCE_IN_PROGRESS],
    [ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.UNKNOWN_SERVER_ERROR],
    [ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NOT_COORDINATOR],
  ])('turns the produce error %i into %i and rebalances again', async (produceError, errorCode) => {
    const fixture = await CoordinatorFixture.serving();
    const memberId = memberIdOf(fixture.join());
    fixture.log.appendError = produceError;
    expect(fixture.sync(memberId, { assignments: new Map([[memberId, Buffer.of(1)]]) }).result?.errorCode).toBe(errorCode);
    expect(stateOf(fixture)).toBe('PreparingRebalance');
  });

  it('must come within the rebalance time-out: who is late is out', async () => {
    const fixture = await CoordinatorFixture.serving();
    const request = { rebalanceTimeoutMs: 8_000, sessionTimeoutMs: 30_000 };
    const leaderId = memberIdOf(fixture.join(request));
    const second = fixture.join(request);
    fixture.join({ ...request, memberId: leaderId });
    fixture.sync(leaderId);
    expect(stateOf(fixture)).toBe('Stable');
    await fixture.time.advance(8_000);
    expect([stateOf(fixture), fixture.group.members.map(({ memberId }) => memberId)]).toEqual(['PreparingRebalance', [leaderId]]);
    expect(fixture.heartbeat(memberIdOf(second))).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it('that everyone has done lets the time-out pass', async () => {
    const fixture = await CoordinatorFixture.serving();
    fixture.stableGroup(2, { rebalanceTimeoutMs: 8_000, sessionTimeoutMs: 30_000 });
    await fixture.time.advance(9_000);
    expect([stateOf(fixture), fixture.purgatories.rebalance.numDelayed]).toEqual(['Stable', 0]);
  });
});

describe('sessions', () => {
  it('last as long as heartbeats come', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [memberId = ''] = fixture.stableGroup(1);
    for (let beat = 0; beat < 5; beat++) {
      await fixture.time.advance(9_000);
      expect(fixture.heartbeat(memberId)).toBe(ErrorCode.NONE);
    }
    await fixture.time.advance(10_000);
    expect([fixture.heartbeat(memberId), stateOf(fixture), fixture.group.generationId]).toEqual([ErrorCode.UNKNOWN_MEMBER_ID, 'Empty', 2]);
  });

  it('that end make the others rejoin', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [leaderId = '', followerId = ''] = fixture.stableGroup(2);
    await fixture.time.advance(5_000);
    fixture.heartbeat(leaderId);
    await fixture.time.advance(5_000);
    expect([fixture.heartbeat(leaderId), fixture.heartbeat(followerId)]).toEqual([
      ErrorCode.REBALANCE_IN_PROGRESS,
      ErrorCode.UNKNOWN_MEMBER_ID,
    ]);
    expect(fixture.join({ memberId: leaderId }).result?.generationId).toBe(3);
  });

  it('do not end while a join or a sync waits here', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [leaderId = '', followerId = ''] = fixture.stableGroup(2, { sessionTimeoutMs: 6_000 });
    const waiting = fixture.join({ memberId: leaderId, sessionTimeoutMs: 6_000 });
    for (let beat = 0; beat < 4; beat++) {
      await fixture.time.advance(5_000);
      fixture.heartbeat(followerId);
    }
    expect(waiting.result).toBeUndefined();
    fixture.join({ memberId: followerId, sessionTimeoutMs: 6_000 });
    expect(waiting.result?.generationId).toBe(3);
    // Armed anew when answered.
    await fixture.time.advance(6_000);
    expect(fixture.group.size).toBe(0);
  });

  it('of a new member that waits end after five minutes, so that retries do not pile up', async () => {
    const fixture = await CoordinatorFixture.serving();
    const hour = 3_600_000;
    const [leaderId = ''] = fixture.stableGroup(1, { rebalanceTimeoutMs: hour, sessionTimeoutMs: 1_800_000 });
    const waiting = fixture.join({ rebalanceTimeoutMs: hour });
    await fixture.time.advance(299_999);
    expect([waiting.result, fixture.group.size]).toEqual([undefined, 2]);
    await fixture.time.advance(1);
    expect([waiting.result?.errorCode, fixture.group.size]).toEqual([ErrorCode.UNKNOWN_MEMBER_ID, 1]);
    expect(fixture.heartbeat(leaderId)).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
  });

  it('are kept by commits too', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [memberId = ''] = fixture.stableGroup(1);
    await fixture.time.advance(9_000);
    fixture.commit(1, { memberId, generationId: 1 });
    await fixture.time.advance(9_000);
    expect(fixture.heartbeat(memberId)).toBe(ErrorCode.NONE);
  });

  it('are asked for with the right generation by a member', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [memberId = ''] = fixture.stableGroup(1);
    expect(fixture.heartbeat(memberId, 0)).toBe(ErrorCode.ILLEGAL_GENERATION);
    expect(fixture.heartbeat('stranger')).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(fixture.coordinator.heartbeat('my-group', { memberId, groupInstanceId: null }, 1)).toBe(ErrorCode.NOT_COORDINATOR);
  });

  it('are taken on trust while the coordinator loads', () => {
    const fixture = new CoordinatorFixture();
    fixture.coordinator.onElection(GROUP_PARTITION, 1);
    expect(fixture.coordinator.heartbeat(GROUP, { memberId: 'm', groupInstanceId: null }, 1)).toBe(ErrorCode.NONE);
  });
});

describe('leaving', () => {
  it('empties the group, which is written, and tells why', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [memberId = ''] = fixture.stableGroup(1);
    expect(fixture.leave(memberId, 'stranger')).toEqual([ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID]);
    expect([stateOf(fixture), fixture.group.generationId, fixture.group.protocolName]).toEqual(['Empty', 2, null]);
    expect(fixture.log.records(GROUP_PARTITION).at(-1)).toMatchObject({
      kind: 'group',
      value: { generationId: 2, members: [], leaderId: null, protocolName: null },
    });
    expect(fixture.events.at(-1)).toMatchObject({ kind: 'group-emptied', memberCount: 0, reason: `member ${memberId} left` });
    expect([fixture.purgatories.heartbeat.numDelayed, fixture.purgatories.rebalance.numDelayed]).toEqual([0, 0]);
  });

  it('answers who waits for the assignment', async () => {
    const fixture = await CoordinatorFixture.serving();
    const leaderId = memberIdOf(fixture.join());
    const followerId = memberIdOf(
      (() => {
        const answer = fixture.join();
        fixture.join({ memberId: leaderId });
        return answer;
      })(),
    );
    const waiting = fixture.sync(followerId);
    fixture.leave(followerId);
    expect(waiting.result?.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it('a group that nobody knows is no error of the group', async () => {
    const fixture = await CoordinatorFixture.serving();
    expect(fixture.coordinator.leave(GROUP, [{ memberId: 'm', groupInstanceId: null, reason: null }])).toEqual({
      errorCode: ErrorCode.NONE,
      memberErrors: [ErrorCode.UNKNOWN_MEMBER_ID],
    });
  });
});
