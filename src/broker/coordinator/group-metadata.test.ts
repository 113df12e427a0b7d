import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { GroupMetadata } from './group-metadata.ts';
import type { GroupState } from './group-metadata.ts';
import { MemberMetadata } from './member-metadata.ts';
import type { JoinGroupResult } from './member-metadata.ts';
import { subscription } from './testing/coordinator-fixture.ts';

const NOW = 1_000;

function member(
  memberId: string,
  protocols: readonly string[] = ['range'],
  more: { groupInstanceId?: string; metadata?: Buffer; protocolType?: string } = {},
): MemberMetadata {
  return new MemberMetadata({
    memberId,
    groupInstanceId: more.groupInstanceId ?? null,
    clientId: 'c',
    clientHost: '/127.0.0.1',
    rebalanceTimeoutMs: 1,
    sessionTimeoutMs: 1,
    protocolType: more.protocolType ?? 'consumer',
    protocols: protocols.map((name) => ({ name, metadata: more.metadata ?? subscription('t') })),
  });
}

/** A group that has come to `state` by legal steps. */
function groupIn(state: GroupState): GroupMetadata {
  const paths: Record<GroupState, readonly GroupState[]> = {
    Empty: [],
    PreparingRebalance: ['PreparingRebalance'],
    CompletingRebalance: ['PreparingRebalance', 'CompletingRebalance'],
    Stable: ['PreparingRebalance', 'CompletingRebalance', 'Stable'],
    Dead: ['Dead'],
  };
  const group = new GroupMetadata('g');
  for (const step of paths[state]) group.transitionTo(step, NOW);
  return group;
}

const ALL_STATES: readonly GroupState[] = ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead'];

describe('the states of a group', () => {
  it.each<[GroupState, readonly GroupState[]]>([
    ['Empty', ['PreparingRebalance', 'Dead']],
    ['PreparingRebalance', ['CompletingRebalance', 'Empty', 'Dead']],
    ['CompletingRebalance', ['Stable', 'PreparingRebalance', 'Dead']],
    ['Stable', ['PreparingRebalance', 'Dead']],
    ['Dead', ['Dead']],
  ])('%s leads to %j and nowhere else', (from, legal) => {
    for (const to of ALL_STATES) {
      const group = groupIn(from);
      if (legal.includes(to)) {
        group.transitionTo(to, NOW + 1);
        expect([group.state, group.currentStateTimestamp]).toEqual([to, NOW + 1]);
      } else {
        expect(() => group.transitionTo(to, NOW + 1)).toThrow(/should be in one of the states/);
        expect(group.state).toBe(from);
      }
    }
  });

  it('knows no time of its state before its first transition', () => {
    expect(new GroupMetadata('g').currentStateTimestamp).toBeUndefined();
  });
});

describe('the protocol of a group', () => {
  it('is the one most members name first among those that all speak', () => {
    const group = groupIn('PreparingRebalance');
    group.add(member('a', ['sticky', 'range', 'roundrobin']));
    group.add(member('b', ['roundrobin', 'range']));
    group.add(member('c', ['range', 'roundrobin']));
    // sticky is not common; a and c vote range, b roundrobin.
    expect(group.selectProtocol()).toBe('range');
  });

  it('must be shared by whoever joins, with the same type', () => {
    const group = groupIn('PreparingRebalance');
    group.add(member('a', ['range', 'sticky']));
    group.add(member('b', ['range']));
    const offers = (...names: string[]) => names.map((name) => ({ name, metadata: Buffer.alloc(0) }));
    expect(group.supportsProtocols('consumer', offers('roundrobin', 'range'))).toBe(true);
    expect(group.supportsProtocols('consumer', offers('sticky'))).toBe(false);
    expect(group.supportsProtocols('connect', offers('range'))).toBe(false);
    group.remove('b');
    expect(group.supportsProtocols('consumer', offers('sticky'))).toBe(true);
  });

  it('is free while the group is empty, but not nothing', () => {
    const group = groupIn('Empty');
    expect(group.supportsProtocols('connect', [{ name: 'x', metadata: Buffer.alloc(0) }])).toBe(true);
    expect(group.supportsProtocols('', [{ name: 'x', metadata: Buffer.alloc(0) }])).toBe(false);
    expect(group.supportsProtocols('connect', [])).toBe(false);
  });

  it('keeps its type while the first rebalance waits, even when all have left again', () => {
    const group = groupIn('PreparingRebalance');
    group.add(member('a'));
    group.remove('a');
    expect(group.supportsProtocols('connect', [{ name: 'range', metadata: Buffer.alloc(0) }])).toBe(false);
    expect(group.supportsProtocols('consumer', [{ name: 'anything', metadata: Buffer.alloc(0) }])).toBe(true);
  });

  it('follows what a member offers anew', () => {
    const group = groupIn('PreparingRebalance');
    const a = member('a', ['range']);
    group.add(a);
    group.updateMember(a, {
      clientId: 'c',
      clientHost: '/h',
      rebalanceTimeoutMs: 1,
      sessionTimeoutMs: 1,
      protocols: [{ name: 'sticky', metadata: Buffer.alloc(0) }],
    });
    expect(group.selectProtocol()).toBe('sticky');
    expect(group.supportsProtocols('consumer', [{ name: 'range', metadata: Buffer.alloc(0) }])).toBe(false);
  });

  it('is not voted out by a client that names one twice', () => {
    const group = groupIn('PreparingRebalance');
    group.add(member('a', ['range', 'range']));
    group.add(member('b', ['range']));
    expect(group.selectProtocol()).toBe('range');
  });
});

describe('the subscribed topics', () => {
  const generation = (metadata: Buffer): GroupMetadata => {
    const group = groupIn('PreparingRebalance');
    group.add(member('a', ['range'], { metadata }));
    group.initNextGeneration(NOW);
    return group;
  };

  it('are those of all members', () => {
    const group = groupIn('PreparingRebalance');
    group.add(member('a', ['range'], { metadata: subscription('t', 'u') }));
    group.add(member('b', ['range'], { metadata: subscription('v') }));
    expect(group.subscribedTopics).toBeUndefined();
    group.initNextGeneration(NOW);
    expect([...(group.subscribedTopics ?? [])]).toEqual(['t', 'u', 'v']);
    expect([group.isSubscribedTo('u'), group.isSubscribedTo('w')]).toEqual([true, false]);
  });

  it('are read by their oldest prefix, whatever version the client claims', () => {
    const bytes = subscription('t');
    // Says version 3 and brings only version 0's fields: some clients do.
    bytes.writeInt16BE(3, 0);
    expect([...(generation(bytes).subscribedTopics ?? [])]).toEqual(['t']);
  });

  it('are unknown, and each is taken for subscribed, when the metadata is not the consumer protocol', () => {
    const group = generation(Buffer.from('nonsense'));
    expect(group.subscribedTopics).toBeUndefined();
    expect(group.isSubscribedTo('t')).toBe(true);
  });
});

describe('the members of a group', () => {
  it('have a leader: the first, then another when it leaves', () => {
    const group = groupIn('PreparingRebalance');
    group.add(member('a'));
    group.add(member('b'));
    expect(group.leaderId).toBe('a');
    group.remove('a');
    expect(group.leaderId).toBe('b');
    group.remove('b');
    expect(group.leaderId).toBeUndefined();
  });

  it('elect one that has rejoined when the leader has not', () => {
    const group = groupIn('PreparingRebalance');
    const b = member('b');
    group.add(member('a'));
    group.add(b);
    expect(group.maybeElectNewJoinedLeader()).toBe(false);
    group.awaitJoin(b, () => {});
    expect(group.maybeElectNewJoinedLeader()).toBe(true);
    expect(group.leaderId).toBe('b');
  });

  it('have all joined when each waits and nobody is pending', () => {
    const group = groupIn('PreparingRebalance');
    const [a, b] = [member('a'), member('b')];
    group.add(a);
    group.add(b);
    group.addPending('p');
    group.awaitJoin(a, () => {});
    group.awaitJoin(b, () => {});
    expect(group.hasAllMembersJoined).toBe(false);
    group.removePending('p');
    expect(group.hasAllMembersJoined).toBe(true);
    group.answerJoin(a, { errorCode: 0 } as JoinGroupResult);
    expect([group.hasAllMembersJoined, group.awaitingJoinCount]).toEqual([false, 1]);
    group.remove('b');
    expect(group.awaitingJoinCount).toBe(0);
  });

  it('answer a displaced join, so that its connection does not stay muted', () => {
    const group = groupIn('PreparingRebalance');
    const a = member('a');
    group.add(a);
    const codes: number[] = [];
    group.awaitJoin(a, ({ errorCode }) => codes.push(errorCode));
    group.awaitJoin(a, ({ errorCode }) => codes.push(errorCode));
    expect([codes, group.awaitingJoinCount]).toEqual([[ErrorCode.REBALANCE_IN_PROGRESS], 1]);
  });

  it('keep a static identity under a new id, with leadership and the duty to sync', () => {
    const group = groupIn('PreparingRebalance');
    group.add(member('old', ['range'], { groupInstanceId: 'i' }));
    group.initNextGeneration(NOW);
    group.addPendingSync('old');
    const codes: number[] = [];
    const old = group.get('old');
    if (old === undefined) throw new Error('no member');
    group.awaitSync(old, ({ errorCode }) => codes.push(errorCode));
    group.replaceStaticMember('i', 'old', 'new');
    expect(codes).toEqual([ErrorCode.FENCED_INSTANCE_ID]);
    expect([group.get('old'), group.get('new')?.memberId, group.currentStaticMemberId('i'), group.leaderId]).toEqual([
      undefined,
      'new',
      'new',
      'new',
    ]);
    expect(group.pendingSyncMembers).toEqual(['new']);
  });
});
