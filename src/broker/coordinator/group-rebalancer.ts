/**
 * Moves groups through their rebalances: members come and go, everyone rejoins, the leader's assignment is stored and handed out,
 * sessions run out.
 *
 * Differs from Kafka where Kafka leaves somebody hanging: a member that is removed while it waits for its assignment is answered,
 * and a static member's write that ends after the next rebalance has begun leaves its join to that rebalance.
 * Source: the rebalance half of Kafka's `GroupCoordinator`; KIP-134, KIP-345, KIP-394, KIP-814.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { DelayedOperation } from '../purgatory/delayed-operation.ts';
import type { DelayedOperationPurgatory } from '../purgatory/delayed-operation-purgatory.ts';
import type { GroupCoordinatorConfig, GroupEventSink } from './coordinator-config.ts';
import { DelayedHeartbeat, DelayedJoin, DelayedSync, InitialDelayedJoin } from './delayed-operations.ts';
import type { RebalanceListener } from './delayed-operations.ts';
import type { GroupMetadataManager } from './group-metadata-manager.ts';
import type { GroupMetadata, MemberUpdate } from './group-metadata.ts';
import { failedJoin, failedSync, NO_ASSIGNMENT, NO_MEMBER_ID } from './member-metadata.ts';
import type { JoinCallback, JoinGroupResult, MemberMetadata, SyncCallback } from './member-metadata.ts';

export interface RebalancePurgatories {
  readonly rebalance: DelayedOperationPurgatory<DelayedOperation>;
  readonly heartbeat: DelayedOperationPurgatory<DelayedOperation>;
}

export interface GroupRebalancerOptions {
  readonly config: GroupCoordinatorConfig;
  readonly runtime: Pick<Runtime, 'clock' | 'logger'>;
  readonly purgatories: RebalancePurgatories;
  readonly events: GroupEventSink;
  readonly groups: GroupMetadataManager;
}

/** A join of a member that the group knows: what it brings, and why it comes. */
export interface RejoinRequest extends MemberUpdate {
  readonly supportSkippingAssignment: boolean;
  readonly reason: string;
}

/** A member that has just joined gets this long for its first rebalance, whatever its session time-out. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000;
/** The least time between two looks at a group none of whose members rejoins: a rebalance time-out of 0 is legal. */
const MIN_REJOIN_WAIT_MS = 100;

const joinKey = (group: GroupMetadata): string => `join:${group.groupId}`;
const syncKey = (group: GroupMetadata): string => `sync:${group.groupId}`;
/** Member ids end in a UUID that this coordinator made: no two keys are the same. */
const memberKey = (group: GroupMetadata, memberId: string): string => `${group.groupId}:${memberId}`;

export class GroupRebalancer implements RebalanceListener {
  readonly #options: GroupRebalancerOptions;
  readonly #logger: Logger;

  constructor(options: GroupRebalancerOptions) {
    this.#options = options;
    this.#logger = options.runtime.logger.child({ component: 'GroupCoordinator' });
  }

  /** Members of a group that was read from the log get a session time-out to be heard of. */
  onGroupLoaded(group: GroupMetadata): void {
    const { groupMaxSize } = this.#options.config;
    if (group.size > groupMaxSize) this.#maybePrepareRebalance(group, `the group has ${group.size} members and may have ${groupMaxSize}`);
    for (const member of group.members) this.scheduleHeartbeat(group, member);
  }

  /** The group has moved to another coordinator: who waits here is told to look for it. */
  onGroupUnloaded(group: GroupMetadata): void {
    group.transitionTo('Dead', this.#nowMs);
    for (const member of group.members) {
      member.heartbeat?.forceComplete();
      group.answerJoin(member, failedJoin(ErrorCode.NOT_COORDINATOR, member.memberId));
      group.answerSync(member, failedSync(ErrorCode.NOT_COORDINATOR));
    }
    this.#options.purgatories.rebalance.cancelForKey(joinKey(group));
    this.#options.purgatories.rebalance.cancelForKey(syncKey(group));
  }

  /** The member was given its id and has a session time-out to come back with it (KIP-394). */
  addPendingMember(group: GroupMetadata, memberId: string, sessionTimeoutMs: number): void {
    group.addPending(memberId);
    this.#options.purgatories.heartbeat.tryCompleteElseWatch(new DelayedHeartbeat(group, memberId, sessionTimeoutMs, this), [
      memberKey(group, memberId),
    ]);
  }

  removePendingMember(group: GroupMetadata, memberId: string): void {
    this.#options.purgatories.heartbeat.cancelForKey(memberKey(group, memberId));
    group.removePending(memberId);
    this.checkJoin(group);
  }

  addMember(group: GroupMetadata, member: MemberMetadata, respond: JoinCallback, reason: string): void {
    // It may have been pending until now.
    this.#options.purgatories.heartbeat.cancelForKey(memberKey(group, member.memberId));
    member.isNew = true;
    if (group.is('PreparingRebalance') && group.generationId === 0) group.newMemberAdded = true;
    group.add(member);
    group.awaitJoin(member, respond);
    this.#scheduleHeartbeatIn(group, member, NEW_MEMBER_JOIN_TIMEOUT_MS);
    this.#maybePrepareRebalance(group, reason);
  }

  /** A member joins again, with what may be another subscription: a rebalance. */
  updateMember(group: GroupMetadata, member: MemberMetadata, request: RejoinRequest, respond: JoinCallback): void {
    group.updateMember(member, request);
    group.awaitJoin(member, respond);
    this.#maybePrepareRebalance(group, `member ${member.memberId} joins again${request.reason === '' ? '' : `: ${request.reason}`}`);
  }

  /**
   * A static member comes back under a new id. In a stable group whose protocol choice stays as it is, it gets its old place
   * without a rebalance, as soon as its new id is written.
   */
  replaceStaticMember(
    group: GroupMetadata,
    ids: { oldMemberId: string; newMemberId: string; groupInstanceId: string },
    request: RejoinRequest,
    respond: JoinCallback,
  ): void {
    const { oldMemberId, newMemberId, groupInstanceId } = ids;
    const leaderBefore = group.leaderId;
    group.get(oldMemberId)?.heartbeat?.forceComplete();
    const member = group.replaceStaticMember(groupInstanceId, oldMemberId, newMemberId);
    const { clientId, clientHost, protocols, rebalanceTimeoutMs, sessionTimeoutMs } = member;
    const before: MemberUpdate = { clientId, clientHost, protocols, rebalanceTimeoutMs, sessionTimeoutMs };
    group.updateMember(member, request);
    group.awaitJoin(member, respond);
    this.scheduleHeartbeat(group, member);
    if (!group.is('Stable') || group.selectProtocol() !== group.protocolName) {
      this.#maybePrepareRebalance(group, `static member ${groupInstanceId} came back as ${newMemberId}`);
      return;
    }
    const { generationId } = group;
    const assignments = new Map(group.members.map(({ memberId, assignment }) => [memberId, assignment]));
    this.#options.groups.storeGroup(group, assignments, (errorCode) => {
      // A rebalance has begun meanwhile: it answers the join, and writes the group.
      if (!group.is('Stable') || group.generationId !== generationId || group.get(newMemberId) !== member) return;
      if (errorCode === ErrorCode.NONE) {
        group.answerJoin(member, this.#unchangedGeneration(group, member, request.supportSkippingAssignment, leaderBefore));
        // As in `#propagateAssignment`: the one from before may have ended.
        this.scheduleHeartbeat(group, member);
        return;
      }
      group.answerJoin(member, failedJoin(errorCode, NO_MEMBER_ID));
      group.updateMember(member, before);
      member.heartbeat?.forceComplete();
      group.replaceStaticMember(groupInstanceId, newMemberId, oldMemberId);
      this.scheduleHeartbeat(group, member);
    });
  }

  /** The present generation, as an answer to a member that joins. */
  currentGeneration(group: GroupMetadata, member: MemberMetadata): JoinGroupResult {
    return {
      errorCode: ErrorCode.NONE,
      memberId: member.memberId,
      generationId: group.generationId,
      protocolType: group.protocolType ?? null,
      protocolName: group.protocolName,
      leaderId: group.leaderId ?? NO_MEMBER_ID,
      skipAssignment: false,
      members: group.isLeader(member.memberId) ? group.currentMemberMetadata() : [],
    };
  }

  /** A member syncs while the assignment is awaited; the leader's sync brings it. */
  awaitAssignment(group: GroupMetadata, member: MemberMetadata, assignments: ReadonlyMap<string, Buffer>, respond: SyncCallback): void {
    group.awaitSync(member, respond);
    this.removePendingSync(group, member);
    if (!group.isLeader(member.memberId)) return;
    const { generationId } = group;
    // Copied: the request's bytes are let go. Whom the leader has forgotten gets nothing.
    const complete = new Map(group.members.map(({ memberId }) => [memberId, Buffer.from(assignments.get(memberId) ?? NO_ASSIGNMENT)]));
    this.#options.groups.storeGroup(group, complete, (errorCode) => {
      // Another rebalance may have begun while this was written.
      if (!group.is('CompletingRebalance') || generationId !== group.generationId) return;
      if (errorCode !== ErrorCode.NONE) {
        this.#propagateError(group, errorCode);
        this.#maybePrepareRebalance(group, `the assignment could not be written: code ${errorCode}`);
        return;
      }
      group.transitionTo('Stable', this.#nowMs);
      this.#propagateAssignment(group, complete);
    });
  }

  /** The member has synced in this generation. */
  removePendingSync(group: GroupMetadata, member: MemberMetadata): void {
    group.removePendingSync(member.memberId);
    this.#options.purgatories.rebalance.checkAndComplete(syncKey(group));
  }

  removeMember(group: GroupMetadata, member: MemberMetadata, reason: string): void {
    member.heartbeat?.forceComplete();
    // Its client may still be there, waiting: it is to join anew.
    group.answerJoin(member, failedJoin(ErrorCode.UNKNOWN_MEMBER_ID, NO_MEMBER_ID));
    group.answerSync(member, failedSync(ErrorCode.UNKNOWN_MEMBER_ID));
    group.remove(member.memberId);
    this.#maybePrepareRebalance(group, reason);
    this.checkJoin(group);
  }

  /** The member was heard of: its session time-out begins anew. */
  scheduleHeartbeat(group: GroupMetadata, member: MemberMetadata): void {
    this.#scheduleHeartbeatIn(group, member, member.sessionTimeoutMs);
  }

  /** Ends the joining when everyone is there. */
  checkJoin(group: GroupMetadata): void {
    if (group.is('PreparingRebalance')) this.#options.purgatories.rebalance.checkAndComplete(joinKey(group));
  }

  onExpireHeartbeat(group: GroupMetadata, memberId: string): void {
    if (group.is('Dead')) return;
    if (group.isPending(memberId)) {
      this.#logger.info({ groupId: group.groupId }, `Member ${memberId} of group ${group.groupId} did not come back with its id in time`);
      this.removePendingMember(group, memberId);
      return;
    }
    const member = group.get(memberId);
    // Its join or sync is waiting here: it lives. The rebalance arms the next one.
    if (member === undefined || (member.isWaiting && !member.isNew)) return;
    this.#logger.info({ groupId: group.groupId }, `Member ${memberId} of group ${group.groupId} has failed its heartbeat: removing it`);
    this.removeMember(
      group,
      member,
      `member ${memberId} was not heard of for ${member.isNew ? NEW_MEMBER_JOIN_TIMEOUT_MS : member.sessionTimeoutMs} ms`,
    );
  }

  onExpirePendingSync(group: GroupMetadata, generationId: number): void {
    if (group.generationId !== generationId || !group.is('CompletingRebalance', 'Stable')) return;
    const late = group.pendingSyncMembers;
    if (late.length === 0) return;
    for (const memberId of late) {
      group.get(memberId)?.heartbeat?.forceComplete();
      group.remove(memberId);
    }
    this.#maybePrepareRebalance(group, `did not sync in time: ${namesOf(late)}`);
  }

  onCompleteJoin(group: GroupMetadata): void {
    if (group.is('Dead')) return;
    const missing = group.notYetRejoined.filter((member) => !member.isStatic);
    for (const member of missing) {
      member.heartbeat?.forceComplete();
      group.remove(member.memberId);
    }
    if (missing.length > 0) group.rebalanceReason += `; did not rejoin in time: ${namesOf(missing.map(({ memberId }) => memberId))}`;
    if (group.size > 0 && !group.maybeElectNewJoinedLeader()) {
      // Only static members are left and none has rejoined: they may take their session time-out.
      this.#watchJoin(group, new DelayedJoin(group, Math.max(MIN_REJOIN_WAIT_MS, group.rebalanceTimeoutMs), this));
      return;
    }
    group.initNextGeneration(this.#nowMs);
    if (group.size === 0) this.#storeEmptyGroup(group);
    else this.#answerJoins(group);
  }

  get #nowMs(): number {
    return this.#options.runtime.clock.wallMs();
  }

  #storeEmptyGroup(group: GroupMetadata): void {
    this.#logger.info(
      { groupId: group.groupId },
      `Group ${group.groupId} is empty after generation ${group.generationId}: ${group.rebalanceReason}`,
    );
    this.#options.groups.storeGroup(group, new Map(), (errorCode) => {
      // The generation before it would come back at the next load, and its members' sessions run out.
      if (errorCode !== ErrorCode.NONE)
        this.#logger.warn({ groupId: group.groupId }, `The empty group ${group.groupId} was not written: code ${errorCode}`);
    });
    this.#emit(group, 'group-emptied');
  }

  #answerJoins(group: GroupMetadata): void {
    this.#logger.info(
      { groupId: group.groupId },
      `Group ${group.groupId} is in generation ${group.generationId} with ${group.size} members: ${group.rebalanceReason}`,
    );
    for (const member of group.members) {
      group.answerJoin(member, this.currentGeneration(group, member));
      this.scheduleHeartbeat(group, member);
      member.isNew = false;
      group.addPendingSync(member.memberId);
    }
    this.#options.purgatories.rebalance.tryCompleteElseWatch(new DelayedSync(group, group.rebalanceTimeoutMs, this), [syncKey(group)]);
    this.#emit(group, 'group-rebalanced');
  }

  #maybePrepareRebalance(group: GroupMetadata, reason: string): void {
    if (!group.canRebalance) return;
    if (group.is('CompletingRebalance')) this.#propagateError(group, ErrorCode.REBALANCE_IN_PROGRESS);
    const wasEmpty = group.is('Empty');
    group.transitionTo('PreparingRebalance', this.#nowMs);
    group.rebalanceReason = reason;
    this.#options.purgatories.rebalance.checkAndComplete(syncKey(group));
    this.#logger.info(
      { groupId: group.groupId },
      `Group ${group.groupId} begins to rebalance after generation ${group.generationId}: ${reason}`,
    );
    this.#watchJoin(group, wasEmpty ? this.#initialJoin(group) : new DelayedJoin(group, group.rebalanceTimeoutMs, this));
  }

  #initialJoin(group: GroupMetadata): InitialDelayedJoin {
    const stepMs = this.#options.config.groupInitialRebalanceDelayMs;
    return new InitialDelayedJoin({
      group,
      stepMs,
      delayMs: stepMs,
      remainingMs: Math.max(0, group.rebalanceTimeoutMs - stepMs),
      again: (next) => this.#watchJoin(group, next),
      listener: this,
    });
  }

  #watchJoin(group: GroupMetadata, operation: DelayedOperation): void {
    this.#options.purgatories.rebalance.tryCompleteElseWatch(operation, [joinKey(group)]);
  }

  #scheduleHeartbeatIn(group: GroupMetadata, member: MemberMetadata, delayMs: number): void {
    member.heartbeat?.forceComplete();
    const heartbeat = new DelayedHeartbeat(group, member.memberId, delayMs, this);
    member.heartbeat = heartbeat;
    this.#options.purgatories.heartbeat.tryCompleteElseWatch(heartbeat, [memberKey(group, member.memberId)]);
  }

  /** Hands out what the leader has assigned. */
  #propagateAssignment(group: GroupMetadata, assignments: ReadonlyMap<string, Buffer>): void {
    const { protocolType = null, protocolName } = group;
    for (const member of group.members) {
      member.assignment = assignments.get(member.memberId) ?? NO_ASSIGNMENT;
      const answered = group.answerSync(member, { errorCode: ErrorCode.NONE, protocolType, protocolName, assignment: member.assignment });
      // A session time-out that ended while it waited was let pass: it needs a new one.
      if (answered) this.scheduleHeartbeat(group, member);
    }
  }

  /** Every waiting sync fails, and the assignments are void. */
  #propagateError(group: GroupMetadata, errorCode: number): void {
    for (const member of group.members) {
      member.assignment = NO_ASSIGNMENT;
      if (group.answerSync(member, failedSync(errorCode))) this.scheduleHeartbeat(group, member);
    }
  }

  /**
   * The present generation, for a static member that comes back into it. It must not assign anew: from JoinGroup 9 on it is told
   * so (KIP-814); to an older client the old leader id is given, so that it isn't the leader in its own eyes.
   */
  #unchangedGeneration(
    group: GroupMetadata,
    member: MemberMetadata,
    supportSkippingAssignment: boolean,
    leaderBefore: string | undefined,
  ): JoinGroupResult {
    const current = this.currentGeneration(group, member);
    if (supportSkippingAssignment) return { ...current, skipAssignment: group.isLeader(member.memberId) };
    return { ...current, leaderId: leaderBefore ?? NO_MEMBER_ID, members: [] };
  }

  #emit(group: GroupMetadata, kind: 'group-rebalanced' | 'group-emptied'): void {
    this.#options.events.emit({
      kind,
      groupId: group.groupId,
      generationId: group.generationId,
      memberCount: group.size,
      reason: group.rebalanceReason,
    });
  }
}

/** At most three of them, for people. */
function namesOf(memberIds: readonly string[]): string {
  return memberIds.length <= 3 ? memberIds.join(', ') : `${memberIds.slice(0, 3).join(', ')} and ${memberIds.length - 3} more`;
}
