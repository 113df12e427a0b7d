/**
 * The ZooKeeper child process. argv[2] is its configuration: JSON, or the path of a file with it (`ZooKeeperConfigInput`
 * and `logFile`, `logLevel`).
 *
 * To the parent, where there is one: `{type:'ready', port}`, or `{type:'failed', code, message}` before it exits with 1.
 * Asked `{type:'query', …}` it answers (`introspection.ts`). It ends cleanly (exit 0) on SIGTERM, SIGINT, a message `{type:'stop'}`, and when the parent is gone.
 */
import process from 'node:process';
import { nodeDisk } from '../runtime/node/node-disk.ts';
import { createNodeLogger } from '../runtime/node/node-logger.ts';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import { QueryResponder } from '../introspection/query-responder.ts';
import type { ZooKeeperConfigInput } from './config.ts';
import { nodeProcessInfo } from './node-process-info.ts';
import { zooKeeperQueryHandlers } from './introspection.ts';
import { ZooKeeperServer } from './server.ts';

interface ProcessOptions extends ZooKeeperConfigInput {
  readonly logFile?: string;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

function readOptions(argument: string | undefined): ProcessOptions {
  if (argument === undefined) throw new Error('usage: main.ts <configuration as JSON, or a file with it>');
  const text = argument.trimStart().startsWith('{') ? argument : nodeDisk.readFile(argument).toString('utf8');
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || !('dataDir' in parsed))
    throw new Error('the configuration is no object with a dataDir');
  return parsed as ProcessOptions;
}

async function main(): Promise<void> {
  const { logFile, logLevel, ...config } = readOptions(process.argv[2]);
  const logger = createNodeLogger({ destination: logFile ?? 1, level: logLevel ?? 'info' }).child({ component: 'zookeeper' });
  const server = new ZooKeeperServer({ ...config, runtime: createNodeRuntime(logger), process: nodeProcessInfo() });
  let stopping = false;
  const stop = (reason: string): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ reason }, `stopping: ${reason}`);
    server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'the stop failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('disconnect', () => stop('the parent is gone'));
  const queries = new QueryResponder(
    zooKeeperQueryHandlers({ info: () => server.describe(), described: () => server.described() }),
    (answer) => {
      if (process.connected) process.send?.(answer, undefined, undefined, () => {});
    },
  );
  process.on('message', (message) => {
    if (typeof message !== 'object' || message === null || queries.onMessage(message)) return;
    if ('type' in message && message.type === 'stop') stop('asked to');
  });
  await server.start();
  process.send?.({ type: 'ready', port: server.port });
}

main().catch((error: unknown) => {
  const { code = 'FAILED', message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) };
  process.stderr.write(`ZooKeeper can't start: ${message}\n`);
  if (process.send === undefined) process.exit(1);
  process.send({ type: 'failed', code, message }, () => process.exit(1));
});
