/** The broker's configuration as its parts want it: each gets the few values it uses. */
import { CompressionCodec } from '../protocol/records/compression.ts';
import type { DynamicBrokerConfig } from './config/dynamic-config.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import type { ControllerConfig } from './controller/controller-parts.ts';
import type { GroupCoordinatorConfig } from './coordinator/coordinator-config.ts';
import type { ReplicaFetcherManagerConfig } from './replication/replica-fetcher-manager.ts';
import type { ReplicaManagerConfig } from './replication/replica-manager.ts';

const MINUTE_MS = 60_000;

/** `offsets.topic.compression.codec` is a number; its range was checked when it was parsed. */
function codecOf(id: number): CompressionCodec {
  return Object.values(CompressionCodec).find((codec) => codec === id) ?? CompressionCodec.NONE;
}

export function replicaManagerConfig(config: KafkaConfig): ReplicaManagerConfig {
  return {
    brokerId: config.brokerId,
    replicaLagTimeMaxMs: config.replicaLagTimeMaxMs,
    highWatermarkCheckpointIntervalMs: config.replicaHighWatermarkCheckpointIntervalMs,
  };
}

export function replicaFetcherConfig(config: KafkaConfig): ReplicaFetcherManagerConfig {
  return {
    brokerId: config.brokerId,
    numReplicaFetchers: config.numReplicaFetchers,
    socketTimeoutMs: config.replicaSocketTimeoutMs,
    fetchWaitMaxMs: config.replicaFetchWaitMaxMs,
    fetchMinBytes: config.replicaFetchMinBytes,
    fetchMaxBytes: config.replicaFetchMaxBytes,
    fetchResponseMaxBytes: config.replicaFetchResponseMaxBytes,
    fetchBackoffMs: config.replicaFetchBackoffMs,
  };
}

export function controllerConfig(config: KafkaConfig, dynamicConfig: DynamicBrokerConfig): ControllerConfig {
  return {
    brokerId: config.brokerId,
    interBrokerListenerName: config.interBrokerListenerName,
    controllerSocketTimeoutMs: config.controllerSocketTimeoutMs,
    autoLeaderRebalanceEnable: config.autoLeaderRebalanceEnable,
    leaderImbalancePerBrokerPercentage: config.leaderImbalancePerBrokerPercentage,
    leaderImbalanceCheckIntervalSeconds: config.leaderImbalanceCheckIntervalSeconds,
    deleteTopicEnable: config.deleteTopicEnable,
    uncleanLeaderElectionEnable: () => dynamicConfig.current.uncleanLeaderElectionEnable,
  };
}

export function groupCoordinatorConfig(config: KafkaConfig): GroupCoordinatorConfig {
  return {
    groupMinSessionTimeoutMs: config.groupMinSessionTimeoutMs,
    groupMaxSessionTimeoutMs: config.groupMaxSessionTimeoutMs,
    groupMaxSize: config.groupMaxSize,
    groupInitialRebalanceDelayMs: config.groupInitialRebalanceDelayMs,
    offsetMetadataMaxBytes: config.offsetMetadataMaxBytes,
    offsetsRetentionMs: config.offsetsRetentionMinutes * MINUTE_MS,
    offsetsRetentionCheckIntervalMs: config.offsetsRetentionCheckIntervalMs,
    offsetsLoadBufferSize: config.offsetsLoadBufferSize,
    offsetsTopicCompressionCodec: codecOf(config.offsetsTopicCompressionCodec),
  };
}
