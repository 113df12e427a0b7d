/** Makes the parts of a controller and connects them; answers of brokers and overflows go to `reactions`. */
import { ErrorCode, errorByCode } from '../../protocol/errors.ts';
import type { LeaderAndIsrResponse } from '../../protocol/generated/leader-and-isr.ts';
import type { StopReplicaResponse } from '../../protocol/generated/stop-replica.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { KafkaZkClient } from '../zk/kafka-zk-client.ts';
import type { ClusterEventSink } from './cluster-events.ts';
import { ControllerBrokerRequestBatch } from './controller-broker-request-batch.ts';
import { ControllerChannelManager, type ControllerNetworkClient } from './controller-channel-manager.ts';
import { ControllerContext, type ControllerPartition } from './controller-context.ts';
import { sendUpdateMetadata, type ControllerConfig, type ControllerParts, type ControllerWatches } from './controller-parts.ts';
import { PartitionStateMachine } from './partition-state-machine.ts';
import { ReplicaStateMachine } from './replica-state-machine.ts';
import { StateChangeLogger } from './state-change-logger.ts';
import { TopicDeletionManager } from './topic-deletion-manager.ts';

export interface ControllerReactions {
  onLeaderAndIsrResponse(response: LeaderAndIsrResponse, brokerId: number, brokerEpoch: number): void;
  /** Only for requests that asked to delete: `deleted`. */
  onDeletionResponse(response: StopReplicaResponse, brokerId: number, brokerEpoch: number, deleted: ReadonlySet<ControllerPartition>): void;
  onChannelOverflow(brokerId: number): void;
  onUncleanElection(): void;
}

export interface ControllerPartsOptions {
  readonly config: ControllerConfig;
  readonly zk: KafkaZkClient;
  readonly runtime: Pick<Runtime, 'clock' | 'scheduler' | 'logger' | 'metrics'>;
  readonly networkClient: ControllerNetworkClient;
  readonly watches: ControllerWatches;
  readonly logger: Logger;
  readonly eventSink?: ClusterEventSink;
  readonly reactions: ControllerReactions;
  /** Requests that may wait for one broker. */
  readonly maxQueuedRequests?: number;
}

export function createControllerParts(options: ControllerPartsOptions): ControllerParts {
  const { config, zk, runtime, watches, logger, reactions } = options;
  const context = new ControllerContext();
  const stateChangeLogger = new StateChangeLogger({
    brokerId: config.brokerId,
    controllerEpoch: () => context.epoch,
    clock: runtime.clock,
    logger: runtime.logger,
    ...(options.eventSink === undefined ? {} : { sink: options.eventSink }),
  });
  const channelManager = createChannelManager(options);
  const batch = createBatch(options, context, channelManager, stateChangeLogger);
  const common = { context, zk, batch, stateChangeLogger, logger };
  const partitionStateMachine = new PartitionStateMachine({
    ...common,
    uncleanLeaderElectionEnable: config.uncleanLeaderElectionEnable,
    onUncleanElection: () => reactions.onUncleanElection(),
  });
  const replicaStateMachine = new ReplicaStateMachine(common);
  const topicDeletionManager = new TopicDeletionManager({
    context,
    partitionStateMachine,
    replicaStateMachine,
    stateChangeLogger,
    logger,
    deleteTopicEnable: config.deleteTopicEnable,
    client: {
      deleteTopic: async (topic) => {
        await zk.topics.deleteTopic(topic, context.epochZkVersion);
        await zk.configs.deleteTopicConfigs([topic], context.epochZkVersion);
        // Last: while it is there, the deletion is taken up again.
        await zk.controller.deleteTopicDeletions([topic], context.epochZkVersion);
      },
      deleteTopicDeletions: (topics) => zk.controller.deleteTopicDeletions(topics, context.epochZkVersion),
      mutePartitionModifications: (topic) => watches.unwatchPartitionModifications([topic]),
      sendMetadataUpdate: (partitions) => sendUpdateMetadata({ batch, context }, context.liveOrShuttingDownBrokerIds, partitions),
    },
  });
  return { ...common, config, channelManager, partitionStateMachine, replicaStateMachine, topicDeletionManager, watches };
}

function createChannelManager({
  config,
  runtime,
  networkClient,
  logger,
  reactions,
  maxQueuedRequests,
}: ControllerPartsOptions): ControllerChannelManager {
  return new ControllerChannelManager({
    client: networkClient,
    clock: runtime.clock,
    scheduler: runtime.scheduler,
    logger: logger.child({ component: 'ControllerChannelManager' }),
    metrics: runtime.metrics,
    requestTimeoutMs: config.controllerSocketTimeoutMs,
    ...(maxQueuedRequests === undefined ? {} : { maxQueuedRequests }),
    onOverflow: (brokerId) => reactions.onChannelOverflow(brokerId),
  });
}

function createBatch(
  { config, reactions }: ControllerPartsOptions,
  context: ControllerContext,
  channelManager: ControllerChannelManager,
  stateChangeLogger: StateChangeLogger,
): ControllerBrokerRequestBatch {
  return new ControllerBrokerRequestBatch({
    controllerId: config.brokerId,
    context,
    channelManager,
    stateChangeLogger,
    interBrokerListenerName: config.interBrokerListenerName,
    handlers: {
      onLeaderAndIsrResponse: (response, brokerId, brokerEpoch) => reactions.onLeaderAndIsrResponse(response, brokerId, brokerEpoch),
      onUpdateMetadataResponse: ({ errorCode }, brokerId) => {
        if (errorCode === ErrorCode.NONE) return;
        stateChangeLogger.log.error(`broker ${brokerId} answered UpdateMetadata with ${errorByCode(errorCode).name}`);
      },
      onStopReplicaResponse: (response, brokerId, brokerEpoch, deleted) => {
        if (deleted.size > 0) reactions.onDeletionResponse(response, brokerId, brokerEpoch, deleted);
      },
    },
  });
}
