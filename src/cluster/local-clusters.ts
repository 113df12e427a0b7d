/**
 * The further local clusters of a home, beside the one in the home itself: `<home>/clusters/<name>` is the data folder of each, a home of its
 * own (`samsa up --home` starts it too). A folder with a spec in it is a cluster; nothing else is kept of them.
 */
import { join } from 'node:path';
import type { ChildCommand, Processes } from '../runtime/processes.ts';
import { processIdOf } from './child-config.ts';
import { newClusterSpec, SpecError, writeClusterSpec } from './cluster-spec.ts';
import type { ClusterSpec } from './cluster-spec.ts';
import { ControlError } from './control-contract.ts';
import { dataFolderAt, makeDataFolder } from './data-folder.ts';
import type { ClusterRuntime } from './local-cluster.ts';
import { ManagedCluster } from './managed-cluster.ts';
import { choosePorts, describeTakenPort } from './ports.ts';
import { samsaCommand } from './process-entry.ts';

export interface NewLocalCluster {
  readonly name: string;
  readonly brokers: number;
  /** Of the first broker, the others follow; null for any free ones. */
  readonly basePort: number | null;
  readonly logDirsPerBroker: number;
  /** The embedded one's port: null for any free one. */
  readonly zookeeper: { readonly kind: 'embedded'; readonly port: number | null } | { readonly kind: 'external'; readonly connect: string };
}

export interface LocalClustersOptions {
  readonly runtime: ClusterRuntime;
  readonly processes: Processes;
  readonly home: string;
  /** Starts the supervisor of the cluster in that folder; `samsa up` when left out. */
  readonly commandFor?: (home: string) => ChildCommand;
}

/** Part of a path on every system, and of a cluster's id in the console. */
export const CLUSTER_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;
const MAX_CLUSTERS = 32;

export class LocalClusters {
  readonly #options: LocalClustersOptions;
  readonly #folder: string;
  readonly #clusters = new Map<string, ManagedCluster>();

  constructor(options: LocalClustersOptions) {
    this.#options = options;
    this.#folder = join(options.home, 'clusters');
  }

  /** Finds the clusters there are, also those that were made elsewhere, and attaches to those that run. */
  async refresh(): Promise<void> {
    const { disk } = this.#options.runtime;
    const names = disk.exists(this.#folder) ? disk.list(this.#folder).map((entry) => entry.name) : [];
    for (const name of names.toSorted()) {
      const isCluster = CLUSTER_NAME.test(name) && disk.exists(dataFolderAt(join(this.#folder, name)).spec);
      if (isCluster && !this.#clusters.has(name)) this.#clusters.set(name, this.#managed(name));
    }
    for (const [name, cluster] of this.#clusters) if (!cluster.isRunning && !disk.exists(cluster.folder.spec)) this.#clusters.delete(name);
    await Promise.all(this.all().map((cluster) => cluster.attach()));
  }

  all(): readonly ManagedCluster[] {
    return Array.from(this.#clusters.values());
  }

  /** Makes its folder and spec; nothing is started. Rejects with `SpecError`, or `ControlError` 'refused' for a name or port that is taken. */
  async create(wanted: NewLocalCluster): Promise<ManagedCluster> {
    const { runtime } = this.#options;
    const { name } = wanted;
    if (!CLUSTER_NAME.test(name))
      throw new SpecError('the name', `is ${JSON.stringify(name)}; letters, digits, - and _ are allowed, at most 40`);
    // Where file names have no case, two would be one.
    const same = this.all().find((known) => known.name.toLowerCase() === name.toLowerCase());
    if (same !== undefined) throw new ControlError('refused', `there is a cluster ${same.name} already`);
    if (this.#clusters.size >= MAX_CLUSTERS) throw new ControlError('refused', `there are ${MAX_CLUSTERS} clusters already`);
    const folder = dataFolderAt(join(this.#folder, name));
    if (runtime.disk.exists(folder.home)) throw new ControlError('refused', `${folder.home} is there already, and is no cluster's folder`);
    const spec = await this.#specFor(wanted);
    makeDataFolder(runtime.disk, folder);
    writeClusterSpec(runtime.disk, folder.spec, spec);
    const cluster = this.#managed(name);
    this.#clusters.set(name, cluster);
    return cluster;
  }

  async #specFor({ brokers, basePort, logDirsPerBroker, zookeeper }: NewLocalCluster): Promise<ClusterSpec> {
    const { runtime, processes } = this.#options;
    // Refuses numbers before ports are looked for.
    const ids = newClusterSpec({ brokers, logDirsPerBroker }).brokers.map(processIdOf);
    const wanted = new Map(ids.map((id, index) => [id, basePort === null ? 0 : basePort + index]));
    if (zookeeper.kind === 'embedded') wanted.set('zookeeper', zookeeper.port ?? 0);
    const { ports, moved } = await choosePorts(runtime, wanted, (port) => processes.portHolder(port));
    const [taken] = moved;
    if (taken !== undefined) throw new ControlError('refused', describeTakenPort(taken));
    return newClusterSpec({
      brokers,
      logDirsPerBroker,
      ports: ids.map((id) => ports.get(id) ?? 0),
      zookeeper: zookeeper.kind === 'external' ? zookeeper : { kind: 'embedded', port: ports.get('zookeeper') ?? 0 },
    });
  }

  /** Stops it and deletes its folder with everything in it. Rejects with `ControlError`. */
  async remove(name: string): Promise<void> {
    const cluster = this.#clusters.get(name);
    if (cluster === undefined) throw new ControlError('not-found', `there is no cluster ${name}`);
    await cluster.stop();
    await this.#options.runtime.disk.removeTreeAsync(cluster.folder.home);
    this.#clusters.delete(name);
    await cluster.close();
  }

  /** Ends what was started here, lets go of the others. */
  async close(): Promise<void> {
    await Promise.all(this.all().map((cluster) => cluster.close()));
  }

  #managed(name: string): ManagedCluster {
    const { runtime, processes, commandFor } = this.#options;
    const folder = dataFolderAt(join(this.#folder, name));
    const command = commandFor?.(folder.home) ?? samsaCommand(['up', '--home', folder.home]);
    return new ManagedCluster({ runtime, processes, name, folder, command });
  }
}
