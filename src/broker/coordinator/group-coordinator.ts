/**
 * The coordinator of consumer groups: membership, rebalances, commits. Every answer about a group comes from the broker that
 * leads its partition of `__consumer_offsets`; others say NOT_COORDINATOR.
 *
 * A rebalance: everyone joins (or the rebalance time-out ends, and who is missing is out) → the leader of the group gets
 * everybody's metadata, assigns, and syncs → the assignment is written to the log → everyone's sync is answered.
 * Source: Kafka's classic `GroupCoordinator`.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Cancellable } from '../../runtime/scheduler.ts';
import { GroupMetadataManager } from './group-metadata-manager.ts';
import type { OffsetToCommit } from './group-metadata-manager.ts';
import type { GroupMetadata } from './group-metadata.ts';
import type { CoordinatorLog, GroupCoordinatorConfig, GroupEventSink } from './coordinator-config.ts';
import { GroupRebalancer } from './group-rebalancer.ts';
import type { RebalancePurgatories } from './group-rebalancer.ts';
import { generateMemberId } from './member-id.ts';
import { MemberMetadata, NO_ASSIGNMENT } from './member-metadata.ts';
import type { GroupProtocol, JoinCallback, JoinGroupResult, SyncCallback } from './member-metadata.ts';

export interface GroupCoordinatorOptions {
  readonly config: GroupCoordinatorConfig;
  readonly log: CoordinatorLog;
  readonly runtime: Pick<Runtime, 'clock' | 'scheduler' | 'logger' | 'random'>;
  readonly purgatories: RebalancePurgatories;
  readonly events: GroupEventSink;
}

export interface JoinRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /** KIP-394: a new member must come back with the id it was given. */
  readonly requireKnownMemberId: boolean;
  readonly supportSkippingAssignment: boolean;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly GroupProtocol[];
  readonly reason: string;
}

export interface SyncRequest {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignments: ReadonlyMap<string, Buffer>;
}

export interface MemberIdentity {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

const NO_MEMBER_ID = '';
const NO_GENERATION = -1;

export class GroupCoordinator {
  readonly groups: GroupMetadataManager;
  readonly #options: GroupCoordinatorOptions;
  readonly #logger: Logger;
  readonly #rebalancer: GroupRebalancer;
  #expiryTimer: Cancellable | undefined;
  #active = false;

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
    this.#logger = options.runtime.logger.child({ component: 'GroupCoordinator' });
    this.groups = new GroupMetadataManager({
      config: options.config,
      log: options.log,
      runtime: options.runtime,
      events: options.events,
      onGroupLoaded: (group) => this.#rebalancer.onGroupLoaded(group),
      onGroupUnloaded: (group) => this.#rebalancer.onGroupUnloaded(group),
    });
    this.#rebalancer = new GroupRebalancer({
      config: options.config,
      runtime: options.runtime,
      purgatories: options.purgatories,
      events: options.events,
      groups: this.groups,
    });
  }

  startup(): void {
    this.#active = true;
    this.#expiryTimer = this.#options.runtime.scheduler.every(this.#options.config.offsetsRetentionCheckIntervalMs, () => this.groups.expireOffsets());
  }

  shutdown(): void {
    this.#active = false;
    this.#expiryTimer?.cancel();
  }

  onElection(partition: number, leaderEpoch: number): void {
    this.groups.onElection(partition, leaderEpoch);
  }

  onResignation(partition: number, leaderEpoch?: number): void {
    this.groups.onResignation(partition, leaderEpoch);
  }

  /** Forgets the offsets of deleted topics. */
  onTopicsDeleted(topics: ReadonlySet<string>): void {
    for (const group of this.groups.groups()) {
      const gone = [...group.offsets.entries()].filter(({ topic }) => topics.has(topic));
      if (gone.length > 0) this.groups.deleteOffsets(group, gone, false, () => {});
    }
  }

  join(request: JoinRequest, respond: JoinCallback): void {
    const refuse = (errorCode: number, memberId = request.memberId): void => respond(failedJoin(errorCode, memberId));
    const status = this.#groupStatus(request.groupId, false);
    if (status !== ErrorCode.NONE) return refuse(status);
    const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs, groupMaxSize } = this.#options.config;
    if (request.sessionTimeoutMs < groupMinSessionTimeoutMs || request.sessionTimeoutMs > groupMaxSessionTimeoutMs) return refuse(ErrorCode.INVALID_SESSION_TIMEOUT);
    const isUnknownMember = request.memberId === NO_MEMBER_ID;
    const group = isUnknownMember ? this.groups.getOrCreate(request.groupId) : this.groups.get(request.groupId);
    if (group === undefined) return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
    if (group.is('Dead')) return refuse(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    const isKnown = !isUnknownMember && (group.get(request.memberId) !== undefined || group.isPending(request.memberId));
    if (!isKnown && group.size + group.pendingMemberCount >= groupMaxSize) return refuse(ErrorCode.GROUP_MAX_SIZE_REACHED, NO_MEMBER_ID);
    if (!group.supportsProtocols(request.protocolType, request.protocols)) return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    if (isUnknownMember) this.#joinNewMember(group, request, respond);
    else this.#joinCurrentMember(group, request, respond);
  }

  sync(request: SyncRequest, respond: SyncCallback): void {
    const refuse = (errorCode: number): void => respond({ errorCode, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT });
    const status = this.#groupStatus(request.groupId, false);
    // A member that syncs with a coordinator that is loading has missed its rebalance: it joins again.
    if (status !== ErrorCode.NONE) return refuse(status === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.REBALANCE_IN_PROGRESS : status);
    const group = this.groups.get(request.groupId);
    if (group === undefined) return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
    const error = this.#checkSync(group, request);
    if (error !== ErrorCode.NONE) return refuse(error);
    const member = group.get(request.memberId);
    if (member === undefined) return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
    switch (group.state) {
      case 'Empty':
      case 'Dead':
        return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
      case 'PreparingRebalance':
        return refuse(ErrorCode.REBALANCE_IN_PROGRESS);
      case 'CompletingRebalance':
        return this.#rebalancer.awaitAssignment(group, member, request.assignments, respond);
      case 'Stable':
        group.removePendingSync(member.memberId);
        this.#rebalancer.scheduleHeartbeat(group, member);
        return respond({ errorCode: ErrorCode.NONE, protocolType: group.protocolType ?? null, protocolName: group.protocolName, assignment: member.assignment });
    }
  }

  /** The code for a heartbeat: NONE, REBALANCE_IN_PROGRESS when the member is to join again, or why it is not a member. */
  heartbeat(groupId: string, identity: MemberIdentity, generationId: number): number {
    const status = this.#groupStatus(groupId, false);
    // Loading: nothing is known against it.
    if (status === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) return ErrorCode.NONE;
    if (status !== ErrorCode.NONE) return status;
    const group = this.groups.get(groupId);
    if (group === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
    if (group.is('Dead')) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    const member = this.#currentMember(group, identity);
    if (typeof member === 'number') return member;
    if (generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION;
    if (group.is('Empty')) return ErrorCode.UNKNOWN_MEMBER_ID;
    this.#rebalancer.scheduleHeartbeat(group, member);
    return group.is('PreparingRebalance') ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
  }

  /** Takes members out. `errorCode` concerns the group; else one code for each member in order. */
  leave(groupId: string, identities: readonly (MemberIdentity & { readonly reason: string | null })[]): { errorCode: number; memberErrors: readonly number[] } {
    const status = this.#groupStatus(groupId, false);
    if (status !== ErrorCode.NONE) return { errorCode: status, memberErrors: [] };
    const group = this.groups.get(groupId);
    if (group === undefined) return { errorCode: ErrorCode.NONE, memberErrors: identities.map(() => ErrorCode.UNKNOWN_MEMBER_ID) };
    if (group.is('Dead')) return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, memberErrors: [] };
    const memberErrors = identities.map((identity) => {
      if (group.isPending(identity.memberId)) {
        if (identity.groupInstanceId !== null) return ErrorCode.UNKNOWN_MEMBER_ID;
        this.#rebalancer.removePendingMember(group, identity.memberId);
        return ErrorCode.NONE;
      }
      // An administrator removes a static member by its instance id alone.
      const byInstance = identity.memberId === NO_MEMBER_ID && identity.groupInstanceId !== null ? group.currentStaticMemberId(identity.groupInstanceId) : undefined;
      const member = byInstance === undefined ? this.#currentMember(group, identity) : group.get(byInstance);
      if (typeof member === 'number') return member;
      if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
      this.#rebalancer.removeMember(group, member, `member ${member.memberId} left: ${identity.reason ?? 'no reason given'}`);
      return ErrorCode.NONE;
    });
    return { errorCode: ErrorCode.NONE, memberErrors };
  }

  /** Commits; `respond` gets a code for each offset in order. */
  commitOffsets(groupId: string, identity: MemberIdentity, generationId: number, offsets: readonly OffsetToCommit[], respond: (errorCodes: readonly number[]) => void): void {
    const refuse = (errorCode: number): void => respond(offsets.map(() => errorCode));
    const status = this.#groupStatus(groupId, true);
    if (status !== ErrorCode.NONE) return refuse(status);
    let group = this.groups.get(groupId);
    if (group === undefined) {
      // A consumer that assigns its partitions itself, or a tool: the group exists for its offsets.
      if (generationId >= 0) return refuse(ErrorCode.ILLEGAL_GENERATION);
      group = this.groups.getOrCreate(groupId);
    }
    const error = this.#checkCommit(group, identity, generationId);
    if (error !== ErrorCode.NONE) return refuse(error);
    const member = group.get(identity.memberId);
    if (member !== undefined) this.#rebalancer.scheduleHeartbeat(group, member);
    this.groups.storeOffsets(group, offsets, respond);
  }

  /** What is asked about a group's offsets can be answered: NONE, or why not. */
  fetchStatus(groupId: string): number {
    return this.#groupStatus(groupId, true);
  }

  /** Why a group can't be described or deleted here, or NONE. */
  describeStatus(groupId: string): number {
    return this.#groupStatus(groupId, true);
  }

  /** Deletes an empty group with its offsets. Codes: NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND, or why this broker can't tell. */
  deleteGroup(groupId: string, respond: (errorCode: number) => void): void {
    const status = this.#groupStatus(groupId, false);
    if (status !== ErrorCode.NONE) return respond(status);
    const group = this.groups.get(groupId);
    if (group === undefined || group.is('Dead')) return respond(ErrorCode.GROUP_ID_NOT_FOUND);
    if (!group.is('Empty')) return respond(ErrorCode.NON_EMPTY_GROUP);
    group.transitionTo('Dead', this.#options.runtime.clock.wallMs());
    this.groups.deleteOffsets(group, [...group.offsets.entries()], true, (errorCode) => {
      if (errorCode !== ErrorCode.NONE) this.#logger.warn(`The tombstones of the deleted group ${groupId} were not written: code ${errorCode}`);
    });
    this.#options.events.emit({ kind: 'group-deleted', groupId, generationId: group.generationId, memberCount: 0, reason: 'deleted by a client' });
    respond(ErrorCode.NONE);
  }

  /** Deletes single offsets; a topic that a live member subscribes to is refused (KIP-496). */
  deleteOffsets(groupId: string, offsets: readonly { topic: string; partition: number }[], respond: (groupError: number, errorCodes: readonly number[]) => void): void {
    const status = this.#groupStatus(groupId, false);
    const group = this.groups.get(groupId);
    if (status !== ErrorCode.NONE) return respond(status, []);
    if (group === undefined || group.is('Dead')) return respond(ErrorCode.GROUP_ID_NOT_FOUND, []);
    if (!group.is('Empty') && group.protocolType !== 'consumer') return respond(ErrorCode.NON_EMPTY_GROUP, []);
    const isRefused = ({ topic }: { topic: string }): boolean => !group.is('Empty') && group.isSubscribedTo(topic);
    const deleted = offsets.filter((entry) => !isRefused(entry) && group.offsets.get(entry.topic, entry.partition) !== undefined);
    this.groups.deleteOffsets(group, deleted, false, (errorCode) =>
      respond(
        ErrorCode.NONE,
        offsets.map((entry) => (isRefused(entry) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : errorCode)),
      ),
    );
  }

  #joinNewMember(group: GroupMetadata, request: JoinRequest, respond: JoinCallback): void {
    const memberId = generateMemberId(this.#options.runtime.random, request.clientId, request.groupInstanceId);
    if (request.groupInstanceId !== null) {
      const oldMemberId = group.currentStaticMemberId(request.groupInstanceId);
      if (oldMemberId === undefined) this.#rebalancer.addMember(group, newMember(memberId, request), respond, `static member ${request.groupInstanceId} joined`);
      else this.#rebalancer.replaceStaticMember(group, { oldMemberId, newMemberId: memberId, groupInstanceId: request.groupInstanceId }, request, respond);
      return;
    }
    if (request.requireKnownMemberId) {
      this.#rebalancer.addPendingMember(group, memberId, request.sessionTimeoutMs);
      respond(failedJoin(ErrorCode.MEMBER_ID_REQUIRED, memberId));
      return;
    }
    this.#rebalancer.addMember(group, newMember(memberId, request), respond, joinReason(memberId, request));
  }

  #joinCurrentMember(group: GroupMetadata, request: JoinRequest, respond: JoinCallback): void {
    if (group.isPending(request.memberId)) {
      if (request.groupInstanceId !== null) respond(failedJoin(ErrorCode.UNKNOWN_MEMBER_ID, request.memberId));
      else this.#rebalancer.addMember(group, newMember(request.memberId, request), respond, joinReason(request.memberId, request));
      return;
    }
    const member = this.#currentMember(group, request);
    if (typeof member === 'number') {
      respond(failedJoin(member, request.memberId));
      return;
    }
    const unchanged = member.matches(request.protocols);
    const answersAsItIs = (group.is('CompletingRebalance') && unchanged) || (group.is('Stable') && unchanged && !group.isLeader(member.memberId));
    if (group.is('Empty', 'Dead')) respond(failedJoin(ErrorCode.UNKNOWN_MEMBER_ID, request.memberId));
    else if (answersAsItIs) respond(this.#rebalancer.currentGeneration(group, member));
    else this.#rebalancer.updateMember(group, member, request, respond);
  }

  #checkSync(group: GroupMetadata, request: SyncRequest): number {
    if (group.is('Dead')) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    const member = this.#currentMember(group, request);
    if (typeof member === 'number') return member;
    if (request.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION;
    if (request.protocolType !== null && request.protocolType !== group.protocolType) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
    if (request.protocolName !== null && request.protocolName !== group.protocolName) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
    return ErrorCode.NONE;
  }

  #checkCommit(group: GroupMetadata, identity: MemberIdentity, generationId: number): number {
    if (group.is('Dead')) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    if (generationId < 0 && group.is('Empty')) return ErrorCode.NONE;
    if (generationId === NO_GENERATION && identity.memberId === NO_MEMBER_ID && identity.groupInstanceId === null) return ErrorCode.UNKNOWN_MEMBER_ID;
    const member = this.#currentMember(group, identity);
    if (typeof member === 'number') return member;
    if (generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION;
    return group.is('CompletingRebalance') ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
  }

  /** The member that speaks, or the code for one that isn't (any more) who it says. */
  #currentMember(group: GroupMetadata, { memberId, groupInstanceId }: MemberIdentity): MemberMetadata | number {
    if (groupInstanceId !== null) {
      const current = group.currentStaticMemberId(groupInstanceId);
      if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
      if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID;
    }
    return group.get(memberId) ?? ErrorCode.UNKNOWN_MEMBER_ID;
  }

  #groupStatus(groupId: string, allowsEmptyId: boolean): number {
    if (groupId === '' && !allowsEmptyId) return ErrorCode.INVALID_GROUP_ID;
    if (!this.#active) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    if (this.groups.isLoading(groupId)) return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
    return this.groups.isLocal(groupId) ? ErrorCode.NONE : ErrorCode.NOT_COORDINATOR;
  }
}

function newMember(memberId: string, request: JoinRequest): MemberMetadata {
  return new MemberMetadata({ ...request, memberId });
}

function joinReason(memberId: string, request: JoinRequest): string {
  return `member ${memberId} joined${request.reason === '' ? '' : `: ${request.reason}`}`;
}

function failedJoin(errorCode: number, memberId: string): JoinGroupResult {
  return { errorCode, memberId, generationId: NO_GENERATION, protocolType: null, protocolName: null, leaderId: NO_MEMBER_ID, skipAssignment: false, members: [] };
}
