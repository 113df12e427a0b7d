/**
 * One member of a consumer group: what it can speak, what it was given, and whoever waits for it.
 * Invariant: at most one join and one sync of a member wait; `GroupMetadata` sets and answers them, because it counts them.
 * Source: Kafka's `MemberMetadata`.
 */
import type { DelayedHeartbeat } from './delayed-operations.ts';

export interface GroupProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

export interface JoinMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly metadata: Buffer;
}

export interface JoinGroupResult {
  readonly errorCode: number;
  readonly memberId: string;
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leaderId: string;
  readonly skipAssignment: boolean;
  /** All members for the leader, none for the others. */
  readonly members: readonly JoinMember[];
}

export interface SyncGroupResult {
  readonly errorCode: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

export type JoinCallback = (result: JoinGroupResult) => void;
export type SyncCallback = (result: SyncGroupResult) => void;

export const NO_MEMBER_ID = '';
export const NO_GENERATION = -1;
export const NO_ASSIGNMENT: Buffer = Buffer.alloc(0);

export function failedJoin(errorCode: number, memberId: string): JoinGroupResult {
  return {
    errorCode,
    memberId,
    generationId: NO_GENERATION,
    protocolType: null,
    protocolName: null,
    leaderId: NO_MEMBER_ID,
    skipAssignment: false,
    members: [],
  };
}

export function failedSync(errorCode: number): SyncGroupResult {
  return { errorCode, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT };
}

export interface MemberInit {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  /** With a slash in front, as Kafka shows and stores it. */
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly GroupProtocol[];
  readonly assignment?: Buffer;
}

export class MemberMetadata {
  memberId: string;
  readonly groupInstanceId: string | null;
  clientId: string;
  clientHost: string;
  rebalanceTimeoutMs: number;
  sessionTimeoutMs: number;
  readonly protocolType: string;
  protocols: readonly GroupProtocol[];
  assignment: Buffer;
  awaitingJoin: JoinCallback | undefined;
  awaitingSync: SyncCallback | undefined;
  /** Has joined for the first time and is not yet through its first rebalance: it has longer before it is taken for dead. */
  isNew = false;
  heartbeat: DelayedHeartbeat | undefined;

  constructor(init: MemberInit) {
    this.memberId = init.memberId;
    this.groupInstanceId = init.groupInstanceId;
    this.clientId = init.clientId;
    this.clientHost = init.clientHost;
    this.rebalanceTimeoutMs = init.rebalanceTimeoutMs;
    this.sessionTimeoutMs = init.sessionTimeoutMs;
    this.protocolType = init.protocolType;
    this.protocols = init.protocols;
    this.assignment = init.assignment ?? NO_ASSIGNMENT;
  }

  get isStatic(): boolean {
    return this.groupInstanceId !== null;
  }

  /** A member that waits for a rebalance is alive whatever its session time-out: its request is here. */
  get isWaiting(): boolean {
    return this.awaitingJoin !== undefined || this.awaitingSync !== undefined;
  }

  /** The metadata of protocol `name`; empty when the member doesn't know it. */
  metadataOf(name: string | null): Buffer {
    return this.protocols.find((protocol) => protocol.name === name)?.metadata ?? NO_ASSIGNMENT;
  }

  /** Whether `protocols` are the same, names and metadata, in the same order. */
  matches(protocols: readonly GroupProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, index) => {
        const own = this.protocols[index];
        return own !== undefined && own.name === name && own.metadata.equals(metadata);
      })
    );
  }
}
