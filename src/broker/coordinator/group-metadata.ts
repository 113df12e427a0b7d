/**
 * One consumer group: its state, members, generation and committed offsets. Pure state: no timers, no log.
 *
 *   Empty ──► PreparingRebalance ──► CompletingRebalance ──► Stable
 *     ▲  └──────────┐   ▲   └───────────┐    └──►──┐            │
 *     └─────────────┴───┴───────────────┴──────────┴────────────┘      any ──► Dead
 *
 * Invariants: a non-empty group has a leader among its members; the protocol is one that every member speaks; the generation
 * only grows; everyone who waits is answered once. Differs from Kafka: a request that another one of the same member displaces
 * is answered REBALANCE_IN_PROGRESS (Kafka forgets it, and its connection stays muted).
 * Source: Kafka's `GroupMetadata`; KIP-345 (static members), KIP-394 (pending members).
 */
import { ErrorCode } from '../../protocol/errors.ts';
import { ConsumerProtocolSubscription } from '../../protocol/generated/consumer-protocol-subscription.ts';
import { ProtocolError } from '../../protocol/protocol-error.ts';
import { Reader } from '../../protocol/reader.ts';
import { failedJoin, failedSync } from './member-metadata.ts';
import type {
  GroupProtocol,
  JoinCallback,
  JoinGroupResult,
  JoinMember,
  MemberMetadata,
  SyncCallback,
  SyncGroupResult,
} from './member-metadata.ts';
import { OffsetStore } from './offset-store.ts';

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

const LEGAL_PREDECESSORS: Record<GroupState, readonly GroupState[]> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Stable', 'PreparingRebalance', 'CompletingRebalance', 'Empty', 'Dead'],
};

export const CONSUMER_PROTOCOL_TYPE = 'consumer';

/** Every version of the consumer protocol begins with version 0's fields. */
const SUBSCRIPTION_PREFIX_VERSION = 0;

export interface LoadedGroup {
  readonly generationId: number;
  readonly protocolType: string;
  readonly protocolName: string | null;
  readonly leaderId: string | null;
  readonly currentStateTimestamp: number | undefined;
  readonly members: readonly MemberMetadata[];
}

/** What a join brings that may differ from the member's last one. */
export interface MemberUpdate {
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly protocols: readonly GroupProtocol[];
}

export class GroupMetadata {
  readonly groupId: string;
  readonly offsets = new OffsetStore();
  #state: GroupState = 'Empty';
  #generationId = 0;
  #protocolType: string | undefined;
  #protocolName: string | null = null;
  #leaderId: string | undefined;
  readonly #members = new Map<string, MemberMetadata>();
  /** Member id by group instance id. */
  readonly #staticMembers = new Map<string, string>();
  readonly #pendingMembers = new Set<string>();
  readonly #pendingSyncMembers = new Set<string>();
  /** How many members speak each protocol. */
  readonly #protocolCounts = new Map<string, number>();
  #awaitingJoinCount = 0;
  #subscribedTopics: ReadonlySet<string> | undefined;
  #currentStateTimestamp: number | undefined;
  /** A member came while the first rebalance was being delayed. */
  newMemberAdded = false;
  /** Why the present or last rebalance began, for people. */
  rebalanceReason = '';

  constructor(groupId: string, loaded?: LoadedGroup) {
    this.groupId = groupId;
    if (loaded === undefined) return;
    for (const member of loaded.members) this.add(member);
    this.#state = loaded.members.length === 0 ? 'Empty' : 'Stable';
    this.#generationId = loaded.generationId;
    this.#protocolType = loaded.protocolType === '' ? undefined : loaded.protocolType;
    this.#protocolName = loaded.protocolName;
    this.#leaderId = loaded.leaderId ?? undefined;
    this.#currentStateTimestamp = loaded.currentStateTimestamp;
    this.#subscribedTopics = this.#computeSubscribedTopics();
  }

  get state(): GroupState {
    return this.#state;
  }
  get generationId(): number {
    return this.#generationId;
  }
  get protocolType(): string | undefined {
    return this.#protocolType;
  }
  get protocolName(): string | null {
    return this.#protocolName;
  }
  get leaderId(): string | undefined {
    return this.#leaderId;
  }
  /** When the group came into its state, in milliseconds since 1970; undefined when nobody knows. */
  get currentStateTimestamp(): number | undefined {
    return this.#currentStateTimestamp;
  }
  get members(): readonly MemberMetadata[] {
    return [...this.#members.values()];
  }
  get size(): number {
    return this.#members.size;
  }
  /** Members that were given their id and have not come back with it. */
  get pendingMemberCount(): number {
    return this.#pendingMembers.size;
  }
  get awaitingJoinCount(): number {
    return this.#awaitingJoinCount;
  }
  /** Undefined when the members' subscriptions can't be read: then nobody knows. */
  get subscribedTopics(): ReadonlySet<string> | undefined {
    return this.#subscribedTopics;
  }
  get pendingSyncMembers(): readonly string[] {
    return [...this.#pendingSyncMembers];
  }

  is(...states: readonly GroupState[]): boolean {
    return states.includes(this.#state);
  }

  get canRebalance(): boolean {
    return LEGAL_PREDECESSORS.PreparingRebalance.includes(this.#state);
  }

  /** Throws when the transition is not a legal one: a broken invariant. */
  transitionTo(state: GroupState, nowMs: number): void {
    if (!LEGAL_PREDECESSORS[state].includes(this.#state)) {
      throw new Error(
        `Group ${this.groupId} should be in one of the states ${LEGAL_PREDECESSORS[state].join(', ')} before moving to ${state}, but is in ${this.#state}`,
      );
    }
    this.#state = state;
    this.#currentStateTimestamp = nowMs;
  }

  get(memberId: string): MemberMetadata | undefined {
    return this.#members.get(memberId);
  }

  isLeader(memberId: string): boolean {
    return this.#leaderId === memberId;
  }

  isPending(memberId: string): boolean {
    return this.#pendingMembers.has(memberId);
  }

  addPending(memberId: string): void {
    this.#pendingMembers.add(memberId);
  }

  removePending(memberId: string): boolean {
    return this.#pendingMembers.delete(memberId);
  }

  /** The member id that holds a static identity now. */
  currentStaticMemberId(groupInstanceId: string): string | undefined {
    return this.#staticMembers.get(groupInstanceId);
  }

  /** Takes a member in; the first one settles the group's protocol type and leads. */
  add(member: MemberMetadata): void {
    if (this.#members.size === 0) this.#protocolType = member.protocolType;
    this.#leaderId ??= member.memberId;
    this.#members.set(member.memberId, member);
    this.#countProtocols(member, 1);
    if (member.groupInstanceId !== null) this.#staticMembers.set(member.groupInstanceId, member.memberId);
    this.#pendingMembers.delete(member.memberId);
  }

  /** Takes a member out, pending or not. Whoever waits for it must have been answered. */
  remove(memberId: string): void {
    const member = this.#members.get(memberId);
    if (member !== undefined) {
      this.#members.delete(memberId);
      this.#countProtocols(member, -1);
      if (member.awaitingJoin !== undefined) this.#awaitingJoinCount--;
      if (member.groupInstanceId !== null) this.#staticMembers.delete(member.groupInstanceId);
    }
    this.#pendingMembers.delete(memberId);
    this.#pendingSyncMembers.delete(memberId);
    if (this.#leaderId === memberId) this.#leaderId = this.#members.keys().next().value;
  }

  updateMember(member: MemberMetadata, update: MemberUpdate): void {
    this.#countProtocols(member, -1);
    member.clientId = update.clientId;
    member.clientHost = update.clientHost;
    member.protocols = update.protocols;
    member.rebalanceTimeoutMs = update.rebalanceTimeoutMs;
    member.sessionTimeoutMs = update.sessionTimeoutMs;
    this.#countProtocols(member, 1);
  }

  /** Gives a static identity to a new member id, and fences who waits under the old one; place, assignment and leadership stay. */
  replaceStaticMember(groupInstanceId: string, oldMemberId: string, newMemberId: string): MemberMetadata {
    const member = this.#members.get(oldMemberId);
    if (member === undefined) throw new Error(`Group ${this.groupId} has no member ${oldMemberId} to replace`);
    this.answerJoin(member, failedJoin(ErrorCode.FENCED_INSTANCE_ID, oldMemberId));
    this.answerSync(member, failedSync(ErrorCode.FENCED_INSTANCE_ID));
    this.#members.delete(oldMemberId);
    member.memberId = newMemberId;
    this.#members.set(newMemberId, member);
    this.#staticMembers.set(groupInstanceId, newMemberId);
    if (this.#pendingSyncMembers.delete(oldMemberId)) this.#pendingSyncMembers.add(newMemberId);
    if (this.#leaderId === oldMemberId) this.#leaderId = newMemberId;
    return member;
  }

  /** Lets `respond` wait for the rebalance. */
  awaitJoin(member: MemberMetadata, respond: JoinCallback): void {
    this.answerJoin(member, failedJoin(ErrorCode.REBALANCE_IN_PROGRESS, member.memberId));
    member.awaitingJoin = respond;
    if (this.#members.get(member.memberId) === member) this.#awaitingJoinCount++;
  }

  /** Answers the member's waiting join, if one waits. */
  answerJoin(member: MemberMetadata, result: JoinGroupResult): void {
    const respond = member.awaitingJoin;
    if (respond === undefined) return;
    member.awaitingJoin = undefined;
    if (this.#members.get(member.memberId) === member) this.#awaitingJoinCount--;
    respond(result);
  }

  /** Lets `respond` wait for the assignment. */
  awaitSync(member: MemberMetadata, respond: SyncCallback): void {
    this.answerSync(member, failedSync(ErrorCode.REBALANCE_IN_PROGRESS));
    member.awaitingSync = respond;
  }

  /** Answers the member's waiting sync; tells whether one waited. */
  answerSync(member: MemberMetadata, result: SyncGroupResult): boolean {
    const respond = member.awaitingSync;
    if (respond === undefined) return false;
    member.awaitingSync = undefined;
    respond(result);
    return true;
  }

  /** Whether a member with these protocols could join: same type, and one protocol that all members speak. */
  supportsProtocols(protocolType: string, protocols: readonly GroupProtocol[]): boolean {
    if (this.#state === 'Empty') return protocolType !== '' && protocols.length > 0;
    return protocolType === this.#protocolType && protocols.some(({ name }) => this.#isCommon(name));
  }

  /** The protocol that most members name first among those that all speak. */
  selectProtocol(): string {
    const votes = new Map<string, number>();
    for (const member of this.#members.values()) {
      const vote = member.protocols.find(({ name }) => this.#isCommon(name))?.name;
      if (vote === undefined) throw new Error(`Member ${member.memberId} of group ${this.groupId} supports none of the common protocols`);
      votes.set(vote, (votes.get(vote) ?? 0) + 1);
    }
    let best: string | undefined;
    for (const [name, count] of votes) if (best === undefined || count > (votes.get(best) ?? 0)) best = name;
    if (best === undefined) throw new Error(`Group ${this.groupId} has no member to select a protocol`);
    return best;
  }

  get hasAllMembersJoined(): boolean {
    return this.#pendingMembers.size === 0 && this.#awaitingJoinCount === this.#members.size;
  }

  get notYetRejoined(): readonly MemberMetadata[] {
    return this.members.filter((member) => member.awaitingJoin === undefined);
  }

  /** The longest rebalance time-out among the members. */
  get rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const member of this.#members.values()) longest = Math.max(longest, member.rebalanceTimeoutMs);
    return longest;
  }

  /** Makes a member that has rejoined the leader when the present one hasn't. False when nobody has. */
  maybeElectNewJoinedLeader(): boolean {
    const leader = this.#leaderId === undefined ? undefined : this.#members.get(this.#leaderId);
    if (leader?.awaitingJoin !== undefined) return true;
    for (const member of this.#members.values()) {
      if (member.awaitingJoin === undefined) continue;
      this.#leaderId = member.memberId;
      return true;
    }
    return false;
  }

  /** Ends the joining: the next generation waits for its assignment, or the group is empty. */
  initNextGeneration(nowMs: number): void {
    this.#generationId++;
    this.#pendingSyncMembers.clear();
    const isEmpty = this.#members.size === 0;
    this.#protocolName = isEmpty ? null : this.selectProtocol();
    this.#subscribedTopics = this.#computeSubscribedTopics();
    this.transitionTo(isEmpty ? 'Empty' : 'CompletingRebalance', nowMs);
  }

  addPendingSync(memberId: string): void {
    this.#pendingSyncMembers.add(memberId);
  }
  removePendingSync(memberId: string): void {
    this.#pendingSyncMembers.delete(memberId);
  }

  /** The members with the chosen protocol's metadata, for the leader's assignment. */
  currentMemberMetadata(): JoinMember[] {
    return this.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: member.metadataOf(this.#protocolName),
    }));
  }

  /** True also when nobody can tell: better to keep an offset than to lose it. */
  isSubscribedTo(topic: string): boolean {
    return this.#subscribedTopics?.has(topic) ?? true;
  }

  #isCommon(protocol: string): boolean {
    return (this.#protocolCounts.get(protocol) ?? 0) === this.#members.size;
  }

  #countProtocols(member: MemberMetadata, change: 1 | -1): void {
    // A client that names one twice speaks it once.
    for (const name of new Set(member.protocols.map((protocol) => protocol.name))) {
      const count = (this.#protocolCounts.get(name) ?? 0) + change;
      if (count === 0) this.#protocolCounts.delete(name);
      else this.#protocolCounts.set(name, count);
    }
  }

  #computeSubscribedTopics(): ReadonlySet<string> | undefined {
    if (this.#protocolType !== CONSUMER_PROTOCOL_TYPE) return undefined;
    if (this.#members.size === 0) return new Set();
    if (this.#protocolName === null) return undefined;
    const topics = new Set<string>();
    try {
      for (const member of this.#members.values()) {
        const reader = new Reader(member.metadataOf(this.#protocolName));
        reader.int16();
        for (const topic of ConsumerProtocolSubscription.decode(reader, SUBSCRIPTION_PREFIX_VERSION).topics) topics.add(topic);
      }
    } catch (error) {
      // The metadata is the client's own affair: what can't be read is not known, nothing worse.
      if (error instanceof ProtocolError) return undefined;
      throw error;
    }
    return topics;
  }
}
