/**
 * The peer: Apache Kafka 3.9 with its ZooKeeper, in Java, with the heap and garbage collector of Kafka's own start script. Where its jars
 * come from: `interop/support/apache-kafka/jars.ts`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APACHE_KAFKA_CLASS_PATH, KAFKA_VERSION } from '../../interop/support/apache-kafka/jars.ts';
import { endOnSignals, JavaProcess, writeProperties } from '../../interop/support/apache-kafka/java.ts';
import { freePorts } from '../../interop/support/free-ports.ts';
import type { MeasuredCluster } from './cluster.ts';
import { until } from './deadline.ts';
import { metadataFrom } from './kafka-calls.ts';

const START_MS = 60_000;

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

/** Starts Apache Kafka with `brokers` brokers on free ports, and ends it and removes its data whatever comes of `use`. */
export async function withApacheKafka<T>(
  brokers: number,
  config: Readonly<Record<string, string>>,
  use: (measured: MeasuredCluster) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'samsa-bench-apache-'));
  const ports = await freePorts(brokers);
  /** ZooKeeper, and then the brokers by their ids. */
  const children: JavaProcess[] = [];
  endOnSignals();
  const replicas = String(Math.min(3, brokers));
  const start = (brokerId: number): void => {
    children[brokerId] = startBroker(folder, {
      'broker.id': String(brokerId),
      listeners: `PLAINTEXT://127.0.0.1:${ports.brokers[brokerId - 1]}`,
      'log.dirs': join(folder, `broker-${brokerId}`),
      'zookeeper.connect': `127.0.0.1:${ports.zookeeper}`,
      'default.replication.factor': replicas,
      'offsets.topic.replication.factor': replicas,
      'transaction.state.log.replication.factor': replicas,
      'transaction.state.log.min.isr': '1',
      'group.initial.rebalance.delay.ms': '0',
      ...config,
    });
  };
  const untilAllKnown = (): Promise<true> =>
    until(
      'Apache Kafka',
      async () => {
        for (const port of ports.brokers) if ((await metadataFrom(port)).brokers.length < brokers) return undefined;
        return true;
      },
      START_MS,
      100,
    );
  try {
    children.push(startZooKeeper(folder, ports.zookeeper));
    for (const index of ports.brokers.keys()) start(index + 1);
    await untilAllKnown();
    return await use({
      name: `Apache Kafka ${KAFKA_VERSION}`,
      brokers,
      ports: ports.brokers,
      pids: children.slice(1).map(({ pid }) => pid),
      stopBroker: async (brokerId) => children[brokerId]?.stop(),
      startBroker: async (brokerId) => {
        start(brokerId);
        await untilAllKnown();
      },
    });
  } finally {
    await Promise.all(children.map((child) => child.kill()));
    await rm(folder, { recursive: true, force: true });
  }
}

function startZooKeeper(folder: string, port: number): JavaProcess {
  const path = join(folder, 'zookeeper.properties');
  writeProperties(path, {
    dataDir: join(folder, 'zookeeper'),
    clientPort: String(port),
    clientPortAddress: '127.0.0.1',
    tickTime: '500',
    'admin.enableServer': 'false',
  });
  return new JavaProcess(
    [...ZOOKEEPER_JVM_FLAGS, '-cp', APACHE_KAFKA_CLASS_PATH, 'org.apache.zookeeper.server.ZooKeeperServerMain', path],
    `${path}.log`,
  );
}

function startBroker(folder: string, properties: Readonly<Record<string, string>>): JavaProcess {
  const path = join(folder, `broker-${properties['broker.id']}.properties`);
  writeProperties(path, properties);
  return new JavaProcess([...JVM_FLAGS, '-cp', APACHE_KAFKA_CLASS_PATH, 'kafka.Kafka', path], `${path}.log`);
}
