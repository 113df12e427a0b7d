/** A coordinator on manual time with its log in memory, and members that remember what they were answered. */
import { encodeVersioned } from '../../../protocol/api.ts';
import { ConsumerProtocolSubscription } from '../../../protocol/generated/consumer-protocol-subscription.ts';
import { CompressionCodec } from '../../../protocol/records/compression.ts';
import { coordinatorPartition } from '../../../protocol/records/partitioner.ts';
import { silentLogger } from '../../../runtime/node/node-logger.ts';
import type { Random } from '../../../runtime/random.ts';
import { ManualTime } from '../../../runtime/testing/manual-time.ts';
import { DelayedOperationPurgatory } from '../../purgatory/delayed-operation-purgatory.ts';
import { Timer } from '../../purgatory/timer.ts';
import type { GroupCoordinatorConfig, GroupEvent } from '../coordinator-config.ts';
import { GroupCoordinator } from '../group-coordinator.ts';
import type { GroupMetadata } from '../group-metadata.ts';
import type { JoinRequest, SyncRequest } from '../group-requests.ts';
import type { JoinGroupResult, SyncGroupResult } from '../member-metadata.ts';
import type { OffsetAndMetadata } from '../offset-store.ts';
import { FakeCoordinatorLog } from './fake-coordinator-log.ts';

export const GROUP = 'g';
export const GROUP_PARTITION = coordinatorPartition(GROUP, 50);

/** Uses the default configuration of Kafka, but no initial delay. */
export const TEST_CONFIG: GroupCoordinatorConfig = {
  groupMinSessionTimeoutMs: 6_000,
  groupMaxSessionTimeoutMs: 1_800_000,
  groupMaxSize: 1000,
  groupInitialRebalanceDelayMs: 0,
  offsetMetadataMaxBytes: 4096,
  offsetsRetentionMs: 7 * 24 * 3_600_000,
  offsetsRetentionCheckIntervalMs: 600_000,
  offsetsLoadBufferSize: 5 << 20,
  offsetsTopicCompressionCodec: CompressionCodec.NONE,
};

/** Distinct bytes without chance. */
class CountingRandom implements Random {
  #count = 0;
  next(): number {
    return 0.5;
  }
  int(): number {
    return 0;
  }
  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    bytes.writeUInt32BE(++this.#count, 0);
    return bytes;
  }
}

export interface Answer<T> {
  /** Undefined while it waits. */
  result: T | undefined;
  /** How often it was answered: never more than once. */
  count: number;
}

export function subscription(...topics: readonly string[]): Buffer {
  return encodeVersioned(ConsumerProtocolSubscription, 0, { topics, userData: null });
}

export function committed(offset: number, commitTimestamp: number, more: Partial<OffsetAndMetadata> = {}): OffsetAndMetadata {
  return { offset, leaderEpoch: -1, metadata: '', commitTimestamp, expireTimestamp: -1, ...more };
}

export class CoordinatorFixture {
  readonly time = new ManualTime();
  readonly log: FakeCoordinatorLog;
  readonly events: GroupEvent[] = [];
  readonly coordinator: GroupCoordinator;
  readonly purgatories: Record<'rebalance' | 'heartbeat', DelayedOperationPurgatory<never>>;

  constructor(config: Partial<GroupCoordinatorConfig> = {}, log = new FakeCoordinatorLog()) {
    this.log = log;
    const timer = new Timer({ clock: this.time, scheduler: this.time });
    const rebalance = new DelayedOperationPurgatory({ name: 'Rebalance', timer, clock: this.time });
    const heartbeat = new DelayedOperationPurgatory({ name: 'Heartbeat', timer, clock: this.time });
    this.purgatories = { rebalance, heartbeat } as never;
    this.coordinator = new GroupCoordinator({
      config: { ...TEST_CONFIG, ...config },
      log,
      runtime: { clock: this.time, scheduler: this.time, logger: silentLogger, random: new CountingRandom() },
      purgatories: { rebalance, heartbeat },
      events: { emit: (event) => this.events.push(event) },
    });
    this.coordinator.startup();
  }

  /** Leads the partition of `GROUP`, loaded. */
  static async serving(config: Partial<GroupCoordinatorConfig> = {}, log?: FakeCoordinatorLog): Promise<CoordinatorFixture> {
    const fixture = new CoordinatorFixture(config, log);
    fixture.coordinator.onElection(GROUP_PARTITION, 1);
    await fixture.time.settle();
    return fixture;
  }

  get group(): GroupMetadata {
    const group = this.coordinator.groups.get(GROUP);
    if (group === undefined) throw new Error('there is no such group');
    return group;
  }

  join(request: Partial<JoinRequest> = {}): Answer<JoinGroupResult> {
    const answer: Answer<JoinGroupResult> = { result: undefined, count: 0 };
    this.coordinator.join(
      {
        groupId: GROUP,
        memberId: '',
        groupInstanceId: null,
        requireKnownMemberId: false,
        supportSkippingAssignment: false,
        clientId: 'client',
        clientHost: '/127.0.0.1',
        rebalanceTimeoutMs: 60_000,
        sessionTimeoutMs: 10_000,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: subscription('t') }],
        reason: '',
        ...request,
      },
      (result) => {
        answer.result = result;
        answer.count++;
      },
    );
    return answer;
  }

  sync(memberId: string, request: Partial<SyncRequest> = {}): Answer<SyncGroupResult> {
    const answer: Answer<SyncGroupResult> = { result: undefined, count: 0 };
    this.coordinator.sync(
      {
        groupId: GROUP,
        generationId: this.group.generationId,
        memberId,
        groupInstanceId: null,
        protocolType: null,
        protocolName: null,
        assignments: new Map(),
        ...request,
      },
      (result) => {
        answer.result = result;
        answer.count++;
      },
    );
    return answer;
  }

  heartbeat(memberId: string, generationId = this.group.generationId, groupInstanceId: string | null = null): number {
    return this.coordinator.heartbeat(GROUP, { memberId, groupInstanceId }, generationId);
  }

  leave(...memberIds: readonly string[]): readonly number[] {
    return this.coordinator.leave(
      GROUP,
      memberIds.map((memberId) => ({ memberId, groupInstanceId: null, reason: null })),
    ).memberErrors;
  }

  commit(
    offset: number,
    options: { memberId?: string; generationId?: number; topic?: string; metadata?: string } = {},
  ): { codes: readonly number[] | undefined } {
    const answer: { codes: readonly number[] | undefined } = { codes: undefined };
    const { memberId = '', generationId = -1, topic = 't', metadata = '' } = options;
    const value = committed(offset, this.time.wallMs(), { metadata });
    this.coordinator.commitOffsets(GROUP, { memberId, groupInstanceId: null }, generationId, [{ topic, partition: 0, value }], (codes) => {
      answer.codes = codes;
    });
    return answer;
  }

  /**
   * A group of `count` members in state Stable, the first of which leads; `assignment` of member i is the byte i.
   * The members join together by way of a rebalance that the second one causes.
   */
  stableGroup(count: number, request: Partial<JoinRequest> = {}): string[] {
    const first = this.join(request);
    const leaderId = memberIdOf(first);
    const others = Array.from({ length: count - 1 }, () => this.join(request));
    if (count > 1) this.join({ ...request, memberId: leaderId });
    const memberIds = [leaderId, ...others.map(memberIdOf)];
    this.syncAll(memberIds);
    return memberIds;
  }

  /** Everyone syncs; the leader (the first) brings the assignments. */
  syncAll(memberIds: readonly string[]): Answer<SyncGroupResult>[] {
    const assignments = new Map(memberIds.map((memberId, index) => [memberId, Buffer.of(index)]));
    return memberIds.toReversed().map((memberId) => this.sync(memberId, memberId === memberIds[0] ? { assignments } : {}));
  }
}

/** The member id in an answer that has come. */
export function memberIdOf({ result }: Answer<JoinGroupResult>): string {
  if (result === undefined) throw new Error('the join still waits');
  return result.memberId;
}
