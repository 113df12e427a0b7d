/**
 * DeleteGroups (42), versions 0-2: deletes empty groups with their offsets (KIP-229). NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND,
 * NOT_COORDINATOR for each group; one that is named twice is answered once.
 */
import type { DeleteGroupsRequest } from '../../../protocol/generated/delete-groups.ts';
import type { GroupCoordinator } from '../../coordinator/group-coordinator.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export function createDeleteGroupsHandler({ coordinator }: { coordinator: GroupCoordinator }): ApiHandler<DeleteGroupsRequest> {
  return (request) => {
    const groupIds = new Set(request.body.groupsNames);
    const results = Array.from(groupIds, (groupId) => ({ groupId, errorCode: coordinator.deleteGroup(groupId) }));
    request.respond({ throttleTimeMs: 0, results });
  };
}
