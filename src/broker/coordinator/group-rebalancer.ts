/**
 * Moves groups through their rebalances: members come and go, everyone rejoins, the leader's assignment is stored and handed out,
 * sessions run out. Source: the rebalance half of Kafka's `GroupCoordinator`; KIP-134, KIP-345, KIP-394, KIP-814.
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
import type { GroupMetadata } from './group-metadata.ts';
import { NO_ASSIGNMENT } from './member-metadata.ts';
import type { GroupProtocol, JoinCallback, JoinGroupResult, MemberMetadata, SyncCallback } from './member-metadata.ts';

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

export interface MemberUpdate {
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly protocols: readonly GroupProtocol[];
  readonly supportSkippingAssignment: boolean;
  readonly reason: string;
}

/** A member that has just joined gets this long for its first rebalance, whatever its session time-out. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000;

const joinKey = (group: GroupMetadata): string => `join:${group.groupId}`;
const syncKey = (group: GroupMetadata): string => `sync:${group.groupId}`;
const memberKey = (group: GroupMetadata, memberId: string): string => `${group.groupId}:${memberId}`;

export class GroupRebalancer implements RebalanceListener {
  readonly #options: GroupRebalancerOptions;
  readonly #logger: Logger;
  /** Pending members' time-outs, by group and member. */
  readonly #pendingHeartbeats = new Map<string, DelayedHeartbeat>();

  constructor(options: GroupRebalancerOptions) {
    this.#options = options;
    this.#logger = options.runtime.logger.child({ component: 'GroupCoordinator' });
  }

  onGroupLoaded(group: GroupMetadata): void {
    for (const member of group.members) this.scheduleHeartbeat(group, member);
  }

  /** The group has moved to another coordinator: who waits here is told to look for it. */
  onGroupUnloaded(group: GroupMetadata): void {
    const isRebalancing = group.is('PreparingRebalance', 'CompletingRebalance');
    group.transitionTo('Dead', this.#nowMs);
    for (const member of group.members) {
      member.heartbeat?.forceComplete();
      if (!isRebalancing) continue;
      this.#answerJoin(member, { ...this.#emptyJoin(member.memberId), errorCode: ErrorCode.NOT_COORDINATOR });
      this.#answerSync(member, { errorCode: ErrorCode.NOT_COORDINATOR, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT });
    }
    this.#options.purgatories.rebalance.checkAndComplete(syncKey(group));
  }

  addPendingMember(group: GroupMetadata, memberId: string, sessionTimeoutMs: number): void {
    group.addPending(memberId);
    const key = memberKey(group, memberId);
    const heartbeat = new DelayedHeartbeat(group, memberId, sessionTimeoutMs, this);
    this.#pendingHeartbeats.set(key, heartbeat);
    this.#options.purgatories.heartbeat.tryCompleteElseWatch(heartbeat, [key]);
  }

  removePendingMember(group: GroupMetadata, memberId: string): void {
    this.#forgetPending(group, memberId);
    group.removePending(memberId);
    if (group.is('PreparingRebalance')) this.#checkJoin(group);
  }

  addMember(group: GroupMetadata, member: MemberMetadata, respond: JoinCallback, reason: string): void {
    this.#forgetPending(group, member.memberId);
    member.isNew = true;
    member.awaitingJoin = respond;
    if (group.is('PreparingRebalance') && group.generationId === 0) group.newMemberAdded = true;
    group.add(member);
    this.#scheduleHeartbeatIn(group, member, NEW_MEMBER_JOIN_TIMEOUT_MS);
    this.#maybePrepareRebalance(group, reason);
    this.#checkJoin(group);
  }

  updateMember(group: GroupMetadata, member: MemberMetadata, update: MemberUpdate, respond: JoinCallback): void {
    this.#applyUpdate(member, update, respond);
    this.#maybePrepareRebalance(group, `member ${member.memberId} joins again${update.reason === '' ? '' : `: ${update.reason}`}`);
    this.#checkJoin(group);
  }

  /**
   * A static member comes back under a new id. In a stable group whose protocol choice stays as it is, it gets its old place
   * without a rebalance.
   */
  replaceStaticMember(group: GroupMetadata, ids: { oldMemberId: string; newMemberId: string; groupInstanceId: string }, update: MemberUpdate, respond: JoinCallback): void {
    const { oldMemberId, newMemberId, groupInstanceId } = ids;
    const leaderBefore = group.leaderId;
    const old = group.get(oldMemberId);
    if (old !== undefined) {
      old.heartbeat?.forceComplete();
      this.#answerJoin(old, { ...this.#emptyJoin(oldMemberId), errorCode: ErrorCode.FENCED_INSTANCE_ID });
      this.#answerSync(old, { errorCode: ErrorCode.FENCED_INSTANCE_ID, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT });
    }
    const member = group.replaceStaticMember(groupInstanceId, oldMemberId, newMemberId);
    const before = { protocols: member.protocols, rebalanceTimeoutMs: member.rebalanceTimeoutMs, sessionTimeoutMs: member.sessionTimeoutMs };
    this.#applyUpdate(member, update, respond);
    this.scheduleHeartbeat(group, member);
    const reason = `static member ${groupInstanceId} came back as ${newMemberId}`;
    if (!group.is('Stable') || group.selectProtocol() !== group.protocolName) {
      this.#maybePrepareRebalance(group, reason);
      this.#checkJoin(group);
      return;
    }
    const assignments = new Map(group.members.map(({ memberId, assignment }) => [memberId, assignment]));
    this.#options.groups.storeGroup(group, assignments, (errorCode) => {
      if (errorCode !== ErrorCode.NONE) {
        Object.assign(member, before);
        if (group.get(newMemberId) === member) group.replaceStaticMember(groupInstanceId, newMemberId, oldMemberId);
        this.#answerJoin(member, { ...this.#emptyJoin(''), errorCode });
        return;
      }
      const isLeader = group.isLeader(newMemberId);
      const skips = update.supportSkippingAssignment && isLeader;
      this.#answerJoin(member, {
        errorCode: ErrorCode.NONE,
        memberId: newMemberId,
        generationId: group.generationId,
        protocolType: group.protocolType ?? null,
        protocolName: group.protocolName,
        // To an older client the old leader id is given, so that it doesn't assign anew and is not the leader in its own eyes.
        leaderId: (update.supportSkippingAssignment ? group.leaderId : leaderBefore) ?? '',
        skipAssignment: skips,
        members: skips ? group.currentMemberMetadata() : [],
      });
    });
  }

  /** The present generation, as an answer to a member that joins again without any change. */
  currentGeneration(group: GroupMetadata, member: MemberMetadata): JoinGroupResult {
    return {
      errorCode: ErrorCode.NONE,
      memberId: member.memberId,
      generationId: group.generationId,
      protocolType: group.protocolType ?? null,
      protocolName: group.protocolName,
      leaderId: group.leaderId ?? '',
      skipAssignment: false,
      members: group.isLeader(member.memberId) ? group.currentMemberMetadata() : [],
    };
  }

  /** A member syncs while the assignment is awaited; the leader's sync brings it. */
  awaitAssignment(group: GroupMetadata, member: MemberMetadata, assignments: ReadonlyMap<string, Buffer>, respond: SyncCallback): void {
    member.awaitingSync = respond;
    group.removePendingSync(member.memberId);
    this.#options.purgatories.rebalance.checkAndComplete(syncKey(group));
    if (!group.isLeader(member.memberId)) return;
    const generationId = group.generationId;
    const complete = new Map(group.members.map(({ memberId }) => [memberId, Buffer.from(assignments.get(memberId) ?? NO_ASSIGNMENT)]));
    this.#options.groups.storeGroup(group, complete, (errorCode) => {
      // Another rebalance may have begun while this was written.
      if (!group.is('CompletingRebalance') || generationId !== group.generationId) return;
      if (errorCode !== ErrorCode.NONE) {
        this.#propagateAssignment(group, errorCode);
        this.#maybePrepareRebalance(group, `the assignment could not be written: code ${errorCode}`);
        return;
      }
      for (const each of group.members) each.assignment = complete.get(each.memberId) ?? NO_ASSIGNMENT;
      group.transitionTo('Stable', this.#nowMs);
      this.#propagateAssignment(group, ErrorCode.NONE);
    });
  }

  removeMember(group: GroupMetadata, member: MemberMetadata, reason: string): void {
    member.heartbeat?.forceComplete();
    this.#answerJoin(member, { ...this.#emptyJoin(''), errorCode: ErrorCode.UNKNOWN_MEMBER_ID });
    this.#answerSync(member, { errorCode: ErrorCode.UNKNOWN_MEMBER_ID, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT });
    group.remove(member.memberId);
    this.#maybePrepareRebalance(group, reason);
    this.#checkJoin(group);
  }

  scheduleHeartbeat(group: GroupMetadata, member: MemberMetadata): void {
    this.#scheduleHeartbeatIn(group, member, member.sessionTimeoutMs);
  }

  onExpireHeartbeat(group: GroupMetadata, memberId: string): void {
    if (group.is('Dead')) return;
    if (group.isPending(memberId)) {
      this.removePendingMember(group, memberId);
      return;
    }
    const member = group.get(memberId);
    // Its join or sync is waiting here: it lives. The rebalance arms the next one.
    if (member === undefined || (member.isWaiting && !member.isNew)) return;
    this.#logger.info(`Member ${memberId} of group ${group.groupId} has failed its heartbeat: removing it`);
    this.removeMember(group, member, `member ${memberId} was not heard of for ${member.isNew ? NEW_MEMBER_JOIN_TIMEOUT_MS : member.sessionTimeoutMs} ms`);
  }

  onExpirePendingSync(group: GroupMetadata, generationId: number): void {
    if (group.generationId !== generationId || !group.is('CompletingRebalance', 'Stable')) return;
    const late = group.pendingSyncMembers;
    if (late.length === 0) return;
    for (const memberId of late) {
      group.get(memberId)?.heartbeat?.forceComplete();
      group.remove(memberId);
    }
    this.#maybePrepareRebalance(group, `${late.length} members did not sync in time: ${late.join(', ')}`);
    this.#checkJoin(group);
  }

  onCompleteJoin(group: GroupMetadata): void {
    if (group.is('Dead')) return;
    for (const member of group.notYetRejoined) {
      if (member.isStatic) continue;
      member.heartbeat?.forceComplete();
      group.remove(member.memberId);
    }
    if (group.size > 0 && !group.maybeElectNewJoinedLeader()) {
      // Only static members are left and none has rejoined: they may take their session time-out.
      this.#watchJoin(group, new DelayedJoin(group, group.rebalanceTimeoutMs, this));
      return;
    }
    group.initNextGeneration(this.#nowMs);
    if (group.size === 0) {
      this.#options.groups.storeGroup(group, new Map(), (errorCode) => {
        if (errorCode !== ErrorCode.NONE) this.#logger.warn(`The empty group ${group.groupId} was not written: code ${errorCode}`);
      });
      this.#emit(group, 'group-emptied', 'the last member left');
      return;
    }
    for (const member of group.members) {
      this.#answerJoin(member, this.currentGeneration(group, member));
      this.scheduleHeartbeat(group, member);
      member.isNew = false;
      group.addPendingSync(member.memberId);
    }
    this.#options.purgatories.rebalance.tryCompleteElseWatch(new DelayedSync(group, group.rebalanceTimeoutMs, this), [syncKey(group)]);
    this.#logger.info({ groupId: group.groupId }, `Group ${group.groupId} is in generation ${group.generationId} with ${group.size} members`);
  }

  get #nowMs(): number {
    return this.#options.runtime.clock.wallMs();
  }

  #maybePrepareRebalance(group: GroupMetadata, reason: string): void {
    if (!group.canRebalance) return;
    if (group.is('CompletingRebalance')) this.#propagateAssignment(group, ErrorCode.REBALANCE_IN_PROGRESS);
    const wasEmpty = group.is('Empty');
    group.transitionTo('PreparingRebalance', this.#nowMs);
    this.#options.purgatories.rebalance.checkAndComplete(syncKey(group));
    this.#logger.info({ groupId: group.groupId }, `Group ${group.groupId} begins to rebalance after generation ${group.generationId}: ${reason}`);
    this.#emit(group, 'group-rebalanced', reason);
    const { groupInitialRebalanceDelayMs } = this.#options.config;
    if (!wasEmpty || groupInitialRebalanceDelayMs === 0) {
      this.#watchJoin(group, new DelayedJoin(group, group.rebalanceTimeoutMs, this));
      return;
    }
    const first = new InitialDelayedJoin({
      group,
      stepMs: groupInitialRebalanceDelayMs,
      delayMs: groupInitialRebalanceDelayMs,
      remainingMs: Math.max(0, group.rebalanceTimeoutMs - groupInitialRebalanceDelayMs),
      again: (next) => this.#watchJoin(group, next),
      listener: this,
    });
    this.#watchJoin(group, first);
  }

  #watchJoin(group: GroupMetadata, operation: DelayedOperation): void {
    this.#options.purgatories.rebalance.tryCompleteElseWatch(operation, [joinKey(group)]);
  }

  #checkJoin(group: GroupMetadata): void {
    if (group.is('PreparingRebalance')) this.#options.purgatories.rebalance.checkAndComplete(joinKey(group));
  }

  #applyUpdate(member: MemberMetadata, update: MemberUpdate, respond: JoinCallback): void {
    member.clientId = update.clientId;
    member.clientHost = update.clientHost;
    member.protocols = update.protocols;
    member.rebalanceTimeoutMs = update.rebalanceTimeoutMs;
    member.sessionTimeoutMs = update.sessionTimeoutMs;
    member.awaitingJoin = respond;
  }

  #scheduleHeartbeatIn(group: GroupMetadata, member: MemberMetadata, delayMs: number): void {
    member.heartbeat?.forceComplete();
    const heartbeat = new DelayedHeartbeat(group, member.memberId, delayMs, this);
    member.heartbeat = heartbeat;
    this.#options.purgatories.heartbeat.tryCompleteElseWatch(heartbeat, [memberKey(group, member.memberId)]);
  }

  #forgetPending(group: GroupMetadata, memberId: string): void {
    const key = memberKey(group, memberId);
    this.#pendingHeartbeats.get(key)?.forceComplete();
    this.#pendingHeartbeats.delete(key);
  }

  /** Answers every waiting sync; with an error the assignments are void. */
  #propagateAssignment(group: GroupMetadata, errorCode: number): void {
    for (const member of group.members) {
      if (errorCode !== ErrorCode.NONE) member.assignment = NO_ASSIGNMENT;
      if (member.awaitingSync === undefined) continue;
      this.#answerSync(member, {
        errorCode,
        protocolType: errorCode === ErrorCode.NONE ? (group.protocolType ?? null) : null,
        protocolName: errorCode === ErrorCode.NONE ? group.protocolName : null,
        assignment: member.assignment,
      });
      this.scheduleHeartbeat(group, member);
    }
  }

  #answerJoin(member: MemberMetadata, result: JoinGroupResult): void {
    const respond = member.awaitingJoin;
    member.awaitingJoin = undefined;
    respond?.(result);
  }

  #answerSync(member: MemberMetadata, result: Parameters<SyncCallback>[0]): void {
    const respond = member.awaitingSync;
    member.awaitingSync = undefined;
    respond?.(result);
  }

  #emptyJoin(memberId: string): JoinGroupResult {
    return { errorCode: ErrorCode.NONE, memberId, generationId: -1, protocolType: null, protocolName: null, leaderId: '', skipAssignment: false, members: [] };
  }

  #emit(group: GroupMetadata, kind: 'group-rebalanced' | 'group-emptied', reason: string): void {
    this.#options.events.emit({ kind, groupId: group.groupId, generationId: group.generationId, memberCount: group.size, reason });
  }
}
