import { describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { MemoryZooKeeper, type MemoryZooKeeperClient } from '../../zk-client/testing/memory-zookeeper.ts';
import type { BrokerInfo } from './broker-info.ts';
import { BrokerIdInUseError } from './broker-znodes.ts';
import { fencedWrite } from './controller-fence.ts';
import { KafkaZkClient } from './kafka-zk-client.ts';
import { initialLeaderAndIsr } from './leader-and-isr.ts';
import { replicaAssignmentOf } from './replica-assignment.ts';
import { ControllerMovedError } from './zk-errors.ts';
import { setDataOp } from './zk-ops.ts';
import { PERSISTENT_PATHS } from './zk-paths.ts';

const INFO: BrokerInfo = {
  id: 1,
  endpoints: [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'h', port: 1 }],
  rack: undefined,
  features: {},
  jmxPort: -1,
};

class Fixture {
  readonly time: ManualTime;
  readonly zooKeeper: MemoryZooKeeper;
  readonly zk: KafkaZkClient;
  #clients: MemoryZooKeeperClient[];

  private constructor(zooKeeper: MemoryZooKeeper, zk: KafkaZkClient, clients: MemoryZooKeeperClient[], time: ManualTime) {
    this.zooKeeper = zooKeeper;
    this.zk = zk;
    this.#clients = clients;
    this.time = time;
  }

  static async make(zooKeeper = new MemoryZooKeeper()): Promise<Fixture> {
    const time = new ManualTime();
    const clients: MemoryZooKeeperClient[] = [];
    const zk = await KafkaZkClient.connect({
      runtime: { clock: time, scheduler: time, logger: silentLogger },
      connect: () => {
        clients.push(zooKeeper.connect());
        return Promise.resolve(clients.at(-1)!);
      },
    });
    await zk.createTopLevelPaths();
    return new Fixture(zooKeeper, zk, clients, time);
  }

  get client(): MemoryZooKeeperClient {
    return this.#clients.at(-1)!;
  }

  /** Waits for `promise` while end-of-turn work runs. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => undefined);
    for (let round = 0; round < 20; round++) await this.time.settle();
    return promise;
  }
}

describe('top-level paths', () => {
  it('are made once, with everything above them, and a second broker writes nothing', async () => {
    const { zooKeeper } = await Fixture.make();
    for (const path of PERSISTENT_PATHS) expect(zooKeeper.get(path), path).toBeDefined();
    const { writes } = zooKeeper;
    await Fixture.make(zooKeeper);
    expect(zooKeeper.writes).toBe(writes);
  });

  it('the cluster id is made by the first and read by the second', async () => {
    const first = await Fixture.make();
    const second = await Fixture.make(first.zooKeeper);
    expect(await first.zk.brokers.createOrGetClusterId('one')).toBe('one');
    expect(await second.zk.brokers.createOrGetClusterId('two')).toBe('one');
  });

  it('broker ids are generated above the reserved ones, each once', async () => {
    const { zk } = await Fixture.make();
    expect(await zk.brokers.generateId(1000)).toBe(1001);
    expect(await zk.brokers.generateId(1000)).toBe(1002);
  });
});

describe('broker registration', () => {
  it('gives the czxid as broker epoch, higher with each registration', async () => {
    const fixture = await Fixture.make();
    const first = await fixture.zk.brokers.register(INFO);
    expect(fixture.zooKeeper.get('/brokers/ids/1')?.czxid).toBe(first);
    expect(await fixture.zk.brokers.get(1)).toEqual({ broker: INFO, brokerEpoch: first });
    fixture.client.expire();
    await fixture.settled(Promise.resolve());
    expect(await fixture.zk.brokers.register(INFO)).toBeGreaterThan(first);
  });

  it('is the first one still when its answer was lost with the connection', async () => {
    const fixture = await Fixture.make();
    fixture.client.loseNext(true);
    const brokerEpoch = await fixture.settled(fixture.zk.brokers.register(INFO));
    expect(fixture.zooKeeper.get('/brokers/ids/1')?.czxid).toBe(brokerEpoch);
  });

  it('is refused while another session has the id', async () => {
    const first = await Fixture.make();
    const second = await Fixture.make(first.zooKeeper);
    await first.zk.brokers.register(INFO);
    await expect(second.zk.brokers.register(INFO)).rejects.toBeInstanceOf(BrokerIdInUseError);
  });

  it('leaves out registrations that cannot be read', async () => {
    const { zk } = await Fixture.make();
    await zk.brokers.register(INFO);
    await zk.session.create('/brokers/ids/7', Buffer.from('{}'));
    await zk.session.create('/brokers/ids/x', Buffer.from('{}'));
    expect((await zk.brokers.getAllWithEpochs()).map(({ broker }) => broker.id)).toEqual([1]);
  });
});

describe('controller election', () => {
  it('counts epochs from 1 and gives the version that later writes are checked against', async () => {
    const { zk } = await Fixture.make();
    expect(await zk.controller.elect(1)).toEqual({ epoch: 1, epochZkVersion: 1 });
    expect(await zk.controller.getControllerId()).toBe(1);
  });

  it('is lost by the second', async () => {
    const first = await Fixture.make();
    const second = await Fixture.make(first.zooKeeper);
    await first.zk.controller.elect(1);
    await expect(second.zk.controller.elect(2)).rejects.toBeInstanceOf(ControllerMovedError);
    expect(first.zooKeeper.read('/controller_epoch')).toBe('1');
  });

  it('is won when the answer was lost with the connection and the transaction had taken effect', async () => {
    const fixture = await Fixture.make();
    await fixture.zk.controller.getEpoch();
    await fixture.zk.session.create('/controller_epoch', Buffer.from('4'));
    const multi = vi.spyOn(fixture.client, 'multi');
    multi.mockImplementationOnce((ops) => {
      fixture.client.loseNext(true);
      return fixture.client.multi(ops);
    });
    expect(await fixture.settled(fixture.zk.controller.elect(1))).toEqual({ epoch: 5, epochZkVersion: 1 });
  });

  it('fences the writes of the controller before', async () => {
    const first = await Fixture.make();
    const { epochZkVersion } = await first.zk.controller.elect(1);
    await first.zk.controller.resign(epochZkVersion);
    const second = await Fixture.make(first.zooKeeper);
    await second.zk.controller.elect(2);
    await expect(fencedWrite(first.zk.session, epochZkVersion, setDataOp('/feature', Buffer.alloc(0), -1))).rejects.toBeInstanceOf(
      ControllerMovedError,
    );
    await expect(first.zk.controller.resign(epochZkVersion)).rejects.toBeInstanceOf(ControllerMovedError);
    expect(await second.zk.controller.getControllerId()).toBe(2);
  });
});

describe('partition states', () => {
  async function withTopic(): Promise<Fixture & { epochZkVersion: number }> {
    const fixture = await Fixture.make();
    const { epochZkVersion } = await fixture.zk.controller.elect(1);
    await fixture.zk.topics.createAssignment('t', { topicId: 'tid', partitions: new Map([[0, replicaAssignmentOf([1])]]) });
    return Object.assign(fixture, { epochZkVersion });
  }
  const partition = { topic: 't', partition: 0 };
  const state = { leaderAndIsr: initialLeaderAndIsr(1, [1]), controllerEpoch: 1 };

  it('are made with what is above them', async () => {
    const { zk, epochZkVersion } = await withTopic();
    expect(await zk.topics.createPartitionStates([{ partition, state }], epochZkVersion)).toEqual(new Map());
    expect((await zk.topics.getPartitionStates([partition])).get(partition)).toMatchObject(state);
  });

  it('count as made when they are there as they should be, and as failed when they differ or the topic is gone', async () => {
    const { zk, epochZkVersion } = await withTopic();
    await zk.topics.createPartitionStates([{ partition, state }], epochZkVersion);
    expect((await zk.topics.createPartitionStates([{ partition, state }], epochZkVersion)).size).toBe(0);
    const other = { ...state, controllerEpoch: 2 };
    expect((await zk.topics.createPartitionStates([{ partition, state: other }], epochZkVersion)).get(partition)).toMatchObject({
      name: 'NodeExists',
    });
    const ghost = { topic: 'ghost', partition: 0 };
    expect((await zk.topics.createPartitionStates([{ partition: ghost, state }], epochZkVersion)).get(ghost)).toMatchObject({
      name: 'NoNode',
    });
  });

  it('are written against the version they were made from', async () => {
    const { zk, epochZkVersion } = await withTopic();
    await zk.topics.createPartitionStates([{ partition, state }], epochZkVersion);
    const changed = { ...state.leaderAndIsr, leaderEpoch: 1 };
    const first = await zk.topics.updateLeaderAndIsr(new Map([[partition, changed]]), 1, epochZkVersion);
    expect(first).toEqual({ finished: new Map([[partition, { ...changed, partitionEpoch: 1 }]]), retry: [] });
    const other = { ...changed, isr: [] };
    const again = await zk.topics.updateLeaderAndIsr(new Map([[partition, other]]), 1, epochZkVersion);
    expect(again).toEqual({ finished: new Map(), retry: [partition] });
  });

  it('count as written when they are there as the next version: the answer was lost', async () => {
    const { zk, epochZkVersion } = await withTopic();
    await zk.topics.createPartitionStates([{ partition, state }], epochZkVersion);
    const changes = new Map([[partition, { ...state.leaderAndIsr, leaderEpoch: 1 }]]);
    const first = await zk.topics.updateLeaderAndIsr(changes, 1, epochZkVersion);
    expect(await zk.topics.updateLeaderAndIsr(changes, 1, epochZkVersion)).toEqual(first);
    // What another controller wrote isn't ours.
    expect(await zk.topics.updateLeaderAndIsr(changes, 2, epochZkVersion)).toEqual({ finished: new Map(), retry: [partition] });
  });

  it('go with their topic', async () => {
    const { zk, zooKeeper, epochZkVersion } = await withTopic();
    await zk.topics.createPartitionStates([{ partition, state }], epochZkVersion);
    await zk.topics.deleteTopic('t', epochZkVersion);
    expect(zooKeeper.get('/brokers/topics/t')).toBeUndefined();
    await zk.topics.deleteTopic('t', epochZkVersion);
  });

  it('a topic counts as made by us when the answer was lost, and not when another made it', async () => {
    const fixture = await Fixture.make();
    fixture.client.loseNext(true);
    await fixture.settled(fixture.zk.topics.createAssignment('t', { topicId: `${'t'.repeat(21)}A`, partitions: new Map() }));
    await expect(fixture.zk.topics.createAssignment('t', { topicId: 'other', partitions: new Map() })).rejects.toMatchObject({
      name: 'NodeExists',
    });
  });
});

describe('entity configurations', () => {
  it('are made, replaced and told of', async () => {
    const { zk, zooKeeper } = await Fixture.make();
    await zk.configs.setEntityConfigs('topics', 't', { a: '1' });
    await zk.controller.elect(1);
    await zk.configs.setEntityConfigs('topics', 't', { b: '2' });
    expect(await zk.configs.getEntityConfigs('topics', 't')).toEqual({ b: '2' });
    expect(await zk.configs.getEntityConfigs('topics', 'none')).toEqual({});
    await zk.configs.notifyChange('topics', 't');
    expect(zooKeeper.read('/config/changes/config_change_0000000000')).toBe('{"version":2,"entity_path":"topics/t"}');
  });
});

describe('producer id blocks', () => {
  it('are never handed out twice, also to brokers that race', async () => {
    const first = await Fixture.make();
    const second = await Fixture.make(first.zooKeeper);
    const blocks = await Promise.all([first.zk.takeProducerIdBlock(1), second.zk.takeProducerIdBlock(2), first.zk.takeProducerIdBlock(1)]);
    expect(new Set(blocks.map(({ firstProducerId }) => firstProducerId))).toEqual(new Set([0, 1000, 2000]));
  });
});

describe('the session', () => {
  it('sends an operation again that the connection took with it', async () => {
    const fixture = await Fixture.make();
    fixture.client.loseNext(false);
    await fixture.settled(fixture.zk.session.create('/x', null));
    expect(fixture.zooKeeper.get('/x')).toBeDefined();
  });

  it('tells a handler of one change per read', async () => {
    const { zk, time } = await Fixture.make();
    const onDataChanged = vi.fn();
    await zk.session.create('/x', null);
    expect(await zk.session.registerZNodeChangeHandlerAndCheckExistence('/x', { onDataChanged })).toBe(true);
    await zk.session.exists('/x');
    await zk.session.setData('/x', Buffer.from('1'), -1);
    await zk.session.setData('/x', Buffer.from('2'), -1);
    await time.settle();
    expect(onDataChanged).toHaveBeenCalledTimes(1);
    await zk.session.getData('/x');
    await zk.session.setData('/x', Buffer.from('3'), -1);
    await time.settle();
    expect(onDataChanged).toHaveBeenCalledTimes(2);
    zk.session.unregisterZNodeChangeHandler('/x');
  });

  it('after expiry fails operations until the handlers have heard, then makes a new session and tells them again', async () => {
    const fixture = await Fixture.make();
    const heard: string[] = [];
    const { session } = fixture.zk;
    session.registerStateChangeHandler({
      name: 'test',
      beforeInitializingSession: async () => {
        heard.push('before');
        await expect(session.exists('/x')).rejects.toMatchObject({ name: 'SessionExpired' });
      },
      afterInitializingSession: async () => {
        heard.push((await session.exists('/brokers')) === undefined ? 'missing' : 'after');
      },
    });
    const old = fixture.client;
    const oldId = session.session()?.id;
    old.expire();
    await fixture.settled(Promise.resolve());
    expect(heard).toEqual(['before', 'after']);
    expect(fixture.client).not.toBe(old);
    expect(session.previousSessionId).toEqual(oldId);
  });

  it('rejects with SessionExpired what waited for the connection of a session that then expired', async () => {
    const fixture = await Fixture.make();
    fixture.client.disconnect();
    const waiting = fixture.zk.session.create('/x', null);
    fixture.client.expire();
    await expect(fixture.settled(waiting)).rejects.toMatchObject({ name: 'SessionExpired' });
  });

  it('lets nobody wait for a connection once the broker ends', async () => {
    const fixture = await Fixture.make();
    const { session } = fixture.zk;
    fixture.client.disconnect();
    const waiting = session.exists('/brokers');
    session.stopWaiting();
    await expect(fixture.settled(waiting)).rejects.toMatchObject({ name: 'SessionExpired' });
    await expect(fixture.settled(session.exists('/brokers'))).rejects.toMatchObject({ name: 'SessionExpired' });
    expect(await session.close()).toBe(false);
  });

  it('goes on while there is a connection when the broker ends, and lets nobody wait once it is lost', async () => {
    const fixture = await Fixture.make();
    const { session } = fixture.zk;
    session.stopWaiting();
    expect(await fixture.settled(session.exists('/brokers'))).toBeDefined();
    fixture.client.disconnect();
    await expect(fixture.settled(session.exists('/brokers'))).rejects.toMatchObject({ name: 'SessionExpired' });
  });

  it.each([true, false])('makes /feature although the answer is lost with the connection (after it took effect: %s)', async (applied) => {
    const fixture = await Fixture.make();
    await fixture.settled(fixture.zk.session.exists('/feature'));
    const { client } = fixture;
    const create = client.create.bind(client);
    client.create = (...args) => {
      client.create = create;
      client.loseNext(applied);
      return create(...args);
    };
    await fixture.settled(fixture.zk.controller.enableFeatureVersioning());
    expect((await fixture.zk.controller.getFeatures())?.node.enabled).toBe(true);
  });

  it('does not hear of watches of the session before', async () => {
    const fixture = await Fixture.make();
    const onChildrenChanged = vi.fn();
    fixture.zk.session.registerZNodeChildChangeHandler('/brokers', { onChildrenChanged });
    await fixture.zk.session.getChildren('/brokers');
    const old = fixture.client;
    old.expire();
    await fixture.settled(Promise.resolve());
    old.fire({ type: 'childrenChanged', path: '/brokers' });
    await fixture.time.settle();
    expect(onChildrenChanged).not.toHaveBeenCalled();
  });
});
