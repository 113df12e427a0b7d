/** The controller on the real ZooKeeper server and both real clients: what the one in memory could hide. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import { connectZooKeeper } from '../../zk-client/zookeeper-client.ts';
import { ZooKeeperServer } from '../../zookeeper/server.ts';
import { KafkaZkClient } from '../zk/kafka-zk-client.ts';
import { replicaAssignmentOf } from '../zk/replica-assignment.ts';
import { KafkaController } from './kafka-controller.ts';
import { AnsweringBrokers, brokerInfoOf } from './testing/controller-cluster.ts';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function startZooKeeper(): Promise<ZooKeeperServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'samsa-controller-'));
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const server = new ZooKeeperServer({
    runtime: createNodeRuntime(silentLogger),
    dataDir,
    hosts: ['127.0.0.1'],
    clientPort: 0,
    tickTimeMs: 2000,
  });
  await server.start();
  cleanups.push(() => server.close());
  return server;
}

interface Broker {
  readonly id: number;
  readonly zk: KafkaZkClient;
  readonly controller: KafkaController;
  brokerEpoch: number;
}

async function startBroker(id: number, port: number, network: AnsweringBrokers, implementation: 'library' | 'own'): Promise<Broker> {
  const runtime = createNodeRuntime(silentLogger);
  const zk = await KafkaZkClient.connect({
    runtime,
    connect: () => connectZooKeeper({ connectString: `127.0.0.1:${port}`, sessionTimeoutMs: 40_000, runtime, implementation }),
  });
  await zk.createTopLevelPaths();
  const brokerEpoch = await zk.brokers.register(brokerInfoOf(id));
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
    networkClient: network,
    brokerInfo: () => brokerInfoOf(id),
    initialBrokerEpoch: brokerEpoch,
    onBrokerEpoch: (epoch) => {
      broker.brokerEpoch = epoch;
    },
  });
  const broker: Broker = { id, zk, controller, brokerEpoch };
  controller.startup();
  cleanups.push(async () => {
    await controller.shutdown();
    await zk.close();
  });
  return broker;
}

describe.each(['own', 'library'] as const)('with the %s client', (implementation) => {
  it('elects, creates, fails over, deletes', async () => {
    const server = await startZooKeeper();
    const network = new AnsweringBrokers();
    const brokers: Broker[] = [];
    for (const id of [1, 2, 3]) brokers.push(await startBroker(id, server.port, network, implementation));
    const [first, second, third] = brokers as [Broker, Broker, Broker];
    await expect.poll(() => first.controller.isActive && first.controller.describe().brokers.length).toBe(3);

    const partitions = new Map(
      Array.from({ length: 50 }, (_, partition) => [partition, replicaAssignmentOf([(partition % 3) + 1, ((partition + 1) % 3) + 1])]),
    );
    await third.zk.topics.createAssignment('t', { topicId: 'txxxxxxxxxxxxxxxxxxxxA', partitions });
    const leaders = async (): Promise<(number | undefined)[]> => {
      const tps = [...partitions.keys()].map((partition) => ({ topic: 't', partition }));
      const states = await third.zk.topics.getPartitionStates(tps);
      return tps.map((tp) => {
        const state = states.get(tp);
        return state === undefined || state instanceof Error ? undefined : state.leaderAndIsr.leader;
      });
    };
    await expect.poll(leaders).toEqual([...partitions.keys()].map((partition) => (partition % 3) + 1));

    await first.zk.close();
    await expect.poll(() => brokers.filter(({ controller }) => controller !== first.controller && controller.isActive).length).toBe(1);
    await expect.poll(async () => (await leaders()).every((leader) => leader === 2 || leader === 3)).toBe(true);
    expect(await third.zk.controller.getEpoch()).toMatchObject({ epoch: 2 });

    await third.zk.topics.createAssignment('u', {
      topicId: 'uxxxxxxxxxxxxxxxxxxxxA',
      partitions: new Map([[0, replicaAssignmentOf([2, 3])]]),
    });
    await expect
      .poll(() => network.requests.some(({ api, request }) => api === 'LeaderAndIsr' && request.topicStates?.[0]?.topicName === 'u'))
      .toBe(true);
    await second.zk.topics.createDeleteTopicRequest('u');
    await expect.poll(() => second.zk.topics.exists('u')).toBe(false);
    await expect.poll(() => second.zk.controller.getTopicDeletions()).toEqual([]);
  });

  it('goes on when ZooKeeper was away and is back', async () => {
    const server = await startZooKeeper();
    const network = new AnsweringBrokers();
    const broker = await startBroker(1, server.port, network, implementation);
    await expect.poll(() => broker.controller.isActive).toBe(true);
    const { port, config } = server;
    await server.close();
    const created = broker.zk.topics.createAssignment('t', {
      topicId: 'txxxxxxxxxxxxxxxxxxxxA',
      partitions: new Map([[0, replicaAssignmentOf([1])]]),
    });
    const again = new ZooKeeperServer({ ...config, runtime: createNodeRuntime(silentLogger), clientPort: port });
    await again.start();
    cleanups.push(() => again.close());
    await created;
    await expect
      .poll(async () => [...(await broker.zk.topics.getPartitionStates([{ topic: 't', partition: 0 }])).values()][0])
      .toMatchObject({ leaderAndIsr: { leader: 1 } });
  });
});
