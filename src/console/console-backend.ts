/**
 * The console's services as one thing: clusters, router, and a context per connected page. Both hosts make one: the server in its own
 * process, Electron in the utility process (`main.ts`).
 */
import type { ClusterControl as SupervisorControl } from '../cluster/control-contract.ts';
import { LocalClusters } from '../cluster/local-clusters.ts';
import { nodeProcesses } from '../runtime/node/node-processes.ts';
import type { SessionRuntime } from './services/cluster-session.ts';
import { ClusterDirectory, addLocalCluster } from './services/cluster-directory.ts';
import { LocalClustersService } from './services/local-clusters-service.ts';
import { PayloadCache } from './services/messages-service.ts';
import { ReaderRegistry } from './services/readers.ts';
import { createRouter } from './services/router.ts';
import type { ConnectionContext } from './services/router.ts';
import { SupervisorConsoleControl } from './services/supervisor-control.ts';
import type { Channel } from './transport/channel.ts';
import { createConsoleHandler } from './transport/serve.ts';

export interface ConsoleBackendOptions {
  readonly runtime: SessionRuntime;
  readonly version: string;
  readonly host: ConnectionContext['host'];
  /** The local cluster's supervisor: in this process, or a client of its control socket. */
  readonly control?: SupervisorControl;
  /** Called at the end: closes the control socket's client, where there is one. */
  readonly closeControl?: () => Promise<void> | void;
}

export class ConsoleBackend {
  readonly #options: ConsoleBackendOptions;
  readonly #directory = new ClusterDirectory();
  /** Those beside the console's own. */
  #localClusters: LocalClusters | undefined;
  #whyNoClusters = 'Local clusters can only be made where the console has a data folder of its own';
  readonly #serve: (channel: Channel, context: ConnectionContext, onClose: () => void) => void;
  readonly #connections = new Set<{ readonly channel: Channel; readonly readers: ReaderRegistry }>();

  constructor(options: ConsoleBackendOptions) {
    const { runtime, version } = options;
    this.#options = options;
    const logger = runtime.logger.child({ component: 'console' });
    const local = new LocalClustersService({
      directory: this.#directory,
      runtime,
      clusters: () => this.#localClusters,
      reason: () => this.#whyNoClusters,
    });
    const router = createRouter({ directory: this.#directory, local, logger, version, wallMs: () => runtime.clock.wallMs() });
    const handler = createConsoleHandler<ConnectionContext>(router);
    this.#serve = (channel, context, onClose) =>
      handler(channel, {
        context,
        onClose,
        onError: (reason, error) => logger.warn({ reason, ...(error === undefined ? {} : { err: error }) }, 'a page was disconnected'),
      });
  }

  /** Adds the local cluster and asks its supervisor how it is. */
  async start(): Promise<void> {
    const { control, closeControl, runtime } = this.#options;
    if (control === undefined) return;
    const adapter = new SupervisorConsoleControl({ control, ...(closeControl === undefined ? {} : { close: closeControl }) });
    await addLocalCluster(this.#directory, adapter, runtime);
    await this.#openLocalClusters(adapter);
  }

  async #openLocalClusters({ lastStatus }: SupervisorConsoleControl): Promise<void> {
    const { runtime } = this.#options;
    if (lastStatus?.dataFolder == null) this.#whyNoClusters = 'The supervisor of this console’s cluster does not tell its data folder';
    else if (lastStatus.ephemeral)
      this.#whyNoClusters = 'The data folder of an ephemeral cluster is removed at its end: none can be made beside it';
    else {
      const clusters = new LocalClusters({ runtime, processes: nodeProcesses, home: lastStatus.dataFolder });
      await clusters.refresh();
      this.#localClusters = clusters;
    }
  }

  get directory(): ClusterDirectory {
    return this.#directory;
  }

  /** Serves one page until its channel closes. */
  accept(channel: Channel): void {
    const { clock, scheduler } = this.#options.runtime;
    const readers = new ReaderRegistry(clock, scheduler);
    const payloads = new PayloadCache();
    const connection = { channel, readers };
    this.#connections.add(connection);
    this.#serve(channel, { host: this.#options.host, readers, payloads }, () => {
      this.#connections.delete(connection);
      readers.closeAll();
      payloads.clear();
    });
  }

  async close(): Promise<void> {
    for (const { channel } of this.#connections) channel.close();
    await this.#localClusters?.close();
    await this.#directory.close();
  }
}
