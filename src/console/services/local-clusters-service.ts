/**
 * The local clusters as a set: the console's own, which the process that holds its data folder supervises, and those made beside it, each
 * with a supervisor of its own. They are made, started, stopped and deleted here; what is in them, the other services do.
 */
import type { LocalClusters, NewLocalCluster } from '../../cluster/local-clusters.ts';
import type { ManagedCluster } from '../../cluster/managed-cluster.ts';
import { ControlError } from '../../cluster/control-contract.ts';
import { SpecError } from '../../cluster/cluster-spec.ts';
import { NoFreePortError } from '../../cluster/ports.ts';
import { checkZooKeeper } from '../../cluster/zookeeper-check.ts';
import type { ZooKeeperCheckStep } from '../contract/clusters.ts';
import type { ClusterControl } from './cluster-control.ts';
import type { ClusterDirectory } from './cluster-directory.ts';
import type { ClusterSession, SessionRuntime } from './cluster-session.ts';
import { refuse } from './failures.ts';
import { SupervisorConsoleControl, toControlFailure } from './supervisor-control.ts';

export interface LocalClustersServiceOptions {
  readonly directory: ClusterDirectory;
  readonly runtime: SessionRuntime;
  /** Undefined where none can be made beside the console's own; `reason` says why. */
  readonly clusters: () => LocalClusters | undefined;
  readonly reason: () => string;
}

/** The first is the own cluster's. */
const COLOURS = ['blue', 'amber', 'violet', 'green', 'pink', 'orange', 'red', 'gray'] as const;
/** How often others' doings are looked at: clusters that were made or started by another console, or by the command. */
const REFRESH_MS = 3_000;
const VIEW_MAX_AGE_MS = 5_000;

export class LocalClustersService {
  readonly #options: LocalClustersServiceOptions;
  readonly #byId = new Map<string, ManagedCluster>();
  #refreshedMs = -Infinity;

  constructor(options: LocalClustersServiceOptions) {
    this.#options = options;
  }

  /** Every cluster there is has its session after this. Clusters that nobody looks at have a fresh state. */
  async refresh(): Promise<void> {
    const { directory, runtime, clusters } = this.#options;
    const nowMs = runtime.clock.monotonicMs();
    if (nowMs - this.#refreshedMs < REFRESH_MS) return;
    this.#refreshedMs = nowMs;
    await clusters()?.refresh();
    const known = clusters()?.all() ?? [];
    for (const cluster of known) await this.#know(cluster);
    for (const [id, cluster] of this.#byId) if (!known.includes(cluster)) await this.#forget(id);
    for (const { session } of directory.all())
      if (session.hub.subscriberCount === 0) void session.view.get(VIEW_MAX_AGE_MS).catch(() => undefined);
  }

  async create(wanted: NewLocalCluster): Promise<{ readonly id: string }> {
    const clusters = this.#clusters();
    const cluster = await this.#run(() => clusters.create(wanted));
    const id = await this.#know(cluster);
    // Its pages show how it comes up, and why it doesn't.
    void cluster
      .start()
      .catch(() => undefined)
      .finally(() => this.#changed(id));
    this.#changed(id);
    return { id };
  }

  async start(id: string): Promise<null> {
    const cluster = this.#byId.get(id);
    if (cluster !== undefined) await this.#run(() => cluster.start());
    else {
      const control = this.#controlOf(id);
      const { processes } = await control.status();
      const down = processes.filter(({ state }) => state === 'stopped' || state === 'failed');
      await Promise.all(down.map((process) => control.act(process.id, 'start')));
    }
    this.#changed(id);
    return null;
  }

  async stop(id: string): Promise<null> {
    const cluster = this.#byId.get(id);
    if (cluster !== undefined) await this.#run(() => cluster.stop());
    else {
      const control = this.#controlOf(id);
      const { processes } = await control.status();
      // Brokers first: they need ZooKeeper to leave their cluster properly.
      for (const role of ['broker', 'zookeeper'] as const) {
        const up = processes.filter((process) => process.role === role && process.state !== 'stopped' && process.state !== 'failed');
        await Promise.all(up.map((process) => control.act(process.id, 'stop')));
      }
    }
    this.#changed(id);
    return null;
  }

  async remove(id: string): Promise<null> {
    const cluster = this.#byId.get(id);
    if (cluster === undefined) {
      this.#controlOf(id);
      throw refuse('refused', 'The console’s own cluster can not be deleted while the console runs in its data folder');
    }
    const clusters = this.#clusters();
    await this.#run(() => clusters.remove(cluster.name));
    await this.#forget(id);
    this.#changed(id);
    return null;
  }

  async #forget(id: string): Promise<void> {
    this.#byId.delete(id);
    await this.#options.directory.remove(id);
  }

  checkZooKeeper(connect: string): Promise<readonly ZooKeeperCheckStep[]> {
    return checkZooKeeper(this.#options.runtime, connect);
  }

  /** The id of the cluster in the console; makes its session if there is none. */
  async #know(cluster: ManagedCluster): Promise<string> {
    const id = `local-${cluster.name}`;
    if (this.#byId.get(id) === cluster) return id;
    this.#byId.set(id, cluster);
    const { directory, runtime } = this.#options;
    const color = COLOURS[(this.#byId.size - 1) % COLOURS.length] ?? 'gray';
    const control = new SupervisorConsoleControl({ control: cluster });
    directory.add({ id, name: cluster.name, environment: 'local', readOnly: false, color, runtime, control });
    await control.status().catch(() => undefined);
    return id;
  }

  #clusters(): LocalClusters {
    const clusters = this.#options.clusters();
    if (clusters === undefined) throw refuse('refused', this.#options.reason());
    return clusters;
  }

  #controlOf(id: string): ClusterControl {
    const { control } = this.#session(id);
    if (control === undefined) throw refuse('refused', 'Only local clusters can be started, stopped and deleted');
    return control;
  }

  #session(id: string): ClusterSession {
    return this.#options.directory.get(id).session;
  }

  /** The list of clusters is on every page, whichever cluster that shows. */
  #changed(id: string): void {
    this.#refreshedMs = -Infinity;
    for (const { session, watcher } of this.#options.directory.all()) {
      session.changed([{ kind: 'cluster', ids: null }, ...(session.id === id ? [{ kind: 'processes' as const, ids: null }] : [])]);
      if (session.id === id) watcher.lookNow();
    }
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof SpecError) throw refuse('invalid', error.message);
      if (error instanceof NoFreePortError) throw refuse('refused', error.message);
      throw error instanceof ControlError ? toControlFailure(error) : error;
    }
  }
}
