/** The flush lab: what the brokers measure, side by side, its settings, its load, its power loss. Only for local clusters. */
import { AlterConfigOp, ConfigResourceType, configResourceKey } from '../../client/admin/configs.ts';
import type { ReplicaFlush } from '../../introspection/answers/log-flush.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { sleep } from '../../runtime/scheduler.ts';
import type { ConfigEntry } from '../contract/configs.ts';
import { BROKER_FLUSH_KEYS, TOPIC_FLUSH_KEYS } from '../contract/flush-lab.ts';
import type { FlushLabBroker, FlushLabState, FlushSetting, LoadStatus, PowerLossReport } from '../contract/flush-lab.ts';
import { askBroker } from './ask-process.ts';
import type { ClusterControl, ControlStatus } from './cluster-control.ts';
import type { ClusterSession } from './cluster-session.ts';
import { configEntries } from './config-entries.ts';
import { FailureError, orThrow, refuse, toFailure } from './failures.ts';
import { GentleLoad } from './gentle-load.ts';
import type { LoadOptions } from './gentle-load.ts';
import { alterTopicConfigs } from './topic-changes.ts';
import { describe, topicConfigs } from './topics-service.ts';

/** Keys that a broker reads at its start only (Kafka's DynamicBrokerConfig has none of them). */
const RESTART_KEYS: ReadonlySet<string> = new Set(BROKER_FLUSH_KEYS.slice(2));
const CALL_MS = 2_000;
const TAKEN_OVER_MS = 10_000;
const LOOK_EVERY_MS = 50;
/** Of a broker, shown one by one; more are counted. */
const MAX_REPLICAS = 300;

/** A session's loads by topic; they end by themselves. */
const loads = new WeakMap<ClusterSession, Map<string, GentleLoad>>();

export async function flushLabState(session: ClusterSession, topic: string): Promise<FlushLabState> {
  const status = await controlOf(session).status();
  const brokerIds = await brokersWith(session, status, topic);
  const brokers = await Promise.all(brokerIds.map((brokerId) => flushOf(session, status, brokerId, topic)));
  return { atMs: session.runtime.clock.wallMs(), brokers, load: loadsOf(session).get(topic)?.status() ?? null };
}

/** From the metadata; while no broker tells it, every broker of the cluster. */
export async function brokersWith(session: ClusterSession, status: ControlStatus, topic: string): Promise<number[]> {
  const known = session.view.last?.value.topics.get(topic)?.partitions.flatMap(({ replicas }) => replicas);
  const all = status.processes.flatMap(({ brokerId }) => (brokerId === null ? [] : [brokerId]));
  const found = known ?? (await describe(session, topic)).partitions.flatMap(({ replicas }) => replicas);
  return Array.from(new Set(found.length === 0 ? all : found)).toSorted((a, b) => a - b);
}

async function flushOf(session: ClusterSession, status: ControlStatus, brokerId: number, topic: string): Promise<FlushLabBroker> {
  const state = status.processes.find((process) => process.brokerId === brokerId)?.state ?? null;
  try {
    return { brokerId, state, flush: await askBroker(session, brokerId, 'log.flush', { topic, max: MAX_REPLICAS }), failure: null };
  } catch (error) {
    return { brokerId, state, flush: null, failure: toFailure(error, { api: 'log.flush', brokerId }) };
  }
}

export async function flushSettings(session: ClusterSession, topic: string): Promise<FlushSetting[]> {
  const status = await controlOf(session).status();
  const running = status.processes.flatMap(({ brokerId, state }) => (brokerId !== null && state === 'running' ? [brokerId] : []));
  const [ofTopic, ofBrokers] = await Promise.all([topicConfigs(session, topic), brokerEntries(session, running)]);
  const [first] = ofBrokers;
  return [
    ...TOPIC_FLUSH_KEYS.map((name) => settingOf('topic', name, ofTopic, [])),
    ...BROKER_FLUSH_KEYS.map((name) => settingOf('brokers', name, first?.entries ?? [], ofBrokers.slice(1))),
  ];
}

interface BrokerEntries {
  readonly brokerId: number;
  readonly entries: readonly ConfigEntry[];
}

/** Of the brokers that answer. Throws the failure when none does. */
async function brokerEntries(session: ClusterSession, brokerIds: readonly number[]): Promise<BrokerEntries[]> {
  const resources = brokerIds.map((id) => ({ type: ConfigResourceType.BROKER, name: String(id) }));
  const options = { includeSynonyms: true, keys: BROKER_FLUSH_KEYS, timeoutMs: CALL_MS };
  const results = await session.admin.describeConfigs(resources, options);
  const told = brokerIds.flatMap((brokerId): BrokerEntries[] => {
    const result = results.get(`broker:${brokerId}`);
    return result === undefined || result instanceof KafkaError ? [] : [{ brokerId, entries: configEntries(result, () => undefined) }];
  });
  if (told.length === 0) {
    const [first] = results.values();
    if (first instanceof KafkaError) throw new FailureError(toFailure(first, { api: 'DescribeConfigs', timeoutMs: CALL_MS }));
    throw refuse('unreachable', 'No broker is running', { api: 'DescribeConfigs' });
  }
  return told;
}

function settingOf(
  scope: FlushSetting['scope'],
  name: string,
  entries: readonly ConfigEntry[],
  others: readonly BrokerEntries[],
): FlushSetting {
  const entry = entries.find((candidate) => candidate.name === name);
  const value = entry?.value ?? null;
  const applies = RESTART_KEYS.has(name) ? 'restart' : 'atOnce';
  const source = entry?.source ?? 'unknown';
  const overridden =
    source === 'dynamicTopic' ||
    source === 'dynamicDefaultBroker' ||
    source === 'dynamicBroker' ||
    (applies === 'restart' && source === 'staticBroker');
  const differing = others.flatMap(({ brokerId, entries: own }) => {
    const other = own.find((candidate) => candidate.name === name)?.value ?? null;
    return other === value ? [] : [{ brokerId, value: other }];
  });
  const unit = name.endsWith('.messages') ? 'messages' : 'ms';
  return { scope, name, applies, value, source, defaultValue: entry?.defaultValue ?? null, overridden, unit, differing };
}

/**
 * Brokers hear of a topic's setting one after another, and who writes to the topic next relies on what was saved: so it is saved when every replica
 * that can be asked holds it. Not waited for beyond `TAKEN_OVER_MS`: the change itself has been made.
 */
async function untilReplicasHold(session: ClusterSession, topic: string, name: string, value: string | null): Promise<void> {
  const { clock, scheduler } = session.runtime;
  const untilMs = clock.monotonicMs() + TAKEN_OVER_MS;
  const text = value ?? (await topicConfigs(session, topic)).find((entry) => entry.name === name)?.defaultValue ?? null;
  if (text === null) return;
  const wanted = Number(text);
  const holds = ({ flushMessages, flushMs }: ReplicaFlush): boolean => (name === 'flush.ms' ? flushMs : flushMessages) === wanted;
  for (;;) {
    const { brokers } = await flushLabState(session, topic);
    if (brokers.every(({ flush }) => flush?.replicas.every(holds) ?? true) || clock.monotonicMs() >= untilMs) return;
    await sleep(scheduler, LOOK_EVERY_MS);
  }
}

export async function setFlushSetting(
  session: ClusterSession,
  topic: string,
  { scope, name, value }: { readonly scope: 'topic' | 'brokers'; readonly name: string; readonly value: string | null },
): Promise<null> {
  const control = controlOf(session);
  const operation = value === null ? ('delete' as const) : ('set' as const);
  if (value !== null && !/^\d{1,19}$/.test(value)) throw refuse('invalid', `${name} is ${JSON.stringify(value)}: a whole number is needed`);
  if (scope === 'topic') {
    await alterTopicConfigs(session, topic, [{ name, operation, value }], false);
    await untilReplicasHold(session, topic, name, value);
    return null;
  }
  if (RESTART_KEYS.has(name)) await control.configure({ [name]: value });
  else {
    // For all brokers, as the other keys here are.
    const resource = { type: ConfigResourceType.BROKER, name: '' };
    const changes = [{ name, value, op: value === null ? AlterConfigOp.DELETE : AlterConfigOp.SET }];
    const results = await session.changer.incrementalAlterConfigs([{ resource, changes }]);
    const result = results.get(configResourceKey(resource));
    if (result instanceof KafkaError) orThrow(result, { api: 'IncrementalAlterConfigs' });
  }
  session.changed([{ kind: 'configs', ids: null }]);
  return null;
}

export async function losePower(session: ClusterSession, brokerId: number): Promise<PowerLossReport> {
  return controlOf(session).losePower(`broker-${brokerId}`);
}

export async function startLoad(session: ClusterSession, options: Omit<LoadOptions, 'partitions'>): Promise<LoadStatus> {
  controlOf(session);
  const { partitions } = await describe(session, options.topic);
  const load = new GentleLoad(session, { ...options, partitions: partitions.length });
  const own = loadsOf(session);
  own.get(options.topic)?.stop();
  own.set(options.topic, load);
  return load.status();
}

export function stopLoad(session: ClusterSession, topic: string): null {
  loadsOf(session).get(topic)?.stop();
  return null;
}

function loadsOf(session: ClusterSession): Map<string, GentleLoad> {
  const own = loads.get(session) ?? new Map<string, GentleLoad>();
  loads.set(session, own);
  return own;
}

function controlOf(session: ClusterSession): ClusterControl {
  if (session.control === undefined)
    throw refuse('refused', 'The flush lab is only possible on a local cluster, whose brokers tell what they measure');
  return session.control;
}
