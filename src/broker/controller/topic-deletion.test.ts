/** Deletions under faults: whoever is controller next finishes them, and a topic of the same name made at once is another one. */
import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import { ControllerCluster } from './testing/controller-cluster.ts';

const IDS = [1, 2, 3, 4];

async function startCluster(): Promise<ControllerCluster> {
  const cluster = new ControllerCluster();
  for (const id of IDS) await cluster.start(id);
  return cluster;
}

/** Brokers that have a log of the topic, by what they were told; each entry names its topic id. */
function followLogs(cluster: ControllerCluster, topic: string): Map<number, string> {
  const logs = new Map<number, string>();
  cluster.network.onRequest = ({ brokerId, api, request }) => {
    if (api === 'UpdateMetadata') return;
    for (const state of request.topicStates ?? []) {
      if (state.topicName !== topic) continue;
      for (const partition of state.partitionStates ?? []) {
        if ('deletePartition' in partition && partition.deletePartition === true) {
          const failed = cluster.network.errorCodeOf(brokerId, api, topic, partition.partitionIndex ?? 0) !== ErrorCode.NONE;
          if (!failed) logs.delete(brokerId);
        } else if ('topicId' in state && api === 'LeaderAndIsr') logs.set(brokerId, state.topicId ?? '');
      }
    }
  };
  return logs;
}

const isGone = (cluster: ControllerCluster, topic: string): boolean =>
  [`/brokers/topics/${topic}`, `/admin/delete_topics/${topic}`].every((path) => cluster.zooKeeper.get(path) === undefined);

async function requestDeletion(cluster: ControllerCluster, topic: string): Promise<void> {
  const { zk } = cluster.brokers.get(cluster.active?.id === 2 ? 3 : 2)!;
  await zk.topics.createDeleteTopicRequest(topic);
  await cluster.settle();
}

describe('the deletion of a topic', () => {
  it('is finished by the next controller, whichever write was the last of the one before', async () => {
    for (let lastWrite = 1; ; lastWrite++) {
      const cluster = await startCluster();
      const logs = followLogs(cluster, 't');
      await cluster.createTopic('t', [
        [1, 2],
        [2, 3],
      ]);
      expect(logs.size).toBe(3);
      const client = cluster.active!.zkClient();
      let writes = 0;
      cluster.zooKeeper.onWrite = (writer) => {
        if (writer === client && ++writes === lastWrite) client.expire();
      };
      await requestDeletion(cluster, 't');
      cluster.zooKeeper.onWrite = () => {};
      await cluster.settle();
      expect(isGone(cluster, 't'), `office lost after write ${lastWrite}`).toBe(true);
      expect([...logs.keys()], `office lost after write ${lastWrite}`).toEqual([]);
      if (writes < lastWrite) {
        expect(lastWrite).toBeGreaterThan(5);
        break;
      }
    }
  });

  it('leaves nothing to a topic that is made again at once: it has another id, and every replica begins with it', async () => {
    const cluster = await startCluster();
    const logs = followLogs(cluster, 't');
    await cluster.createTopic('t', [[1, 2, 3]], 'firstxxxxxxxxxxxxxxxxA');
    await requestDeletion(cluster, 't');
    await cluster.createTopic('t', [[3, 2]], 'secondxxxxxxxxxxxxxxxA');
    expect([...logs].toSorted(([a], [b]) => a - b)).toEqual([
      [2, 'secondxxxxxxxxxxxxxxxA'],
      [3, 'secondxxxxxxxxxxxxxxxA'],
    ]);
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 3, leaderEpoch: 0, isr: [3, 2] });
  });

  it('goes on where a broker was started again, whatever is still heard of the one before', async () => {
    const cluster = await startCluster();
    const { zooKeeper, network } = cluster;
    const broker = cluster.brokers.get(3)!;
    const registration = zooKeeper.get('/brokers/ids/3')!.data;
    await cluster.createTopic('t', [[1, 2, 3]]);
    const isDeletion = (brokerId: number, api: string): boolean => brokerId === 3 && api === 'StopReplica';
    let asked = 0;
    // What was meant for the one before reaches the next one, which says so; the controller looks at its registration first.
    network.errorCodeOf = (brokerId, api) => (isDeletion(brokerId, api) && asked === 1 ? ErrorCode.STALE_BROKER_EPOCH : ErrorCode.NONE);
    network.onRequest = ({ brokerId, api, request }) => {
      const deletes = 'topicStates' in request && JSON.stringify(request.topicStates).includes('"deletePartition":true');
      if (!isDeletion(brokerId, api) || !deletes || asked++ > 0) return;
      zooKeeper.endSession(broker.zkClient());
      zooKeeper.apply([{ type: 'create', path: '/brokers/ids/3', data: registration, mode: 'ephemeral' }], zooKeeper.connect());
    };
    await requestDeletion(cluster, 't');
    expect(asked).toBe(2);
    expect(isGone(cluster, 't')).toBe(true);
  });

  it.each(Array.from({ length: 20 }, (_, seed) => [seed]))('comes to its end whatever dies meanwhile (seed %i)', async (seed) => {
    const random = new SeededRandom(seed);
    const cluster = await startCluster();
    const logs = followLogs(cluster, 't');
    await cluster.createTopic('t', [[1, 2, 3], [2, 3], [4]]);
    const history: string[] = [];
    const live = (): number[] => [...cluster.brokers.keys()];
    const pick = (ids: readonly number[]): number => ids[random.int(ids.length)]!;
    let requested = false;
    for (let step = 0; step < 15; step++) {
      const action = random.int(5);
      const dead = IDS.filter((id) => !live().includes(id));
      if (random.int(3) === 0) {
        const client = cluster.active?.zkClient();
        let left = 1 + random.int(6);
        cluster.zooKeeper.onWrite = (writer) => {
          if (writer === client && --left === 0) client.expire();
        };
      }
      if (action === 0 && live().length > 1) {
        const id = pick(live());
        history.push(`kill ${id}`);
        await cluster.kill(id);
      } else if (action === 1 && dead.length > 0) {
        history.push(`start ${dead[0]}`);
        await cluster.start(dead[0]!);
      } else if (action === 2) {
        const id = pick(live());
        history.push(`expire ${id}`);
        await cluster.expireSession(id);
      } else if (action === 3) {
        // It can't delete now; its restart has it tried again.
        const id = 1 + random.int(4);
        history.push(`${id} can't delete`);
        cluster.network.errorCodeOf = (brokerId, api) =>
          api === 'StopReplica' && brokerId === id ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE;
      } else if (!requested) {
        requested = true;
        history.push('delete');
        await cluster.brokers
          .get(pick(live()))!
          .zk.topics.createDeleteTopicRequest('t')
          .catch(() => false);
      }
      cluster.zooKeeper.onWrite = () => {};
      await cluster.settle();
    }
    const { zk } = [...cluster.brokers.values()][0]!;
    if (!requested) await zk.topics.createDeleteTopicRequest('t');
    await cluster.settle();
    cluster.network.errorCodeOf = () => ErrorCode.NONE;
    for (const id of IDS) {
      if (live().includes(id)) await cluster.kill(id);
      await cluster.start(id);
    }
    expect(isGone(cluster, 't'), history.join('; ')).toBe(true);
    expect([...logs.keys()], history.join('; ')).toEqual([]);
  });
});
