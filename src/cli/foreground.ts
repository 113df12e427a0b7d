/**
 * A cluster that lives as long as this command. It stops in order at Ctrl+C, SIGTERM, SIGHUP (the terminal is gone) and
 * when the parent that started us with a channel is gone; a second Ctrl+C kills it.
 */
import { openCluster } from '../cluster/start-cluster.ts';
import type { OpenClusterOptions, RunningCluster } from '../cluster/start-cluster.ts';
import type { Logger } from '../runtime/logger.ts';
import type { ClusterArguments } from './arguments.ts';
import { addressLines, processLine } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** What is running when the stop begins, and has to end before the cluster does. */
export type BeforeStop = () => Promise<void> | void;

export interface Foreground {
  readonly cluster: RunningCluster;
  /** Called, latest first, before the cluster stops. */
  beforeStop(action: BeforeStop): void;
  /** Stops in order, as Ctrl+C does. */
  stop(): void;
  /** Resolves when everything has ended. */
  readonly ended: Promise<void>;
}

/** Opens the cluster and begins to start it; each process has a line when it is ready. Rejects as `openCluster`. */
export async function openForeground(
  options: ClusterArguments,
  logger: Logger,
  terminal: Terminal,
  more: Pick<OpenClusterOptions, 'entries' | 'processOptions'> = {},
): Promise<Foreground> {
  const { home, brokers, basePort, zookeeper, logDirs, config, ephemeral } = options;
  const cluster = await openCluster({
    ephemeral,
    logger,
    ...more,
    ...(home === undefined ? {} : { home }),
    ...(brokers === undefined ? {} : { brokers }),
    ...(basePort === undefined ? {} : { basePort }),
    ...(zookeeper === undefined ? {} : { zookeeper }),
    ...(logDirs === undefined ? {} : { logDirs }),
    ...(config === undefined ? {} : { config }),
  });
  const actions: BeforeStop[] = [];
  let phase: 'up' | 'stopping' | 'killing' = 'up';
  const stop = (): void => {
    // A terminal that closes tells so in several ways: only Ctrl+C is somebody who can't wait.
    if (phase !== 'up') return;
    phase = 'stopping';
    terminal.error('stopping (Ctrl+C again to kill)');
    void stopInOrder(cluster, actions, terminal);
  };
  const interrupt = (): void => {
    if (phase === 'up') stop();
    else if (phase === 'stopping') {
      phase = 'killing';
      terminal.error('killing it');
      void cluster.stopHard();
    }
  };
  process.on('SIGINT', interrupt);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  if (process.channel !== undefined && process.channel !== null) process.on('disconnect', stop);
  cluster.onEvent((event) => {
    if (event.type !== 'process' || phase !== 'up') return;
    const { state, generation, reason } = event.process;
    // A broker that has much to recover says how far it is.
    const isProgress = state === 'starting' && event.previous === 'starting' && reason !== null;
    if (!isProgress && (state === event.previous || (state === 'starting' && generation <= 1))) return;
    terminal.out(processLine(event.process));
  });
  return { cluster, beforeStop: (action) => actions.unshift(action), stop, ended: cluster.closed };
}

/** Starts all processes and prints the addresses. Rejects, with everything stopped, when one can't be started. */
export async function startInForeground({ cluster }: Foreground, terminal: Terminal): Promise<void> {
  try {
    await cluster.start();
  } catch (error) {
    // Stopped by the user while it started: that is no failure.
    if (cluster.state === 'stopping' || cluster.state === 'stopped') return;
    await cluster.stop();
    throw error;
  }
  for (const line of addressLines(await cluster.status())) terminal.out(line);
}

async function stopInOrder(cluster: RunningCluster, actions: readonly BeforeStop[], terminal: Terminal): Promise<void> {
  for (const action of actions) {
    try {
      await action();
    } catch (error) {
      terminal.error(error instanceof Error ? error.message : String(error));
    }
  }
  await cluster.stop();
}
