/**
 * The `samsa` command. Exit codes: 0 done, 1 failed (or, for `status`, nothing runs), 2 the command line makes no sense.
 * Output for people on standard output, trouble on standard error; logs go to files in the data folder.
 */
import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { compileCacheFolder, dataFolderAt, defaultHome } from '../cluster/data-folder.ts';
import { projectRoot } from '../cluster/process-entry.ts';
import { attachToCluster, ClusterHeldError } from '../cluster/start-cluster.ts';
import type { ControlClient } from '../cluster/control-client.ts';
import type { ZooKeeperServers } from '../cluster/zookeeper-servers.ts';
import { createNodeLogger, silentLogger } from '../runtime/node/node-logger.ts';
import type { Logger } from '../runtime/logger.ts';
import { HELP, parseCommand } from './arguments.ts';
import type { ClusterArguments, Command } from './arguments.ts';
import { openForeground, startInForeground } from './foreground.ts';
import { addressLines, processLine, statusLines, terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

const FAILED = 1;
const MISUSED = 2;

async function run(command: Command): Promise<number> {
  switch (command.name) {
    case 'help':
      terminal.out(HELP.trimEnd());
      return 0;
    case 'version':
      terminal.out(versionOf());
      return 0;
    case 'up':
      return up(command.cluster);
    case 'serve':
      // The console's code is of no use to the other commands.
      return (await import('./serve.ts')).serve(command, loggerFor(command.cluster), terminal);
    case 'dump-log':
      return (await import('./dump-log/command.ts')).dumpLogCommand(command.args, terminal);
    case 'graduate':
      return (await import('./graduate.ts')).graduate(command, terminal);
    case 'status':
      return status(command.home, command.json);
    default:
      return down(command.home);
  }
}

async function up(options: ClusterArguments): Promise<number> {
  try {
    const foreground = await openForeground(options, loggerFor(options), terminal);
    await startInForeground(foreground, terminal);
    await foreground.ended;
    return 0;
  } catch (error) {
    if (!(error instanceof ClusterHeldError) || !error.answers) throw error;
    const control = await attach(options.home);
    if (control === undefined) throw error;
    terminal.error(error.message);
    const running = await control.status();
    control.close();
    for (const line of [...running.processes.map(processLine), ...addressLines(running)]) terminal.out(line);
    return 0;
  }
}

async function status(home: string | undefined, json: boolean): Promise<number> {
  const control = await attach(home);
  if (control === undefined) {
    if (json) terminal.out(JSON.stringify({ state: 'stopped', home: homeOf(home) }));
    else terminal.out(`No cluster runs in ${homeOf(home)}`);
    return FAILED;
  }
  const [running, zookeeper] = await Promise.all([control.status(), zooKeeperOf(control)]);
  control.close();
  if (json) terminal.out(JSON.stringify({ ...running, zookeeper }, undefined, 2));
  else for (const line of statusLines(running, zookeeper)) terminal.out(line);
  return 0;
}

/** What ZooKeeper's servers say of themselves. Not to know it is no reason to say nothing of the cluster. */
async function zooKeeperOf(control: ControlClient): Promise<ZooKeeperServers | { readonly problem: string }> {
  try {
    return JSON.parse(await control.query('supervisor', 'supervisor.zookeeper', {})) as ZooKeeperServers;
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

async function down(home: string | undefined): Promise<number> {
  const control = await attach(home);
  if (control === undefined) {
    terminal.out(`No cluster runs in ${homeOf(home)}`);
    return 0;
  }
  await control.stop();
  control.close();
  terminal.out('Stopped');
  return 0;
}

function attach(home: string | undefined): Promise<ControlClient | undefined> {
  return attachToCluster({ logger: silentLogger, ...(home === undefined ? {} : { home }) });
}

function homeOf(home: string | undefined): string {
  return dataFolderAt(home ?? defaultHome()).home;
}

/** The supervisor's own log; an ephemeral cluster's goes with its folder, so there is none. */
function loggerFor({ home, ephemeral }: ClusterArguments): Logger {
  if (ephemeral) return silentLogger;
  return createNodeLogger({ destination: dataFolderAt(home ?? defaultHome()).log('supervisor') }).child({ component: 'supervisor' });
}

function versionOf(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
}

async function main(): Promise<void> {
  // For what is loaded from here on; the launcher has done it for the rest.
  enableCompileCache(compileCacheFolder());
  try {
    process.exitCode = await run(parseCommand(process.argv.slice(2)));
  } catch (error) {
    terminal.error(`samsa: ${error instanceof Error ? error.message : String(error)}`);
    if (error instanceof UsageError) terminal.error(`Try '${error.help}'.`);
    process.exitCode = error instanceof UsageError ? MISUSED : FAILED;
  }
  // Timers of a client that was cut off must not keep the command.
  process.exit();
}

await main();
