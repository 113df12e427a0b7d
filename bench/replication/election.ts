/**
 * What the controller does with thousands of partitions, in one process: a ZooKeeper server with its transaction log on disk, three
 * controllers, and brokers that answer at once. Measured: a topic comes to be; a broker that leads a third of the partitions dies; the
 * controller's broker dies (another reads everything back, then elects); a third of the partitions moves. Beside it the floor: as many
 * writes, and reads, through the same client with nothing around them. `longest turn` is the longest hold of the event loop (which ZooKeeper
 * shares here). Run: `node bench/replication/election.ts [--partitions 1000]`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { KafkaController } from '../../src/broker/controller/kafka-controller.ts';
import { AnsweringBrokers, brokerInfoOf } from '../../src/broker/controller/testing/controller-cluster.ts';
import type { LeaderAndIsr } from '../../src/broker/zk/leader-and-isr.ts';
import { KafkaZkClient } from '../../src/broker/zk/kafka-zk-client.ts';
import { replicaAssignmentOf } from '../../src/broker/zk/replica-assignment.ts';
import type { TopicPartition } from '../../src/protocol/topic-partition.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZooKeeper } from '../../src/zk-client/zookeeper-client.ts';
import { ZooKeeperServer } from '../../src/zookeeper/server.ts';
import { fail, readFlags } from '../support/command-line.ts';
import { heading, milliseconds, printTable, ratio } from '../support/print.ts';

const IDS = [1, 2, 3, 4];
const TOPIC = 'many';
const LIMIT_MS = 120_000;
/** Looking walks over all partitions: not too often, and only when the controller is at rest. */
const POLL_MS = 5;

interface Broker {
  readonly id: number;
  readonly zk: KafkaZkClient;
  readonly controller: KafkaController;
  readonly epoch: number;
}

async function startBroker(id: number, port: number): Promise<Broker> {
  const runtime = createNodeRuntime(silentLogger);
  const connect = () =>
    connectZooKeeper({ connectString: `127.0.0.1:${port}`, sessionTimeoutMs: 30_000, runtime, implementation: 'library' });
  const zk = await KafkaZkClient.connect({ runtime, connect });
  await zk.createTopLevelPaths();
  const epoch = await zk.brokers.register(brokerInfoOf(id));
  const controller = new KafkaController({
    config: {
      brokerId: id,
      interBrokerListenerName: 'PLAINTEXT',
      controllerSocketTimeoutMs: 30_000,
      autoLeaderRebalanceEnable: false,
      leaderImbalancePerBrokerPercentage: 10,
      leaderImbalanceCheckIntervalSeconds: 300,
      deleteTopicEnable: true,
      uncleanLeaderElectionEnable: () => false,
    },
    zk,
    runtime,
    networkClient: new AnsweringBrokers(),
    brokerInfo: () => brokerInfoOf(id),
    initialBrokerEpoch: epoch,
    maxQueuedRequests: 100_000,
  });
  controller.startup();
  return { id, zk, controller, epoch };
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const startMs = performance.now();
  while (!condition()) {
    if (performance.now() - startMs > LIMIT_MS) fail(`not within ${LIMIT_MS} ms: ${what}`);
    await delay(POLL_MS);
  }
}

/** Ends like a process that is killed: the session goes, nothing is handed over. */
async function kill({ zk, controller }: Broker): Promise<void> {
  await zk.close();
  await controller.shutdown();
}

const rows: string[][] = [];

async function measure(what: string, partitions: number, floorMs: number | undefined, work: () => Promise<void>): Promise<number> {
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const startMs = performance.now();
  await work();
  const tookMs = performance.now() - startMs;
  loop.disable();
  rows.push([
    what,
    String(partitions),
    milliseconds(tookMs),
    floorMs === undefined ? '' : ratio(tookMs, floorMs),
    milliseconds(loop.max / 1e6),
  ]);
  return tookMs;
}

async function run(partitions: number): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'samsa-election-'));
  const runtime = createNodeRuntime(silentLogger);
  const server = new ZooKeeperServer({ runtime, dataDir, hosts: ['127.0.0.1'], clientPort: 0, tickTimeMs: 500 });
  await server.start();
  const brokers = new Map<number, Broker>();
  for (const id of IDS) brokers.set(id, await startBroker(id, server.port));
  const get = (id: number): Broker => brokers.get(id) ?? fail(`there is no broker ${id}`);
  const active = (): Broker | undefined => [...brokers.values()].find(({ controller }) => controller.isActive);
  await until('a controller knows all brokers', () => active()?.controller.describe(1).brokers.length === IDS.length);
  const { zk } = get(4);
  const replicasOf = (index: number): number[] => [0, 1, 2].map((shift) => 1 + ((index + shift) % 3));
  await measure('topic created', partitions, undefined, async () => {
    const assignment = new Map(Array.from({ length: partitions }, (_, index) => [index, replicaAssignmentOf(replicasOf(index))]));
    await zk.topics.createAssignment(TOPIC, { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: assignment });
    await until('every partition has a leader', () => {
      const { controller } = active() ?? fail('no controller');
      if (!controller.isIdle) return false;
      const { globalPartitions, offlinePartitions } = controller.describe(1).counts;
      return globalPartitions === partitions && offlinePartitions === 0;
    });
  });
  const names = Array.from({ length: partitions }, (_, partition) => ({ topic: TOPIC, partition }));
  const readMs = await measure(
    'floor: every state read',
    partitions,
    undefined,
    async () => void (await zk.topics.getPartitionStates(names)),
  );
  const led = names.filter(({ partition }) => replicasOf(partition)[0] === 2);
  const states = await zk.topics.getPartitionStates(led);
  const epoch = await zk.controller.getEpoch();
  const writeMs = await measure('floor: a third of the states written, fenced', led.length, undefined, async () => {
    const changes = new Map<TopicPartition, LeaderAndIsr>();
    for (const [partition, state] of states)
      if (state !== undefined && !(state instanceof Error)) changes.set(partition, state.leaderAndIsr);
    await zk.topics.updateLeaderAndIsr(changes, epoch?.epoch ?? 0, epoch?.epochZkVersion ?? 0);
  });
  // Both kinds of death change a third of the leaders and two thirds more of the ISRs: three times the floor of writes.
  await measure('leader of a third dies: all led by others', led.length, writeMs, async () => {
    await kill(get(2));
    brokers.delete(2);
    await until('none is offline and the controller is at rest', () => {
      const { controller } = active() ?? fail('no controller');
      if (!controller.isIdle) return false;
      const told = controller.describe(1);
      return told.brokers.length === 3 && told.counts.offlinePartitions === 0;
    });
  });
  await measure('… and comes back', partitions, undefined, async () => {
    brokers.set(2, await startBroker(2, server.port));
    await until('it is known and told', () => {
      const { controller } = active() ?? fail('no controller');
      return controller.isIdle && controller.describe(1).brokers.length === 4;
    });
  });
  const controllerId = active()?.id ?? fail('no controller');
  await measure('controller and leader of a third dies: read back, all led', partitions, readMs + writeMs, async () => {
    await kill(get(controllerId));
    brokers.delete(controllerId);
    await until('another is in office', () => active() !== undefined && active()?.id !== controllerId);
    await until('none is offline and it is at rest', () => {
      const { controller } = active() ?? fail('no controller');
      if (!controller.isIdle) return false;
      const { counts } = controller.describe(1);
      return counts.globalPartitions === partitions && counts.offlinePartitions === 0;
    });
  });
  const moving = names.filter(({ partition }) => partition % 3 === 0);
  await measure('a third reassigned: the added replicas are told', moving.length, writeMs, async () => {
    const { controller } = active() ?? fail('no controller');
    const asked = moving.map(({ topic, partition }) => {
      const [first = 0, second = 0] = replicasOf(partition).filter((id) => id !== controllerId);
      return { topic, partition, replicas: [4, first, second] };
    });
    const results = await controller.alterPartitionReassignments(asked);
    if (results.some(({ errorCode }) => errorCode !== 0)) fail(`a reassignment was refused: ${JSON.stringify(results[0])}`);
  });
  for (const broker of brokers.values()) await kill(broker);
  await server.close();
  rmSync(dataDir, { recursive: true, force: true });
}

const flags = readFlags(['partitions']);
const only = flags.number('partitions', 0);
heading('election');
for (const partitions of only > 0 ? [only] : [1_000, 10_000]) await run(partitions);
printTable(['what', 'partitions', 'took', 'times the floor', 'longest turn'], rows);
