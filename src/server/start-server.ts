/**
 * The browser host: the console's services in this process, its page and one WebSocket on loopback. `samsa serve` starts it beside
 * its own cluster or attached to a running one.
 */
import { join } from 'node:path';
import { connectControl } from '../cluster/control-client.ts';
import type { ClusterControl } from '../cluster/control-contract.ts';
import { projectRoot } from '../cluster/process-entry.ts';
import { ConsoleBackend } from '../console/console-backend.ts';
import { readVersion } from '../console/version.ts';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import { silentLogger } from '../runtime/node/node-logger.ts';
import type { Logger } from '../runtime/logger.ts';
import { startHttpHost } from './http-host.ts';

export interface ServerOptions {
  /** 0 or missing: any free port. */
  readonly port?: number;
  /** A cluster of this process (`LocalCluster`) or a client of a running one; or give `controlSocketPath`. Neither: a console without a local cluster. */
  readonly clusterControl?: ClusterControl;
  readonly controlSocketPath?: string;
  /** The built renderer; default `out/renderer`. */
  readonly assetsDir?: string;
  readonly logger?: Logger;
}

export interface RunningServer {
  /** With a one-time token: to be opened once. */
  readonly url: string;
  readonly port: number;
  /** Without a token, for a browser that has been here. */
  readonly origin: string;
  /** Another URL with a token of its own. */
  issueUrl(): string;
  /** Ends the pages' connections and frees the port; the cluster is left alone. */
  close(): Promise<void>;
}

/** Rejects with Node's error for a port that is taken, with an Error when there is no built renderer, with ControlError when the socket doesn't answer. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const runtime = createNodeRuntime(options.logger ?? silentLogger);
  const client =
    options.controlSocketPath === undefined ? undefined : await connectControl({ runtime, socketPath: options.controlSocketPath });
  const control = options.clusterControl ?? client;
  const backend = new ConsoleBackend({
    runtime,
    version: readVersion(),
    host: 'browser',
    ...(control === undefined ? {} : { control }),
    closeControl: () => client?.close(),
  });
  try {
    const host = await startHttpHost({
      ...(options.port === undefined ? {} : { port: options.port }),
      assetsDir: options.assetsDir ?? join(projectRoot(), 'out', 'renderer'),
      onChannel: (channel) => backend.accept(channel),
    });
    await backend.start();
    return {
      url: host.issueUrl(),
      port: host.port,
      origin: host.origin,
      issueUrl: () => host.issueUrl(),
      async close() {
        await host.close();
        await backend.close();
      },
    };
  } catch (error) {
    await backend.close();
    throw error;
  }
}
