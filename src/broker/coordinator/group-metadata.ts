/**
 * One consumer group: its state, members, generation and committed offsets. Pure state: no timers, no log.
 *
 *   Empty ──► PreparingRebalance ──► CompletingRebalance ──► Stable
 *     ▲  └──────────┐   ▲   └───────────┐    └──►──┐            │
 *     └─────────────┴───┴───────────────┴──────────┴────────────┘      any ──► Dead
 *
 * Invariants: a non-empty group has a leader among its members; the protocol is one that every member speaks; the generation
 * only grows. Source: Kafka's `GroupMetadata`; KIP-345 (static members), KIP-394 (pending members).
 */
import { decodeVersioned } from '../../protocol/api.ts';
import { ConsumerProtocolSubscription } from '../../protocol/generated/consumer-protocol-subscription.ts';
import { ProtocolError } from '../../protocol/protocol-error.ts';
import { OffsetStore } from './offset-store.ts';
import { MemberMetadata } from './member-metadata.ts';
import type { GroupProtocol, JoinMember } from './member-metadata.ts';

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

const LEGAL_PREDECESSORS: Record<GroupState, readonly GroupState[]> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Stable', 'PreparingRebalance', 'CompletingRebalance', 'Empty', 'Dead'],
};

export const CONSUMER_PROTOCOL_TYPE = 'consumer';

export interface LoadedGroup {
  readonly generationId: number;
  readonly protocolType: string;
  readonly protocolName: string | null;
  readonly leaderId: string | null;
  readonly currentStateTimestamp: number | undefined;
  readonly members: readonly MemberMetadata[];
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
  readonly #staticMembers = new Map<string, string>();
  readonly #pendingMembers = new Set<string>();
  readonly #pendingSyncMembers = new Set<string>();
  #subscribedTopics: ReadonlySet<string> | undefined;
  #currentStateTimestamp: number | undefined;
  /** A member came while the first rebalance was being delayed. */
  newMemberAdded = false;

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
  get currentStateTimestamp(): number | undefined {
    return this.#currentStateTimestamp;
  }
  get members(): readonly MemberMetadata[] {
    return [...this.#members.values()];
  }
  get size(): number {
    return this.#members.size;
  }
  get pendingMemberCount(): number {
    return this.#pendingMembers.size;
  }
  /** Undefined when the members' subscriptions can't be read: then nobody knows. */
  get subscribedTopics(): ReadonlySet<string> | undefined {
    return this.#subscribedTopics;
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
      throw new Error(`Group ${this.groupId} should be in one of the states ${LEGAL_PREDECESSORS[state].join(', ')} before moving to ${state}, but is in ${this.#state}`);
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

  add(member: MemberMetadata): void {
    if (this.#members.size === 0) this.#protocolType = member.protocolType;
    this.#leaderId ??= member.memberId;
    this.#members.set(member.memberId, member);
    if (member.groupInstanceId !== null) this.#staticMembers.set(member.groupInstanceId, member.memberId);
    this.#pendingMembers.delete(member.memberId);
  }

  remove(memberId: string): void {
    const member = this.#members.get(memberId);
    this.#members.delete(memberId);
    this.#pendingMembers.delete(memberId);
    this.#pendingSyncMembers.delete(memberId);
    if (member?.groupInstanceId != null) this.#staticMembers.delete(member.groupInstanceId);
    if (this.#leaderId === memberId) this.#leaderId = this.#members.keys().next().value;
  }

  /** Gives a static identity to a new member id; the member keeps its place, assignment and leadership. */
  replaceStaticMember(groupInstanceId: string, oldMemberId: string, newMemberId: string): MemberMetadata {
    const member = this.#members.get(oldMemberId);
    if (member === undefined) throw new Error(`Group ${this.groupId} has no member ${oldMemberId} to replace`);
    this.#members.delete(oldMemberId);
    member.memberId = newMemberId;
    this.#members.set(newMemberId, member);
    this.#staticMembers.set(groupInstanceId, newMemberId);
    if (this.#leaderId === oldMemberId) this.#leaderId = newMemberId;
    return member;
  }

  /** Whether a member with these protocols could join: same type, and one protocol that all members speak. */
  supportsProtocols(protocolType: string, protocols: readonly GroupProtocol[]): boolean {
    if (this.#members.size === 0) return protocolType !== '' && protocols.length > 0;
    if (protocolType !== this.#protocolType) return false;
    const candidates = this.#commonProtocols();
    return protocols.some(({ name }) => candidates.has(name));
  }

  /** The protocol that most members name first among those that all speak. */
  selectProtocol(): string {
    const candidates = this.#commonProtocols();
    const votes = new Map<string, number>();
    for (const member of this.#members.values()) {
      const vote = member.vote(candidates);
      if (vote === undefined) throw new Error(`Member ${member.memberId} of group ${this.groupId} supports none of the common protocols`);
      votes.set(vote, (votes.get(vote) ?? 0) + 1);
    }
    let best: string | undefined;
    for (const [name, count] of votes) if (best === undefined || count > (votes.get(best) ?? 0)) best = name;
    if (best === undefined) throw new Error(`Group ${this.groupId} has no member to select a protocol`);
    return best;
  }

  get hasAllMembersJoined(): boolean {
    return this.#pendingMembers.size === 0 && this.members.every((member) => member.awaitingJoin !== undefined);
  }

  get notYetRejoined(): readonly MemberMetadata[] {
    return this.members.filter((member) => member.awaitingJoin === undefined);
  }

  /** The longest rebalance time-out among the members. */
  get rebalanceTimeoutMs(): number {
    return this.members.reduce((longest, member) => Math.max(longest, member.rebalanceTimeoutMs), 0);
  }

  /** Makes a member that has rejoined the leader when the present one hasn't. False when nobody has. */
  maybeElectNewJoinedLeader(): boolean {
    const leader = this.#leaderId === undefined ? undefined : this.#members.get(this.#leaderId);
    if (leader?.awaitingJoin !== undefined) return true;
    const joined = this.members.find((member) => member.awaitingJoin !== undefined);
    if (joined === undefined) return false;
    this.#leaderId = joined.memberId;
    return true;
  }

  initNextGeneration(nowMs: number): void {
    this.#generationId++;
    this.#pendingSyncMembers.clear();
    if (this.#members.size === 0) {
      this.#protocolName = null;
      this.#subscribedTopics = this.#computeSubscribedTopics();
      this.transitionTo('Empty', nowMs);
      return;
    }
    this.#protocolName = this.selectProtocol();
    this.#subscribedTopics = this.#computeSubscribedTopics();
    this.transitionTo('CompletingRebalance', nowMs);
  }

  addPendingSync(memberId: string): void {
    this.#pendingSyncMembers.add(memberId);
  }
  removePendingSync(memberId: string): void {
    this.#pendingSyncMembers.delete(memberId);
  }
  get pendingSyncMembers(): readonly string[] {
    return [...this.#pendingSyncMembers];
  }

  /** The members with the chosen protocol's metadata, for the leader's assignment. */
  currentMemberMetadata(): JoinMember[] {
    return this.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: member.metadataOf(this.#protocolName),
    }));
  }

  isSubscribedTo(topic: string): boolean {
    return this.#subscribedTopics === undefined ? this.#members.size > 0 : this.#subscribedTopics.has(topic);
  }

  #commonProtocols(): Set<string> {
    let common: Set<string> | undefined;
    for (const member of this.#members.values()) {
      const names = new Set(member.protocols.map(({ name }) => name));
      common = common === undefined ? names : common.intersection(names);
    }
    return common ?? new Set();
  }

  #computeSubscribedTopics(): ReadonlySet<string> | undefined {
    if (this.#protocolType !== CONSUMER_PROTOCOL_TYPE) return undefined;
    if (this.#members.size === 0) return new Set();
    if (this.#protocolName === null) return undefined;
    const topics = new Set<string>();
    try {
      for (const member of this.#members.values()) {
        const subscription = decodeVersioned(ConsumerProtocolSubscription, member.metadataOf(this.#protocolName), { newerAsNewest: true });
        for (const topic of subscription.topics) topics.add(topic);
      }
    } catch (error) {
      // The metadata is the client's own affair: what can't be read is not known, nothing worse.
      if (error instanceof ProtocolError) return undefined;
      throw error;
    }
    return topics;
  }
}
