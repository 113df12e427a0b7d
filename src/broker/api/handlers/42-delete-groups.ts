/** DeleteGroups (42), versions 0-2: deletes empty groups with their offsets; NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND for each. KIP-229. */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { DeleteGroupsRequest } from '../../../protocol/generated/delete-groups.ts';
import type { GroupCoordinator } from '../../coordinator/group-coordinator.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export function createDeleteGroupsHandler({ coordinator }: { coordinator: GroupCoordinator }): ApiHandler<DeleteGroupsRequest> {
  return (request) => {
    const codes = new Map<string, number>();
    for (const groupId of new Set(request.body.groupsNames)) coordinator.deleteGroup(groupId, (errorCode) => codes.set(groupId, errorCode));
    const results = Array.from(codes, ([groupId, errorCode]) => ({ groupId, errorCode: errorCode ?? ErrorCode.NONE }));
    request.respond({ throttleTimeMs: 0, results });
  };
}
