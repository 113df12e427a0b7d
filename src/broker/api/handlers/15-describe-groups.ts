/**
 * DescribeGroups (15), versions 0-5: state, protocol and members of groups. A group that nobody knows is described as Dead.
 * Members' metadata and assignments are given for a stable group only, as Kafka does. 4+ static members.
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { DescribeGroupsRequest, DescribedGroupInput } from '../../../protocol/generated/describe-groups.ts';
import type { GroupCoordinator } from '../../coordinator/group-coordinator.ts';
import { NO_ASSIGNMENT } from '../../coordinator/member-metadata.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export function createDescribeGroupsHandler({ coordinator }: { coordinator: GroupCoordinator }): ApiHandler<DescribeGroupsRequest> {
  return (request) => request.respond({ throttleTimeMs: 0, groups: request.body.groups.map((groupId) => describe(coordinator, groupId)) });
}

function describe(coordinator: GroupCoordinator, groupId: string): DescribedGroupInput {
  const errorCode = coordinator.describeStatus(groupId);
  if (errorCode !== ErrorCode.NONE) return { groupId, errorCode, groupState: '', protocolType: '', protocolData: '', members: [] };
  const group = coordinator.groups.get(groupId);
  if (group === undefined) return { groupId, errorCode: ErrorCode.NONE, groupState: 'Dead', protocolType: '', protocolData: '', members: [] };
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
