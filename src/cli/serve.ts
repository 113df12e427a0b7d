/**
 * `samsa serve`: the console in a browser, on the cluster of this data folder. Where one runs already, it is attached to and
 * left running at the end; else it is started with the console and stopped with it. The console is up before the cluster is.
 */
import { join } from 'node:path';
import { projectRoot } from '../cluster/process-entry.ts';
import { attachToCluster, ClusterHeldError } from '../cluster/start-cluster.ts';
import type { Logger } from '../runtime/logger.ts';
import { startServer } from '../server/start-server.ts';
import type { Command } from './arguments.ts';
import { openForeground, startInForeground } from './foreground.ts';
import type { Foreground } from './foreground.ts';
import { openBrowser } from './open-browser.ts';
import type { Terminal } from './terminal.ts';

type ServeCommand = Extract<Command, { readonly name: 'serve' }>;

export async function serve(command: ServeCommand, logger: Logger, terminal: Terminal): Promise<number> {
  let foreground: Foreground;
  try {
    foreground = await openForeground(command.cluster, logger, terminal);
  } catch (error) {
    if (error instanceof ClusterHeldError && error.answers) return serveAttached(command, error, terminal);
    throw error;
  }
  const { cluster } = foreground;
  try {
    const server = await startServer({ ...hostOptions(command), clusterControl: cluster });
    foreground.beforeStop(() => server.close());
    show(server.url, command, terminal);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  await startInForeground(foreground, terminal);
  await foreground.ended;
  return 0;
}

/** The cluster belongs to another process: this one ends when it is told to, or when that one does. */
async function serveAttached(command: ServeCommand, held: ClusterHeldError, terminal: Terminal): Promise<number> {
  const control = await attachToCluster({ home: held.home });
  if (control === undefined) throw held;
  terminal.error(`${held.message}; the console attaches to it`);
  const server = await startServer({ ...hostOptions(command), clusterControl: control });
  show(server.url, command, terminal);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
    if (process.channel !== undefined && process.channel !== null) process.on('disconnect', () => resolve());
    control.onClose(() => {
      terminal.error('the cluster has ended');
      resolve();
    });
  });
  await server.close();
  control.close();
  return 0;
}

function hostOptions({ webPort }: ServeCommand): { readonly assetsDir: string; readonly port?: number } {
  return { assetsDir: join(projectRoot(), 'out', 'renderer'), ...(webPort === undefined ? {} : { port: webPort }) };
}

function show(url: string, { open }: ServeCommand, terminal: Terminal): void {
  terminal.out(`Console    ${url}`);
  if (open) openBrowser(url);
}
