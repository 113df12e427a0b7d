/** A socket server on a free port of the loopback, with the routes a test gives. */
import { MetricsRegistry } from '../../../runtime/metrics.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { silentLogger } from '../../../runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../../runtime/node/node-runtime.ts';
import { KafkaApis, type Route } from '../../api/kafka-apis.ts';
import { parseKafkaConfig } from '../../config/kafka-config.ts';
import { SocketServer } from '../socket-server.ts';

export interface TestServer {
  readonly server: SocketServer;
  readonly metrics: MetricsRegistry;
  readonly port: number;
  /** What was logged at warn and above. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}

export async function startTestServer(
  routes: readonly Route[],
  properties: Record<string, string> = {},
  serve = true,
): Promise<TestServer> {
  const config = parseKafkaConfig({ 'zookeeper.connect': 'unused', 'broker.id': '1', listeners: 'PLAINTEXT://127.0.0.1:0', ...properties });
  const warnings: string[] = [];
  const logger = capturingLogger(warnings);
  const metrics = new MetricsRegistry();
  const server = new SocketServer({ config, runtime: { ...createNodeRuntime(logger), metrics } });
  await server.startup();
  if (serve) server.enableRequestProcessing(new KafkaApis({ routes, logger }));
  return { server, metrics, port: server.boundPort('PLAINTEXT'), warnings, close: () => server.shutdown() };
}

function capturingLogger(warnings: string[]): Logger {
  const capture = (first: object | string, message?: string): void => {
    warnings.push(message ?? (typeof first === 'string' ? first : 'no message'));
  };
  const logger: Logger = { ...silentLogger, warn: capture, error: capture, child: () => logger };
  return logger;
}

/** Resolves when `condition` holds, looked at after each turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
