/**
 * The cluster behind the window: started by this process and ended with it, or one that runs already (`samsa up` in a terminal, another
 * app), which is attached to and left alone at the end.
 */
import { ClusterHeldError, attachToCluster, openCluster } from '../cluster/start-cluster.ts';
import { dataFolderAt, defaultHome } from '../cluster/data-folder.ts';
import type { ClusterControl, ClusterEvent } from '../cluster/control-contract.ts';
import type { Logger } from '../runtime/logger.ts';

export interface ClusterHost {
  readonly controlSocketPath: string;
  /** Folder of the processes' logs. */
  readonly logsFolder: string;
  /** True when the cluster is ours to stop. */
  readonly isOwn: boolean;
  /** Begins starting the processes; what goes wrong is told by events and shown by the console. */
  start(): void;
  onEvent(listener: (event: ClusterEvent) => void): () => void;
  /** Stops our own cluster, brokers first; lets go of another's. */
  stop(): Promise<void>;
  /** SIGKILL to what is ours. */
  stopHard(): Promise<void>;
}

/** Rejects with ClusterHeldError (a holder that doesn't answer), SpecError or NoFreePortError: each message is for the user. */
export async function openClusterHost(logger: Logger): Promise<ClusterHost> {
  const folder = dataFolderAt(defaultHome());
  try {
    const cluster = await openCluster({ logger });
    return {
      controlSocketPath: folder.socket,
      logsFolder: folder.logs,
      isOwn: true,
      start: () =>
        void cluster.start().catch((error: unknown) => logger.error({ err: error }, 'a process of the cluster could not be started')),
      onEvent: (listener) => cluster.onEvent(listener),
      stop: () => cluster.stop(),
      stopHard: () => cluster.stopHard(),
    };
  } catch (error) {
    if (!(error instanceof ClusterHeldError && error.answers)) throw error;
    const control = await attachToCluster({ logger });
    if (control === undefined) throw error;
    const attached: ClusterControl = control;
    const close = (): Promise<void> => {
      control.close();
      return Promise.resolve();
    };
    return {
      controlSocketPath: folder.socket,
      logsFolder: folder.logs,
      isOwn: false,
      start: () => undefined,
      onEvent: (listener) => attached.onEvent(listener),
      stop: close,
      stopHard: close,
    };
  }
}
