/** SyncGroup (14), versions 0-5: the leader brings the assignment, everyone gets its part once it is stored. 5+ checks the protocol (KIP-559). */
import type { SyncGroupRequest } from '../../../protocol/generated/sync-group.ts';
import type { GroupCoordinator } from '../../coordinator/group-coordinator.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export function createSyncGroupHandler({ coordinator }: { coordinator: GroupCoordinator }): ApiHandler<SyncGroupRequest> {
  return (request) => {
    const { groupId, generationId, memberId, groupInstanceId, protocolType, protocolName, assignments } = request.body;
    coordinator.sync(
      { groupId, generationId, memberId, groupInstanceId, protocolType, protocolName, assignments: new Map(assignments.map((entry) => [entry.memberId, entry.assignment])) },
      (result) => request.respond({ throttleTimeMs: 0, ...result }),
    );
  };
}
