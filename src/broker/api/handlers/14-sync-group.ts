/**
 * SyncGroup (14), versions 0-5: the leader brings the assignment, everyone gets its part once it is stored. 3+ static members
 * (KIP-345), 5+ must name the protocol type and name, which are checked (KIP-559).
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { SyncGroupRequest, SyncGroupResponseInput } from '../../../protocol/generated/sync-group.ts';
import type { GroupCoordinator } from '../../coordinator/group-coordinator.ts';
import { failedSync } from '../../coordinator/member-metadata.ts';
import type { SyncGroupResult } from '../../coordinator/member-metadata.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

const FIRST_NAMED_PROTOCOL_VERSION = 5;

export function createSyncGroupHandler({
  coordinator,
}: {
  coordinator: GroupCoordinator;
}): ApiHandler<SyncGroupRequest, SyncGroupResponseInput> {
  return (request) => {
    const { groupId, generationId, memberId, groupInstanceId, protocolType, protocolName, assignments } = request.body;
    const respond = (result: SyncGroupResult): void => request.respond({ throttleTimeMs: 0, ...result });
    if (request.header.apiVersion >= FIRST_NAMED_PROTOCOL_VERSION && (protocolType === null || protocolName === null)) {
      respond(failedSync(ErrorCode.INCONSISTENT_GROUP_PROTOCOL));
      return;
    }
    const byMember = new Map(assignments.map((entry) => [entry.memberId, entry.assignment]));
    coordinator.sync({ groupId, generationId, memberId, groupInstanceId, protocolType, protocolName, assignments: byMember }, respond);
    // It may wait for the leader, and needs its bytes no more.
    request.releaseBody();
  };
}
