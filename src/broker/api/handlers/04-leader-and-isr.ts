/**
 * LeaderAndIsr (4), versions 2-7: the controller's word on who leads and follows. Stale controller and broker epochs are refused
 * (STALE_CONTROLLER_EPOCH, STALE_BROKER_EPOCH). Coordinators hear of their partitions before the answer.
 * Versions 0 and 1 come from brokers before 2.2 and are not spoken here. Source: Kafka's `KafkaApis.handleLeaderAndIsrRequest`.
 */
import type { LeaderAndIsrRequest } from '../../../protocol/generated/leader-and-isr.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import type { LeadershipChanges, ReplicaManager } from '../../replication/replica-manager.ts';

export interface LeaderAndIsrDeps {
  readonly replicaManager: ReplicaManager;
  readonly onLeadershipChange: (changes: LeadershipChanges) => void;
}

export function createLeaderAndIsrHandler({ replicaManager, onLeadershipChange }: LeaderAndIsrDeps): ApiHandler<LeaderAndIsrRequest> {
  return (request) => request.respond(replicaManager.becomeLeaderOrFollower(request.body, onLeadershipChange));
}
