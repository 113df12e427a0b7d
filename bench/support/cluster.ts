/** A cluster from the build in a temporary folder, for the time of one piece of work. */
import { startCluster } from '../../src/cluster/start-cluster.ts';
import type { RunningCluster, StartClusterOptions } from '../../src/cluster/start-cluster.ts';
import { builtEntries } from './build.ts';

/** A Kafka cluster under measurement, whoever made it. */
export interface MeasuredCluster {
  readonly name: string;
  readonly brokers: number;
  readonly ports: readonly number[];
  /** The brokers' processes. */
  readonly pids: readonly number[];
  /** Ends a broker in order; ids are 1, 2, … in the order of `ports`. */
  stopBroker(brokerId: number): Promise<void>;
  /** Starts it again on its folder; resolves when it is a member of the cluster. */
  startBroker(brokerId: number): Promise<void>;
}

export type ClusterOptions = Pick<StartClusterOptions, 'brokers' | 'config' | 'home'>;

/** Starts a cluster on free ports, and stops it and removes its data whatever comes of `use`. */
export async function withCluster<T>(
  options: ClusterOptions,
  use: (cluster: RunningCluster, measured: MeasuredCluster) => Promise<T>,
): Promise<T> {
  const cluster = await startCluster({ ...options, ephemeral: options.home === undefined, basePort: 0, entries: builtEntries });
  try {
    const ports = cluster.spec.brokers.map(({ port }) => port);
    const pids = cluster.spec.brokers.map(({ id }) => cluster.broker(id).pid ?? 0);
    const stopBroker = async (id: number): Promise<void> => void (await cluster.broker(id).stop());
    const startBroker = async (id: number): Promise<void> => void (await cluster.broker(id).start());
    return await use(cluster, { name: 'Samsa', brokers: ports.length, ports, pids, stopBroker, startBroker });
  } finally {
    await cluster.stop();
  }
}
