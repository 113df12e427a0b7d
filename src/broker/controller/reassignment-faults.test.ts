/**
 * Random reassignments, cancellations, ISR changes, deaths, restarts and expired sessions, from a seed; the controller can lose its
 * office between any two writes. What must hold at each request and at the end is below. A seed that fails is printed.
 */
import { expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import { isBeingReassigned } from '../zk/replica-assignment.ts';
import { ControllerCluster, type ControlRequest } from './testing/controller-cluster.ts';

const BROKERS = [1, 2, 3, 4, 5];
const TOPICS = ['a', 'b'];
const PARTITIONS = [0];
const SEEDS = 25;
const STEPS = 40;

class Model {
  readonly cluster = new ControllerCluster({ autoLeaderRebalanceEnable: true, leaderImbalanceCheckIntervalSeconds: 60 });
  readonly random: SeededRandom;
  /** Which broker has a replica's log, by what it was told: `topic-partition` to broker ids. */
  readonly logs = new Map<string, Set<number>>();
  readonly history: string[] = [];
  readonly violations: string[] = [];

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.cluster.network.onRequest = (entry) => this.#onRequest(entry);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.random.int(items.length)]!;
  }

  get live(): number[] {
    return [...this.cluster.brokers.keys()];
  }

  async start(): Promise<void> {
    for (const id of BROKERS) await this.cluster.start(id);
    for (const topic of TOPICS) await this.cluster.createTopic(topic, [[1, 2, 3]]);
  }

  async step(): Promise<void> {
    const { cluster } = this;
    const topic = this.pick(TOPICS);
    const partition = this.pick(PARTITIONS);
    const action = this.random.int(11);
    if (this.random.int(4) === 0) this.#loseOfficeSoon();
    if (action < 2) await this.#reassign(topic, partition, this.#subset(BROKERS));
    else if (action < 5) await this.#reassign(topic, partition, null);
    else if (action < 8) await this.#changeIsr(topic, partition);
    else if (action === 8 && this.live.length > 2) await this.#do(`kill`, this.pick(this.live), (id) => cluster.kill(id));
    else if (action === 9) {
      const dead = BROKERS.filter((id) => !this.live.includes(id));
      if (dead.length > 0) await this.#do('start', this.pick(dead), async (id) => void (await cluster.start(id)));
    } else await this.#do('expire', this.pick(this.live), (id) => cluster.expireSession(id));
    cluster.zooKeeper.onWrite = () => {};
    await cluster.settle();
  }

  async #do(what: string, id: number, action: (id: number) => Promise<void>): Promise<void> {
    this.history.push(`${what} ${id}`);
    await action(id);
  }

  /** The controller in office loses it after one of its next writes. */
  #loseOfficeSoon(): void {
    const { zooKeeper, active } = this.cluster;
    const client = active?.zkClient();
    let left = 1 + this.random.int(8);
    this.history.push(`office lost after ${left} writes`);
    zooKeeper.onWrite = (writer) => {
      if (writer === client && --left === 0) client.expire();
    };
  }

  async #reassign(topic: string, partition: number, replicas: readonly number[] | null): Promise<void> {
    const { active } = this.cluster;
    if (active === undefined) return;
    this.history.push(`reassign ${topic}-${partition} to ${replicas?.join(',') ?? 'what it was'}`);
    const answer = active.controller.alterPartitionReassignments([{ topic, partition, replicas }]).then(
      (results) => this.history.push(`… ${results[0]?.errorCode} ${results[0]?.errorMessage ?? ''}`),
      () => this.history.push('… not the controller'),
    );
    await this.cluster.settle();
    await answer;
  }

  /** The leader takes a live replica in, or leaves one out. */
  async #changeIsr(topic: string, partition: number): Promise<void> {
    const { leader, isr } = this.cluster.stateOf(topic, partition)!.leaderAndIsr;
    if (!this.live.includes(leader)) return;
    const { replicas } = this.cluster.assignmentOf(topic).partitions.get(partition)!;
    const joins = (id: number): boolean => this.live.includes(id) && this.random.int(2) === 0;
    const next = replicas.filter((id) => id === leader || (isr.includes(id) ? this.random.int(3) > 0 : joins(id)));
    this.history.push(`ISR of ${topic}-${partition}: ${next.join(',')}`);
    if (this.cluster.active !== undefined) await this.cluster.alterIsr(topic, partition, next).catch(() => undefined);
  }

  #subset(ids: readonly number[]): number[] {
    const left = [...ids];
    return Array.from({ length: 1 + this.random.int(3) }, () => left.splice(this.random.int(left.length), 1)[0]!);
  }

  #onRequest({ brokerId, api, request }: ControlRequest): void {
    if (api === 'UpdateMetadata') return;
    for (const { topicName = '', partitionStates = [] } of request.topicStates ?? []) {
      for (const state of partitionStates) {
        const partition = state.partitionIndex ?? -1;
        const key = `${topicName}-${partition}`;
        const owners = this.logs.get(key) ?? new Set();
        this.logs.set(key, owners);
        if (!('deletePartition' in state)) {
          if ('replicas' in state && (state.replicas ?? []).includes(brokerId)) owners.add(brokerId);
          continue;
        }
        if (state.deletePartition !== true) continue;
        // A broker must not delete what is the truth: it may be the only copy of what was acknowledged.
        const { isr } = this.cluster.stateOf(topicName, partition)!.leaderAndIsr;
        if (isr.includes(brokerId)) this.violations.push(`${key} is deleted on broker ${brokerId}, which is in the ISR`);
        owners.delete(brokerId);
      }
    }
  }

  /** All brokers live, every leader takes in all replicas: until nothing changes any more. */
  async recover(): Promise<void> {
    for (const id of BROKERS) if (!this.live.includes(id)) await this.cluster.start(id);
    for (let round = 0; round < 4; round++) {
      for (const topic of TOPICS) {
        for (const partition of PARTITIONS) {
          const { replicas } = this.cluster.assignmentOf(topic).partitions.get(partition)!;
          expect(await this.cluster.alterIsr(topic, partition, replicas)).toBe(ErrorCode.NONE);
        }
      }
    }
  }
}

it.each(Array.from({ length: SEEDS }, (_, seed) => [seed]))('reassignments end right, whatever dies meanwhile (seed %i)', async (seed) => {
  const model = new Model(seed);
  try {
    await model.start();
    for (let step = 0; step < STEPS; step++) {
      await model.step();
      expect(model.violations).toEqual([]);
    }
    await model.recover();
    for (const topic of TOPICS) {
      for (const [partition, assignment] of model.cluster.assignmentOf(topic).partitions) {
        const key = `${topic}-${partition}`;
        expect(isBeingReassigned(assignment), key).toBe(false);
        const { leader, isr } = model.cluster.stateOf(topic, partition)!.leaderAndIsr;
        expect(assignment.replicas, key).toContain(leader);
        expect(
          isr.toSorted((a, b) => a - b),
          key,
        ).toEqual(assignment.replicas.toSorted((a, b) => a - b));
        for (const replica of assignment.replicas) expect(model.logs.get(key), key).toContain(replica);
      }
    }
    const ongoing = model.cluster.active!.controller.listPartitionReassignments();
    await model.cluster.settle();
    expect(await ongoing).toEqual([]);
  } catch (error) {
    throw new Error(`seed ${seed}: ${model.history.join('; ')}`, { cause: error });
  }
});
