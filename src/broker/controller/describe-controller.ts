/** A picture of the controller for introspection: plain data, copied; the answer to `controller.describe`. */
import type { ControllerAnswer } from '../../introspection/answers/controller.ts';
import { NO_LEADER } from '../zk/leader-and-isr.ts';
import { targetReplicas } from '../zk/replica-assignment.ts';
import type { ControllerChannelManager } from './controller-channel-manager.ts';
import type { ControllerContext, ControllerPartition } from './controller-context.ts';
import type { ControllerEventManager } from './controller-event-manager.ts';

/** Names of waiting events that are told. */
const MAX_WAITING = 50;

export interface DescribeControllerInput {
  readonly brokerId: number;
  readonly nowMs: number;
  readonly isActive: boolean;
  readonly activeControllerId: number;
  readonly activeSinceMs: number | undefined;
  readonly eventManager: ControllerEventManager;
  readonly context: ControllerContext;
  readonly channelManager: ControllerChannelManager;
  /** Reassignments and deletions told, each. */
  readonly max: number;
}

export function describeController(input: DescribeControllerInput): ControllerAnswer {
  const { brokerId, nowMs, isActive, activeControllerId, activeSinceMs, eventManager, context, channelManager, max } = input;
  const reassigning = [...context.partitionsBeingReassigned];
  return {
    brokerId,
    nowMs,
    isActive,
    activeControllerId,
    controllerEpoch: context.epoch,
    activeSinceMs: activeSinceMs ?? null,
    queue: {
      length: eventManager.queueSize,
      waiting: eventManager.waiting(MAX_WAITING),
      current: eventManager.current ?? null,
      queueTimes: eventManager.queueTimes,
      processingTimes: eventManager.processingTimes,
    },
    recentEvents: eventManager.recent,
    brokers: context.liveOrShuttingDownBrokerIds.map((id) => ({
      brokerId: id,
      brokerEpoch: context.brokerEpoch(id) ?? -1,
      shuttingDown: context.shuttingDownBrokerIds.has(id),
      queuedRequests: channelManager.queueSize(id),
    })),
    counts: context.counts(),
    reassignments: reassigning.slice(0, max).map((partition) => reassignmentOf(context, partition)),
    reassignmentCount: reassigning.length,
    topicsBeingDeleted: [...context.topicsToBeDeleted].slice(0, max).map((topic) => ({
      topic,
      started: context.topicsWithDeletionStarted.has(topic),
      haltedBecause: context.topicsIneligibleForDeletion.get(topic) ?? null,
      replicasLeft: context
        .replicasForTopic(topic)
        .filter(({ partition, replica }) => partition.replicaState(replica) !== 'ReplicaDeletionSuccessful').length,
    })),
  };
}

function reassignmentOf(context: ControllerContext, partition: ControllerPartition): ControllerAnswer['reassignments'][number] {
  const { topic, partition: index, assignment, leadership } = partition;
  const isr = leadership?.leaderAndIsr.isr ?? [];
  const target = targetReplicas(assignment);
  const missing = target.filter((replica) => !isr.includes(replica));
  return {
    topic,
    partition: index,
    targetReplicas: target,
    addingReplicas: assignment.addingReplicas,
    removingReplicas: assignment.removingReplicas,
    leader: leadership?.leaderAndIsr.leader ?? NO_LEADER,
    isr,
    missingReplicas: missing,
    offlineReplicas: missing.filter((replica) => !context.isReplicaOnline(replica, partition)),
  };
}
