/**
 * The coordinator of consumer groups: membership, rebalances, commits. Every answer about a group comes from the broker that
 * leads its partition of `__consumer_offsets`; others say NOT_COORDINATOR.
 *
 * A rebalance: everyone joins (or the rebalance time-out ends, and who is missing is out) → the leader of the group gets
 * everybody's metadata, assigns, and syncs → the assignment is written to the log → everyone's sync is answered.
 * Source: Kafka's classic `GroupCoordinator`.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Cancellable } from '../../runtime/scheduler.ts';
import { GroupMetadataManager } from './group-metadata-manager.ts';
import type { OffsetToCommit, OffsetToDelete } from './group-metadata-manager.ts';
import { CONSUMER_PROTOCOL_TYPE } from './group-metadata.ts';
import type { GroupMetadata } from './group-metadata.ts';
import type { CoordinatorLog, GroupCoordinatorConfig, GroupEventSink } from './coordinator-config.ts';
import type { JoinRequest, LeavingMember, MemberIdentity, OffsetDeletion, SyncRequest } from './group-requests.ts';
import { GroupRebalancer } from './group-rebalancer.ts';
import type { RebalancePurgatories } from './group-rebalancer.ts';
import { generateMemberId } from './member-id.ts';
import { failedJoin, failedSync, MemberMetadata, NO_MEMBER_ID } from './member-metadata.ts';
import type { JoinCallback, SyncCallback } from './member-metadata.ts';

export interface GroupCoordinatorOptions {
  readonly config: GroupCoordinatorConfig;
  readonly log: CoordinatorLog;
  readonly runtime: Pick<Runtime, 'clock' | 'scheduler' | 'logger' | 'random'>;
  readonly purgatories: RebalancePurgatories;
  readonly events: GroupEventSink;
}

export class GroupCoordinator {
  readonly groups: GroupMetadataManager;
  readonly #options: GroupCoordinatorOptions;
  readonly #rebalancer: GroupRebalancer;
  #expiryTimer: Cancellable | undefined;
  #active = false;

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
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
    this.#expiryTimer = this.#options.runtime.scheduler.every(this.#options.config.offsetsRetentionCheckIntervalMs, () =>
      this.groups.expireOffsets(),
    );
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
      if (gone.length > 0) this.groups.removeOffsets(group, gone, 'its topics were deleted');
    }
  }

  /**
   * Joins a group, which a new member (with an empty id) may bring into being. `respond` gets the generation once everyone has
   * joined, or why not: MEMBER_ID_REQUIRED with the id to come back with (KIP-394), INVALID_SESSION_TIMEOUT, GROUP_MAX_SIZE_REACHED,
   * INCONSISTENT_GROUP_PROTOCOL, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, or a code of `#groupStatus`.
   */
  join(request: JoinRequest, respond: JoinCallback): void {
    const refuse = (errorCode: number, memberId = request.memberId): void => respond(failedJoin(errorCode, memberId));
    const status = this.#groupStatus(request.groupId, false);
    if (status !== ErrorCode.NONE) return refuse(status);
    const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = this.#options.config;
    if (request.sessionTimeoutMs < groupMinSessionTimeoutMs || request.sessionTimeoutMs > groupMaxSessionTimeoutMs)
      return refuse(ErrorCode.INVALID_SESSION_TIMEOUT);
    const isNew = request.memberId === NO_MEMBER_ID;
    const group = isNew ? this.groups.getOrCreate(request.groupId) : this.groups.get(request.groupId);
    if (group === undefined) return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
    if (!this.#hasRoom(group, request.memberId)) {
      group.remove(request.memberId);
      refuse(ErrorCode.GROUP_MAX_SIZE_REACHED, NO_MEMBER_ID);
    } else if (group.is('Dead')) refuse(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    else if (!group.supportsProtocols(request.protocolType, request.protocols)) refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    else if (isNew) this.#joinNewMember(group, request, respond);
    else this.#joinCurrentMember(group, request, respond);
    this.#rebalancer.checkJoin(group);
  }

  /** Asks for the member's assignment, which the group's leader brings. `respond` gets it once it is written, or why not. */
  sync(request: SyncRequest, respond: SyncCallback): void {
    const refuse = (errorCode: number): void => respond(failedSync(errorCode));
    const status = this.#groupStatus(request.groupId, false);
    // A member that syncs with a coordinator that is loading has missed its rebalance: it joins again.
    if (status !== ErrorCode.NONE)
      return refuse(status === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.REBALANCE_IN_PROGRESS : status);
    const group = this.groups.get(request.groupId);
    if (group === undefined) return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
    if (group.is('Dead')) return refuse(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    const member = this.#currentMember(group, request);
    if (typeof member === 'number') return refuse(member);
    const error = checkSync(group, request);
    if (error !== ErrorCode.NONE) return refuse(error);
    switch (group.state) {
      case 'Empty':
      case 'Dead':
        return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
      case 'PreparingRebalance':
        return refuse(ErrorCode.REBALANCE_IN_PROGRESS);
      case 'CompletingRebalance':
        return this.#rebalancer.awaitAssignment(group, member, request.assignments, respond);
      case 'Stable':
        this.#rebalancer.removePendingSync(group, member);
        this.#rebalancer.scheduleHeartbeat(group, member);
        return respond({
          errorCode: ErrorCode.NONE,
          protocolType: group.protocolType ?? null,
          protocolName: group.protocolName,
          assignment: member.assignment,
        });
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
  leave(groupId: string, members: readonly LeavingMember[]): { errorCode: number; memberErrors: readonly number[] } {
    const status = this.#groupStatus(groupId, false);
    if (status !== ErrorCode.NONE) return { errorCode: status, memberErrors: [] };
    const group = this.groups.get(groupId);
    if (group === undefined) return { errorCode: ErrorCode.NONE, memberErrors: members.map(() => ErrorCode.UNKNOWN_MEMBER_ID) };
    if (group.is('Dead')) return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, memberErrors: [] };
    return { errorCode: ErrorCode.NONE, memberErrors: members.map((member) => this.#leave(group, member)) };
  }

  /** Commits; `respond` gets a code for each offset in order. */
  commitOffsets(
    groupId: string,
    identity: MemberIdentity,
    generationId: number,
    offsets: readonly OffsetToCommit[],
    respond: (errorCodes: readonly number[]) => void,
  ): void {
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

  /** Deletes an empty group with its offsets. NONE, NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND, or a code of `#groupStatus`. */
  deleteGroup(groupId: string): number {
    const status = this.#groupStatus(groupId, true);
    if (status !== ErrorCode.NONE) return status;
    const group = this.groups.get(groupId);
    if (group === undefined || group.is('Dead')) return ErrorCode.GROUP_ID_NOT_FOUND;
    if (!group.is('Empty')) return ErrorCode.NON_EMPTY_GROUP;
    this.groups.deleteGroup(group, 'deleted by a client');
    return ErrorCode.NONE;
  }

  /** Deletes single offsets; a topic that a live member subscribes to is refused with GROUP_SUBSCRIBED_TO_TOPIC (KIP-496). */
  deleteOffsets(groupId: string, offsets: readonly OffsetToDelete[]): OffsetDeletion {
    const refuse = (errorCode: number): OffsetDeletion => ({ errorCode, errorCodes: [] });
    const status = this.#groupStatus(groupId, false);
    if (status !== ErrorCode.NONE) return refuse(status);
    const group = this.groups.get(groupId);
    if (group === undefined || group.is('Dead')) return refuse(ErrorCode.GROUP_ID_NOT_FOUND);
    if (!group.is('Empty') && group.protocolType !== CONSUMER_PROTOCOL_TYPE) return refuse(ErrorCode.NON_EMPTY_GROUP);
    const codes = offsets.map(({ topic }) =>
      !group.is('Empty') && group.isSubscribedTo(topic) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE,
    );
    const eligible = offsets.filter((_, index) => codes[index] === ErrorCode.NONE);
    if (eligible.length > 0) this.groups.removeOffsets(group, eligible, 'its offsets were deleted by a client');
    return { errorCode: ErrorCode.NONE, errorCodes: codes };
  }

  /** Whether all groups are known: NONE, COORDINATOR_LOAD_IN_PROGRESS, or COORDINATOR_NOT_AVAILABLE. */
  listStatus(): number {
    if (!this.#active) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    return this.groups.isAnyLoading ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS : ErrorCode.NONE;
  }

  /**
   * Whether one more member may be in the group (`group.max.size`). While members rejoin, those who are there already count:
   * when the limit was lowered, the last to come are out.
   */
  #hasRoom(group: GroupMetadata, memberId: string): boolean {
    const { groupMaxSize } = this.#options.config;
    if (group.is('Empty', 'Dead')) return true;
    if (group.is('PreparingRebalance')) return group.get(memberId)?.awaitingJoin !== undefined || group.awaitingJoinCount < groupMaxSize;
    return group.get(memberId) !== undefined || group.size < groupMaxSize;
  }

  #joinNewMember(group: GroupMetadata, request: JoinRequest, respond: JoinCallback): void {
    const memberId = generateMemberId(this.#options.runtime.random, request.clientId, request.groupInstanceId);
    if (request.groupInstanceId !== null) {
      const oldMemberId = group.currentStaticMemberId(request.groupInstanceId);
      if (oldMemberId === undefined)
        this.#rebalancer.addMember(group, newMember(memberId, request), respond, `static member ${request.groupInstanceId} joined`);
      else
        this.#rebalancer.replaceStaticMember(
          group,
          { oldMemberId, newMemberId: memberId, groupInstanceId: request.groupInstanceId },
          request,
          respond,
        );
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
    const answersAsItIs =
      (group.is('CompletingRebalance') && unchanged) || (group.is('Stable') && unchanged && !group.isLeader(member.memberId));
    if (group.is('Empty', 'Dead')) respond(failedJoin(ErrorCode.UNKNOWN_MEMBER_ID, request.memberId));
    else if (answersAsItIs) respond(this.#rebalancer.currentGeneration(group, member));
    else this.#rebalancer.updateMember(group, member, request, respond);
  }

  #leave(group: GroupMetadata, identity: LeavingMember): number {
    const { memberId, groupInstanceId } = identity;
    if (group.isPending(memberId)) {
      this.#rebalancer.removePendingMember(group, memberId);
      return ErrorCode.NONE;
    }
    // An administrator removes a static member by its instance id alone.
    const currentId = memberId === NO_MEMBER_ID && groupInstanceId !== null ? group.currentStaticMemberId(groupInstanceId) : memberId;
    const member = this.#currentMember(group, { memberId: currentId ?? NO_MEMBER_ID, groupInstanceId });
    if (typeof member === 'number') return member;
    this.#rebalancer.removeMember(
      group,
      member,
      `member ${member.memberId} left${identity.reason === null || identity.reason === '' ? '' : `: ${identity.reason}`}`,
    );
    return ErrorCode.NONE;
  }

  #checkCommit(group: GroupMetadata, identity: MemberIdentity, generationId: number): number {
    if (group.is('Dead')) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    // A tool, or a consumer that assigns its partitions itself, commits to a group that has no members.
    if (generationId < 0 && group.is('Empty')) return ErrorCode.NONE;
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

  /**
   * INVALID_GROUP_ID, COORDINATOR_NOT_AVAILABLE (not started, or shut down), COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, or
   * NONE. The empty id was once a group that one could commit to; it can still be seen and deleted.
   */
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

function checkSync(group: GroupMetadata, request: SyncRequest): number {
  if (request.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION;
  if (request.protocolType !== null && request.protocolType !== group.protocolType) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
  if (request.protocolName !== null && request.protocolName !== group.protocolName) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
  return ErrorCode.NONE;
}
