import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { CoordinatorFixture, GROUP, GROUP_PARTITION, memberIdOf } from './testing/coordinator-fixture.ts';

const DAY = 24 * 3_600_000;

const offsetOf = (fixture: CoordinatorFixture, topic = 't'): number | undefined =>
  fixture.coordinator.groups.get(GROUP)?.offsets.get(topic, 0)?.offset;

describe('committing offsets', () => {
  it('of a consumer without a group makes one for its offsets', async () => {
    const fixture = await CoordinatorFixture.serving();
    expect(fixture.commit(42, { metadata: 'm' }).codes).toEqual([ErrorCode.NONE]);
    expect([fixture.group.state, fixture.group.protocolType, offsetOf(fixture)]).toEqual(['Empty', undefined, 42]);
    expect(fixture.log.records(GROUP_PARTITION)).toMatchObject([
      { kind: 'offset', groupId: GROUP, topic: 't', partition: 0, value: { offset: 42, metadata: 'm' } },
    ]);
  });

  it('is answered, and shows, when it is written', async () => {
    const fixture = await CoordinatorFixture.serving();
    fixture.log.hold();
    const answer = fixture.commit(42);
    expect([answer.codes, offsetOf(fixture), fixture.group.offsets.isPending('t', 0)]).toEqual([undefined, undefined, true]);
    fixture.log.release();
    expect([answer.codes, offsetOf(fixture), fixture.group.offsets.isPending('t', 0)]).toEqual([[ErrorCode.NONE], 42, false]);
  });

  it.each([
    [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.COORDINATOR_NOT_AVAILABLE],
    [ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, ErrorCode.COORDINATOR_NOT_AVAILABLE],
    [ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_COORDINATOR],
    [ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.INVALID_COMMIT_OFFSET_SIZE],
    [ErrorCode.REQUEST_TIMED_OUT, ErrorCode.REQUEST_TIMED_OUT],
  ])('turns the produce error %i into %i and keeps the old offset', async (produceError, errorCode) => {
    const fixture = await CoordinatorFixture.serving();
    fixture.commit(1);
    fixture.log.appendError = produceError;
    expect([fixture.commit(2).codes, offsetOf(fixture), fixture.group.offsets.isPending('t', 0)]).toEqual([[errorCode], 1, false]);
  });

  it('refuses metadata that is too long by itself', async () => {
    const fixture = await CoordinatorFixture.serving({ offsetMetadataMaxBytes: 3 });
    const value = { offset: 1, leaderEpoch: -1, commitTimestamp: 1, expireTimestamp: -1 };
    const offsets = [
      { topic: 't', partition: 0, value: { ...value, metadata: 'long' } },
      { topic: 't', partition: 1, value: { ...value, metadata: 'äöü' } },
    ];
    let codes: readonly number[] = [];
    fixture.coordinator.commitOffsets(GROUP, { memberId: '', groupInstanceId: null }, -1, offsets, (result) => {
      codes = result;
    });
    expect(codes).toEqual([ErrorCode.OFFSET_METADATA_TOO_LARGE, ErrorCode.NONE]);
    expect([fixture.group.offsets.get('t', 0), fixture.group.offsets.get('t', 1)?.metadata]).toEqual([undefined, 'äöü']);
  });

  it('asks for membership where there are members', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [memberId = ''] = fixture.stableGroup(1);
    expect(fixture.commit(1).codes).toEqual([ErrorCode.UNKNOWN_MEMBER_ID]);
    expect(fixture.commit(1, { memberId: 'stranger', generationId: 1 }).codes).toEqual([ErrorCode.UNKNOWN_MEMBER_ID]);
    expect(fixture.commit(1, { memberId, generationId: 0 }).codes).toEqual([ErrorCode.ILLEGAL_GENERATION]);
    expect(fixture.commit(1, { memberId, generationId: 1 }).codes).toEqual([ErrorCode.NONE]);
  });

  it('goes on while the members rejoin, and is refused while the assignment is awaited', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [memberId = ''] = fixture.stableGroup(1);
    fixture.join();
    expect(fixture.commit(1, { memberId, generationId: 1 }).codes).toEqual([ErrorCode.NONE]);
    fixture.join({ memberId });
    expect(fixture.commit(2, { memberId, generationId: 2 }).codes).toEqual([ErrorCode.REBALANCE_IN_PROGRESS]);
  });

  it('is refused in a generation of a group that nobody knows', async () => {
    const fixture = await CoordinatorFixture.serving();
    expect(fixture.commit(1, { memberId: 'm', generationId: 3 }).codes).toEqual([ErrorCode.ILLEGAL_GENERATION]);
    expect(fixture.coordinator.groups.get(GROUP)).toBeUndefined();
  });

  it('takes the last of two commits, whichever is confirmed first', async () => {
    const fixture = await CoordinatorFixture.serving();
    fixture.log.hold();
    fixture.commit(1);
    fixture.commit(2);
    fixture.log.release(ErrorCode.NONE, 1);
    expect([offsetOf(fixture), fixture.group.offsets.isPending('t', 0)]).toEqual([1, true]);
    fixture.log.release();
    expect(offsetOf(fixture)).toBe(2);
  });
});

describe('the expiry of offsets', () => {
  it('counts from the commit for a consumer without a group', async () => {
    const fixture = await CoordinatorFixture.serving();
    fixture.commit(1);
    await fixture.time.advance(3 * DAY);
    fixture.commit(2, { topic: 'u' });
    await fixture.time.advance(4 * DAY);
    expect([offsetOf(fixture), offsetOf(fixture, 'u')]).toEqual([undefined, 2]);
    expect(fixture.log.records(GROUP_PARTITION).at(-1)).toMatchObject({ kind: 'offset', topic: 't', value: null });
    await fixture.time.advance(3 * DAY);
    // Nothing is left: the group goes, without a tombstone, since it never had a record.
    expect(fixture.coordinator.groups.get(GROUP)).toBeUndefined();
    expect(fixture.log.records(GROUP_PARTITION).filter(({ kind }) => kind === 'group')).toEqual([]);
  });

  it('counts from the moment a group became empty, and deletes it in the end', async () => {
    const fixture = await CoordinatorFixture.serving({ groupMaxSessionTimeoutMs: 10 * DAY });
    const [memberId = ''] = fixture.stableGroup(1, { sessionTimeoutMs: 10 * DAY });
    fixture.commit(1, { memberId, generationId: 1 });
    await fixture.time.advance(8 * DAY);
    expect(offsetOf(fixture)).toBe(1);
    fixture.leave(memberId);
    await fixture.time.advance(6 * DAY);
    expect(offsetOf(fixture)).toBe(1);
    await fixture.time.advance(DAY);
    expect(fixture.coordinator.groups.get(GROUP)).toBeUndefined();
    expect(fixture.log.records(GROUP_PARTITION).slice(-2)).toMatchObject([
      { kind: 'offset', value: null },
      { kind: 'group', groupId: GROUP, value: null },
    ]);
    expect(fixture.events.at(-1)).toMatchObject({ kind: 'group-deleted', groupId: GROUP });
  });

  it('spares a live group’s offsets of the topics it is subscribed to', async () => {
    const fixture = await CoordinatorFixture.serving({ groupMaxSessionTimeoutMs: 10 * DAY });
    const [memberId = ''] = fixture.stableGroup(1, { sessionTimeoutMs: 10 * DAY });
    fixture.commit(1, { memberId, generationId: 1 });
    fixture.commit(2, { memberId, generationId: 1, topic: 'no-more' });
    await fixture.time.advance(7 * DAY);
    expect([offsetOf(fixture), offsetOf(fixture, 'no-more')]).toEqual([1, undefined]);
  });

  it('spares an offset that is being written or belongs to an open transaction', async () => {
    const fixture = await CoordinatorFixture.serving();
    fixture.commit(1);
    fixture.group.offsets.addPending(7, 't', 0, { offset: 2, leaderEpoch: -1, metadata: '', commitTimestamp: 0, expireTimestamp: -1 }, 1);
    await fixture.time.advance(8 * DAY);
    expect(offsetOf(fixture)).toBe(1);
    fixture.group.offsets.completePending(7, false);
    await fixture.time.advance(DAY);
    expect(offsetOf(fixture)).toBeUndefined();
  });

  it('follows an explicit retention of an old client', async () => {
    const fixture = await CoordinatorFixture.serving();
    const value = {
      offset: 1,
      leaderEpoch: -1,
      metadata: '',
      commitTimestamp: fixture.time.wallMs(),
      expireTimestamp: fixture.time.wallMs() + DAY,
    };
    fixture.coordinator.commitOffsets(GROUP, { memberId: '', groupInstanceId: null }, -1, [{ topic: 't', partition: 0, value }], () => {});
    await fixture.time.advance(DAY - 1);
    expect(offsetOf(fixture)).toBe(1);
    await fixture.time.advance(1_200_000);
    expect(offsetOf(fixture)).toBeUndefined();
  });
});

describe('deleting', () => {
  it('a group takes its offsets along, with tombstones', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [memberId = ''] = fixture.stableGroup(1);
    fixture.commit(1, { memberId, generationId: 1 });
    expect(fixture.coordinator.deleteGroup(GROUP)).toBe(ErrorCode.NON_EMPTY_GROUP);
    fixture.leave(memberId);
    expect(fixture.coordinator.deleteGroup(GROUP)).toBe(ErrorCode.NONE);
    expect(fixture.log.records(GROUP_PARTITION).slice(-2)).toMatchObject([
      { kind: 'offset', topic: 't', value: null },
      { kind: 'group', value: null },
    ]);
    expect(fixture.coordinator.deleteGroup(GROUP)).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    expect(fixture.coordinator.deleteGroup('my-group')).toBe(ErrorCode.NOT_COORDINATOR);
  });

  it('single offsets is refused for topics that a member subscribes to', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [memberId = ''] = fixture.stableGroup(1);
    fixture.commit(1, { memberId, generationId: 1 });
    fixture.commit(2, { memberId, generationId: 1, topic: 'u' });
    const offsets = [
      { topic: 't', partition: 0 },
      { topic: 'u', partition: 0 },
    ];
    expect(fixture.coordinator.deleteOffsets(GROUP, offsets)).toEqual({
      errorCode: ErrorCode.NONE,
      errorCodes: [ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC, ErrorCode.NONE],
    });
    expect([offsetOf(fixture), offsetOf(fixture, 'u')]).toEqual([1, undefined]);
    fixture.leave(memberId);
    expect(fixture.coordinator.deleteOffsets(GROUP, offsets).errorCodes).toEqual([ErrorCode.NONE, ErrorCode.NONE]);
    // That was the last one of an empty group.
    expect(fixture.coordinator.deleteOffsets(GROUP, offsets).errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
  });

  it('single offsets is refused in a live group of another protocol, whose topics nobody knows', async () => {
    const fixture = await CoordinatorFixture.serving();
    fixture.stableGroup(1, { protocolType: 'connect' });
    expect(fixture.coordinator.deleteOffsets(GROUP, []).errorCode).toBe(ErrorCode.NON_EMPTY_GROUP);
  });

  it('topics forgets their offsets', async () => {
    const fixture = await CoordinatorFixture.serving();
    fixture.commit(1);
    fixture.commit(2, { topic: 'u' });
    fixture.coordinator.onTopicsDeleted(new Set(['t', 'x']));
    expect([offsetOf(fixture), offsetOf(fixture, 'u')]).toEqual([undefined, 2]);
  });

  it('topics also voids a commit that is on its way', async () => {
    const fixture = await CoordinatorFixture.serving();
    fixture.commit(1);
    fixture.log.hold();
    fixture.commit(2);
    fixture.coordinator.onTopicsDeleted(new Set(['t']));
    fixture.log.release();
    expect(offsetOf(fixture)).toBeUndefined();
  });

  it('an empty group id can be done, committing to it too, joining it not', async () => {
    const fixture = new CoordinatorFixture();
    fixture.coordinator.onElection(0, 1);
    await fixture.time.settle();
    expect(fixture.coordinator.deleteGroup('')).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    expect(fixture.join({ groupId: '' }).result?.errorCode).toBe(ErrorCode.INVALID_GROUP_ID);
  });
});

describe('the members of a group', () => {
  it('may commit right after they have synced', async () => {
    const fixture = await CoordinatorFixture.serving();
    const memberId = memberIdOf(fixture.join());
    fixture.sync(memberId);
    expect(fixture.commit(5, { memberId, generationId: 1 }).codes).toEqual([ErrorCode.NONE]);
  });
});
