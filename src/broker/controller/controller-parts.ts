/**
 * What the controller's processors share during a term of office: one object, made once, whose context is filled and emptied.
 */
import type { Logger } from '../../runtime/logger.ts';
import type { BrokerInfo } from '../zk/broker-info.ts';
import type { KafkaZkClient } from '../zk/kafka-zk-client.ts';
import type { BrokerNode, ControllerChannelManager } from './controller-channel-manager.ts';
import type { ControllerBrokerRequestBatch } from './controller-broker-request-batch.ts';
import type { ControllerContext, ControllerPartition } from './controller-context.ts';
import type { PartitionStateMachine } from './partition-state-machine.ts';
import type { ReplicaStateMachine } from './replica-state-machine.ts';
import type { StateChangeLogger } from './state-change-logger.ts';
import type { TopicDeletionManager } from './topic-deletion-manager.ts';

export interface ControllerConfig {
  /** broker.id */
  readonly brokerId: number;
  /** Listener on which brokers talk to each other, upper case (inter.broker.listener.name). */
  readonly interBrokerListenerName: string;
  /** controller.socket.timeout.ms */
  readonly controllerSocketTimeoutMs: number;
  /** auto.leader.rebalance.enable */
  readonly autoLeaderRebalanceEnable: boolean;
  /** leader.imbalance.per.broker.percentage */
  readonly leaderImbalancePerBrokerPercentage: number;
  /** leader.imbalance.check.interval.seconds */
  readonly leaderImbalanceCheckIntervalSeconds: number;
  /** delete.topic.enable */
  readonly deleteTopicEnable: boolean;
  /** unclean.leader.election.enable: may change while the broker runs. */
  readonly uncleanLeaderElectionEnable: () => boolean;
}

/** Watches that come and go with brokers and topics. */
export interface ControllerWatches {
  /** Heard with the next read of the topic's znode. */
  watchPartitionModifications(topics: Iterable<string>): void;
  unwatchPartitionModifications(topics: Iterable<string>): void;
  watchBrokerModifications(brokerIds: readonly number[]): Promise<void>;
  unwatchBrokerModifications(brokerIds: Iterable<number>): void;
}

export interface ControllerParts {
  readonly config: ControllerConfig;
  readonly context: ControllerContext;
  readonly zk: KafkaZkClient;
  readonly channelManager: ControllerChannelManager;
  readonly batch: ControllerBrokerRequestBatch;
  readonly partitionStateMachine: PartitionStateMachine;
  readonly replicaStateMachine: ReplicaStateMachine;
  readonly topicDeletionManager: TopicDeletionManager;
  readonly stateChangeLogger: StateChangeLogger;
  readonly watches: ControllerWatches;
  readonly logger: Logger;
}

/** UpdateMetadata to `brokerIds`: brokers and controller, and the state of `partitions`. */
export function sendUpdateMetadata(
  { batch, context }: Pick<ControllerParts, 'batch' | 'context'>,
  brokerIds: readonly number[],
  partitions: Iterable<ControllerPartition>,
): void {
  batch.newBatch();
  batch.addUpdateMetadata(brokerIds, partitions);
  batch.sendRequestsToBrokers(context.epoch);
}

/** UpdateMetadata to `brokerIds` with everything: what isn't in it isn't there. */
export function sendFullUpdateMetadata({ batch, context }: Pick<ControllerParts, 'batch' | 'context'>, brokerIds: readonly number[]): void {
  batch.newBatch();
  batch.addFullUpdateMetadata(brokerIds);
  batch.sendRequestsToBrokers(context.epoch);
}

/** Where the controller reaches a broker; undefined when it has no such listener. */
export function nodeOf(broker: BrokerInfo, listenerName: string): BrokerNode | undefined {
  const endpoint = broker.endpoints.find((candidate) => candidate.listenerName === listenerName);
  return endpoint === undefined ? undefined : { id: broker.id, host: endpoint.host, port: endpoint.port };
}
