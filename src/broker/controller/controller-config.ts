/** The controller's part of the broker's configuration. */
import type { KafkaConfig } from '../config/kafka-config.ts';
import type { ControllerConfig } from './controller-parts.ts';

/** `current` gives what holds now: some of it changes while the broker runs. */
export function controllerConfigOf(brokerId: number, current: () => KafkaConfig): ControllerConfig {
  const config = current();
  return {
    brokerId,
    interBrokerListenerName: config.interBrokerListenerName,
    controllerSocketTimeoutMs: config.controllerSocketTimeoutMs,
    autoLeaderRebalanceEnable: config.autoLeaderRebalanceEnable,
    leaderImbalancePerBrokerPercentage: config.leaderImbalancePerBrokerPercentage,
    leaderImbalanceCheckIntervalSeconds: config.leaderImbalanceCheckIntervalSeconds,
    deleteTopicEnable: config.deleteTopicEnable,
    uncleanLeaderElectionEnable: () => current().uncleanLeaderElectionEnable,
  };
}
