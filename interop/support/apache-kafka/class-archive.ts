/**
 * Before the tests, beside the first of them: Kafka's classes, loaded and checked, as an archive that JVMs map (class-data sharing). These tests start
 * Java a hundred times, and a broker then needs half the CPU time to start. A broker that starts, serves a tool and stops in order writes it, once;
 * where that fails, tests are slower and nothing else. It lies beside the jars (`jars.ts`).
 */
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { freePorts } from '../free-ports.ts';
import { classArchivePath, whyNoApacheKafka } from './jars.ts';
import { ApacheBroker, runKafkaTool, startApacheZooKeeper } from './servers.ts';

/** Vitest calls it, and what it returns at the end. */
export function setup(): (() => Promise<void>) | undefined {
  if (whyNoApacheKafka() !== undefined || existsSync(classArchivePath())) return undefined;
  const written = writeArchive().catch((error: unknown) => {
    process.stdout.write(`Kafka's classes could not be archived, Java starts slower: ${String(error)}\n`);
  });
  return () => written;
}

async function writeArchive(): Promise<void> {
  const folder = mkdtempSync(join(dirname(classArchivePath()), 'archiving-'));
  const made = join(folder, 'classes.jsa');
  const ports = await freePorts(1);
  const zookeeper = await startApacheZooKeeper({ folder, dataDir: join(folder, 'zookeeper'), port: ports.zookeeper });
  const broker = new ApacheBroker({
    folder,
    brokerId: 1,
    port: ports.brokers[0] ?? 0,
    zookeeperConnect: `127.0.0.1:${ports.zookeeper}`,
    logDir: join(folder, 'log'),
    properties: { 'offsets.topic.replication.factor': '1', 'offsets.topic.num.partitions': '1' },
    jvmFlags: [`-XX:ArchiveClassesAtExit=${made}`],
  });
  try {
    await broker.start();
    await runKafkaTool('org.apache.kafka.tools.TopicCommand', ['--bootstrap-server', broker.address, '--create', '--topic', 'one']);
    await broker.stop();
    renameSync(made, classArchivePath());
  } finally {
    await Promise.all([broker.kill(), zookeeper.kill()]);
    rmSync(folder, { recursive: true, force: true });
  }
}
