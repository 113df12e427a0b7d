/** ListGroups (16), versions 0-5: the groups that this broker coordinates; 4+ filtered by state (KIP-518), 5+ by type (KIP-848). */
import type { ListGroupsRequest } from '../../../protocol/generated/list-groups.ts';
import type { GroupCoordinator } from '../../coordinator/group-coordinator.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

const GROUP_TYPE = 'classic';

export function createListGroupsHandler({ coordinator }: { coordinator: GroupCoordinator }): ApiHandler<ListGroupsRequest> {
  return (request) => {
    const states = new Set(request.body.statesFilter.map((state) => state.toLowerCase()));
    const types = new Set(request.body.typesFilter.map((type) => type.toLowerCase()));
    const groups =
      types.size > 0 && !types.has(GROUP_TYPE)
        ? []
        : coordinator.groups
            .groups()
            .filter((group) => states.size === 0 || states.has(group.state.toLowerCase()))
            .map((group) => ({
              groupId: group.groupId,
              protocolType: group.protocolType ?? '',
              groupState: group.state,
              groupType: GROUP_TYPE,
            }));
    request.respond({ throttleTimeMs: 0, errorCode: coordinator.listStatus(), groups });
  };
}
