/**
 * A member of a consumer group, with a consumer of what it is given: finds the coordinator, joins, assigns when it leads, syncs, begins
 * where the group has committed, commits what it has read, and leaves now and then. As in Kafka's own consumer a coordinator that is
 * gone doesn't stop it from reading; that it is thrown out it learns when it is told so. Its generation fences what it commits.
 */
import { decodeVersioned, encodeVersioned } from '../../../src/protocol/api.ts';
import { ErrorCode } from '../../../src/protocol/errors.ts';
import { ConsumerProtocolAssignment } from '../../../src/protocol/generated/consumer-protocol-assignment.ts';
import { ConsumerProtocolSubscription } from '../../../src/protocol/generated/consumer-protocol-subscription.ts';
import { FindCoordinator } from '../../../src/protocol/generated/find-coordinator.ts';
import { Heartbeat } from '../../../src/protocol/generated/heartbeat.ts';
import { JoinGroup } from '../../../src/protocol/generated/join-group.ts';
import type { JoinGroupResponse } from '../../../src/protocol/generated/join-group.ts';
import { LeaveGroup } from '../../../src/protocol/generated/leave-group.ts';
import { OffsetCommit } from '../../../src/protocol/generated/offset-commit.ts';
import { OffsetFetch } from '../../../src/protocol/generated/offset-fetch.ts';
import type { OffsetFetchResponseGroup } from '../../../src/protocol/generated/offset-fetch.ts';
import { SyncGroup } from '../../../src/protocol/generated/sync-group.ts';
import { sleep } from '../../../src/runtime/scheduler.ts';
import type { Node } from '../../../src/client/network-client.ts';
import type { GroupHistory } from '../checks/group-history.ts';
import type { History } from '../checks/history.ts';
import type { SimClient } from './sim-client.ts';
import { SimConsumer, type StartingPoint } from './sim-consumer.ts';

export const SESSION_TIMEOUT_MS = 2500;
const REBALANCE_TIMEOUT_MS = 2000;
const HEARTBEAT_MS = 300;
const REQUEST_TIMEOUT_MS = 1500;
const RETRY_MS = 100;
const LONGEST_STAY_MS = 25_000;
const LONGEST_ABSENCE_MS = 2500;
const PROTOCOL = 'range';

/** The coordinator is to be looked for again, or asked again. */
const ASKS_AGAIN: ReadonlySet<number> = new Set([ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.REQUEST_TIMED_OUT]);
const MOVED: ReadonlySet<number> = new Set([ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_NOT_AVAILABLE]);

export interface SimGroupMemberOptions {
  readonly client: SimClient;
  readonly history: History;
  readonly group: GroupHistory;
}

interface Owned {
  readonly topic: string;
  readonly partition: number;
  start: StartingPoint | undefined;
}

export class SimGroupMember {
  readonly name: string;
  readonly #client: SimClient;
  readonly #group: GroupHistory;
  readonly #consumer: SimConsumer;
  #coordinator: Node | undefined;
  #memberId = '';
  #generation = -1;
  /** By `topic-0`. */
  readonly #owned = new Map<string, Owned>();
  readonly #committed = new Map<string, number>();
  /** What the leader of the generation knew when it assigned: more partitions are assigned by the next. */
  #assignedPartitions: number | undefined;
  #isOver = false;

  constructor({ client, history, group }: SimGroupMemberOptions) {
    this.#client = client;
    this.name = client.name;
    this.#group = group;
    this.#consumer = new SimConsumer({
      client,
      history,
      topics: () => group.topics,
      fences: true,
      assignment: {
        startOf: (topic, partition) => this.#owned.get(`${topic}-${partition}`)?.start,
        onDelivered: (topic, partition, offset, record) => group.onDelivered(`${topic}-${partition}`, offset, record),
        onSkipped: (topic, partition, from, to) => group.onSkipped(`${topic}-${partition}`, from, to),
      },
    });
  }

  /** Stays from now on. */
  finish(): void {
    this.#isOver = true;
  }

  async run(): Promise<void> {
    const { scheduler, random } = this.#client.runtime;
    this.#consumer.run();
    for (;;) {
      const untilMs = this.#nowMs + 4000 + random.int(LONGEST_STAY_MS);
      while (this.#isOver || this.#nowMs < untilMs) {
        if (await this.#join()) await this.#stay(untilMs);
        this.#revoke();
        await sleep(scheduler, RETRY_MS * (0.5 + random.next()));
      }
      if (random.int(2) === 0) await this.#leave();
      await sleep(scheduler, random.int(LONGEST_ABSENCE_MS));
    }
  }

  get #nowMs(): number {
    return this.#client.process.world.nowMs;
  }

  #revoke(): void {
    this.#owned.clear();
    this.#committed.clear();
    this.#consumer.revoke();
  }

  /** True once this member has what it owns in a new generation, and knows where to begin. */
  async #join(): Promise<boolean> {
    const coordinator = await this.#findCoordinator();
    if (coordinator === undefined) return false;
    const metadata = encodeVersioned(ConsumerProtocolSubscription, 1, { topics: this.#group.topics, userData: null, ownedPartitions: [] });
    const body = {
      groupId: this.#group.groupId,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
      memberId: this.#memberId,
      protocolType: 'consumer',
      protocols: [{ name: PROTOCOL, metadata }],
    };
    const options = { timeoutMs: REBALANCE_TIMEOUT_MS + REQUEST_TIMEOUT_MS };
    const joined = await this.#client.network.send(coordinator, JoinGroup, body, options).catch(() => undefined);
    if (joined?.errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.#memberId = joined.memberId;
    if (joined === undefined || this.#hasFailed(joined.errorCode)) return false;
    this.#memberId = joined.memberId;
    this.#generation = joined.generationId;
    this.#note(`joined generation ${joined.generationId} as ${joined.leader === joined.memberId ? 'its leader' : 'a member'}`);
    return this.#sync(coordinator, joined);
  }

  async #sync(coordinator: Node, joined: JoinGroupResponse): Promise<boolean> {
    const assignments = joined.leader === joined.memberId ? await this.#assign(joined) : [];
    const body = {
      groupId: this.#group.groupId,
      generationId: this.#generation,
      memberId: this.#memberId,
      protocolType: 'consumer',
      protocolName: PROTOCOL,
      assignments,
    };
    const options = { timeoutMs: REBALANCE_TIMEOUT_MS + REQUEST_TIMEOUT_MS };
    const synced = await this.#client.network.send(coordinator, SyncGroup, body, options).catch(() => undefined);
    if (synced === undefined || this.#hasFailed(synced.errorCode)) return false;
    const owned: Owned[] = [];
    if (synced.assignment.length > 0) {
      const { assignedPartitions } = decodeVersioned(ConsumerProtocolAssignment, synced.assignment);
      for (const { topic, partitions } of assignedPartitions)
        for (const partition of partitions) owned.push({ topic, partition, start: undefined });
    }
    this.#group.onAssigned(this.#memberId, this.#generation, owned.map(nameOf));
    for (const each of owned) this.#owned.set(nameOf(each), each);
    this.#note(`owns ${owned.map(nameOf).join(', ') || 'nothing'} in generation ${this.#generation}`);
    return this.#fetchOffsets();
  }

  /** To each member in turn. */
  async #assign(joined: JoinGroupResponse): Promise<{ memberId: string; assignment: Buffer }[]> {
    await this.#client.view.refresh(this.#group.topics);
    const members = joined.members.map(({ memberId }) => memberId).toSorted();
    const shares = new Map(members.map((memberId) => [memberId, new Map<string, number[]>()]));
    let turn = 0;
    for (const topic of this.#group.topics) {
      for (let partition = 0; partition < this.#partitionCount(topic); partition++) {
        const share = shares.get(members[turn++ % members.length] ?? '');
        share?.set(topic, [...(share.get(topic) ?? []), partition]);
      }
    }
    this.#assignedPartitions = turn;
    return Array.from(shares, ([memberId, share]) => {
      const assignedPartitions = Array.from(share, ([topic, partitions]) => ({ topic, partitions }));
      return { memberId, assignment: encodeVersioned(ConsumerProtocolAssignment, 1, { assignedPartitions, userData: null }) };
    });
  }

  #partitionCount(topic: string): number {
    return this.#client.view.topics.get(topic)?.partitions.length ?? 0;
  }

  /** Tries until it is told where to begin, or that it belongs to the group no more. */
  async #fetchOffsets(): Promise<boolean> {
    while (this.#owned.size > 0) {
      const answer = await this.#askForOffsets();
      if (answer?.errorCode === ErrorCode.NONE) {
        for (const { name, partitions } of answer.topics) {
          for (const { partitionIndex, committedOffset, committedLeaderEpoch } of partitions) {
            const owned = this.#owned.get(`${name}-${partitionIndex}`);
            if (owned === undefined) continue;
            owned.start = { offset: Math.max(0, committedOffset), epoch: committedLeaderEpoch };
            this.#committed.set(nameOf(owned), owned.start.offset);
          }
        }
        return true;
      }
      if (answer !== undefined && this.#hasFailed(answer.errorCode) && !this.#isTransient(answer.errorCode)) return false;
      if (!(await this.#heartbeat())) return false;
      await sleep(this.#client.runtime.scheduler, RETRY_MS);
    }
    return true;
  }

  /** What is committed of the partitions that it owns; undefined when no answer came. */
  async #askForOffsets(): Promise<OffsetFetchResponseGroup | undefined> {
    const node = await this.#findCoordinator();
    if (node === undefined) return undefined;
    const byTopic = Map.groupBy(this.#owned.values(), ({ topic }) => topic);
    const topics = Array.from(byTopic, ([name, list]) => ({ name, partitionIndexes: list.map(({ partition }) => partition) }));
    const last = new Map(Array.from(this.#owned.keys(), (name) => [name, this.#group.lastCommit(name, this.#generation)]));
    const body = { groups: [{ groupId: this.#group.groupId, topics }] };
    const options = { timeoutMs: REQUEST_TIMEOUT_MS, minVersion: 8 };
    const response = await this.#client.network.send(node, OffsetFetch, body, options).catch(() => undefined);
    if (response === undefined) this.#coordinator = undefined;
    const answer = response?.groups[0];
    if (answer?.errorCode !== ErrorCode.NONE) return answer;
    for (const { name, partitions } of answer.topics) {
      for (const { partitionIndex, committedOffset, metadata } of partitions) {
        const key = `${name}-${partitionIndex}`;
        this.#group.onFetched(this.name, key, { offset: committedOffset, metadata }, last.get(key));
      }
    }
    return answer;
  }

  /** Reads and commits until the group rebalances, it is thrown out, or its time is over. */
  async #stay(untilMs: number): Promise<void> {
    const { scheduler, random } = this.#client.runtime;
    while (this.#isOver || this.#nowMs < untilMs) {
      await sleep(scheduler, HEARTBEAT_MS * (0.5 + random.next()));
      if (random.int(2) === 0 || this.#isOver) await this.#commit();
      if (!(await this.#heartbeat())) break;
      if (random.int(5) === 0) await this.#askForOffsets();
      if (this.#mustAssignAgain()) break;
    }
    // As a consumer commits what it has read before it gives partitions back.
    await this.#commit();
  }

  /** The leader finds that a topic has grown. */
  #mustAssignAgain(): boolean {
    if (this.#assignedPartitions === undefined) return false;
    const count = this.#group.topics.reduce((sum, topic) => sum + this.#partitionCount(topic), 0);
    if (count === this.#assignedPartitions) return false;
    this.#assignedPartitions = undefined;
    return true;
  }

  /** False when it has to join again. */
  async #heartbeat(): Promise<boolean> {
    const node = await this.#findCoordinator();
    if (node === undefined) return true;
    const body = { groupId: this.#group.groupId, generationId: this.#generation, memberId: this.#memberId };
    const answer = await this.#client.network.send(node, Heartbeat, body, { timeoutMs: REQUEST_TIMEOUT_MS }).catch(() => undefined);
    if (answer === undefined) {
      this.#coordinator = undefined;
      return true;
    }
    return !this.#hasFailed(answer.errorCode) || this.#isTransient(answer.errorCode);
  }

  async #commit(): Promise<void> {
    const node = await this.#findCoordinator();
    if (node === undefined) return;
    const acknowledgements = new Map<string, { readonly acknowledge: () => void; readonly offset: number }>();
    const byTopic = new Map<
      string,
      { partitionIndex: number; committedOffset: number; committedLeaderEpoch: number; committedMetadata: string }[]
    >();
    for (const { topic, partition, offset, lastEpoch } of this.#consumer.positions.values()) {
      const key = `${topic}-${partition}`;
      if ((this.#committed.get(key) ?? 0) >= offset) continue;
      const { metadata, acknowledge } = this.#group.onCommit(key, this.#generation, offset);
      acknowledgements.set(key, { acknowledge, offset });
      const commit = { partitionIndex: partition, committedOffset: offset, committedLeaderEpoch: lastEpoch, committedMetadata: metadata };
      byTopic.set(topic, [...(byTopic.get(topic) ?? []), commit]);
    }
    if (acknowledgements.size === 0) return;
    const { groupId } = this.#group;
    const topics = Array.from(byTopic, ([name, partitions]) => ({ name, partitions }));
    const body = { groupId, generationIdOrMemberEpoch: this.#generation, memberId: this.#memberId, topics };
    const response = await this.#client.network.send(node, OffsetCommit, body, { timeoutMs: REQUEST_TIMEOUT_MS }).catch(() => undefined);
    if (response === undefined) this.#coordinator = undefined;
    for (const { name, partitions } of response?.topics ?? []) {
      for (const { partitionIndex, errorCode } of partitions) {
        const key = `${name}-${partitionIndex}`;
        const acknowledgement = acknowledgements.get(key);
        if (errorCode !== ErrorCode.NONE || acknowledgement === undefined) {
          this.#note(`commit of ${key} is refused with ${errorCode}`);
          if (MOVED.has(errorCode)) this.#coordinator = undefined;
          continue;
        }
        acknowledgement.acknowledge();
        this.#committed.set(key, acknowledgement.offset);
        this.#note(`has committed offset ${acknowledgement.offset} of ${key} in generation ${this.#generation}`);
      }
    }
  }

  async #leave(): Promise<void> {
    const node = await this.#findCoordinator();
    if (node === undefined || this.#memberId === '') return;
    this.#note(`leaves generation ${this.#generation}`);
    const body = { groupId: this.#group.groupId, members: [{ memberId: this.#memberId }] };
    await this.#client.network.send(node, LeaveGroup, body, { timeoutMs: REQUEST_TIMEOUT_MS, minVersion: 3 }).catch(() => undefined);
    this.#memberId = '';
  }

  async #findCoordinator(): Promise<Node | undefined> {
    if (this.#coordinator !== undefined) return this.#coordinator;
    const body = { keyType: 0, coordinatorKeys: [this.#group.groupId] };
    const brokers = this.#client.brokers;
    const node = brokers[this.#client.runtime.random.int(brokers.length)];
    if (node === undefined) return undefined;
    const options = { timeoutMs: REQUEST_TIMEOUT_MS, minVersion: 4 };
    const response = await this.#client.network.send(node, FindCoordinator, body, options).catch(() => undefined);
    const found = response?.coordinators[0];
    if (found?.errorCode === ErrorCode.NONE) this.#coordinator = { id: found.nodeId, host: found.host, port: found.port };
    return this.#coordinator;
  }

  /** Draws the consequences of a code; false for none. */
  #hasFailed(errorCode: number): boolean {
    if (errorCode === ErrorCode.NONE) return false;
    if (MOVED.has(errorCode)) this.#coordinator = undefined;
    if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID) this.#memberId = '';
    this.#note(`is answered with error ${errorCode} in generation ${this.#generation}`);
    return true;
  }

  #isTransient(errorCode: number): boolean {
    return MOVED.has(errorCode) || ASKS_AGAIN.has(errorCode);
  }

  #note(text: string): void {
    const { world } = this.#client.process;
    if (world.isLogging) world.note(this.name, `${this.#group.groupId}: ${text}`);
  }
}

function nameOf({ topic, partition }: Owned): string {
  return `${topic}-${partition}`;
}
