/**
 * The local clusters as a set: the console's own, which the process that holds its data folder supervises, and those made beside it, each
 * with a supervisor of its own. They are made, started, stopped and deleted here; what is in them, the other services do.
 */
import type { LocalClusters, NewLocalCluster } from '../../cluster/local-clusters.ts';
import type { ManagedCluster } from '../../cluster/managed-cluster.ts';
import type { ClusterChange } from '../../cluster/cluster-change.ts';
import type { Reshaped } from '../../cluster/control-contract.ts';
import { checkZooKeeper } from '../../cluster/zookeeper-check.ts';
import type { ClusterMakeUp, ZooKeeperCheckStep } from '../contract/clusters.ts';
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
/** How many topics a refusal names. */
const MAX_NAMED = 8;

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

  async makeUp(id: string): Promise<ClusterMakeUp> {
    const { brokers, logDirsPerBroker, zookeeper, config } = await this.#controlOf(id).readSpec();
    return {
      name: this.#session(id).name,
      brokers: brokers.map((broker) => ({ id: broker.id, port: broker.port })),
      logDirsPerBroker: logDirsPerBroker ?? 1,
      zookeeper,
      config,
    };
  }

  async change(id: string, change: ClusterChange, restart: boolean): Promise<Reshaped> {
    const control = this.#controlOf(id);
    const session = this.#session(id);
    const wanted = change.name?.toLowerCase();
    const namesake = this.#options.directory
      .all()
      .find((known) => known.session !== session && known.session.name.toLowerCase() === wanted);
    if (namesake !== undefined) throw refuse('refused', `There is a cluster ${namesake.session.name} already`);
    await this.#refuseIfAssigned(session, change);
    const { awaitRestart } = await control.reshape(change);
    this.#changed(id);
    if (!restart) return { awaitRestart };
    // One after another, so that the others lead meanwhile.
    for (const processId of awaitRestart) await control.act(processId, 'restart');
    return { awaitRestart: [] };
  }

  /** A replica that is only on its way to a broker is not on its disk yet, but its metadata names it. */
  async #refuseIfAssigned(session: ClusterSession, { brokers }: ClusterChange): Promise<void> {
    if (brokers === undefined) return;
    const stays = new Set(brokers.map(({ id }) => id));
    const before = (await session.control?.readSpec())?.brokers ?? [];
    const removed = before.filter(({ id }) => !stays.has(id));
    if (removed.length === 0) return;
    // A stopped cluster tells nothing; what lies on the disks is looked at in any case.
    const view = await session.view.get(VIEW_MAX_AGE_MS).catch(() => undefined);
    for (const { id } of removed) {
      const topics = Array.from(view?.value.topics ?? []).flatMap(([name, { partitions }]) =>
        partitions.some(({ replicas }) => replicas.includes(id)) ? [name] : [],
      );
      if (topics.length === 0) continue;
      const more = topics.length > MAX_NAMED ? ` and ${topics.length - MAX_NAMED} more topics` : '';
      throw refuse(
        'refused',
        `broker ${id} can't be removed: it has replicas of ${topics.slice(0, MAX_NAMED).join(', ')}${more}. Move them to other brokers first (Partitions, Reassign), or delete the topics`,
      );
    }
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
      throw toControlFailure(error) ?? error;
    }
  }
}
