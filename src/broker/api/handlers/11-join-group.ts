/**
 * JoinGroup (11), versions 0-9: answered when the rebalance it leads to is complete. 4+ a new member is first given its id and
 * MEMBER_ID_REQUIRED (KIP-394), 5+ static members (KIP-345), 8+ a reason (KIP-800), 9+ skipAssignment (KIP-814).
 */
import type { JoinGroupRequest } from '../../../protocol/generated/join-group.ts';
import type { GroupCoordinator } from '../../coordinator/group-coordinator.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

const FIRST_REBALANCE_TIMEOUT_VERSION = 1;
const FIRST_KNOWN_MEMBER_VERSION = 4;
const FIRST_NULL_PROTOCOL_VERSION = 7;
const FIRST_SKIP_ASSIGNMENT_VERSION = 9;
/** A reason is cut there, as Kafka's own clients do (KIP-800). */
const MAX_REASON_LENGTH = 255;

export function createJoinGroupHandler({ coordinator }: { coordinator: GroupCoordinator }): ApiHandler<JoinGroupRequest> {
  return (request) => {
    const { body, header } = request;
    coordinator.join(
      {
        groupId: body.groupId,
        memberId: body.memberId,
        groupInstanceId: body.groupInstanceId,
        requireKnownMemberId: header.apiVersion >= FIRST_KNOWN_MEMBER_VERSION && body.groupInstanceId === null,
        supportSkippingAssignment: header.apiVersion >= FIRST_SKIP_ASSIGNMENT_VERSION,
        clientId: header.clientId ?? '',
        clientHost: `/${request.clientAddress}`,
        rebalanceTimeoutMs: header.apiVersion >= FIRST_REBALANCE_TIMEOUT_VERSION ? body.rebalanceTimeoutMs : body.sessionTimeoutMs,
        sessionTimeoutMs: body.sessionTimeoutMs,
        protocolType: body.protocolType,
        // Copied: the request's bytes are let go, the group keeps these.
        protocols: body.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
        reason: (body.reason ?? '').slice(0, MAX_REASON_LENGTH),
      },
      (result) =>
        request.respond({
          throttleTimeMs: 0,
          errorCode: result.errorCode,
          generationId: result.generationId,
          protocolType: result.protocolType,
          protocolName: header.apiVersion >= FIRST_NULL_PROTOCOL_VERSION ? result.protocolName : (result.protocolName ?? ''),
          leader: result.leaderId,
          skipAssignment: result.skipAssignment,
          memberId: result.memberId,
          members: result.members,
        }),
    );
    // It may wait for the whole rebalance, and needs its bytes no more.
    request.releaseBody();
  };
}
