/**
 * The throttle of moves, as `kafka-reassign-partitions --throttle` sets it: `leader.` and `follower.replication.throttled.replicas` of the
 * topic name where a partition comes from and goes to, `….replication.throttled.rate` of those brokers is the limit. Kafka's tool takes them away when
 * `--verify` finds nothing under way; here `ThrottleKeeper` does, for what this console has set. What an earlier console left behind
 * is told (`describeThrottle`) and taken away on request, as is one that the tool set.
 */
import { AlterConfigOp, ConfigResourceType, configResourceKey } from '../../client/admin/configs.ts';
import type { ConfigEntry, ConfigResource, ResourceChanges } from '../../client/admin/configs.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { Cancellable, Scheduler } from '../../runtime/scheduler.ts';
import type { Change } from '../contract/live.ts';
import type { MoveThrottle } from '../contract/partitions.ts';
import type { ConsoleAdmin } from './cluster-session.ts';
import { orThrow } from './failures.ts';

const LEADER_REPLICAS = 'leader.replication.throttled.replicas';
const FOLLOWER_REPLICAS = 'follower.replication.throttled.replicas';
const LEADER_RATE = 'leader.replication.throttled.rate';
const FOLLOWER_RATE = 'follower.replication.throttled.rate';
const LISTS = [LEADER_REPLICAS, FOLLOWER_REPLICAS];
const RATES = [LEADER_RATE, FOLLOWER_RATE];
const ALL_REPLICAS = '*';
const CALL_MS = 2_000;
const LOOK_EVERY_MS = 2_000;

export interface ThrottledMove {
  readonly partition: number;
  /** Where its records are. */
  readonly from: readonly number[];
  /** Where they go to. */
  readonly to: readonly number[];
}

type ThrottleAdmin = Pick<ConsoleAdmin, 'describeConfigs' | 'incrementalAlterConfigs' | 'listPartitionReassignments'>;

/**
 * Sets or changes the limit; what the topic's lists have besides stays. Returns the brokers that have it now: one that isn't registered can't be
 * told, and moves nothing while it is away.
 */
export async function applyThrottle(
  admin: ThrottleAdmin,
  topic: string,
  moves: readonly ThrottledMove[],
  bytesPerSecond: number,
  isRegistered: (brokerId: number) => boolean = () => true,
): Promise<number[]> {
  const lists = await throttledReplicas(admin, topic);
  const listed = (ids: (move: ThrottledMove) => readonly number[]): string[] =>
    moves.flatMap((move) => ids(move).map((id) => `${move.partition}:${id}`));
  const changes = [
    {
      name: LEADER_REPLICAS,
      value: joined(
        lists.leader,
        listed(({ from }) => from),
      ),
    },
    {
      name: FOLLOWER_REPLICAS,
      value: joined(
        lists.follower,
        listed(({ to, from }) => to.filter((id) => !from.includes(id))),
      ),
    },
  ];
  const brokers = [...new Set(moves.flatMap(({ from, to }) => [...from, ...to]))].filter(isRegistered);
  const rates = RATES.map((name) => ({ name, op: AlterConfigOp.SET, value: String(bytesPerSecond) }));
  // The limit first: a list without one would throttle nothing, for a moment.
  await alterAll(
    admin,
    brokers.map((id) => ({ resource: brokerResource(id), changes: rates })),
  );
  await alterAll(admin, [{ resource: topicResource(topic), changes: changes.map((change) => ({ ...change, op: AlterConfigOp.SET })) }]);
  return brokers;
}

/** Takes the topic's lists away. A topic that is gone has none. */
async function clearTopic(admin: ThrottleAdmin, topic: string): Promise<void> {
  await alterAll(admin, [{ resource: topicResource(topic), changes: deletions(LISTS) }], ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
}

function clearBrokers(admin: ThrottleAdmin, brokerIds: readonly number[]): Promise<void> {
  return alterAll(
    admin,
    brokerIds.map((id) => ({ resource: brokerResource(id), changes: deletions(RATES) })),
  );
}

/** What throttles the topic; undefined when nothing does. Brokers that don't answer are left out. */
export async function describeThrottle(
  admin: ThrottleAdmin,
  topic: string,
  brokerIds: readonly number[],
): Promise<Omit<MoveThrottle, 'endsByItself'> | undefined> {
  const { leader, follower } = await throttledReplicas(admin, topic);
  if (leader.length === 0 && follower.length === 0) return undefined;
  const results = await admin.describeConfigs(brokerIds.map(brokerResource), { keys: RATES, timeoutMs: CALL_MS });
  const rates = brokerIds.flatMap((brokerId) => {
    const entries = results.get(configResourceKey(brokerResource(brokerId)));
    if (entries === undefined || entries instanceof KafkaError) return [];
    const own = { brokerId, leader: rateOf(entries, LEADER_RATE), follower: rateOf(entries, FOLLOWER_RATE) };
    return own.leader === null && own.follower === null ? [] : [own];
  });
  return { leaderReplicas: leader, followerReplicas: follower, rates };
}

/** Takes a throttle away: the topic's lists, and the rates of `brokerIds` when nothing is under way that they could be meant for. */
export async function removeThrottle(admin: ThrottleAdmin, topic: string, brokerIds: readonly number[]): Promise<void> {
  await clearTopic(admin, topic);
  const others = (await admin.listPartitionReassignments()).filter((move) => move.topic !== topic);
  if (others.length === 0) await clearBrokers(admin, brokerIds);
}

/** What pages show of a throttle that came, changed or went. */
export function throttleChanges(topics: readonly string[]): Change[] {
  return [
    { kind: 'partitions', ids: topics },
    { kind: 'configs', ids: topics.map((topic) => `topic:${topic}`) },
  ];
}

export interface ThrottleKeeperOptions {
  readonly scheduler: Scheduler;
  /** Throws while no broker can be asked. */
  readonly admin: () => ThrottleAdmin;
  /** The throttle of these topics is gone. */
  readonly onEnd: (topics: readonly string[]) => void;
}

/** Remembers what this console has throttled and takes it away when the moves are over: a topic's lists with its last move, the brokers' rates with the last of all. */
export class ThrottleKeeper {
  readonly #options: ThrottleKeeperOptions;
  readonly #topics = new Set<string>();
  readonly #brokers = new Set<number>();
  #timer: Cancellable | undefined;
  #looking: Promise<void> | undefined;

  constructor(options: ThrottleKeeperOptions) {
    this.#options = options;
  }

  keep(topic: string, brokerIds: readonly number[]): void {
    this.#topics.add(topic);
    for (const id of brokerIds) this.#brokers.add(id);
    this.#timer ??= this.#options.scheduler.every(LOOK_EVERY_MS, () => void this.look());
  }

  keeps(topic: string): boolean {
    return this.#topics.has(topic);
  }

  /** Somebody else took it away. */
  forget(topic: string): void {
    this.#topics.delete(topic);
  }

  /** A look at what is under way; never rejects: what failed is tried at the next. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch(() => undefined)
      .finally(() => {
        this.#looking = undefined;
        if (this.#topics.size === 0 && this.#brokers.size === 0) this.close();
      });
    return this.#looking;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    const admin = this.#options.admin();
    const ongoing = await admin.listPartitionReassignments();
    const moving = new Set(ongoing.map(({ topic }) => topic));
    const ended = [...this.#topics].filter((topic) => !moving.has(topic));
    for (const topic of ended) {
      await clearTopic(admin, topic);
      this.#topics.delete(topic);
    }
    if (ended.length > 0) this.#options.onEnd(ended);
    if (ongoing.length > 0) return;
    // One by one: a broker that is down keeps its rate until it is back.
    await Promise.allSettled(
      Array.from(this.#brokers, async (id) => {
        await clearBrokers(admin, [id]);
        this.#brokers.delete(id);
      }),
    );
  }
}

interface ThrottledReplicas {
  readonly leader: readonly string[];
  readonly follower: readonly string[];
}

async function throttledReplicas(admin: ThrottleAdmin, topic: string): Promise<ThrottledReplicas> {
  const resource = topicResource(topic);
  const results = await admin.describeConfigs([resource], { keys: LISTS, timeoutMs: CALL_MS });
  const entries = orThrow(results.get(configResourceKey(resource)), { api: 'DescribeConfigs' });
  const listOf = (name: string): string[] => (valueOf(entries, name) ?? '').split(',').filter((replica) => replica !== '');
  return { leader: listOf(LEADER_REPLICAS), follower: listOf(FOLLOWER_REPLICAS) };
}

async function alterAll(admin: ThrottleAdmin, requests: readonly ResourceChanges[], fine?: number): Promise<void> {
  if (requests.length === 0) return;
  for (const result of (await admin.incrementalAlterConfigs(requests, { timeoutMs: CALL_MS })).values())
    if (result instanceof KafkaError && result.code !== fine) orThrow(result, { api: 'IncrementalAlterConfigs' });
}

function joined(before: readonly string[], more: readonly string[]): string {
  return before.includes(ALL_REPLICAS) ? ALL_REPLICAS : [...new Set([...before, ...more])].join(',');
}

function deletions(names: readonly string[]): ResourceChanges['changes'] {
  return names.map((name) => ({ name, op: AlterConfigOp.DELETE, value: null }));
}

/** Null for no limit: the default is the largest number there is. */
function rateOf(entries: readonly ConfigEntry[], name: string): number | null {
  const rate = Number(valueOf(entries, name) ?? Number.NaN);
  return Number.isSafeInteger(rate) ? rate : null;
}

function valueOf(entries: readonly ConfigEntry[], name: string): string | null {
  return entries.find((entry) => entry.name === name)?.value ?? null;
}

function topicResource(name: string): ConfigResource {
  return { type: ConfigResourceType.TOPIC, name };
}

function brokerResource(id: number): ConfigResource {
  return { type: ConfigResourceType.BROKER, name: String(id) };
}
