/** Heartbeat (12), versions 0-4: keeps a member's session; REBALANCE_IN_PROGRESS tells it to join again. 3+ static members. */
import type { HeartbeatRequest } from '../../../protocol/generated/heartbeat.ts';
import type { GroupCoordinator } from '../../coordinator/group-coordinator.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export function createHeartbeatHandler({ coordinator }: { coordinator: GroupCoordinator }): ApiHandler<HeartbeatRequest> {
  return (request) => {
    const { groupId, memberId, groupInstanceId, generationId } = request.body;
    request.respond({ throttleTimeMs: 0, errorCode: coordinator.heartbeat(groupId, { memberId, groupInstanceId }, generationId) });
  };
}
