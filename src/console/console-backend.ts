/**
 * The console's services as one thing: clusters, router, and a context per connected page. Both hosts make one: the server in its own
 * process, Electron in the utility process (`main.ts`).
 */
import type { ClusterControl as SupervisorControl } from '../cluster/control-contract.ts';
import type { SessionRuntime } from './services/cluster-session.ts';
import { ClusterDirectory, addLocalCluster } from './services/cluster-directory.ts';
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
  readonly #serve: (channel: Channel, context: ConnectionContext, onClose: () => void) => void;
  readonly #connections = new Set<{ readonly channel: Channel; readonly readers: ReaderRegistry }>();

  constructor(options: ConsoleBackendOptions) {
    const { runtime, version } = options;
    this.#options = options;
    const logger = runtime.logger.child({ component: 'console' });
    const router = createRouter({ directory: this.#directory, logger, version, wallMs: () => runtime.clock.wallMs() });
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
    await this.#directory.close();
  }
}
