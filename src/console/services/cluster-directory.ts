/** The clusters this console knows, each with its session and watcher. Its own comes first, other local ones behind it; remote ones will join them here. */
import { LOCAL_CLUSTER_ID } from '../contract/clusters.ts';
import type { ClusterControl } from './cluster-control.ts';
import { ClientRecordSource } from './client-record-source.ts';
import { ClusterSession } from './cluster-session.ts';
import type { SessionOptions, SessionRuntime } from './cluster-session.ts';
import { ClusterWatcher } from './cluster-watcher.ts';
import { refuse } from './failures.ts';
import type { RecordSource } from './record-source.ts';

export interface KnownCluster {
  readonly session: ClusterSession;
  readonly watcher: ClusterWatcher;
  readonly source: RecordSource;
}

export class ClusterDirectory {
  readonly #clusters = new Map<string, KnownCluster>();

  add(options: SessionOptions, source?: RecordSource): KnownCluster {
    const session = new ClusterSession(options);
    const known = { session, watcher: new ClusterWatcher(session), source: source ?? new ClientRecordSource(() => session.admin) };
    this.#clusters.set(options.id, known);
    return known;
  }

  all(): readonly KnownCluster[] {
    return Array.from(this.#clusters.values());
  }

  /** Throws a `notFound` failure. */
  get(id: string): KnownCluster {
    const known = this.#clusters.get(id);
    if (known === undefined) throw refuse('notFound', `There is no cluster ${id}`);
    return known;
  }

  /** Ends its session; calls on their way are refused. */
  async remove(id: string): Promise<void> {
    const known = this.#clusters.get(id);
    this.#clusters.delete(id);
    known?.watcher.close();
    await known?.session.close();
  }

  async close(): Promise<void> {
    await Promise.all(
      this.all().map(async ({ session, watcher }) => {
        watcher.close();
        await session.close();
      }),
    );
    this.#clusters.clear();
  }
}

/** The cluster on this machine. Its status is asked for once, so that the first page has addresses at once. */
export async function addLocalCluster(
  directory: ClusterDirectory,
  control: ClusterControl,
  runtime: SessionRuntime,
): Promise<KnownCluster> {
  const known = directory.add({
    id: LOCAL_CLUSTER_ID,
    name: 'Local cluster',
    environment: 'local',
    readOnly: false,
    color: 'teal',
    runtime,
    control,
  });
  // A supervisor that doesn't answer is no reason to show nothing: each call asks again.
  await control.status().catch((error: unknown) => {
    runtime.logger.warn({ error: error instanceof Error ? error.message : String(error) }, 'the supervisor did not tell its status');
  });
  return known;
}
