/**
 * A log dir whose disk is full, on a broker that has another one: it alone goes offline, the controller moves its leaders, clients are
 * told KAFKA_STORAGE_ERROR, and with space again a restart brings everything back. The full disk is a small tmpfs, which takes root.
 */
import { execFileSync, fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../src/client/admin/admin.ts';
import { OffsetSpec } from '../../src/client/admin/offsets.ts';
import { NetworkClient } from '../../src/client/network-client.ts';
import { errorByCode, KafkaError } from '../../src/protocol/errors.ts';
import { Produce } from '../../src/protocol/generated/produce.ts';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { adminOf, Cleanups, describePartition, startTestCluster, temporaryHome, until, valueOf } from './support/clusters.ts';

const cleanups = new Cleanups();
const BROKER = 3;
const TOPIC = 'spread';
const ALONE = 'alone';
const VALUE = Buffer.alloc(32 * 1024, 'v');

/** A file system of a few MiB; undefined where none may be mounted. */
function smallDisk(directory: string): string | undefined {
  mkdirSync(directory);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  cleanups.add(() => execFileSync('umount', ['-l', directory]));
  return directory;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

interface StartedBroker {
  readonly child: ChildProcess;
  /** The lines of its timeline. */
  readonly texts: string[];
  stop(): Promise<void>;
}

/** A broker with several log dirs, beside those that the supervisor runs. */
async function startBroker(configPath: string): Promise<StartedBroker> {
  const child = fork(join(import.meta.dirname, '..', '..', 'src', 'broker', 'main.ts'), [configPath], { stdio: 'inherit' });
  cleanups.add(() => child.kill('SIGKILL'));
  const texts: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.on('message', (message: { type: string; event?: { text?: string }; message?: string }) => {
      if (message.type === 'ready') resolve();
      if (message.type === 'failed') reject(new Error(message.message));
      if (message.event?.text !== undefined) texts.push(message.event.text);
    });
  });
  const exit = once(child, 'exit');
  return {
    child,
    texts,
    stop: async () => {
      child.send({ type: 'stop' });
      await exit;
    },
  };
}

/** Sends one record to `partition` at broker `nodeId`; the error's name, or NONE. */
async function send(client: NetworkClient, admin: Admin, target: { nodeId: number; topic: string; partition: number }): Promise<string> {
  const { brokers } = await admin.describeCluster();
  const node = brokers.find(({ id }) => id === target.nodeId);
  if (node === undefined) throw new Error(`there is no broker ${target.nodeId}`);
  const records = [buildRecordBatch([{ timestamp: Date.now(), key: null, value: VALUE }])];
  const topicData = [{ name: target.topic, partitionData: [{ index: target.partition, records }] }];
  const { responses } = await client.send(node, Produce, { acks: 1, timeoutMs: 5_000, topicData }, { version: 9 });
  return errorByCode(responses[0]?.partitionResponses[0]?.errorCode ?? -1).name;
}

const home = temporaryHome(cleanups);
const small = smallDisk(join(home, 'small'));
if (small === undefined) console.log('full-disk.test.ts is left out: a tmpfs can not be mounted here');
afterAll(() => cleanups.run());

describe.skipIf(small === undefined)('a full disk', () => {
  it('takes its log dir offline alone, moves its leaders, and is forgotten after a restart with space', async () => {
    const roomy = join(home, 'roomy');
    const logFile = join(home, 'broker.log');
    const cluster = await startTestCluster(cleanups, { brokers: 2 });
    const port = await freePort();
    const configPath = join(home, 'broker.json');
    const properties = {
      'broker.id': String(BROKER),
      listeners: `PLAINTEXT://127.0.0.1:${port}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
      'log.dirs': `${roomy},${small}`,
      'zookeeper.connect': cluster.zookeeperConnect,
      'auto.leader.rebalance.enable': 'false',
    };
    writeFileSync(configPath, JSON.stringify({ properties, sessionFile: join(home, 'session'), logFile }));
    let broker = await startBroker(configPath);
    const admin = adminOf(cleanups, cluster.bootstrapServers);
    const client = new NetworkClient({ runtime: createNodeRuntime(silentLogger), clientId: 'full-disk' });
    cleanups.add(() => client.close());
    valueOf(
      (
        await admin.createTopics([
          {
            name: TOPIC,
            assignments: [
              [BROKER, 1],
              [BROKER, 1],
            ],
          },
        ])
      ).get(TOPIC),
    );
    valueOf((await admin.createTopics([{ name: ALONE, assignments: [[BROKER], [BROKER]] }])).get(ALONE));

    // The least loaded folder is taken: each topic has a partition in each.
    const placesOf = async (topic: string): Promise<Map<string, number>> => {
      const dirs = valueOf((await admin.describeLogDirs([BROKER])).get(String(BROKER)));
      const places = new Map<string, number>();
      for (const [path, dir] of dirs) {
        for (const replica of dir instanceof KafkaError ? [] : dir.replicas)
          if (replica.topic === topic) places.set(path, replica.partition);
      }
      return places;
    };
    await until('both topics lie in both log dirs', async () => (await placesOf(TOPIC)).size === 2 && (await placesOf(ALONE)).size === 2);
    const inSmall = (await placesOf(TOPIC)).get(small ?? '') ?? -1;
    const inRoomy = (await placesOf(TOPIC)).get(roomy) ?? -1;
    const aloneInSmall = (await placesOf(ALONE)).get(small ?? '') ?? -1;
    expect(readFileSync(join(small ?? '', 'meta.properties'), 'utf8')).toContain(`broker.id=${BROKER}`);
    expect(readFileSync(join(roomy, 'meta.properties'), 'utf8')).toContain(`broker.id=${BROKER}`);
    await until('the follower is in sync', async () => (await describePartition(admin, TOPIC, inSmall)).isr.length === 2);

    let acknowledged = 0;
    let aloneAcknowledged = 0;
    const refusal = await until('the disk is full', async () => {
      const alone = await send(client, admin, { nodeId: BROKER, topic: ALONE, partition: aloneInSmall });
      if (alone === 'NONE') aloneAcknowledged++;
      const code = await send(client, admin, { nodeId: BROKER, topic: TOPIC, partition: inSmall });
      if (code === 'NONE') acknowledged++;
      return code === 'NONE' ? undefined : code;
    });
    expect(refusal).toBe('KAFKA_STORAGE_ERROR');

    // The controller has moved the leader; the other log dir and the other brokers go on.
    await until('the leader is moved', async () => {
      const { leaderId, isr, offlineReplicas } = await describePartition(admin, TOPIC, inSmall);
      return leaderId === 1 && isr.join() === '1' && offlineReplicas.join() === String(BROKER);
    });
    expect(await send(client, admin, { nodeId: 1, topic: TOPIC, partition: inSmall })).toBe('NONE');
    expect(await describePartition(admin, TOPIC, inRoomy)).toMatchObject({ leaderId: BROKER, offlineReplicas: [] });
    expect(await send(client, admin, { nodeId: BROKER, topic: TOPIC, partition: inRoomy })).toBe('NONE');
    expect(await send(client, admin, { nodeId: BROKER, topic: ALONE, partition: aloneInSmall })).toBe('KAFKA_STORAGE_ERROR');
    const dirs = valueOf((await admin.describeLogDirs([BROKER])).get(String(BROKER)));
    expect(dirs.get(small ?? '')).toMatchObject({ name: 'KafkaError' });
    expect(broker.texts.find((text) => text.startsWith('Log dir '))).toMatch(/offline, 1 left: .*ENOSPC/);
    expect(readFileSync(logFile, 'utf8')).toMatch(/Log dir [^ ]*small is offline: .*ENOSPC/);

    // A start without the folder: the controller learns it from the answer to its LeaderAndIsr.
    await broker.stop();
    const meta = readFileSync(join(small ?? '', 'meta.properties'));
    execFileSync('mount', ['-o', 'remount,size=64m', small ?? '']);
    writeFileSync(join(small ?? '', 'meta.properties'), 'broker.id=?\n');
    broker = await startBroker(configPath);
    await until('the replica is offline, those in the other log dir are not', async () => {
      const [offline, online] = [await describePartition(admin, TOPIC, inSmall), await describePartition(admin, TOPIC, inRoomy)];
      return offline.offlineReplicas.includes(BROKER) && online.isr.includes(BROKER) && online.offlineReplicas.length === 0;
    });
    await broker.stop();

    // With space again all is back, what was acknowledged too.
    writeFileSync(join(small ?? '', 'meta.properties'), meta);
    broker = await startBroker(configPath);
    await until('everything is in sync', async () => {
      const partitions = [await describePartition(admin, TOPIC, inSmall), await describePartition(admin, TOPIC, inRoomy)];
      return partitions.every(({ isr, offlineReplicas }) => isr.length === 2 && offlineReplicas.length === 0);
    });
    const ends = await admin.listOffsets([
      { topic: TOPIC, partition: inSmall, timestamp: OffsetSpec.LATEST },
      { topic: ALONE, partition: aloneInSmall, timestamp: OffsetSpec.LATEST },
    ]);
    expect(valueOf(ends.get(`${ALONE}-${aloneInSmall}`)).offset).toBeGreaterThanOrEqual(aloneAcknowledged);
    // One more than before was written through broker 1; with acks=1 the last ones may not have reached it.
    expect(valueOf(ends.get(`${TOPIC}-${inSmall}`)).offset).toBeGreaterThan(acknowledged - 10);
    expect(await send(client, admin, { nodeId: BROKER, topic: ALONE, partition: aloneInSmall })).toBe('NONE');
    await broker.stop();
  });
});
