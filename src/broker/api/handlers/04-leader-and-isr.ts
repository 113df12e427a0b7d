/**
 * LeaderAndIsr (4), versions 2-7: the controller's word on who leads and follows. Stale controller and broker epochs are refused
 * (STALE_CONTROLLER_EPOCH, STALE_BROKER_EPOCH). Coordinators hear of their partitions before the answer.
 * Versions 0 and 1 (controllers before 2.2: partitions not grouped by topic) are answered UNSUPPORTED_VERSION. Source: Kafka's `KafkaApis.handleLeaderAndIsrRequest`.
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { LeaderAndIsrRequest, LeaderAndIsrResponseInput } from '../../../protocol/generated/leader-and-isr.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import type { LeaderAndIsrOutcome, LeadershipChanges, ReplicaManager } from '../../replication/replica-manager.ts';

const FIRST_VERSION = 2;
/** From here on a topic is named by its id, and the errors stand under it. */
const FIRST_TOPICS_VERSION = 5;

export interface LeaderAndIsrDeps {
  readonly replicaManager: ReplicaManager;
  readonly onLeadershipChange: (changes: LeadershipChanges) => void;
}

export function createLeaderAndIsrHandler({ replicaManager, onLeadershipChange }: LeaderAndIsrDeps): ApiHandler<LeaderAndIsrRequest> {
  return (request) => {
    const { body, header } = request;
    const outcome =
      header.apiVersion < FIRST_VERSION
        ? { errorCode: ErrorCode.UNSUPPORTED_VERSION, topics: [] }
        : replicaManager.becomeLeaderOrFollower(body, onLeadershipChange);
    request.respond(responseOf(outcome, header.apiVersion));
  };
}

function responseOf({ errorCode, topics }: LeaderAndIsrOutcome, apiVersion: number): LeaderAndIsrResponseInput {
  if (apiVersion >= FIRST_TOPICS_VERSION) {
    return { errorCode, topics: topics.map(({ topicId, partitions }) => ({ topicId, partitionErrors: partitions })) };
  }
  return {
    errorCode,
    partitionErrors: topics.flatMap(({ topicName, partitions }) => partitions.map((partition) => ({ topicName, ...partition }))),
  };
}
