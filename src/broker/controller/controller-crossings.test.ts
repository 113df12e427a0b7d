/**
 * Everything that a controller does, crossed with everything, from a seed: topics made and deleted, reassignments, elections, controlled
 * shutdowns, failed log dirs, brokers that die, start and lose their sessions, answers of ZooKeeper and of brokers that come late or are lost.
 * When it is over and nothing is started again that need not be, all must be as it was asked for, and every broker know of it.
 */
import { expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import { isBeingReassigned, replicaAssignmentOf } from '../zk/replica-assignment.ts';
import { encodePartitionList } from '../zk/zk-data.ts';
import { ControllerCluster, type ControlRequest } from './testing/controller-cluster.ts';

const BROKERS = [1, 2, 3, 4];
const TOPICS = ['a', 'b', 'c'];
const STEPS = 40;
const SEEDS = 25;

interface Told {
  readonly leaderEpoch: number;
  readonly stopped: boolean;
}

class Model {
  readonly cluster = new ControllerCluster();
  readonly random: SeededRandom;
  readonly history: string[] = [];
  /** By broker: what it was told last of each partition. */
  readonly told = new Map<number, Map<string, Told>>();
  readonly controllerEpochs = new Map<number, number>();
  readonly failedDirs = new Set<number>();
  readonly leaving = new Set<number>();
  #topicNumber = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    const { network, time } = this.cluster;
    // A broker that can't be reached for long is told everything anew.
    this.cluster.maxQueuedRequests = 40;
    network.transit = async () => {
      if (this.random.int(3) === 0) await new Promise<void>((resolve) => void time.after(this.random.int(200), resolve));
    };
    network.topLevelErrorOf = (id, request) => (this.#isStale(id, request) ? ErrorCode.STALE_BROKER_EPOCH : ErrorCode.NONE);
    network.errorCodeOf = (id) => (this.failedDirs.has(id) ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE);
    network.onRequest = (entry) => this.#onRequest(entry);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.random.int(items.length)]!;
  }

  /** One to three, in any order. */
  someBrokers(): number[] {
    const keyed = BROKERS.map((id) => ({ id, key: this.random.next() }));
    return keyed
      .toSorted((a, b) => a.key - b.key)
      .slice(0, 1 + this.random.int(3))
      .map(({ id }) => id);
  }

  get live(): number[] {
    return [...this.cluster.brokers.keys()];
  }

  exists(path: string): boolean {
    return this.cluster.zooKeeper.get(path) !== undefined;
  }

  #isStale(id: number, { brokerEpoch }: ControlRequest['request']): boolean {
    return (brokerEpoch ?? -1) < (this.cluster.brokers.get(id)?.brokerEpoch ?? -1);
  }

  #onRequest({ brokerId, api, request }: ControlRequest): void {
    const known = this.controllerEpochs.get(brokerId) ?? 0;
    if (this.#isStale(brokerId, request) || (request.controllerEpoch ?? 0) < known || api === 'UpdateMetadata') return;
    this.controllerEpochs.set(brokerId, request.controllerEpoch ?? 0);
    const told = this.told.get(brokerId) ?? new Map<string, Told>();
    this.told.set(brokerId, told);
    for (const { topicName, partitionStates = [] } of request.topicStates ?? []) {
      for (const state of partitionStates) {
        const name = `${topicName}-${state.partitionIndex}`;
        const before = told.get(name)?.leaderEpoch ?? -1;
        const leaderEpoch = state.leaderEpoch ?? -1;
        if (this.failedDirs.has(brokerId) || (leaderEpoch >= 0 && leaderEpoch < before)) continue;
        if ('deletePartition' in state && state.deletePartition === true) told.delete(name);
        else told.set(name, { leaderEpoch: Math.max(leaderEpoch, before), stopped: api === 'StopReplica' });
      }
    }
  }

  async start(id: number): Promise<void> {
    this.history.push(`start ${id}`);
    this.cluster.network.unreachable.delete(id);
    await this.cluster.start(id);
  }

  /** The process dies; what it was told dies with it. */
  async kill(id: number): Promise<void> {
    this.history.push(`kill ${id}`);
    const broker = this.cluster.brokers.get(id)!;
    this.cluster.brokers.delete(id);
    this.cluster.network.unreachable.add(id);
    for (const set of [this.failedDirs, this.leaving]) set.delete(id);
    for (const map of [this.told, this.controllerEpochs]) map.delete(id);
    void broker.controller.shutdown();
    await broker.zk.close();
  }

  async step(): Promise<void> {
    const { cluster, random } = this;
    const id = this.pick(this.live);
    const broker = cluster.brokers.get(id)!;
    const topic = this.pick(TOPICS);
    const isThere = this.exists(`/brokers/topics/${topic}`);
    const ignore = (): void => undefined;
    const note = (what: string): void => void this.history.push(what);
    switch (random.int(16)) {
      case 0:
      case 1: {
        if (isThere || this.exists(`/admin/delete_topics/${topic}`)) break;
        note(`create ${topic}`);
        const topicId = `${String(this.#topicNumber++).padStart(21, 'x')}A`;
        const partitions = new Map([0, 1].map((index) => [index, replicaAssignmentOf(this.someBrokers())]));
        void broker.zk.topics.createAssignment(topic, { topicId, partitions }).catch(ignore);
        break;
      }
      case 2:
        if (!isThere) break;
        note(`delete ${topic}`);
        void broker.zk.topics.createDeleteTopicRequest(topic).catch(ignore);
        break;
      case 3:
      case 4: {
        const replicas = random.int(4) === 0 ? null : this.someBrokers();
        note(`reassign ${topic}-0 to ${replicas?.join(',') ?? 'what it was'}`);
        void cluster.active?.controller.alterPartitionReassignments([{ topic, partition: 0, replicas }]).catch(ignore);
        break;
      }
      case 5:
        note('preferred election');
        void broker.zk.session.create('/admin/preferred_replica_election', encodePartitionList([{ topic, partition: 0 }])).catch(ignore);
        break;
      case 6:
        if (this.leaving.size > 0) break;
        note(`controlled shutdown of ${id}`);
        this.leaving.add(id);
        void cluster.active?.controller.controlledShutdown(id, broker.brokerEpoch).catch(ignore);
        break;
      case 7:
        if (this.failedDirs.size > 0) break;
        note(`log dir of ${id} fails`);
        this.failedDirs.add(id);
        void broker.zk.controller.propagateLogDirEvent(id).catch(ignore);
        break;
      case 8: {
        const [gone] = this.leaving;
        if (this.live.length > 2) await this.kill(gone ?? id);
        break;
      }
      case 9: {
        const dead = BROKERS.filter((other) => !this.live.includes(other));
        if (dead.length > 0) await this.start(this.pick(dead));
        break;
      }
      case 10:
        note(`expire ${id}`);
        broker.zkClient().expire();
        break;
      case 11:
        note(`lose an answer of ${id}`);
        broker.zkClient().loseNext(random.int(2) === 0);
        break;
      case 13:
        note(`${id} can't be reached`);
        cluster.network.unreachable.add(id);
        cluster.time.after(random.int(2000), () => {
          if (cluster.brokers.get(id) === broker) cluster.network.unreachable.delete(id);
        });
        break;
      case 14:
        note('unclean election');
        void cluster.active?.controller.electLeaders(undefined, 'unclean').catch(ignore);
        break;
      case 12: {
        // Restarted before anybody looks.
        if (this.live.length < 3) break;
        await this.kill(id);
        await this.start(id);
        break;
      }
      default:
        await this.joinIsrs(this.pick(TOPICS));
    }
    if (random.int(3) === 0) await cluster.time.advance(random.int(300));
    else for (let round = random.int(4); round > 0; round--) await cluster.time.settle();
  }

  /** Leaders ask for all live replicas, as they do once those have caught up. */
  async joinIsrs(topic: string): Promise<void> {
    const { cluster } = this;
    if (!this.exists(`/brokers/topics/${topic}`)) return;
    const { topicId, partitions } = cluster.assignmentOf(topic);
    for (const [partition, { replicas }] of partitions) {
      const state = cluster.stateOf(topic, partition)?.leaderAndIsr;
      const leader = cluster.brokers.get(state?.leader ?? -1);
      if (state === undefined || leader === undefined) continue;
      const isr = replicas.filter((id) => {
        const told = this.told.get(id)?.get(`${topic}-${partition}`);
        return (
          id === leader.id ||
          (told?.leaderEpoch === state.leaderEpoch && !told.stopped && this.live.includes(id) && !this.failedDirs.has(id))
        );
      });
      const newIsrWithEpochs = isr.map((brokerId) => ({ brokerId, brokerEpoch: cluster.brokers.get(brokerId)?.brokerEpoch ?? -1 }));
      const { leaderEpoch, partitionEpoch } = state;
      const data = { partitionIndex: partition, leaderEpoch, newIsr: [], newIsrWithEpochs, leaderRecoveryState: 0, partitionEpoch };
      const topics = [{ topicName: topic, topicId: topicId ?? '', partitions: [data] }];
      void cluster.active?.controller.alterPartition({ brokerId: leader.id, brokerEpoch: leader.brokerEpoch, topics }, 3);
    }
    await cluster.settle();
  }

  /** Faults end; only who must be is started again. */
  async heal(): Promise<void> {
    this.history.push('heal');
    await this.cluster.time.advance(2000);
    for (const id of new Set([...this.leaving, ...this.failedDirs])) if (this.live.includes(id)) await this.kill(id);
    for (const id of BROKERS) if (!this.live.includes(id)) await this.start(id);
    for (let round = 0; round < 4; round++) {
      await this.cluster.time.advance(5000);
      await this.cluster.settle();
      for (const topic of TOPICS) await this.joinIsrs(topic);
    }
    await this.cluster.time.advance(5000);
    await this.cluster.settle();
  }

  problems(): string[] {
    const { cluster, told } = this;
    const found: string[] = [];
    const active = [...cluster.brokers.values()].filter(({ controller }) => controller.isActive);
    if (active.length !== 1) found.push(`${active.length} controllers`);
    for (const topic of TOPICS) {
      if (this.exists(`/admin/delete_topics/${topic}`)) found.push(`${topic} is not deleted`);
      if (!this.exists(`/brokers/topics/${topic}`)) {
        continue;
      }
      for (const [partition, assignment] of cluster.assignmentOf(topic).partitions) {
        const name = `${topic}-${partition}`;
        const state = cluster.stateOf(topic, partition)?.leaderAndIsr;
        if (state === undefined || state.leader < 0) found.push(`${name} has no leader`);
        if (isBeingReassigned(assignment)) found.push(`${name} is still being reassigned`);
        for (const replica of assignment.replicas) {
          const last = told.get(replica)?.get(name);
          if (last === undefined || last.stopped || last.leaderEpoch !== state?.leaderEpoch)
            found.push(`${replica} of ${name} was told ${JSON.stringify(last)}, epoch is ${state?.leaderEpoch}`);
        }
      }
    }
    return found;
  }
}

it.each(Array.from({ length: SEEDS }, (_, seed) => [seed]))('all is as it was asked for in the end (seed %i)', async (seed) => {
  const model = new Model(seed);
  for (const id of BROKERS) await model.start(id);
  for (let step = 0; step < STEPS; step++) await model.step();
  await model.heal();
  expect(model.problems(), model.history.join('; ')).toEqual([]);
});
