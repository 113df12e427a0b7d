/**
 * One run of a schedule, from an empty cluster to its verdict:
 *
 *   0 s        ZooKeeper and brokers start       1.5 s   topics are made, clients begin; from here on the steps happen
 *   faultsEndMs   all faults end, producers make nothing new
 *   then       everything must become whole and every record be acknowledged, within LIVENESS_MS; the logs are compared
 */
import { SimCluster } from './cluster/sim-cluster.ts';
import { oldLeadersOf, staleViewsOf, troublesOf } from './cluster/health.ts';
import { holdsBatch } from './checks/held-batches.ts';
import { checkLogs } from './checks/final-checks.ts';
import { GroupHistory } from './checks/group-history.ts';
import { History } from './checks/history.ts';
import { HighWatermarks, LOOK_EVERY_MS } from './checks/high-watermarks.ts';
import { observe, stopObserving } from './checks/observers.ts';
import { Faults } from './faults/faults.ts';
import { CLIENTS_START_MS, LIVENESS_MS, type Schedule, type Step } from './schedule.ts';
import { tryOldLeaders } from './workload/old-writer.ts';
import { SimAdmin } from './workload/sim-admin.ts';
import { SimClient } from './workload/sim-client.ts';
import { SimConsumer } from './workload/sim-consumer.ts';
import { SimGroupMember } from './workload/sim-group-member.ts';
import { SimProducer } from './workload/sim-producer.ts';
import { EventKind } from './world/event-queue.ts';
import { Halted } from './world/sim-process.ts';
import { type LogLine, World } from './world/world.ts';

export interface RunOptions {
  readonly isLogging?: boolean;
  /** False: consumers neither fence nor validate, as before KIP-320. */
  readonly consumersFence?: boolean;
  /** False: producers believe whoever told them last who leads, as librdkafka's did before 2.1. */
  readonly producersCompareEpochs?: boolean;
}

export interface RunResult {
  /** In order; empty when all went well. */
  readonly violations: readonly string[];
  readonly traceHash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly acknowledged: number;
  readonly read: number;
  /** Of all groups: offsets committed, and generations. */
  readonly commits: number;
  readonly generations: number;
  readonly log: readonly LogLine[];
}

/** No topic has or gets more. */
const MOST_PARTITIONS = 8;
const OFFSETS_TOPIC = '__consumer_offsets';
const OFFSETS_PARTITIONS = 2;
/** How often it is looked whether all has settled. */
const SETTLE_CHECK_MS = 250;

export async function runSchedule(schedule: Schedule, options: RunOptions = {}): Promise<RunResult> {
  const world = new World(schedule.seed, { isLogging: options.isLogging ?? false });
  const history = new History(world, { isCalm: schedule.steps.length === 0 });
  const onRejection = (error: unknown): void => {
    // Where the code that halted was nobody's to wait for.
    if (error instanceof Halted) return;
    world.breakdowns.push(
      `a promise was rejected and nobody cared: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  };
  process.on('unhandledRejection', onRejection);
  observe(world, history);
  let simulation: Simulation | undefined;
  try {
    simulation = new Simulation(world, history, schedule, options);
    await simulation.run();
  } finally {
    stopObserving();
    // Rejections of the last events are told in a turn of the real event loop.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', onRejection);
  }
  return {
    violations: [...world.breakdowns.map((text) => `BROKEN: ${text}`), ...history.violations],
    traceHash: world.traceHash,
    events: world.eventCount,
    virtualMs: world.nowMs,
    acknowledged: history.ackedCount,
    read: history.readCount,
    commits: simulation?.commitCount ?? 0,
    generations: simulation?.generations ?? 0,
    log: world.log,
  };
}

class Simulation {
  readonly #world: World;
  readonly #history: History;
  readonly #schedule: Schedule;
  readonly #cluster: SimCluster;
  readonly #admin: SimAdmin;
  readonly #oldClient: SimClient;
  readonly #faults: Faults;
  readonly #producers: SimProducer[];
  readonly #consumers: SimConsumer[];
  readonly #groups: GroupHistory[] = [];
  readonly #members: SimGroupMember[] = [];
  /** Topics that are to be there, with the number of partitions that they have at least. */
  readonly #topics = new Map<string, number>();
  #churning = 0;
  #changes = Promise.resolve();

  constructor(world: World, history: History, schedule: Schedule, { consumersFence = true, producersCompareEpochs = true }: RunOptions) {
    this.#world = world;
    this.#history = history;
    this.#schedule = schedule;
    this.#cluster = new SimCluster(world, schedule);
    const adminClient = new SimClient(this.#cluster, 'admin', 0);
    this.#admin = new SimAdmin(adminClient);
    this.#faults = new Faults({
      world,
      cluster: this.#cluster,
      schedule,
      admin: this.#admin,
      client: adminClient,
      history,
      topics: () => this.#watched,
      onTopicChange: (step) => {
        this.#churning++;
        // One after another: a topic's end must not overtake its beginning.
        this.#changes = this.#changes.then(() => this.#changeTopic(step)).finally(() => this.#churning--);
      },
    });
    this.#producers = schedule.producers.map((spec, index) => {
      const client = new SimClient(this.#cluster, `producer${index}`, 1 + index, { comparesEpochs: producersCompareEpochs });
      if (spec.distanceMs !== undefined) this.#setApart(client.name, spec.distanceMs);
      return new SimProducer({ client, history, spec, index, holds: (brokerId, batch) => holdsBatch(this.#cluster, brokerId, batch) });
    });
    const firstConsumer = 1 + schedule.producers.length;
    this.#consumers = Array.from({ length: schedule.consumers }, (_, index) => {
      const client = new SimClient(this.#cluster, `consumer${index}`, firstConsumer + index, { comparesEpochs: consumersFence });
      return new SimConsumer({ client, history, topics: () => [...this.#topics.keys()], fences: consumersFence });
    });
    const memberCount = this.#makeGroups(firstConsumer + schedule.consumers);
    this.#oldClient = new SimClient(this.#cluster, 'old client', firstConsumer + schedule.consumers + memberCount);
    // Retention deletes when it sees fit.
    for (const step of schedule.steps)
      if (step.kind === 'alter-config' && step.key.startsWith('retention.')) this.#expectRetention(step.topic);
    for (const { name, configs } of schedule.topics) if (configs['cleanup.policy'] === 'compact') history.compactedTopics.add(name);
    for (const { name, configs } of schedule.topics) if (configs['unclean.leader.election.enable'] === 'true') history.expectLoss(name);
  }

  /** Until all faults end. */
  #setApart(client: string, distanceMs: number): void {
    const { network, brokers } = this.#cluster;
    for (const { name } of brokers) {
      network.slow(client, name, distanceMs);
      network.slow(name, client, distanceMs);
    }
  }

  #expectRetention(topic: string): void {
    for (let partition = 0; partition < MOST_PARTITIONS; partition++) this.#history.expectDeletion(topic, partition, Infinity);
  }

  get commitCount(): number {
    return this.#groups.reduce((sum, group) => sum + group.commitCount, 0);
  }

  get generations(): number {
    return this.#groups.reduce((sum, group) => sum + group.generations, 0);
  }

  /** @returns how many members there are. */
  #makeGroups(firstClient: number): number {
    let index = firstClient;
    for (const { groupId, members, topics } of this.#schedule.groups ?? []) {
      const group = new GroupHistory(this.#history, groupId, topics);
      this.#groups.push(group);
      for (let member = 0; member < members; member++) {
        const client = new SimClient(this.#cluster, `${groupId}-member${member}`, index++);
        this.#members.push(new SimGroupMember({ client, history: this.#history, group }));
      }
    }
    return index - firstClient;
  }

  /** The topics that must be whole. */
  get #watched(): ReadonlyMap<string, number> {
    return this.#groups.length === 0 ? this.#topics : new Map([...this.#topics, [OFFSETS_TOPIC, OFFSETS_PARTITIONS]]);
  }

  async run(): Promise<void> {
    const world = this.#world;
    const { faultsEndMs } = this.#schedule;
    this.#cluster.startAll();
    world.at(CLIENTS_START_MS, EventKind.control, undefined, () => void this.#begin());
    this.#faults.start();
    this.#watchHighWatermarks();
    const isBroken = (): boolean => world.breakdowns.length > 0 || this.#history.violations.length > 0;
    await world.runUntil(faultsEndMs, isBroken);
    for (const producer of this.#producers) producer.finish();
    for (const member of this.#members) member.finish();
    let troubles = this.#unsettled();
    while (!isBroken() && troubles.length > 0 && world.nowMs < faultsEndMs + LIVENESS_MS) {
      await world.runUntil(world.nowMs + SETTLE_CHECK_MS, isBroken);
      troubles = this.#unsettled();
    }
    if (isBroken()) return;
    for (const trouble of troubles) this.#history.violate(`NOT LIVE ${LIVENESS_MS} ms after the end of all faults: ${trouble}`);
    if (troubles.length > 0) return;
    checkLogs({ cluster: this.#cluster, history: this.#history, topics: this.#topics, consumers: this.#consumers, groups: this.#groups });
    // Last, since one that becomes the leader just then takes a record.
    await this.#tryOldLeaders(isBroken);
  }

  async #tryOldLeaders(isBroken: () => boolean): Promise<void> {
    let isDone = false;
    const options = { client: this.#oldClient, cluster: this.#cluster, history: this.#history };
    tryOldLeaders(options, this.#watched).then(
      () => (isDone = true),
      (error: unknown) => this.#history.violate(`a broker does not answer an old client: ${String(error)}`),
    );
    await this.#world.runUntil(this.#world.nowMs + LIVENESS_MS, () => isDone || isBroken());
  }

  #watchHighWatermarks(): void {
    const highWatermarks = new HighWatermarks(this.#cluster, this.#history);
    const look = (): void => {
      highWatermarks.look();
      this.#world.at(this.#world.nowMs + LOOK_EVERY_MS, EventKind.control, undefined, look);
    };
    look();
  }

  async #begin(): Promise<void> {
    for (const topic of this.#schedule.topics) {
      if (await this.#admin.createTopic(topic)) this.#topics.set(topic.name, topic.partitions);
      else this.#history.violate(`topic ${topic.name} could not be made`);
    }
    for (const producer of this.#producers) void producer.run();
    for (const consumer of this.#consumers) consumer.run();
    for (const member of this.#members) void member.run();
  }

  async #changeTopic(step: Extract<Step, { kind: 'create-topic' | 'delete-topic' | 'add-partitions' }>): Promise<void> {
    const { topic } = step;
    if (step.kind === 'delete-topic') {
      this.#topics.delete(topic);
      await this.#admin.deleteTopic(topic);
    } else if (step.kind === 'create-topic') {
      const spec = { name: topic, partitions: 2, replicationFactor: 3, configs: {} };
      this.#history.expectLoss(topic);
      if (await this.#admin.createTopic(spec)) this.#topics.set(topic, spec.partitions);
    } else if (await this.#admin.addPartitions(topic, step.count)) {
      this.#topics.set(topic, Math.max(step.count, this.#topics.get(topic) ?? 0));
    }
  }

  /** What still has to come true. */
  #unsettled(): string[] {
    const unsettled = troublesOf(this.#cluster, this.#watched);
    if (unsettled.length === 0) unsettled.push(...staleViewsOf(this.#cluster, this.#watched));
    if (unsettled.length === 0) unsettled.push(...oldLeadersOf(this.#cluster));
    if (this.#churning > 0) unsettled.push('an administrator is not answered');
    for (const [index, producer] of this.#producers.entries())
      if (!producer.isDone) unsettled.push(`producer${index} waits for an acknowledgement`);
    for (const consumer of this.#consumers) {
      for (const { topic, topicId, partition, offset } of consumer.positions.values()) {
        const end = this.#endOf(topic, topicId, partition);
        if (end !== undefined && offset !== end)
          unsettled.push(`${consumer.name} is at offset ${offset} of ${topic}-${partition}, which ends at ${end}`);
      }
    }
    for (const group of this.#groups) unsettled.push(...this.#lagsOf(group));
    return unsettled;
  }

  /** A group has committed all that there is. */
  #lagsOf(group: GroupHistory): string[] {
    const lags: string[] = [];
    for (const topic of group.topics) {
      for (let partition = 0; partition < (this.#topics.get(topic) ?? 0); partition++) {
        const end = this.#cluster.leaderOf(topic, partition)?.log?.logEndOffset;
        const committed = group.lastKnownCommit(`${topic}-${partition}`)?.offset ?? 0;
        if (end !== undefined && committed !== end)
          lags.push(`${group.groupId} has committed ${committed} of ${topic}-${partition}, which ends at ${end}`);
      }
    }
    return lags;
  }

  /** The log end offset of the leader, when it and its replicas have committed all. */
  #endOf(topic: string, topicId: string, partition: number): number | undefined {
    const leader = this.#cluster.leaderOf(topic, partition);
    return leader?.topicId === topicId ? leader.log?.logEndOffset : undefined;
  }
}
