import { describe, expect, it } from 'vitest';
import { ControllerCluster } from './testing/controller-cluster.ts';

async function clusterOf(...ids: number[]): Promise<ControllerCluster> {
  const cluster = new ControllerCluster();
  for (const id of ids) await cluster.start(id);
  return cluster;
}

describe('election', () => {
  it('makes the first broker controller with epoch 1', async () => {
    const cluster = await clusterOf(1, 2, 3);
    expect(cluster.active?.id).toBe(1);
    expect(cluster.active?.controller.epoch).toBe(1);
    expect(cluster.zooKeeper.read('/controller_epoch')).toBe('1');
    expect(JSON.parse(cluster.zooKeeper.read('/controller') ?? '')).toMatchObject({ version: 2, brokerid: 1, kraftControllerEpoch: -1 });
    expect(cluster.brokers.get(2)?.controller.activeControllerId).toBe(1);
  });

  it('elects another broker with the next epoch when the controller dies, which reads everything back', async () => {
    const cluster = await clusterOf(1, 2, 3);
    await cluster.createTopic('t', [
      [1, 2, 3],
      [2, 3, 1],
    ]);
    await cluster.kill(1);
    const active = cluster.active;
    expect([2, 3]).toContain(active?.id);
    expect(active?.controller.epoch).toBe(2);
    expect(cluster.stateOf('t', 0)).toMatchObject({ controllerEpoch: 2, leaderAndIsr: { leader: 2, leaderEpoch: 2, isr: [2, 3] } });
    expect(cluster.stateOf('t', 1)?.leaderAndIsr).toMatchObject({ leader: 2, isr: [2, 3] });
  });
});

describe('topic creation', () => {
  it('gives new partitions the first live replica as leader, and tells replicas and every metadata cache', async () => {
    const cluster = await clusterOf(1, 2, 3);
    cluster.takeRequests();
    await cluster.createTopic('t', [[2, 3]]);
    expect(cluster.stateOf('t', 0)).toEqual({
      controllerEpoch: 1,
      leaderAndIsr: { leader: 2, leaderEpoch: 0, isr: [2, 3], leaderRecoveryState: 0, partitionEpoch: 0 },
    });
    const requests = cluster.takeRequests();
    const leaderAndIsr = requests.filter(({ api }) => api === 'LeaderAndIsr');
    expect(leaderAndIsr.map(({ brokerId }) => brokerId).toSorted()).toEqual([2, 3]);
    expect(leaderAndIsr[0]?.request).toMatchObject({
      controllerId: 1,
      controllerEpoch: 1,
      topicStates: [{ topicName: 't', partitionStates: [{ partitionIndex: 0, leader: 2, isNew: true, replicas: [2, 3] }] }],
    });
    const told = requests.filter(({ api, request }) => api === 'UpdateMetadata' && request.topicStates?.[0]?.topicName === 't');
    expect(new Set(told.map(({ brokerId }) => brokerId))).toEqual(new Set([1, 2, 3]));
  });
});

describe('broker failure', () => {
  it('elects the first live in-sync replica and takes the dead one out of the ISR', async () => {
    const cluster = await clusterOf(1, 2, 3);
    await cluster.createTopic('t', [
      [2, 3, 1],
      [3, 2],
    ]);
    await cluster.kill(2);
    expect(cluster.stateOf('t', 0)?.leaderAndIsr).toMatchObject({ leader: 3, leaderEpoch: 1, isr: [3, 1] });
    expect(cluster.stateOf('t', 1)?.leaderAndIsr).toMatchObject({ leader: 3, isr: [3] });
  });
});
