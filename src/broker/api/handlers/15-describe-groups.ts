/**
 * DescribeGroups (15), versions 0-5: state, protocol and members of groups. A group that nobody knows is described as Dead.
 * Members' metadata and assignments are given for a stable group only, as Kafka does. 3+ what may be done with the group, if
 * asked for (KIP-430): without an authorizer, everything. 4+ static members.
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { DescribeGroupsRequest, DescribedGroupInput } from '../../../protocol/generated/describe-groups.ts';
import type { GroupCoordinator } from '../../coordinator/group-coordinator.ts';
import { NO_ASSIGNMENT } from '../../coordinator/member-metadata.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

/** AclOperation's codes READ, DELETE, DESCRIBE, as bits. */
const ALL_GROUP_OPERATIONS = (1 << 3) | (1 << 6) | (1 << 8);
const NOT_ASKED_FOR = -(2 ** 31);

export function createDescribeGroupsHandler({ coordinator }: { coordinator: GroupCoordinator }): ApiHandler<DescribeGroupsRequest> {
  return (request) => {
    const { groups, includeAuthorizedOperations } = request.body;
    const authorizedOperations = includeAuthorizedOperations ? ALL_GROUP_OPERATIONS : NOT_ASKED_FOR;
    request.respond({
      throttleTimeMs: 0,
      groups: groups.map((groupId) => {
        const group = describe(coordinator, groupId);
        return group.errorCode === ErrorCode.NONE ? { ...group, authorizedOperations } : group;
      }),
    });
  };
}

function describe(coordinator: GroupCoordinator, groupId: string): DescribedGroupInput {
  const errorCode = coordinator.describeStatus(groupId);
  if (errorCode !== ErrorCode.NONE) return { groupId, errorCode, groupState: '', protocolType: '', protocolData: '', members: [] };
  const group = coordinator.groups.get(groupId);
  if (group === undefined)
    return { groupId, errorCode: ErrorCode.NONE, groupState: 'Dead', protocolType: '', protocolData: '', members: [] };
  const isStable = group.is('Stable');
  return {
    groupId,
    errorCode: ErrorCode.NONE,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: isStable ? (group.protocolName ?? '') : '',
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? member.metadataOf(group.protocolName) : NO_ASSIGNMENT,
      memberAssignment: isStable ? member.assignment : NO_ASSIGNMENT,
    })),
  };
}
