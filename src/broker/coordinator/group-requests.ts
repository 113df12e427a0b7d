/** What the group coordinator is asked, apart from any version of the wire's messages. */
import type { GroupProtocol } from './member-metadata.ts';

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

/** What a member says of itself when it leaves. */
export interface LeavingMember extends MemberIdentity {
  readonly reason: string | null;
}

export interface OffsetDeletion {
  /** Concerns the group; the others are empty then. */
  readonly errorCode: number;
  /** One code for each offset, in order. */
  readonly errorCodes: readonly number[];
}
