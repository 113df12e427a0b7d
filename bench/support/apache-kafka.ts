/**
 * The peer: Apache Kafka 3.9 with its ZooKeeper, in Java, with the heap and garbage collector of Kafka's own start script. The jars come
 * once by Maven into ~/.cache/samsa-bench; where there is no Java, no Maven or no network, `apacheKafka` says why.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeasuredCluster } from './cluster.ts';
import { until } from './deadline.ts';
import { metadataFrom } from './kafka-calls.ts';
import { freePorts } from './samsa-process.ts';

const KAFKA_VERSION = '3.9.0';
const DOWNLOAD_MS = 300_000;
const START_MS = 60_000;
const cache = join(homedir(), '.cache', 'samsa-bench', 'apache');

/** As bin/kafka-server-start.sh and kafka-run-class.sh of Kafka 3.9 have them. */
const JVM_FLAGS = [
  '-Xmx1G',
  '-Xms1G',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-XX:MaxInlineLevel=15',
  '-Djava.awt.headless=true',
];
const ZOOKEEPER_JVM_FLAGS = ['-Xmx512M', '-Xms512M', ...JVM_FLAGS.slice(2), '-Dzookeeper.admin.enableServer=false'];

const POM = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>samsa.bench</groupId><artifactId>peer</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency>
  </dependencies>
</project>
`;

/** Gets the jars when they aren't there; undefined when all is well, else why Apache Kafka can't be had. */
export function whyNoApacheKafka(): string | undefined {
  if (spawnSync('java', ['-version']).status !== 0) return 'there is no java';
  const lib = join(cache, 'lib');
  if (existsSync(lib) && readdirSync(lib).some((name) => name === `kafka_2.13-${KAFKA_VERSION}.jar`)) return undefined;
  if (spawnSync('mvn', ['-version']).status !== 0) return 'there is no Maven to get its jars with';
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, 'pom.xml'), POM);
  const outcome = spawnSync('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${lib}`], {
    cwd: cache,
    timeout: DOWNLOAD_MS,
    encoding: 'utf8',
  });
  return outcome.status === 0
    ? undefined
    : `Maven could not get its jars: ${outcome.stdout.split('\n').find((line) => line.includes('ERROR')) ?? 'no answer in time'}`;
}

/** For `java -cp`, once `whyNoApacheKafka` gives no reason. */
export function apacheKafkaClassPath(): string {
  return join(cache, 'lib', '*');
}

/** Starts Apache Kafka with `brokers` brokers on free ports, and ends it and removes its data whatever comes of `use`. */
export async function withApacheKafka<T>(
  brokers: number,
  config: Readonly<Record<string, string>>,
  use: (measured: MeasuredCluster) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'samsa-bench-apache-'));
  const ports = await freePorts(brokers);
  const children: ChildProcess[] = [];
  try {
    children.push(startZooKeeper(folder, ports.zookeeper));
    const replicas = String(Math.min(3, brokers));
    for (const [index, port] of ports.brokers.entries()) {
      children.push(
        startBroker(folder, {
          'broker.id': String(index + 1),
          listeners: `PLAINTEXT://127.0.0.1:${port}`,
          'log.dirs': join(folder, `broker-${index + 1}`),
          'zookeeper.connect': `127.0.0.1:${ports.zookeeper}`,
          'default.replication.factor': replicas,
          'offsets.topic.replication.factor': replicas,
          'transaction.state.log.replication.factor': replicas,
          'transaction.state.log.min.isr': '1',
          'group.initial.rebalance.delay.ms': '0',
          ...config,
        }),
      );
    }
    await until(
      'Apache Kafka',
      async () => {
        for (const port of ports.brokers) if ((await metadataFrom(port)).brokers.length < brokers) return undefined;
        return true;
      },
      START_MS,
      100,
    );
    return await use({
      name: `Apache Kafka ${KAFKA_VERSION}`,
      brokers,
      ports: ports.brokers,
      pids: children.slice(1).map(({ pid }) => pid ?? 0),
    });
  } finally {
    await Promise.all(children.map(end));
    await rm(folder, { recursive: true, force: true });
  }
}

function startZooKeeper(folder: string, port: number): ChildProcess {
  const path = join(folder, 'zookeeper.properties');
  writeProperties(path, {
    dataDir: join(folder, 'zookeeper'),
    clientPort: String(port),
    clientPortAddress: '127.0.0.1',
    tickTime: '500',
    'admin.enableServer': 'false',
  });
  return java([...ZOOKEEPER_JVM_FLAGS, '-cp', apacheKafkaClassPath(), 'org.apache.zookeeper.server.ZooKeeperServerMain', path]);
}

function startBroker(folder: string, properties: Readonly<Record<string, string>>): ChildProcess {
  const path = join(folder, `broker-${properties['broker.id']}.properties`);
  writeProperties(path, properties);
  return java([...JVM_FLAGS, '-cp', apacheKafkaClassPath(), 'kafka.Kafka', path]);
}

function writeProperties(path: string, properties: Readonly<Record<string, string>>): void {
  writeFileSync(
    path,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
// The default would end this process without `exit`.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));

function java(args: readonly string[]): ChildProcess {
  const child = spawn('java', [...args], { stdio: 'ignore' });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
