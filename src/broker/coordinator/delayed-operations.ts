/**
 * What the group coordinator waits for: everyone to rejoin, everyone to sync, a heartbeat.
 * Watched under the group's or the member's key. Source: Kafka's `DelayedJoin`, `InitialDelayedJoin`, `DelayedSync`, `DelayedHeartbeat`.
 */
import { DelayedOperation } from '../purgatory/delayed-operation.ts';
import type { GroupMetadata } from './group-metadata.ts';

export interface RebalanceListener {
  /** Everybody has rejoined, or the time is over. */
  onCompleteJoin(group: GroupMetadata): void;
  /** The time for syncing is over for this generation. */
  onExpirePendingSync(group: GroupMetadata, generationId: number): void;
  onExpireHeartbeat(group: GroupMetadata, memberId: string): void;
}

export class DelayedJoin extends DelayedOperation {
  readonly #group: GroupMetadata;
  readonly #listener: RebalanceListener;

  constructor(group: GroupMetadata, delayMs: number, listener: RebalanceListener) {
    super(delayMs);
    this.#group = group;
    this.#listener = listener;
  }

  override tryComplete(): boolean {
    return this.#group.hasAllMembersJoined ? this.forceComplete() : false;
  }

  override onComplete(): void {
    this.#listener.onCompleteJoin(this.#group);
  }

  override onExpiration(): void {}

  override describe(): string {
    return `rebalance of group ${this.#group.groupId}: ${this.#group.notYetRejoined.length} of ${this.#group.size} members have not rejoined`;
  }
}

/**
 * The first rebalance of an empty group waits for more members, in steps of `group.initial.rebalance.delay.ms`, as long as
 * they keep coming and at most for the rebalance time-out (KIP-134).
 */
export class InitialDelayedJoin extends DelayedOperation {
  readonly #options: {
    group: GroupMetadata;
    stepMs: number;
    remainingMs: number;
    again: (next: InitialDelayedJoin) => void;
    listener: RebalanceListener;
  };

  constructor(options: {
    group: GroupMetadata;
    stepMs: number;
    delayMs: number;
    remainingMs: number;
    again: (next: InitialDelayedJoin) => void;
    listener: RebalanceListener;
  }) {
    super(options.delayMs);
    this.#options = options;
  }

  override tryComplete(): boolean {
    return false;
  }

  override onComplete(): void {
    const { group, stepMs, remainingMs, again, listener } = this.#options;
    if (!group.newMemberAdded || remainingMs <= 0) {
      listener.onCompleteJoin(group);
      return;
    }
    group.newMemberAdded = false;
    const delayMs = Math.min(stepMs, remainingMs);
    again(new InitialDelayedJoin({ ...this.#options, delayMs, remainingMs: Math.max(0, remainingMs - delayMs) }));
  }

  override onExpiration(): void {}

  override describe(): string {
    return `first rebalance of group ${this.#options.group.groupId}: waits for more members`;
  }
}

export class DelayedSync extends DelayedOperation {
  readonly #group: GroupMetadata;
  readonly #generationId: number;
  readonly #listener: RebalanceListener;

  constructor(group: GroupMetadata, delayMs: number, listener: RebalanceListener) {
    super(delayMs);
    this.#group = group;
    this.#generationId = group.generationId;
    this.#listener = listener;
  }

  override tryComplete(): boolean {
    const superseded = this.#group.generationId !== this.#generationId || !this.#group.is('CompletingRebalance', 'Stable');
    return superseded || this.#group.pendingSyncMembers.length === 0 ? this.forceComplete() : false;
  }

  override onComplete(): void {}

  override onExpiration(): void {
    this.#listener.onExpirePendingSync(this.#group, this.#generationId);
  }

  override describe(): string {
    return `sync of group ${this.#group.groupId}, generation ${this.#generationId}: ${this.#group.pendingSyncMembers.length} members have not synced`;
  }
}

/** Runs out unless the member is heard of: its session is over then. */
export class DelayedHeartbeat extends DelayedOperation {
  readonly #group: GroupMetadata;
  readonly #memberId: string;
  readonly #listener: RebalanceListener;

  constructor(group: GroupMetadata, memberId: string, delayMs: number, listener: RebalanceListener) {
    super(delayMs);
    this.#group = group;
    this.#memberId = memberId;
    this.#listener = listener;
  }

  override tryComplete(): boolean {
    return false;
  }

  override onComplete(): void {}

  override onExpiration(): void {
    this.#listener.onExpireHeartbeat(this.#group, this.#memberId);
  }

  override describe(): string {
    return `heartbeat of ${this.#memberId} in group ${this.#group.groupId}`;
  }
}
