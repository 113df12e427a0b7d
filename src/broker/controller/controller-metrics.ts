/** The controller's gauges, under Kafka's names (kafka.controller:type=KafkaController). They count when they are asked. */
import type { Counter, MetricsRegistry } from '../../runtime/metrics.ts';
import type { ControllerCounts } from './controller-context.ts';

const TAGS = { type: 'KafkaController' };
const STATS_TAGS = { type: 'ControllerStats' };

const GAUGES: Readonly<Record<string, keyof ControllerCounts>> = {
  OfflinePartitionsCount: 'offlinePartitions',
  PreferredReplicaImbalanceCount: 'preferredReplicaImbalance',
  GlobalTopicCount: 'globalTopics',
  GlobalPartitionCount: 'globalPartitions',
  TopicsToDeleteCount: 'topicsToDelete',
  ReplicasToDeleteCount: 'replicasToDelete',
  TopicsIneligibleToDeleteCount: 'ineligibleTopicsToDelete',
  ReplicasIneligibleToDeleteCount: 'ineligibleReplicasToDelete',
  ActiveBrokerCount: 'activeBrokers',
};

export interface ControllerFigures {
  isActive(): boolean;
  counts(): ControllerCounts;
}

export class ControllerMetrics {
  readonly uncleanLeaderElections: Counter;
  readonly #registry: MetricsRegistry;

  constructor(registry: MetricsRegistry, figures: ControllerFigures) {
    this.#registry = registry;
    this.uncleanLeaderElections = registry.counter('UncleanLeaderElectionsPerSec', STATS_TAGS);
    registry.gauge('ActiveControllerCount', () => (figures.isActive() ? 1 : 0), TAGS);
    registry.gauge('FencedBrokerCount', () => 0, TAGS);
    // One snapshot asks for all of them in one turn: the walk over the partitions is shared.
    let latest: ControllerCounts | undefined;
    const counts = (): ControllerCounts => {
      if (latest === undefined) {
        latest = figures.counts();
        queueMicrotask(() => {
          latest = undefined;
        });
      }
      return latest;
    };
    for (const [name, key] of Object.entries(GAUGES)) registry.gauge(name, () => counts()[key], TAGS);
  }

  remove(): void {
    for (const name of [...Object.keys(GAUGES), 'ActiveControllerCount', 'FencedBrokerCount']) this.#registry.remove(name, TAGS);
    this.#registry.remove('UncleanLeaderElectionsPerSec', STATS_TAGS);
  }
}
