import { describe, expect, it } from 'vitest';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { AlterPartitionRequest } from '../../protocol/generated/alter-partition.ts';
import { replicaAssignmentOf } from '../zk/replica-assignment.ts';
import { ControlRequestType } from '../control-request-type.ts';
import { encodePartitionList } from '../zk/zk-data.ts';
import { MAX_NEW_REPLICAS } from './controller-broker-request-batch.ts';
import { ControllerCluster } from './testing/controller-cluster.ts';

async function clusterOf(
  ids: readonly number[],
  config: ConstructorParameters<typeof ControllerCluster>[0] = {},
): Promise<ControllerCluster> {
  const cluster = new ControllerCluster(config);
  for (const id of ids) await cluster.start(id);
  cluster.takeRequests();
  return cluster;
}

const THREE = [1, 2, 3];

describe('controller election', () => {
  it('makes the first broker controller with epoch 1, and the others see it', async () => {
    const cluster = await clusterOf(THREE);
    expect(cluster.active?.id).toBe(1);
    expect(cluster.active?.controller.epoch).toBe(1);
    expect(cluster.zooKeeper.read('/controller_epoch')).toBe('1');
    expect(JSON.parse(cluster.zooKeeper.read('/controller') ?? '')).toMatchObject({ version: 2, brokerid: 1, kraftControllerEpoch: -1 });
    expect(cluster.brokers.get(2)?.controller.activeControllerId).toBe(1);
    expect(cluster.brokers.get(2)?.controller.isActive).toBe(false);
  });

  it('elects another broker with the next epoch when the controller dies, which reads everything back and acts on the death', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [
      [1, 2, 3],
      [2, 3, 1],
    ]);
    await cluster.kill(1);
    expect(cluster.active?.controller.epoch).toBe(2);
    expect(cluster.stateOf('t', 0)).toMatchObject({ controllerEpoch: 2, leaderAndIsr: { leader: 2, isr: [2, 3] } });
    expect(cluster.stateOf('t', 1)?.leaderAndIsr).toMatchObject({ leader: 2, isr: [2, 3] });
    const told = cluster.takeRequests().filter(({ request }) => request.controllerEpoch === 2);
    expect(told.some(({ api, brokerId }) => api === 'LeaderAndIsr' && brokerId === 3)).toBe(true);
  });

  it('tells every live broker of the new controller before any LeaderAndIsr, so that they know the live brokers', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3, 1]]);
    cluster.takeRequests();
    await cluster.kill(1);
    const first = cluster.takeRequests().filter(({ request }) => request.controllerEpoch === 2);
    for (const id of [2, 3]) expect(first.find(({ brokerId }) => brokerId === id)?.api).toBe('UpdateMetadata');
  });

  it.each([
    ['all partitions, so that what is not among them is known to be gone', undefined, [ControlRequestType.FULL]],
    ['those that it knows, and not that they are all, while the state of one cannot be read', 'unreadable', [ControlRequestType.UNKNOWN]],
  ])('tells every broker of %s', async (_, state, types) => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    await cluster.createTopic('u', [[2, 3]]);
    const { zk } = cluster.brokers.get(2)!;
    if (state !== undefined) await zk.session.setData('/brokers/topics/u/partitions/0/state', Buffer.from(state), -1);
    cluster.takeRequests();
    await cluster.kill(1);
    const told = cluster
      .takeRequests()
      .filter(({ api, request }) => api === 'UpdateMetadata' && request.topicStates?.some(({ topicName }) => topicName === 't') === true);
    expect(told.map(({ brokerId }) => brokerId).toSorted((a, b) => a - b)).toEqual([2, 3]);
    expect([...new Set(told.map(({ request }) => 'type' in request && request.type))]).toEqual(types);
  });

  it('leaves office when its session expires, registers anew with a higher broker epoch, and takes part again', async () => {
    const cluster = await clusterOf(THREE);
    const before = cluster.brokers.get(1)!.brokerEpoch;
    await cluster.expireSession(1);
    expect(cluster.active?.id).not.toBe(1);
    expect(cluster.active?.controller.epoch).toBe(2);
    expect(cluster.brokers.get(1)?.brokerEpoch).toBeGreaterThan(before);
    expect(cluster.brokers.get(1)?.events.map(({ kind }) => kind)).toContain('controller-resigned');
    await cluster.kill(cluster.active!.id);
    expect(cluster.active).toBeDefined();
  });

  it('is elected again, alone as it is, when it could not come to office', async () => {
    const cluster = new ControllerCluster();
    const somebody = cluster.zooKeeper.connect();
    await somebody.create('/feature', Buffer.from('unreadable'), 'persistent');
    await cluster.start(1);
    expect(cluster.active).toBeUndefined();
    await somebody.delete('/feature', -1);
    await cluster.time.advance(5_000);
    await cluster.settle();
    expect(cluster.active?.id).toBe(1);
  });

  it('stops although an event waits for a ZooKeeper that is away', async () => {
    const cluster = await clusterOf([1]);
    const { controller, zkClient } = cluster.brokers.get(1)!;
    zkClient().disconnect();
    const asked = controller.allocateProducerIds({ brokerId: 1, brokerEpoch: cluster.brokers.get(1)!.brokerEpoch });
    await cluster.settle();
    const stopped = controller.shutdown();
    await cluster.settle();
    await stopped;
    expect(controller.isActive).toBe(false);
    expect(await asked).toMatchObject({ errorCode: ErrorCode.UNKNOWN_SERVER_ERROR });
  });

  it('writes nothing any more once another controller was elected, and resigns at the first attempt', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    const { zk } = cluster.brokers.get(2)!;
    // A soft failure: another took the epoch, and the node's change was not heard yet.
    await zk.session.setData('/controller_epoch', Buffer.from('2'), -1);
    const before = cluster.stateOf('t', 0);
    await cluster.kill(2);
    expect(cluster.stateOf('t', 0)).toEqual(before);
  });
});

describe('new topics', () => {
  it('gives a new partition its first live replica as leader and all live ones as ISR, and tells replicas and every metadata cache', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    expect(cluster.stateOf('t', 0)).toEqual({
      controllerEpoch: 1,
      leaderAndIsr: { leader: 2, leaderEpoch: 0, isr: [2, 3], leaderRecoveryState: 0, partitionEpoch: 0 },
    });
    const requests = cluster.takeRequests();
    const leaderAndIsr = requests.filter(({ api }) => api === 'LeaderAndIsr');
    expect(leaderAndIsr.map(({ brokerId }) => brokerId).toSorted((a, b) => a - b)).toEqual([2, 3]);
    expect(leaderAndIsr[0]?.request).toMatchObject({
      controllerId: 1,
      controllerEpoch: 1,
      brokerEpoch: cluster.brokers.get(leaderAndIsr[0]!.brokerId)?.brokerEpoch,
      topicStates: [
        { topicName: 't', topicId: expect.any(String), partitionStates: [{ partitionIndex: 0, leader: 2, isNew: true, replicas: [2, 3] }] },
      ],
      liveLeaders: [{ brokerId: 2, hostName: 'localhost', port: 9094 }],
    });
    const told = requests.filter((entry) => entry.api === 'UpdateMetadata' && entry.request.topicStates?.[0]?.topicName === 't');
    expect(new Set(told.map(({ brokerId }) => brokerId))).toEqual(new Set(THREE));
  });

  it('gives brokers many new replicas in several requests, and those they have had before in one', async () => {
    const cluster = await clusterOf(THREE);
    const count = 2 * MAX_NEW_REPLICAS + 50;
    await cluster.createTopic(
      't',
      Array.from({ length: count }, () => [2, 3]),
    );
    const partitionsTold = (): number[][] =>
      cluster.takeRequests().flatMap(({ api, brokerId, request }) => {
        if (api !== 'LeaderAndIsr' || brokerId !== 2) return [];
        return [
          (request.topicStates ?? []).flatMap((topic) => (topic.partitionStates ?? []).map(({ partitionIndex }) => partitionIndex ?? -1)),
        ];
      });
    const told = partitionsTold();
    expect(told.map(({ length }) => length)).toEqual([MAX_NEW_REPLICAS, MAX_NEW_REPLICAS, 50]);
    expect(new Set(told.flat()).size).toBe(count);
    await cluster.kill(2);
    cluster.takeRequests();
    await cluster.start(2);
    expect(partitionsTold().map(({ length }) => length)).toEqual([count]);
  });

  it('leaves a partition without live replicas New, and elects when one of them starts', async () => {
    const cluster = await clusterOf([1]);
    await cluster.createTopic('t', [[5]]);
    expect(cluster.stateOf('t', 0)).toBeUndefined();
    await cluster.start(5);
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 5, isr: [5] });
  });

  it('makes partitions that are added later', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[1, 2]]);
    const { zk } = cluster.brokers.get(2)!;
    const assignment = (await zk.topics.getAssignments(['t'])).get('t')!;
    await zk.topics.setAssignment('t', {
      ...assignment,
      partitions: new Map([...assignment.partitions, [1, replicaAssignmentOf([3, 1])]]),
    });
    await cluster.settle();
    expect(cluster.stateOf('t', 1)?.leaderAndIsr).toMatchObject({ leader: 3, isr: [3, 1] });
    expect(cluster.active?.events.at(-1)).toMatchObject({ kind: 'leader-elected', topic: 't', partition: 1, strategy: 'new' });
  });

  it('gives an id to a topic from before topic ids', async () => {
    const cluster = await clusterOf([1]);
    await cluster.brokers
      .get(1)!
      .zk.topics.createAssignment('old', { topicId: undefined, partitions: new Map([[0, replicaAssignmentOf([1])]]) });
    await cluster.settle();
    expect(JSON.parse(cluster.zooKeeper.read('/brokers/topics/old') ?? '')).toMatchObject({
      topic_id: expect.stringMatching(/^[\w-]{22}$/),
    });
  });

  it('starts with an unreadable topic in ZooKeeper and serves the others', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.brokers.get(1)!.zk.session.create('/brokers/topics/broken', Buffer.from('{'));
    await cluster.createTopic('t', [[2, 3]]);
    await cluster.kill(1);
    expect(cluster.active?.controller.epoch).toBe(2);
    await cluster.createTopic('u', [[3]]);
    expect(cluster.stateOf('u', 0)?.leaderAndIsr.leader).toBe(3);
  });
});

describe('broker failure and return', () => {
  it('elects the first live in-sync replica and takes the dead one out of the ISR', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [
      [2, 3, 1],
      [3, 2],
    ]);
    await cluster.kill(2);
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 3, leaderEpoch: 1, isr: [3, 1] });
    expect(cluster.stateOf('t', 1)?.leaderAndIsr).toMatchObject({ leader: 3, leaderEpoch: 1, isr: [3] });
    const election = cluster.active?.events.find((event) => event.kind === 'leader-elected' && event.strategy === 'offline');
    expect(election).toMatchObject({
      topic: 't',
      partition: 0,
      leader: 3,
      previousLeader: 2,
      unclean: false,
      reason: expect.stringContaining('leader 2 went offline'),
    });
  });

  it('keeps the last member of the ISR when it dies, without a leader, and elects it when it returns', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2]]);
    await cluster.kill(2);
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: -1, isr: [2] });
    expect(cluster.active?.controller.describe().counts.offlinePartitions).toBe(1);
    await cluster.start(2);
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 2, isr: [2] });
    expect(cluster.active?.controller.describe().counts.offlinePartitions).toBe(0);
  });

  it('does not elect a replica outside the ISR unless the topic allows an unclean election, then marks it recovering', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    await cluster.kill(3);
    await cluster.kill(2);
    await cluster.start(3);
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: -1, isr: [2] });
    const { zk, controller } = cluster.active!;
    await zk.configs.setEntityConfigs('topics', 't', { 'unclean.leader.election.enable': 'true' });
    controller.enableUncleanLeaderElection('t');
    await cluster.settle();
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 3, isr: [3], leaderRecoveryState: 1 });
    expect(cluster.active?.events.findLast(({ kind }) => kind === 'leader-elected')).toMatchObject({ unclean: true });
  });

  it('notices a broker that bounced between two looks by its epoch, and tells the new one everything (KAFKA-1120)', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    cluster.takeRequests();
    const controllersConnection = cluster.brokers.get(1)!.zkClient();
    controllersConnection.disconnect();
    await cluster.kill(2);
    await cluster.start(2);
    controllersConnection.reconnect();
    await cluster.settle();
    const events = cluster.active?.events.map(({ kind }) => kind) ?? [];
    expect(events).toContain('broker-bounced');
    expect(events).not.toContain('broker-failed');
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 3, isr: [3] });
    const told = cluster.takeRequests().filter(({ api, brokerId }) => api === 'LeaderAndIsr' && brokerId === 2);
    expect(told.at(-1)?.request.brokerEpoch).toBe(cluster.brokers.get(2)?.brokerEpoch);
  });

  it('sends a returning broker the whole metadata first and then its replicas', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3], [1]]);
    await cluster.kill(2);
    cluster.takeRequests();
    await cluster.start(2);
    const told = cluster
      .takeRequests()
      .filter(({ brokerId, request }) => brokerId === 2 && request.brokerEpoch === cluster.brokers.get(2)?.brokerEpoch);
    const [first, second] = told;
    expect(first).toMatchObject({ api: 'UpdateMetadata', request: { topicStates: [{ topicName: 't', partitionStates: [{}, {}] }] } });
    expect(second).toMatchObject({
      api: 'LeaderAndIsr',
      request: { topicStates: [{ partitionStates: [{ partitionIndex: 0, leader: 3, isNew: false }] }] },
    });
  });

  it('takes replicas on a failed log directory offline', async () => {
    const cluster = await clusterOf(THREE);
    cluster.network.errorCodeOf = (brokerId) => (brokerId === 2 ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE);
    await cluster.createTopic('t', [[2, 3]]);
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 3, isr: [3] });
  });

  it('does not take what a broker said of its log directory for the word of the one that was started after it', async () => {
    const cluster = await clusterOf(THREE);
    const { zooKeeper, network } = cluster;
    const broker = cluster.brokers.get(3)!;
    const registration = zooKeeper.get('/brokers/ids/3')!.data;
    let answers = 0;
    network.errorCodeOf = (brokerId, api) =>
      brokerId === 3 && api === 'LeaderAndIsr' && answers++ === 0 ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE;
    // Restarted between its answer and the controller's look at it.
    network.onRequest = ({ brokerId, api }) => {
      if (brokerId !== 3 || api !== 'LeaderAndIsr' || answers > 0) return;
      zooKeeper.endSession(broker.zkClient());
      zooKeeper.apply([{ type: 'create', path: '/brokers/ids/3', data: registration, mode: 'ephemeral' }], zooKeeper.connect());
    };
    await cluster.createTopic('t', [[2, 3]]);
    const told = cluster.takeRequests().filter(({ brokerId, api }) => brokerId === 3 && api !== 'UpdateMetadata');
    expect(told.at(-1)?.api).toBe('LeaderAndIsr');
    expect(answers).toBe(2);
  });
});

describe('controlled shutdown', () => {
  it('moves leadership to the ISR, takes the broker out of it, and answers that nothing is left', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [
      [2, 3],
      [3, 2],
    ]);
    const promise = cluster.active!.controller.controlledShutdown(2, cluster.brokers.get(2)!.brokerEpoch);
    await cluster.settle();
    expect(await promise).toEqual([]);
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 3, isr: [3] });
    expect(cluster.stateOf('t', 1)?.leaderAndIsr).toMatchObject({ leader: 3, isr: [3] });
    const stop = cluster.takeRequests().find(({ api }) => api === 'StopReplica');
    expect(stop).toMatchObject({
      brokerId: 2,
      request: { topicStates: [{ partitionStates: [{ partitionIndex: 1, deletePartition: false }] }] },
    });
  });

  it('names the partitions that nobody else in sync can lead', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3], [2]]);
    await cluster.kill(3);
    const promise = cluster.active!.controller.controlledShutdown(2, cluster.brokers.get(2)!.brokerEpoch);
    await cluster.settle();
    // A partition of one replica is not worth waiting for.
    expect(await promise).toEqual([{ topic: 't', partition: 0 }]);
  });

  it('refuses a stale broker epoch, an unknown broker, and any request when it is not the controller', async () => {
    const cluster = await clusterOf(THREE);
    const epoch = cluster.brokers.get(2)!.brokerEpoch;
    const asked = [
      cluster.active!.controller.controlledShutdown(2, epoch - 1),
      cluster.active!.controller.controlledShutdown(9, 1),
      cluster.brokers.get(3)!.controller.controlledShutdown(2, epoch),
    ].map((promise) => promise.catch((error: unknown) => (error instanceof KafkaError ? error.errorName : error)));
    await cluster.settle();
    expect(await Promise.all(asked)).toEqual(['STALE_BROKER_EPOCH', 'BROKER_NOT_AVAILABLE', 'NOT_CONTROLLER']);
  });
});

describe('topic deletion', () => {
  it('stops and deletes every replica, then removes the znodes, the request last', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[1, 2], [3]]);
    await cluster.brokers.get(1)!.zk.configs.setEntityConfigs('topics', 't', { 'flush.ms': '1' });
    cluster.takeRequests();
    await cluster.brokers.get(2)!.zk.topics.createDeleteTopicRequest('t');
    await cluster.settle();
    expect(cluster.zooKeeper.paths().filter((path) => path.includes('/t'))).not.toContainEqual(expect.stringMatching(/\/t(\/|$)/));
    const requests = cluster.takeRequests();
    const metadata = requests.find((entry) => entry.api === 'UpdateMetadata' && entry.request.topicStates?.[0]?.topicName === 't');
    expect(metadata?.request).toMatchObject({ topicStates: [{ partitionStates: [{ leader: -2 }, { leader: -2 }] }] });
    const deletes = requests.filter(
      (entry) =>
        entry.api === 'StopReplica' && entry.request.topicStates?.some(({ partitionStates }) => partitionStates?.[0]?.deletePartition),
    );
    expect(deletes.map(({ brokerId }) => brokerId).toSorted((a, b) => a - b)).toEqual(THREE);
    expect(deletes[0]?.request).toMatchObject({ topicStates: [{ partitionStates: [{ leaderEpoch: -2 }] }] });
    await cluster.createTopic('t', [[2]]);
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 2, leaderEpoch: 0 });
  });

  it('waits for a dead replica, over a change of controller, and goes on when its broker returns', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    await cluster.kill(3);
    await cluster.brokers.get(2)!.zk.topics.createDeleteTopicRequest('t');
    await cluster.settle();
    expect(cluster.zooKeeper.get('/brokers/topics/t')).toBeDefined();
    expect(cluster.active?.controller.describe().topicsBeingDeleted).toEqual([
      { topic: 't', started: true, haltedBecause: 'replicas on 3 are offline', replicasLeft: 1 },
    ]);
    await cluster.kill(1);
    expect(cluster.zooKeeper.get('/admin/delete_topics/t')).toBeDefined();
    await cluster.start(3);
    expect(cluster.zooKeeper.get('/brokers/topics/t')).toBeUndefined();
    expect(cluster.zooKeeper.get('/admin/delete_topics/t')).toBeUndefined();
  });

  it('tries again when a broker could not delete its replica and returns', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    cluster.network.errorCodeOf = (brokerId, api) =>
      brokerId === 3 && api === 'StopReplica' ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE;
    await cluster.brokers.get(1)!.zk.topics.createDeleteTopicRequest('t');
    await cluster.settle();
    expect(cluster.zooKeeper.get('/brokers/topics/t')).toBeDefined();
    cluster.network.errorCodeOf = () => ErrorCode.NONE;
    await cluster.kill(3);
    await cluster.start(3);
    expect(cluster.zooKeeper.get('/brokers/topics/t')).toBeUndefined();
  });

  it('forgets the deletion of a topic that does not exist, and all of them when delete.topic.enable is false', async () => {
    const cluster = await clusterOf([1], { deleteTopicEnable: false });
    await cluster.createTopic('t', [[1]]);
    const { zk } = cluster.brokers.get(1)!;
    await zk.topics.createDeleteTopicRequest('t');
    await zk.topics.createDeleteTopicRequest('ghost');
    await cluster.settle();
    expect(await zk.controller.getTopicDeletions()).toEqual([]);
    expect(cluster.zooKeeper.get('/brokers/topics/t')).toBeDefined();
  });

  it('takes partitions back that are added to a topic being deleted', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    await cluster.kill(3);
    const { zk } = cluster.brokers.get(2)!;
    await zk.topics.createDeleteTopicRequest('t');
    await cluster.settle();
    const assignment = (await zk.topics.getAssignments(['t'])).get('t')!;
    await zk.topics.setAssignment('t', { ...assignment, partitions: new Map([...assignment.partitions, [1, replicaAssignmentOf([1])]]) });
    await cluster.settle();
    expect([...(await zk.topics.getAssignments(['t'])).get('t')!.partitions.keys()]).toEqual([0]);
  });
});

describe('AlterPartition', () => {
  async function ask(
    cluster: ControllerCluster,
    changes: Partial<AlterPartitionRequest['topics'][number]['partitions'][number]>,
    { brokerId = 2, brokerEpoch = cluster.brokers.get(brokerId)?.brokerEpoch ?? -1, version = 3, topic = 't' } = {},
  ): Promise<unknown> {
    const topicId = topic === 't' ? 'txxxxxxxxxxxxxxxxxxxxA' : 'unknownxxxxxxxxxxxxxxA';
    const state = cluster.stateOf('t', 0)!.leaderAndIsr;
    const partition = {
      partitionIndex: 0,
      leaderEpoch: state.leaderEpoch,
      newIsr: [],
      newIsrWithEpochs: [],
      leaderRecoveryState: 0,
      partitionEpoch: state.partitionEpoch,
      ...changes,
    };
    const promise = cluster.active!.controller.alterPartition(
      { brokerId, brokerEpoch, topics: [{ topicName: 't', topicId, partitions: [partition] }] },
      version,
    );
    await cluster.settle();
    const response = await promise;
    return response.errorCode !== 0 ? response.errorCode : response.topics[0]?.partitions[0];
  }
  const members = (...ids: readonly number[]): { brokerId: number; brokerEpoch: number }[] =>
    ids.map((brokerId) => ({ brokerId, brokerEpoch: -1 }));

  it('writes the ISR, answers the new partition epoch, and tells every broker', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    cluster.takeRequests();
    expect(await ask(cluster, { newIsrWithEpochs: members(2) })).toMatchObject({
      errorCode: 0,
      leaderId: 2,
      leaderEpoch: 0,
      isr: [2],
      partitionEpoch: 1,
    });
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ isr: [2], leaderEpoch: 0, partitionEpoch: 1 });
    const told = cluster.takeRequests();
    expect(told.map(({ api }) => api)).toEqual(['UpdateMetadata', 'UpdateMetadata', 'UpdateMetadata']);
    expect(cluster.active?.events.at(-1)).toMatchObject({
      kind: 'isr-changed',
      previousIsr: [2, 3],
      isr: [2],
      reason: expect.stringContaining('3 fell behind'),
    });
  });

  it('answers the current state when nothing would change, without a write', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    expect(await ask(cluster, { newIsrWithEpochs: members(3, 2) })).toMatchObject({ errorCode: 0, isr: [2, 3], partitionEpoch: 0 });
    expect(cluster.stateOf('t', 0)?.leaderAndIsr.partitionEpoch).toBe(0);
  });

  it('fences epochs of leader, partition and broker', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    await ask(cluster, { newIsrWithEpochs: members(2) });
    const newIsrWithEpochs = members(2, 3);
    expect(await ask(cluster, { newIsrWithEpochs, partitionEpoch: 0 })).toMatchObject({ errorCode: ErrorCode.INVALID_UPDATE_VERSION });
    expect(await ask(cluster, { newIsrWithEpochs, partitionEpoch: 9 })).toMatchObject({ errorCode: ErrorCode.NOT_CONTROLLER });
    expect(await ask(cluster, { newIsrWithEpochs, leaderEpoch: 7 })).toMatchObject({ errorCode: ErrorCode.NOT_CONTROLLER });
    expect(await ask(cluster, { newIsrWithEpochs }, { brokerEpoch: 1 })).toBe(ErrorCode.STALE_BROKER_EPOCH);
    expect(await ask(cluster, { newIsrWithEpochs }, { topic: 'other' })).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_ID });
    await cluster.kill(3);
    // The death of 3 moved the leader epoch on.
    expect(await ask(cluster, { newIsrWithEpochs, leaderEpoch: -1 })).toMatchObject({ errorCode: ErrorCode.FENCED_LEADER_EPOCH });
  });

  it('refuses members that are dead, shutting down, or of another broker epoch (KIP-841, KIP-903)', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3, 1]]);
    await ask(cluster, { newIsrWithEpochs: members(2) });
    const staleEpoch = [...members(2), { brokerId: 3, brokerEpoch: 1 }];
    expect(await ask(cluster, { newIsrWithEpochs: staleEpoch })).toMatchObject({ errorCode: ErrorCode.INELIGIBLE_REPLICA });
    const right = [...members(2), { brokerId: 3, brokerEpoch: cluster.brokers.get(3)!.brokerEpoch }];
    expect(await ask(cluster, { newIsrWithEpochs: right })).toMatchObject({ errorCode: 0, isr: [2, 3] });
    void cluster.active!.controller.controlledShutdown(1, -1);
    await cluster.settle();
    expect(await ask(cluster, { newIsrWithEpochs: members(2, 3, 1) })).toMatchObject({ errorCode: ErrorCode.INELIGIBLE_REPLICA });
    expect(await ask(cluster, { newIsr: [2, 3, 1] }, { version: 1 })).toMatchObject({ errorCode: ErrorCode.OPERATION_NOT_ATTEMPTED });
  });

  it('answers NOT_CONTROLLER elsewhere', async () => {
    const cluster = await clusterOf(THREE);
    const promise = cluster.brokers.get(2)!.controller.alterPartition({ brokerId: 2, brokerEpoch: 1, topics: [] }, 3);
    await cluster.settle();
    expect(await promise).toMatchObject({ errorCode: ErrorCode.NOT_CONTROLLER });
  });
});

describe('preferred leaders', () => {
  it('are elected when the imbalance is above the limit, and not before they are back in the ISR', async () => {
    const cluster = await clusterOf(THREE, { autoLeaderRebalanceEnable: true, leaderImbalanceCheckIntervalSeconds: 300 });
    await cluster.createTopic('t', [[2, 3]]);
    await cluster.kill(2);
    await cluster.start(2);
    await cluster.time.advance(300_000);
    expect(cluster.stateOf('t', 0)?.leaderAndIsr.leader).toBe(3);
    const { brokerEpoch } = cluster.brokers.get(3)!;
    const { leaderEpoch, partitionEpoch } = cluster.stateOf('t', 0)!.leaderAndIsr;
    const isr = [2, 3].map((brokerId) => ({ brokerId, brokerEpoch: -1 }));
    const partitions = [{ partitionIndex: 0, leaderEpoch, partitionEpoch, newIsr: [], newIsrWithEpochs: isr, leaderRecoveryState: 0 }];
    void cluster.active!.controller.alterPartition(
      { brokerId: 3, brokerEpoch, topics: [{ topicName: 't', topicId: 'txxxxxxxxxxxxxxxxxxxxA', partitions }] },
      3,
    );
    await cluster.settle();
    await cluster.time.advance(300_000);
    await cluster.settle();
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 2, isr: [2, 3] });
    expect(cluster.active?.events.at(-1)).toMatchObject({ kind: 'leader-elected', strategy: 'preferred', leader: 2 });
  });

  it('are elected for the partitions named in /admin/preferred_replica_election, which goes afterwards', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    await cluster.brokers
      .get(1)!
      .zk.session.create('/admin/preferred_replica_election', encodePartitionList([{ topic: 't', partition: 0 }]));
    await cluster.settle();
    expect(cluster.zooKeeper.get('/admin/preferred_replica_election')).toBeUndefined();
  });

  it('go back to where they are preferred by request and by znode, once that replica is in sync again; the reason is kept', async () => {
    for (const by of ['request', 'znode'] as const) {
      const cluster = await clusterOf(THREE);
      await cluster.createTopic('t', [[2, 3]]);
      await cluster.kill(2);
      await cluster.start(2);
      const elect = async (): Promise<number[]> => {
        if (by === 'znode') {
          const data = encodePartitionList([{ topic: 't', partition: 0 }]);
          await cluster.brokers.get(1)!.zk.session.create('/admin/preferred_replica_election', data);
          await cluster.settle();
          expect(cluster.zooKeeper.get('/admin/preferred_replica_election')).toBeUndefined();
          return [];
        }
        const answer = cluster.active!.controller.electLeaders([{ topic: 't', partition: 0 }], 'preferred');
        await cluster.settle();
        return (await answer).map(({ errorCode }) => errorCode);
      };
      expect(await elect()).toEqual(by === 'znode' ? [] : [ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE]);
      expect(cluster.stateOf('t', 0)?.leaderAndIsr.leader).toBe(3);
      await cluster.alterIsr('t', 0, [2, 3]);
      expect(await elect()).toEqual(by === 'znode' ? [] : [ErrorCode.NONE]);
      expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 2, isr: [2, 3] });
      expect(cluster.active?.events.at(-1)).toMatchObject({
        kind: 'leader-elected',
        strategy: 'preferred',
        previousLeader: 3,
        reason: '2 is the preferred replica of [2, 3]',
      });
    }
  });

  it('asked for in ZooKeeper while nobody is in office are elected by the next controller', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    await cluster.kill(2);
    await cluster.start(2);
    await cluster.alterIsr('t', 0, [2, 3]);
    const { zk } = cluster.brokers.get(3)!;
    const closing = cluster.kill(1);
    await zk.session.create('/admin/preferred_replica_election', encodePartitionList([{ topic: 't', partition: 0 }]));
    await closing;
    await cluster.settle();
    expect(cluster.stateOf('t', 0)?.leaderAndIsr.leader).toBe(2);
    expect(cluster.zooKeeper.get('/admin/preferred_replica_election')).toBeUndefined();
  });

  it('elects by request and says per partition why not', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    const asked = [0, 7].map((partition) => ({ topic: 't', partition }));
    const promise = cluster.active!.controller.electLeaders(asked, 'preferred');
    await cluster.settle();
    expect((await promise).map(({ errorCode }) => errorCode)).toEqual(
      [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.ELECTION_NOT_NEEDED].toReversed(),
    );
  });
});

describe('unclean elections', () => {
  /** Led by 2 alone when it died: 3 lives and is not in sync. */
  async function offline(config: ConstructorParameters<typeof ControllerCluster>[0] = {}): Promise<ControllerCluster> {
    const cluster = await clusterOf(THREE, config);
    await cluster.createTopic('t', [[2, 3]]);
    await cluster.alterIsr('t', 0, [2]);
    await cluster.kill(2);
    return cluster;
  }
  const isLed = (cluster: ControllerCluster): boolean => cluster.stateOf('t', 0)?.leaderAndIsr.leader === 3;

  it('take place by request only where nobody in sync lives, and mark the leader recovering', async () => {
    const cluster = await offline();
    expect(isLed(cluster)).toBe(false);
    expect(cluster.active?.events.findLast(({ kind }) => kind === 'leader-election-failed')?.reason).toContain(
      'unclean election of [3] is not allowed',
    );
    const answer = cluster.active!.controller.electLeaders([{ topic: 't', partition: 0 }], 'unclean');
    await cluster.settle();
    expect(await answer).toMatchObject([{ errorCode: 0, leader: 3 }]);
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 3, isr: [3], leaderRecoveryState: 1 });
    const again = cluster.active!.controller.electLeaders([{ topic: 't', partition: 0 }], 'unclean');
    await cluster.settle();
    expect(await again).toMatchObject([{ errorCode: ErrorCode.ELECTION_NOT_NEEDED }]);
  });

  it('begin when the broker’s or the topic’s setting allows them while partitions are without a leader', async () => {
    let allowed = false;
    const byBroker = await offline({ uncleanLeaderElectionEnable: () => allowed });
    byBroker.active!.controller.enableUncleanLeaderElection();
    await byBroker.settle();
    expect(isLed(byBroker)).toBe(false);
    allowed = true;
    byBroker.active!.controller.enableUncleanLeaderElection();
    await byBroker.settle();
    expect(isLed(byBroker)).toBe(true);

    const byTopic = await offline();
    await byTopic.brokers.get(1)!.zk.configs.setEntityConfigs('topics', 't', { 'unclean.leader.election.enable': 'true' });
    byTopic.active!.controller.enableUncleanLeaderElection('other');
    await byTopic.settle();
    expect(isLed(byTopic)).toBe(false);
    byTopic.active!.controller.enableUncleanLeaderElection('t');
    await byTopic.settle();
    expect(isLed(byTopic)).toBe(true);
  });

  it('are not for a topic that forbids them, whatever the broker allows', async () => {
    const cluster = await clusterOf(THREE, { uncleanLeaderElectionEnable: () => true });
    await cluster.createTopic('t', [[2, 3]]);
    await cluster.brokers.get(1)!.zk.configs.setEntityConfigs('topics', 't', { 'unclean.leader.election.enable': 'false' });
    await cluster.alterIsr('t', 0, [2]);
    await cluster.kill(2);
    expect(isLed(cluster)).toBe(false);
  });
});

describe('epochs of brokers', () => {
  it('of before a restart are refused in every request, with STALE_BROKER_EPOCH', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    const stale = cluster.brokers.get(2)!.brokerEpoch;
    await cluster.kill(2);
    await cluster.start(2);
    expect(cluster.brokers.get(2)!.brokerEpoch).toBeGreaterThan(stale);
    const { controller } = cluster.active!;
    const shutdown = controller.controlledShutdown(2, stale).catch((error: unknown) => error);
    const isrChange = controller.alterPartition({ brokerId: 2, brokerEpoch: stale, topics: [] }, 3);
    const producerIds = controller.allocateProducerIds({ brokerId: 2, brokerEpoch: stale });
    await cluster.settle();
    expect(await shutdown).toMatchObject({ code: ErrorCode.STALE_BROKER_EPOCH });
    expect(await isrChange).toMatchObject({ errorCode: ErrorCode.STALE_BROKER_EPOCH });
    expect(await producerIds).toMatchObject({ errorCode: ErrorCode.STALE_BROKER_EPOCH });
  });
});

describe('producer ids', () => {
  it('are handed out in blocks of 1000, each once, to registered brokers of the right epoch', async () => {
    const cluster = await clusterOf(THREE);
    const { controller } = cluster.active!;
    const { brokerEpoch } = cluster.brokers.get(2)!;
    const asked = [
      controller.allocateProducerIds({ brokerId: 2, brokerEpoch }),
      controller.allocateProducerIds({ brokerId: 2, brokerEpoch }),
      controller.allocateProducerIds({ brokerId: 2, brokerEpoch: brokerEpoch - 1 }),
      controller.allocateProducerIds({ brokerId: 9, brokerEpoch }),
    ];
    await cluster.settle();
    expect(await Promise.all(asked)).toMatchObject([
      { errorCode: 0, producerIdStart: 0, producerIdLen: 1000 },
      { errorCode: 0, producerIdStart: 1000, producerIdLen: 1000 },
      { errorCode: ErrorCode.STALE_BROKER_EPOCH },
      { errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED },
    ]);
    expect(JSON.parse(cluster.zooKeeper.read('/latest_producer_id_block') ?? '')).toEqual({
      version: 1,
      broker: 2,
      block_start: '1000',
      block_end: '1999',
    });
  });
});

describe('notifications that other brokers leave', () => {
  it('reads ISR changes that a broker without AlterPartition wrote itself and tells everyone', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    cluster.takeRequests();
    const { zk } = cluster.brokers.get(2)!;
    const state = '{"version":1,"leader":2,"leader_epoch":0,"controller_epoch":1,"isr":[2]}';
    await zk.session.setData('/brokers/topics/t/partitions/0/state', Buffer.from(state), -1);
    await zk.session.create(
      '/isr_change_notification/isr_change_',
      encodePartitionList([{ topic: 't', partition: 0 }]),
      'persistent-sequential',
    );
    await cluster.settle();
    expect(cluster.takeRequests()[0]?.request).toMatchObject({ topicStates: [{ partitionStates: [{ isr: [2], zkVersion: 1 }] }] });
    expect(await zk.controller.getIsrChangeNotifications()).toEqual([]);
  });

  it('asks a broker whose log directory failed for its replicas', async () => {
    const cluster = await clusterOf(THREE);
    await cluster.createTopic('t', [[2, 3]]);
    cluster.network.errorCodeOf = (brokerId) => (brokerId === 2 ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE);
    const { zk } = cluster.brokers.get(2)!;
    await zk.controller.propagateLogDirEvent(2);
    await cluster.settle();
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 3, isr: [3] });
    expect(await zk.controller.getLogDirEvents()).toEqual([]);
  });

  it('tells everyone when a broker changes its endpoints under the same epoch', async () => {
    const cluster = await clusterOf(THREE);
    const { zk } = cluster.brokers.get(2)!;
    const { broker } = (await zk.brokers.get(2))!;
    await zk.brokers.update({ ...broker, endpoints: broker.endpoints.map((endpoint) => ({ ...endpoint, port: 7777 })) });
    await cluster.settle();
    const told = cluster.takeRequests();
    expect(told).toHaveLength(3);
    expect(told[0]?.request).toMatchObject({
      liveBrokers: expect.arrayContaining([expect.objectContaining({ id: 2, endpoints: [expect.objectContaining({ port: 7777 })] })]),
    });
  });
});

describe('a broker that cannot be reached', () => {
  it('is told everything anew when too much waits for it', async () => {
    const cluster = new ControllerCluster();
    cluster.maxQueuedRequests = 12;
    for (const id of THREE) await cluster.start(id);
    await cluster.createTopic('first', [[3, 2]]);
    cluster.network.unreachable.add(3);
    for (const topic of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await cluster.createTopic(topic, [[3, 2]]);
    expect(cluster.active?.events.map(({ kind }) => kind)).toContain('broker-bounced');
    cluster.network.unreachable.delete(3);
    cluster.takeRequests();
    await cluster.time.advance(1000);
    await cluster.settle();
    const told = new Map<string, number | undefined>();
    for (const entry of cluster.takeRequests()) {
      if (entry.api !== 'LeaderAndIsr' || entry.brokerId !== 3) continue;
      for (const { topicName = '', partitionStates = [] } of entry.request.topicStates ?? [])
        told.set(topicName, partitionStates[0]?.leaderEpoch);
    }
    for (const topic of ['first', 'a', 'b', 'c', 'd', 'e', 'f', 'g']) {
      expect(told.get(topic), topic).toBe(cluster.stateOf(topic, 0)?.leaderAndIsr.leaderEpoch);
    }
  });

  it('gets the requests in order when it can be again', async () => {
    const cluster = await clusterOf(THREE);
    cluster.network.unreachable.add(3);
    await cluster.createTopic('t', [[3, 2]]);
    await cluster.createTopic('u', [[3, 2]]);
    cluster.network.unreachable.delete(3);
    cluster.takeRequests();
    await cluster.time.advance(1000);
    await cluster.settle();
    const topics = cluster
      .takeRequests()
      .flatMap((entry) => (entry.api === 'LeaderAndIsr' && entry.brokerId === 3 ? [entry.request.topicStates?.[0]?.topicName] : []));
    expect(topics).toEqual(['t', 'u']);
  });
});
