/** LeaveGroup (13), versions 0-5: one member before 3, several with a code each from 3 on (KIP-345); 5+ a reason (KIP-800). */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { LeaveGroupRequest } from '../../../protocol/generated/leave-group.ts';
import type { GroupCoordinator } from '../../coordinator/group-coordinator.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

const FIRST_MEMBERS_VERSION = 3;
/** A reason is cut there, as Kafka's own clients do (KIP-800). */
const MAX_REASON_LENGTH = 255;

export function createLeaveGroupHandler({ coordinator }: { coordinator: GroupCoordinator }): ApiHandler<LeaveGroupRequest> {
  return (request) => {
    const { body, header } = request;
    const several = header.apiVersion >= FIRST_MEMBERS_VERSION;
    const members = several ? body.members : [{ memberId: body.memberId, groupInstanceId: null, reason: null }];
    const { errorCode, memberErrors } = coordinator.leave(
      body.groupId,
      members.map(({ memberId, groupInstanceId, reason }) => ({
        memberId,
        groupInstanceId,
        reason: reason?.slice(0, MAX_REASON_LENGTH) ?? null,
      })),
    );
    if (!several) {
      request.respond({ throttleTimeMs: 0, errorCode: errorCode === ErrorCode.NONE ? (memberErrors[0] ?? ErrorCode.NONE) : errorCode });
      return;
    }
    request.respond({
      throttleTimeMs: 0,
      errorCode,
      members: memberErrors.map((code, index) => ({
        memberId: members[index]?.memberId ?? '',
        groupInstanceId: members[index]?.groupInstanceId ?? null,
        errorCode: code,
      })),
    });
  };
}
