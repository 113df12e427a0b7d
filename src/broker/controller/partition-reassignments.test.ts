import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { replicaAssignmentOf } from '../zk/replica-assignment.ts';
import { encodeReassignments } from '../zk/zk-data.ts';
import type { ReassignmentResult } from './partition-reassignments.ts';
import { ControllerCluster, type ControlRequest } from './testing/controller-cluster.ts';

const ZNODE = '/admin/reassign_partitions';

async function clusterOf(
  ids: readonly number[],
  config: ConstructorParameters<typeof ControllerCluster>[0] = {},
): Promise<ControllerCluster> {
  const cluster = new ControllerCluster(config);
  for (const id of ids) await cluster.start(id);
  cluster.takeRequests();
  return cluster;
}

/** Asks the controller in office and lets it finish. */
async function reassign(
  cluster: ControllerCluster,
  replicas: readonly number[] | null,
  topic = 't',
  partition = 0,
): Promise<ReassignmentResult> {
  const answer = cluster.active!.controller.alterPartitionReassignments([{ topic, partition, replicas }]);
  await cluster.settle();
  const [result] = await answer;
  return result!;
}

async function list(cluster: ControllerCluster): Promise<string[]> {
  const answer = cluster.active!.controller.listPartitionReassignments();
  await cluster.settle();
  return (await answer).map(
    ({ topic, partition, assignment: { replicas, addingReplicas, removingReplicas } }) =>
      `${topic}-${partition} [${replicas.join(',')}] +[${addingReplicas.join(',')}] -[${removingReplicas.join(',')}]`,
  );
}

/** Requests since the last look, as `api broker: what`. */
function told(cluster: ControllerCluster): string[] {
  return cluster.takeRequests().flatMap((entry) => {
    const states = (entry.request.topicStates ?? []).flatMap((topic): readonly object[] => topic.partitionStates ?? []);
    return states.map((state) => {
      if (entry.api === 'StopReplica')
        return `StopReplica ${entry.brokerId}${'deletePartition' in state && state.deletePartition === true ? ' delete' : ''}`;
      const isNew = 'isNew' in state && state.isNew === true ? ' new' : '';
      return `${entry.api} ${entry.brokerId}${isNew}`;
    });
  });
}

describe('a reassignment', () => {
  it('starts the added replicas under the next leader epoch and waits until all target replicas are in the ISR', async () => {
    const cluster = await clusterOf([1, 2, 3, 4]);
    await cluster.createTopic('t', [[1, 2]]);
    cluster.takeRequests();
    expect(await reassign(cluster, [3, 2])).toEqual({ topic: 't', partition: 0, errorCode: 0, errorMessage: null });
    expect(cluster.assignmentOf('t').partitions.get(0)).toEqual({ replicas: [3, 2, 1], addingReplicas: [3], removingReplicas: [1] });
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 1, leaderEpoch: 1, isr: [1, 2] });
    expect(told(cluster).filter((request) => request.startsWith('LeaderAndIsr'))).toEqual([
      'LeaderAndIsr 2',
      'LeaderAndIsr 1',
      'LeaderAndIsr 3 new',
    ]);
    expect(await list(cluster)).toEqual(['t-0 [3,2,1] +[3] -[1]']);
  });

  it('moves the leader into the target, deletes the removed replica and writes the final assignment once the target is in sync', async () => {
    const cluster = await clusterOf([1, 2, 3, 4]);
    await cluster.createTopic('t', [[1, 2]]);
    await reassign(cluster, [3, 2]);
    cluster.takeRequests();
    expect(await cluster.alterIsr('t', 0, [1, 2, 3])).toBe(ErrorCode.NONE);
    expect(cluster.assignmentOf('t').partitions.get(0)).toEqual(replicaAssignmentOf([3, 2]));
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 3, isr: [2, 3] });
    const requests = told(cluster);
    expect(requests.filter((request) => request.startsWith('StopReplica'))).toEqual(['StopReplica 1', 'StopReplica 1 delete']);
    expect(requests).not.toContain('LeaderAndIsr 1');
    expect(await list(cluster)).toEqual([]);
    expect(cluster.active?.events.slice(-4).map(({ kind }) => kind)).toEqual([
      'isr-changed',
      'leader-elected',
      'isr-changed',
      'reassignment-completed',
    ]);
    expect(cluster.active?.events.find((event) => event.kind === 'leader-elected' && event.strategy === 'reassign')).toMatchObject({
      reason: 'leader 1 is not among the live target replicas [3, 2]; 3 is the first in sync',
    });
  });

  it('tells a broker that could not be told to delete its replica when it registers again, once', async () => {
    const cluster = await clusterOf([1, 2, 3, 4]);
    await cluster.createTopic('t', [[4, 2]]);
    await reassign(cluster, [3, 2]);
    cluster.network.unreachable.add(4);
    expect(await cluster.alterIsr('t', 0, [4, 2, 3])).toBe(ErrorCode.NONE);
    expect(cluster.assignmentOf('t').partitions.get(0)).toEqual(replicaAssignmentOf([3, 2]));
    cluster.network.unreachable.delete(4);
    cluster.takeRequests();
    await cluster.expireSession(4);
    const full = (): string[] =>
      cluster
        .takeRequests()
        .filter(({ brokerId }) => brokerId === 4)
        .flatMap(({ api, request }) => {
          if (api === 'StopReplica') return [api];
          return 'type' in request && request.type === 2 ? [`${api} full`] : [];
        });
    expect(full()).toEqual(['UpdateMetadata full', 'StopReplica']);
    await cluster.expireSession(4);
    expect(full()).toEqual(['UpdateMetadata full']);
  });

  it('waits with that until another leads the partition, and forgets it when the replica comes back to the broker', async () => {
    const cluster = await clusterOf([1, 2, 3]);
    for (const topic of ['t', 'u']) await cluster.createTopic(topic, [[3, 2]]);
    await cluster.kill(3);
    for (const topic of ['t', 'u']) await reassign(cluster, [2], topic);
    await reassign(cluster, [2, 1], 'u');
    await cluster.kill(2);
    cluster.takeRequests();
    await cluster.start(3);
    expect(told(cluster)).not.toContain('StopReplica 3 delete');
    await cluster.start(2);
    await reassign(cluster, [2, 3], 'u');
    await cluster.kill(3);
    cluster.takeRequests();
    await cluster.start(3);
    expect(told(cluster).filter((request) => request === 'StopReplica 3 delete')).toHaveLength(1);
  });

  it('lets a leader stay that is a target replica, under the next epoch', async () => {
    const cluster = await clusterOf([1, 2, 3]);
    await cluster.createTopic('t', [[1, 2]]);
    await reassign(cluster, [3, 1]);
    await cluster.alterIsr('t', 0, [1, 2, 3]);
    const { leader, leaderEpoch, isr } = cluster.stateOf('t', 0)!.leaderAndIsr;
    expect({ leader, leaderEpoch, isr }).toEqual({ leader: 1, leaderEpoch: 3, isr: [1, 3] });
  });

  it('takes a change of the order alone at once', async () => {
    const cluster = await clusterOf([1, 2]);
    await cluster.createTopic('t', [[1, 2]]);
    expect(await reassign(cluster, [2, 1])).toMatchObject({ errorCode: 0 });
    expect(cluster.assignmentOf('t').partitions.get(0)).toEqual(replicaAssignmentOf([2, 1]));
    expect(await list(cluster)).toEqual([]);
  });

  it('is told of with what it waits for, and the controller’s events with their times', async () => {
    const cluster = await clusterOf([1, 2, 3, 4]);
    await cluster.createTopic('t', [[1, 2]]);
    await reassign(cluster, [3, 4, 2]);
    await cluster.alterIsr('t', 0, [1, 2, 3]);
    await cluster.kill(4);
    const told = cluster.active!.controller.describe();
    expect(told.reassignments).toEqual([
      {
        topic: 't',
        partition: 0,
        targetReplicas: [3, 4, 2],
        addingReplicas: [3, 4],
        removingReplicas: [1],
        leader: 1,
        isr: [1, 2, 3],
        missingReplicas: [4],
        offlineReplicas: [4],
      },
    ]);
    expect(told.queue).toMatchObject({ length: 0, current: null });
    expect(told.recentEvents.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['TopicChange', 'ApiPartitionReassignment', 'AlterPartition', 'BrokerChange']),
    );
    expect(told.queue.processingTimes.count).toBe(told.recentEvents.length);
    expect(cluster.brokers.get(2)?.controller.describe()).toMatchObject({ isActive: false, activeControllerId: 1, activeSinceMs: null });
  });

  it('waits for a target replica whose broker dies, and goes on when it is back', async () => {
    const cluster = await clusterOf([1, 2, 3, 4]);
    await cluster.createTopic('t', [[1, 2]]);
    await reassign(cluster, [3, 2]);
    await cluster.kill(3);
    expect(await list(cluster)).toEqual(['t-0 [3,2,1] +[3] -[1]']);
    cluster.takeRequests();
    await cluster.start(3);
    expect(told(cluster)).toContain('LeaderAndIsr 3');
    await cluster.alterIsr('t', 0, [1, 2, 3]);
    expect(cluster.assignmentOf('t').partitions.get(0)).toEqual(replicaAssignmentOf([3, 2]));
  });

  it('is undone by a null target: the added replica is deleted (and the order is the target’s, as in Kafka)', async () => {
    const cluster = await clusterOf([1, 2, 3]);
    await cluster.createTopic('t', [[1, 2]]);
    await reassign(cluster, [3, 2]);
    cluster.takeRequests();
    expect(await reassign(cluster, null)).toMatchObject({ errorCode: 0 });
    expect(cluster.assignmentOf('t').partitions.get(0)).toEqual(replicaAssignmentOf([2, 1]));
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 1, isr: [1, 2] });
    expect(told(cluster)).toContain('StopReplica 3 delete');
    expect(await reassign(cluster, null)).toMatchObject({ errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS });
    expect(cluster.active?.events.at(-1)).toMatchObject({ kind: 'reassignment-cancelled', replicas: [2, 1] });
  });

  it('is replaced by another one, which deletes what only the first one added', async () => {
    const cluster = await clusterOf([1, 2, 3, 4]);
    await cluster.createTopic('t', [[1, 2]]);
    await reassign(cluster, [3, 2]);
    cluster.takeRequests();
    await reassign(cluster, [4, 2]);
    expect(told(cluster)).toContain('StopReplica 3 delete');
    expect(await list(cluster)).toEqual(['t-0 [4,2,1] +[4] -[1]']);
    await cluster.alterIsr('t', 0, [1, 2, 4]);
    expect(cluster.assignmentOf('t').partitions.get(0)).toEqual(replicaAssignmentOf([4, 2]));
  });

  it('is refused where no member of the ISR would stay: acknowledged records would be deleted with it', async () => {
    const cluster = await clusterOf([1, 2, 3, 4]);
    await cluster.createTopic('t', [[1, 2]]);
    await reassign(cluster, [3, 4]);
    await cluster.alterIsr('t', 0, [1, 3]);
    await cluster.kill(1);
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 3, isr: [3] });
    expect(await reassign(cluster, null)).toMatchObject({
      errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      errorMessage: expect.stringContaining('unclean'),
    });
    expect(await list(cluster)).toEqual(['t-0 [3,4,1,2] +[3,4] -[1,2]']);
  });

  it('refuses targets that are empty, double, negative or dead, and unknown partitions', async () => {
    const cluster = await clusterOf([1, 2]);
    await cluster.createTopic('t', [[1, 2]]);
    for (const replicas of [[], [1, 1], [-1, 2], [1, 9]]) {
      expect(await reassign(cluster, replicas), replicas.join(',')).toMatchObject({ errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT });
    }
    expect(await reassign(cluster, [1], 'ghost')).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION });
    expect(await reassign(cluster, null, 'ghost')).toMatchObject({ errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS });
    expect(cluster.assignmentOf('t').partitions.get(0)).toEqual(replicaAssignmentOf([1, 2]));
  });

  it('keeps partitions that somebody adds to the topic meanwhile', async () => {
    const cluster = await clusterOf([1, 2, 3]);
    await cluster.createTopic('t', [[1, 2]]);
    const answer = cluster.active!.controller.alterPartitionReassignments([{ topic: 't', partition: 0, replicas: [3, 2] }]);
    const added = cluster.brokers.get(2)!.zk.topics.updateAssignment('t', ({ topicId, partitions }) => ({
      topicId,
      partitions: new Map([...partitions, [1, replicaAssignmentOf([2])]]),
    }));
    await cluster.settle();
    await Promise.all([answer, added]);
    expect([...cluster.assignmentOf('t').partitions.keys()]).toEqual([0, 1]);
    expect(await list(cluster)).toEqual(['t-0 [3,2,1] +[3] -[1]']);
    expect(cluster.stateOf('t', 1)?.leaderAndIsr.leader).toBe(2);
  });
});

describe('/admin/reassign_partitions', () => {
  async function write(cluster: ControllerCluster, data: Buffer | string): Promise<void> {
    await [...cluster.brokers.values()][0]!.zk.session.create(ZNODE, Buffer.from(data));
    await cluster.settle();
  }
  const asked = encodeReassignments([{ topic: 't', partition: 0, replicas: [3, 2] }]);

  it('starts reassignments and goes when they are done; another one is heard of', async () => {
    const cluster = await clusterOf([1, 2, 3]);
    await cluster.createTopic('t', [[1, 2]]);
    for (const [replicas, isr] of [
      [
        [3, 2],
        [1, 2, 3],
      ],
      [
        [1, 2],
        [3, 2, 1],
      ],
    ]) {
      await write(cluster, encodeReassignments([{ topic: 't', partition: 0, replicas: replicas! }]));
      expect(cluster.zooKeeper.get(ZNODE)).toBeDefined();
      await cluster.alterIsr('t', 0, isr!);
      expect(cluster.zooKeeper.get(ZNODE)).toBeUndefined();
      expect(cluster.assignmentOf('t').partitions.get(0)).toEqual(replicaAssignmentOf(replicas!));
    }
  });

  it('loses what can’t be done, and goes altogether when it can’t be read', async () => {
    const cluster = await clusterOf([1, 2, 3]);
    await cluster.createTopic('t', [[1, 2]]);
    const empty = { topic: 't', partition: 0, replicas: [] };
    for (const data of [
      encodeReassignments([empty]),
      encodeReassignments([{ topic: 'ghost', partition: 0, replicas: [1] }]),
      'no JSON',
      encodeReassignments([]),
    ]) {
      await write(cluster, data);
      expect(cluster.zooKeeper.get(ZNODE)).toBeUndefined();
    }
    await write(cluster, asked);
    expect(await list(cluster)).toEqual(['t-0 [3,2,1] +[3] -[1]']);
  });

  it('gives way to a request by the API', async () => {
    const cluster = await clusterOf([1, 2, 3]);
    await cluster.createTopic('t', [[1, 2]]);
    await write(cluster, asked);
    await reassign(cluster, null);
    expect(cluster.zooKeeper.get(ZNODE)).toBeUndefined();
    expect(await list(cluster)).toEqual([]);
  });

  it('is read by the next controller, and what it asked for is finished by it', async () => {
    const cluster = await clusterOf([1, 2, 3, 4]);
    await cluster.createTopic('t', [[4, 2]]);
    await write(cluster, encodeReassignments([{ topic: 't', partition: 0, replicas: [3, 2] }]));
    await cluster.kill(cluster.active!.id);
    expect(await list(cluster)).toEqual(['t-0 [3,2,4] +[3] -[4]']);
    await cluster.alterIsr('t', 0, [4, 2, 3]);
    expect(cluster.zooKeeper.get(ZNODE)).toBeUndefined();
    expect(cluster.assignmentOf('t').partitions.get(0)).toEqual(replicaAssignmentOf([3, 2]));
  });
});

describe('a controller that loses its office during a reassignment', () => {
  /** The office is lost right after write number `lastWrite` of the controller in office; false when there are not so many. */
  async function loseOfficeAfterWrite(cluster: ControllerCluster, lastWrite: number, action: () => Promise<unknown>): Promise<boolean> {
    const client = cluster.active!.zkClient();
    let writes = 0;
    let lost = false;
    cluster.zooKeeper.onWrite = (writer) => {
      if (writer !== client || ++writes !== lastWrite) return;
      lost = true;
      client.expire();
    };
    await action();
    await cluster.settle();
    cluster.zooKeeper.onWrite = () => {};
    return lost;
  }

  it('leaves it to the next one, whichever write was its last before the target is in sync', async () => {
    for (let lastWrite = 1; ; lastWrite++) {
      const cluster = await clusterOf([1, 2, 3, 4]);
      await cluster.createTopic('t', [[4, 2]]);
      const lost = await loseOfficeAfterWrite(cluster, lastWrite, () =>
        cluster.active!.controller.alterPartitionReassignments([{ topic: 't', partition: 0, replicas: [3, 2] }]).catch(() => undefined),
      );
      if (!lost) {
        expect(lastWrite).toBeGreaterThan(2);
        break;
      }
      expect(await list(cluster)).toEqual(['t-0 [3,2,4] +[3] -[4]']);
      await cluster.alterIsr('t', 0, [2, 3, 4]);
      expect(cluster.assignmentOf('t').partitions.get(0), `after write ${lastWrite}`).toEqual(replicaAssignmentOf([3, 2]));
      expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 3, isr: expect.arrayContaining([2, 3]) });
    }
  });

  it('leaves it to the next one, whichever write was its last while it finished', async () => {
    for (let lastWrite = 1; ; lastWrite++) {
      const cluster = await clusterOf([1, 2, 3, 4]);
      await cluster.createTopic('t', [[4, 2]]);
      await reassign(cluster, [3, 2]);
      cluster.takeRequests();
      const lost = await loseOfficeAfterWrite(cluster, lastWrite, () => cluster.alterIsr('t', 0, [2, 3, 4]));
      if (!lost) {
        expect(lastWrite).toBeGreaterThan(4);
        break;
      }
      expect(await list(cluster), `after write ${lastWrite}`).toEqual([]);
      expect(cluster.assignmentOf('t').partitions.get(0), `after write ${lastWrite}`).toEqual(replicaAssignmentOf([3, 2]));
      expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 3, isr: [2, 3] });
      expect(told(cluster)).toContain('StopReplica 4 delete');
    }
  });

  it('leaves a cancellation to the next one, whichever write was its last', async () => {
    for (let lastWrite = 1; ; lastWrite++) {
      const cluster = await clusterOf([1, 2, 3, 4]);
      await cluster.createTopic('t', [[4, 2]]);
      await reassign(cluster, [3, 2]);
      const lost = await loseOfficeAfterWrite(cluster, lastWrite, () =>
        cluster.active!.controller.alterPartitionReassignments([{ topic: 't', partition: 0, replicas: null }]).catch(() => undefined),
      );
      if (!lost) break;
      expect(cluster.assignmentOf('t').partitions.get(0), `after write ${lastWrite}`).toEqual(replicaAssignmentOf([2, 4]));
      expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 4, isr: [4, 2] });
    }
  });
});

describe('a topic with a reassignment under way', () => {
  it('is deleted with all replicas that it has by then, also when nobody leads it, so that the reassignment would never end', async () => {
    const cluster = await clusterOf([1, 2, 3]);
    const { session, topics } = cluster.brokers.get(3)!.zk;
    await cluster.createTopic('t', [[2]]);
    await session.create(ZNODE, encodeReassignments([{ topic: 't', partition: 0, replicas: [3] }]));
    await cluster.settle();
    expect(cluster.assignmentOf('t').partitions.get(0)).toMatchObject({ addingReplicas: [3], removingReplicas: [2] });
    // As the controller before left it when broker 2 was gone.
    const state = { version: 1, leader: -1, leader_epoch: 9, controller_epoch: 1, isr: [2] };
    await session.setData('/brokers/topics/t/partitions/0/state', Buffer.from(JSON.stringify(state)), -1);
    cluster.takeRequests();
    await topics.createDeleteTopicRequest('t');
    await cluster.kill(1);
    expect(cluster.active).toBeDefined();
    for (const path of ['/brokers/topics/t', '/admin/delete_topics/t', ZNODE]) expect(cluster.zooKeeper.get(path), path).toBeUndefined();
    const isDeletion = ({ api, request }: ControlRequest): boolean =>
      api === 'StopReplica' && JSON.stringify(request.topicStates).includes('"deletePartition":true');
    const deletedOn = cluster.takeRequests().filter(isDeletion);
    expect([...new Set(deletedOn.map(({ brokerId }) => brokerId))].toSorted((a, b) => a - b)).toEqual([2, 3]);
  });
});
