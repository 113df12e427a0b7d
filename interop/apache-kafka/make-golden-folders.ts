/**
 * Makes the folders of Kafka 3.9 that `src/broker/log/kafka-folders.test.ts` opens: `node interop/apache-kafka/make-golden-folders.ts` where
 * Apache Kafka can be had. Each is a whole log dir, stopped in order or killed, packed with what Kafka itself said of it.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Admin } from '../../src/client/admin/admin.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { whyNoApacheKafka } from '../support/apache-kafka/jars.ts';
import { endOnSignals } from '../support/apache-kafka/java.ts';
import { ApacheBroker, runKafkaTool, startApacheZooKeeper } from '../support/apache-kafka/servers.ts';
import { freePorts } from '../support/free-ports.ts';
import { CONTENT_BROKER_PROPERTIES, CONTENT_TOPICS, readContent, untilContentIsAtRest, writeContent } from './kafka-content.ts';
import type { PartitionContent } from './kafka-content.ts';

const FIXTURES = join(import.meta.dirname, '../../src/broker/log/fixtures');

interface Producer {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
  readonly lastSequence: number;
  readonly lastTimestamp: number;
  /** -1 when no transaction is open. */
  readonly currentTxnFirstOffset: number;
}

async function make(ending: 'stop' | 'kill'): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'samsa-make-golden-'));
  const ports = await freePorts(1);
  const zookeeper = await startApacheZooKeeper({ folder, dataDir: join(folder, 'zookeeper'), port: ports.zookeeper });
  const logDir = join(folder, 'broker-1');
  const kafka = new ApacheBroker({
    folder,
    brokerId: 1,
    port: ports.brokers[0] ?? 0,
    zookeeperConnect: `127.0.0.1:${ports.zookeeper}`,
    logDir,
    properties: CONTENT_BROKER_PROPERTIES,
  });
  const admin = new Admin({ runtime: createNodeRuntime(silentLogger), bootstrapServers: kafka.address });
  try {
    await kafka.start();
    await writeContent(kafka.address, admin, async () => {
      await kafka.stop();
      await kafka.start();
    });
    await untilContentIsAtRest(admin, logDir);
    const expected: Record<string, PartitionContent & { producers: Producer[] }> = {};
    for (const topic of CONTENT_TOPICS)
      expected[topic] = { ...(await readContent(admin, topic)), producers: await producersOf(kafka.address, topic) };
    await kafka[ending]();
    const files = Object.fromEntries(
      readdirSync(logDir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name !== '.lock')
        .map((entry) => join(entry.parentPath, entry.name))
        .toSorted()
        .map((path) => [relative(logDir, path), readFileSync(path).toString('base64')]),
    );
    const packed = gzipSync(JSON.stringify({ madeAtMs: Date.now(), expected, files }), { level: 9 });
    const target = join(FIXTURES, `kafka-3.9-${ending === 'stop' ? 'stopped' : 'killed'}.json.gz`);
    writeFileSync(target, packed);
    process.stdout.write(`${target}: ${Object.keys(files).length} files, ${packed.length} bytes\n`);
  } finally {
    await admin.close();
    await kafka.kill();
    await zookeeper.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** By `kafka-transactions.sh describe-producers`, whose table has a heading. */
async function producersOf(servers: string, topic: string): Promise<Producer[]> {
  const args = ['--bootstrap-server', servers, 'describe-producers', '--topic', topic, '--partition', '0'];
  const table = await runKafkaTool('org.apache.kafka.tools.TransactionsCommand', args);
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([first]) => /^\d+$/.test(first ?? ''))
    .map((columns) => {
      const number = (column: number): number => (/^-?\d+$/.test(columns[column] ?? '') ? Number(columns[column]) : -1);
      return {
        producerId: number(0),
        producerEpoch: number(1),
        coordinatorEpoch: number(2),
        lastSequence: number(3),
        lastTimestamp: number(4),
        currentTxnFirstOffset: number(5),
      };
    });
}

const reason = whyNoApacheKafka();
if (reason !== undefined) throw new Error(`no Apache Kafka here: ${reason}`);
endOnSignals();
await make('stop');
await make('kill');
process.exit(0);
