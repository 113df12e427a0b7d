/**
 * The entry of a broker's process. Its configuration is a JSON file named in argv[2]: Kafka's properties and where its own files go.
 * It tells its parent over the IPC channel how far it is (`progress`), when it serves (`ready`), why it can't (`failed`) and what
 * happens (`event`), answers questions about its inside (`query`, `answer`), stops in order on `stop`, SIGTERM and SIGINT, and when
 * the channel closes: a child does not outlive its supervisor.
 */
import { tmpdir } from 'node:os';
import { nodeDisk } from '../runtime/node/node-disk.ts';
import { createNodeLogger } from '../runtime/node/node-logger.ts';
import { NetworkFaults } from '../runtime/node/network-faults.ts';
import type { NetworkFault } from '../runtime/node/network-faults.ts';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import { QueryResponder } from '../introspection/query-responder.ts';
import { BrokerServer } from './broker-server.ts';
import { parseKafkaConfig } from './config/kafka-config.ts';
import type { ProcessUsage } from './introspection/describe-broker.ts';
import { noteUnsynced } from './introspection/note-unsynced.ts';
import { brokerQueryHandlers } from './introspection/broker-queries.ts';
import { LoadProgressReporter } from './load-progress.ts';
import { TimelineReporter } from './timeline-reporter.ts';

interface BrokerProcessConfig {
  readonly properties: Readonly<Record<string, string>>;
  readonly sessionFile?: string;
  readonly logFile?: string;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error';
  readonly zooKeeperClient?: 'library' | 'own';
  /** Says whether the properties are in order, and ends. */
  readonly checkOnly?: boolean;
}

/** A shutdown that hangs is cut off. */
const SHUTDOWN_LIMIT_MS = 20_000;

function tellParent(message: object): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

function processUsage(): ProcessUsage {
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    uptimeMs: Math.round(process.uptime() * 1_000),
    memory: { rssBytes: rss, heapUsedBytes: heapUsed, externalBytes: external },
  };
}

async function main(): Promise<void> {
  // Before the first socket: it holds only those that it saw being opened.
  const network = new NetworkFaults();
  const path = process.argv[2];
  if (path === undefined) throw new Error('the path of the broker’s JSON configuration is missing');
  // Written by the supervisor beside it, for this version.
  const processConfig = JSON.parse(nodeDisk.readFile(path).toString('utf8')) as BrokerProcessConfig;
  const config = parseKafkaConfig(processConfig.properties);
  if (processConfig.checkOnly === true) {
    tellParent({ type: 'ready', port: 0 });
    process.disconnect?.();
    return;
  }
  process.title = `samsa broker ${config.brokerId}`;
  const logger = createNodeLogger({ destination: processConfig.logFile ?? 1, level: processConfig.logLevel ?? 'info' }).child({
    brokerId: config.brokerId,
  });
  const runtime = createNodeRuntime(logger);
  const timeline = new TimelineReporter({ scheduler: runtime.scheduler, send: (event) => tellParent({ type: 'event', event }) });
  const progress = new LoadProgressReporter(runtime.clock, (text) => tellParent({ type: 'progress', text }));
  const server = new BrokerServer({
    config,
    runtime,
    pid: process.pid,
    socketDirectory: tmpdir(),
    sessionFile: processConfig.sessionFile,
    zooKeeperImplementation: processConfig.zooKeeperClient ?? 'library',
    onEvent: (event) => timeline.report(event),
    onLoadProgress: (state) => progress.report(state),
    onFatal: (reason) => runtime.halt.halt(1, reason),
  });

  let stopping = false;
  const stop = (reason: string, handOver = true): void => {
    if (stopping) return;
    stopping = true;
    logger.info(`Shutting down: ${reason}`);
    setTimeout(() => runtime.halt.halt(1, `Shutting down took longer than ${SHUTDOWN_LIMIT_MS} ms`), SHUTDOWN_LIMIT_MS).unref();
    void starting.then(() => server.shutdown({ handOver })).then(() => process.exit(0));
  };
  /** No turn of the event loop between the look and the end: what is not noted as synced was never said to be. */
  const losePower = (noteFile: string): void => {
    if (server.parts === undefined) return;
    nodeDisk.writeFile(noteFile, JSON.stringify(noteUnsynced(server.parts)));
    process.kill(process.pid, 'SIGKILL');
  };
  const queries = new QueryResponder(brokerQueryHandlers({ parts: () => server.parts, usage: processUsage }), tellParent);
  const setFault = ({ blockedPorts, blockAccepted }: NetworkFault): void => {
    network.set({ blockedPorts, blockAccepted });
    logger.warn({ blockedPorts, blockAccepted }, 'The network was cut off, or mended, by the user');
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  // Its other children end in this moment too, the controller and ZooKeeper among them.
  process.on('disconnect', () => stop('the supervisor is gone', false));
  process.on('message', (message) => {
    if (typeof message !== 'object' || message === null || !('type' in message)) return;
    if (queries.onMessage(message)) return;
    if (message.type === 'power-loss' && 'file' in message && typeof message.file === 'string') losePower(message.file);
    if (message.type === 'stop') stop('the supervisor says so');
    // From the supervisor of the same version, which made it.
    if (message.type === 'network') setFault(message as unknown as NetworkFault);
  });
  process.on('uncaughtException', (error) => runtime.halt.halt(1, 'An invariant is broken', error));
  process.on('unhandledRejection', (error) => runtime.halt.halt(1, 'An invariant is broken', error));

  const starting = server.startup().then(
    () => tellParent({ type: 'ready', port: server.port }),
    (error: unknown) => {
      logger.fatal({ err: error }, 'The broker could not start');
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'START_FAILED';
      tellParent({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) });
      process.exitCode = 1;
      process.disconnect?.();
      setImmediate(() => process.exit(1));
    },
  );
  await starting;
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  tellParent({ type: 'failed', code: 'BAD_CONFIGURATION', message });
  process.stderr.write(`samsa broker: ${message}\n`);
  process.exitCode = 1;
  process.disconnect?.();
});
