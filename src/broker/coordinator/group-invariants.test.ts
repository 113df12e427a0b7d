/** Members come, go, fall silent and retry in any order: what must hold of a group holds after every step. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import type { JoinGroupResult, SyncGroupResult } from './member-metadata.ts';
import { CoordinatorFixture, GROUP, GROUP_PARTITION } from './testing/coordinator-fixture.ts';
import type { Answer } from './testing/coordinator-fixture.ts';

interface Client {
  readonly groupInstanceId: string | null;
  memberId: string;
  generationId: number;
  join: Answer<JoinGroupResult> | undefined;
  sync: Answer<SyncGroupResult> | undefined;
}

const CLIENTS = 4;
const client = fc.nat(CLIENTS - 1);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('join' as const), client }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('sync' as const), client }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('heartbeat' as const), client }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), client }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), client }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.constantFrom(500, 4_000, 7_000, 20_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('hold' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('release' as const),
      errorCode: fc.constantFrom(ErrorCode.NONE, ErrorCode.NONE, ErrorCode.REQUEST_TIMED_OUT),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reload' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class World {
  readonly fixture: CoordinatorFixture;
  readonly clients: Client[];
  readonly #answers: Answer<unknown>[] = [];
  #generationId = 0;
  #epoch = 1;
  /** What each member got in each generation. */
  readonly #assignments = new Map<string, string>();

  constructor(fixture: CoordinatorFixture) {
    this.fixture = fixture;
    // The last two are static members.
    this.clients = Array.from({ length: CLIENTS }, (_, index) => ({
      groupInstanceId: index >= 2 ? `i${index}` : null,
      memberId: '',
      generationId: -1,
      join: undefined,
      sync: undefined,
    }));
  }

  async run(next: Step): Promise<void> {
    const { fixture } = this;
    switch (next.kind) {
      case 'join':
        this.#join(this.#client(next.client));
        break;
      case 'sync':
        this.#sync(this.#client(next.client));
        break;
      case 'heartbeat': {
        const { memberId, generationId, groupInstanceId } = this.#client(next.client);
        fixture.coordinator.heartbeat(GROUP, { memberId, groupInstanceId }, generationId);
        break;
      }
      case 'leave': {
        const leaving = this.#client(next.client);
        fixture.coordinator.leave(GROUP, [{ memberId: leaving.memberId, groupInstanceId: leaving.groupInstanceId, reason: null }]);
        this.#forget(leaving);
        break;
      }
      case 'restart':
        this.#forget(this.#client(next.client));
        break;
      case 'advance':
        await fixture.time.advance(next.ms);
        break;
      case 'hold':
        fixture.log.hold();
        break;
      case 'release':
        fixture.log.release(next.errorCode);
        break;
      case 'reload':
        // What is held is confirmed first: it is in the log already.
        fixture.log.stopHolding();
        fixture.coordinator.onResignation(GROUP_PARTITION, ++this.#epoch);
        fixture.coordinator.onElection(GROUP_PARTITION, ++this.#epoch);
        await fixture.time.settle();
        // The generation that was being agreed on is lost.
        this.#generationId = 0;
        this.#assignments.clear();
        break;
    }
    this.#learn();
    this.#check();
  }

  /** Everything ends: nobody waits for ever. */
  async finish(): Promise<void> {
    this.fixture.log.stopHolding();
    await this.fixture.time.advance(400_000);
    this.#check();
    expect(this.#answers.map(({ count }) => count)).toEqual(this.#answers.map(() => 1));
    expect([this.fixture.purgatories.heartbeat.numDelayed, this.fixture.purgatories.rebalance.numDelayed]).toEqual([0, 0]);
    expect(this.fixture.coordinator.groups.get(GROUP)?.size ?? 0).toBe(0);
  }

  #client(index: number): Client {
    const found = this.clients[index];
    if (found === undefined) throw new Error('no such client');
    return found;
  }

  #forget(forgotten: Client): void {
    Object.assign(forgotten, { memberId: '', generationId: -1, join: undefined, sync: undefined });
  }

  #join(joining: Client): void {
    joining.join = this.fixture.join({
      memberId: joining.memberId,
      groupInstanceId: joining.groupInstanceId,
      requireKnownMemberId: joining.groupInstanceId === null,
      sessionTimeoutMs: 6_000,
      rebalanceTimeoutMs: 5_000,
    });
    this.#answers.push(joining.join);
  }

  #sync(syncing: Client): void {
    if (this.fixture.coordinator.groups.get(GROUP) === undefined) return;
    const { memberId, generationId, groupInstanceId } = syncing;
    const group = this.fixture.group;
    const assignments = group.isLeader(memberId)
      ? new Map(group.members.map((each) => [each.memberId, Buffer.from(`${generationId} ${each.memberId}`)]))
      : new Map<string, Buffer>();
    syncing.sync = this.fixture.sync(memberId, { generationId, groupInstanceId, assignments });
    this.#answers.push(syncing.sync);
  }

  /** Clients read their answers. */
  #learn(): void {
    for (const each of this.clients) {
      const joined = each.join?.result;
      if (joined !== undefined) {
        each.join = undefined;
        if (joined.errorCode === ErrorCode.NONE || joined.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
          each.memberId = joined.memberId;
          each.generationId = joined.generationId;
        } else if (joined.errorCode !== ErrorCode.REBALANCE_IN_PROGRESS) this.#forget(each);
      }
      const synced = each.sync?.result;
      if (synced !== undefined) {
        each.sync = undefined;
        if (synced.errorCode === ErrorCode.NONE) this.#checkAssignment(each, synced.assignment.toString());
      }
    }
  }

  #checkAssignment({ memberId, generationId }: Client, assignment: string): void {
    const key = `${generationId} ${memberId}`;
    // A generation has one assignment for each member, however often it is asked for.
    const known = this.#assignments.get(key);
    if (known !== undefined) expect(assignment).toBe(known);
    this.#assignments.set(key, assignment);
    if (assignment !== '') expect(Number(assignment.split(' ')[0])).toBe(generationId);
  }

  #check(): void {
    for (const { count } of this.#answers) expect(count).toBeLessThanOrEqual(1);
    const group = this.fixture.coordinator.groups.get(GROUP);
    if (group === undefined) return;
    expect(group.generationId).toBeGreaterThanOrEqual(this.#generationId);
    this.#generationId = group.generationId;
    const { members } = group;
    expect(group.awaitingJoinCount).toBe(members.filter(({ awaitingJoin }) => awaitingJoin !== undefined).length);
    if (members.length > 0) expect(group.get(group.leaderId ?? '')).toBeDefined();
    else expect(group.leaderId).toBeUndefined();
    for (const member of members) {
      expect(group.isPending(member.memberId)).toBe(false);
      if (member.groupInstanceId !== null) expect(group.currentStaticMemberId(member.groupInstanceId)).toBe(member.memberId);
      if (member.awaitingJoin !== undefined) expect(['PreparingRebalance', 'Stable']).toContain(group.state);
      if (member.awaitingSync !== undefined) expect(group.state).toBe('CompletingRebalance');
    }
    if (group.is('Empty')) expect(members).toEqual([]);
    if (group.is('CompletingRebalance', 'Stable')) expect(members.length).toBeGreaterThan(0);
    // Somebody is responsible for every group that is on its way.
    if (group.is('PreparingRebalance')) expect(this.fixture.purgatories.rebalance.watchedUnder(`join:${GROUP}`)).toBe(1);
  }
}

it('a group keeps its invariants, and answers everyone once, whatever its members do', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const world = new World(await CoordinatorFixture.serving());
      for (const next of steps) await world.run(next);
      await world.finish();
    }),
    { numRuns: 150 },
  );
});
