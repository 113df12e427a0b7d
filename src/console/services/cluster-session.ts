/**
 * One cluster as the console holds it: a client library's Admin, what is shared between pages (one fetch for all who ask), the hub
 * of changes, the timeline, and for a local cluster the line to its supervisor. The services are functions on it.
 */
import { Admin } from '../../client/admin/admin.ts';
import type { GroupListings } from '../../client/admin/groups.ts';
import type { GroupOffsets } from '../../client/admin/offsets.ts';
import type { KeyResult, KeyResults } from '../../client/admin/keyed-call.ts';
import type { LogDir } from '../../client/admin/cluster.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { ClusterState, ClusterStatus, Environment } from '../contract/clusters.ts';
import type { Change } from '../contract/live.ts';
import { ChangeHub } from './change-hub.ts';
import type { ClusterControl, ControlStatus } from './cluster-control.ts';
import type { ClusterView } from './cluster-view.ts';
import { refuse } from './failures.ts';
import { Interest } from './interest.ts';
import { Rates } from './rates.ts';
import { ThrottleKeeper, throttleChanges } from './replication-throttle.ts';
import { SharedValue } from './shared-value.ts';
import { Timeline } from './timeline.ts';
import type { ZooKeeperReaderOptions } from './zookeeper-reader.ts';
import { ZooKeeperReader } from './zookeeper-reader.ts';

/** A call that a person waits for. The watcher's own are shorter. */
const CALL_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 5_000;
/** One broker that is frozen must not hold up what the others can tell. */
const METADATA_ATTEMPT_MS = 1_500;
/** For what is asked of every broker: the answers of the others wait as long for one that doesn't. */
const EACH_BROKER_MS = 2_000;
/** Which groups there are, for what they have committed. */
const GROUPS_MAX_AGE_MS = 1_000;

export type SessionRuntime = Pick<Runtime, 'clock' | 'scheduler' | 'disk' | 'net' | 'random' | 'logger' | 'metrics'>;

/** What is used of the client library's Admin, so that a test can be a cluster of its own. */
export type ConsoleAdmin = Pick<
  Admin,
  | 'context'
  | 'metadata'
  | 'apiVersions'
  | 'describeLogDirs'
  | 'alterReplicaLogDirs'
  | 'listTopics'
  | 'describeTopics'
  | 'createTopics'
  | 'deleteTopics'
  | 'createPartitions'
  | 'electLeaders'
  | 'alterPartitionReassignments'
  | 'listPartitionReassignments'
  | 'describeConfigs'
  | 'incrementalAlterConfigs'
  | 'listGroups'
  | 'describeGroups'
  | 'deleteGroups'
  | 'listGroupOffsets'
  | 'listOffsets'
  | 'close'
>;

export interface SessionOptions {
  readonly id: string;
  readonly name: string;
  readonly environment: Environment;
  readonly readOnly: boolean;
  readonly color: string;
  readonly runtime: SessionRuntime;
  /** A local cluster's supervisor. */
  readonly control?: ClusterControl;
  /** For a remote cluster; a local one's come from its supervisor. */
  readonly bootstrapServers?: string;
  readonly connectZooKeeper?: ZooKeeperReaderOptions['connect'];
  readonly makeAdmin?: (bootstrapServers: string, runtime: SessionRuntime) => ConsoleAdmin;
}

export type LogDirsByBroker = KeyResults<ReadonlyMap<string, KeyResult<LogDir>>>;

export class ClusterSession {
  readonly id: string;
  readonly options: SessionOptions;
  readonly runtime: SessionRuntime;
  readonly control: ClusterControl | undefined;
  /** A session of the console's own; undefined on a remote cluster. */
  readonly zookeeper: ZooKeeperReader | undefined;
  readonly hub: ChangeHub;
  readonly timeline = new Timeline();
  /** Topics, and groups, that pages look at. */
  readonly interest: Interest;
  readonly groupInterest: Interest;
  readonly rates = new Rates();
  /** Throttles of moves that were begun here. */
  readonly throttles: ThrottleKeeper;
  /** All topics, brokers and the controller. */
  readonly view: SharedValue<ClusterView>;
  readonly groupListings: SharedValue<GroupListings>;
  /** What every group has committed: one OffsetFetch per coordinator for all of them. */
  readonly groupOffsets: SharedValue<KeyResults<GroupOffsets>>;
  readonly logDirs: SharedValue<LogDirsByBroker>;
  /** Told whenever pages come or go; the watcher sets it. */
  onSubscribers: (count: number) => void = () => undefined;
  #admin: { readonly bootstrapServers: string; readonly admin: ConsoleAdmin; readonly changer: ConsoleAdmin } | undefined;
  #viewFailure: { readonly message: string; readonly atMs: number } | undefined;
  #closed = false;

  constructor(options: SessionOptions) {
    this.id = options.id;
    this.options = options;
    this.runtime = options.runtime;
    this.control = options.control;
    const { clock, scheduler } = options.runtime;
    this.interest = new Interest(clock);
    this.groupInterest = new Interest(clock);
    this.hub = new ChangeHub(clock, scheduler, (count) => this.onSubscribers(count));
    const { control, runtime, connectZooKeeper: connect } = options;
    if (control !== undefined)
      this.zookeeper = new ZooKeeperReader({
        runtime,
        status: () => control.lastStatus,
        publish: (changes) => this.hub.publish(changes),
        ...(connect === undefined ? {} : { connect }),
      });
    this.throttles = new ThrottleKeeper({
      scheduler,
      admin: () => this.admin,
      onEnd: (topics) => this.changed(throttleChanges(topics)),
    });
    this.view = new SharedValue(clock, () => this.#fetchView());
    this.groupListings = new SharedValue(clock, () => this.admin.listGroups({ timeoutMs: EACH_BROKER_MS }));
    this.groupOffsets = new SharedValue(clock, () => this.#fetchGroupOffsets());
    this.logDirs = new SharedValue(clock, () => this.#fetchLogDirs());
  }

  /** A local cluster may be given another name than it was added with. */
  get name(): string {
    return this.control?.lastStatus?.name ?? this.options.name;
  }

  get isLocal(): boolean {
    return this.control !== undefined;
  }

  /** For what reads. Throws an `unreachable` failure while nobody has told where the brokers are. */
  get admin(): ConsoleAdmin {
    return this.#admins().admin;
  }

  /**
   * For what changes something, on connections of its own: a broker answers one request of a connection after the other, and a read that
   * waited too long behind a topic's creation would close the connection under it. Throws as `admin`.
   */
  get changer(): ConsoleAdmin {
    return this.#admins().changer;
  }

  #admins(): { readonly admin: ConsoleAdmin; readonly changer: ConsoleAdmin } {
    if (this.#closed) throw refuse('unreachable', 'The console is closing');
    // Asking would only be waiting: the supervisor knows that there is nobody to answer.
    const down = everyBrokerDown(this.control?.lastStatus);
    if (down !== undefined) throw refuse('unreachable', down, { api: 'supervisor' });
    const bootstrapServers = this.options.bootstrapServers ?? this.control?.lastStatus?.bootstrapServers ?? '';
    if (bootstrapServers === '') throw refuse('unreachable', 'The cluster has no running broker yet', { api: 'supervisor' });
    // A local cluster that was started again may be on other ports.
    if (this.#admin?.bootstrapServers !== bootstrapServers) {
      void this.#admin?.admin.close();
      void this.#admin?.changer.close();
      const make = this.options.makeAdmin ?? makeAdmin;
      this.#admin = { bootstrapServers, admin: make(bootstrapServers, this.runtime), changer: make(bootstrapServers, this.runtime) };
    }
    return this.#admin;
  }

  get bootstrapServers(): string {
    return this.options.bootstrapServers ?? this.control?.lastStatus?.bootstrapServers ?? '';
  }

  /** Something was changed through the console: what is known is old, and the pages are told at once. */
  changed(changes: readonly Change[]): void {
    for (const { kind } of changes) {
      if (kind === 'topics' || kind === 'partitions' || kind === 'brokers') this.view.invalidate();
      if (kind === 'topics') this.logDirs.invalidate();
      if (kind === 'groups') {
        this.groupListings.invalidate();
        this.groupOffsets.invalidate();
      }
    }
    this.hub.publish(changes);
  }

  /** How the cluster is, from the supervisor and the last look at its metadata; asks nobody. */
  status(): ClusterStatus {
    const { clock } = this.runtime;
    const view = this.view.last;
    const control = this.control?.lastStatus;
    const failed = this.#viewFailure;
    const { state, message } = statusOf(control, this.isLocal, view?.value, failed?.message);
    return { state, message, asOfMs: failed?.atMs ?? view?.asOfMs ?? clock.wallMs() };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.throttles.close();
    await this.#admin?.admin.close();
    await this.#admin?.changer.close();
    await this.zookeeper?.close();
    await this.control?.close();
  }

  async #fetchView(): Promise<ClusterView> {
    try {
      const { admin } = this;
      const { brokerSwitches } = admin.metadata;
      const topics = await admin.listTopics();
      const { brokers, controllerId, snapshot } = admin.metadata;
      this.#viewFailure = undefined;
      const clusterId = snapshot?.clusterId ?? null;
      return { topics, brokers, controllerId: controllerId < 0 ? null : controllerId, clusterId, brokerSwitches };
    } catch (error) {
      this.#viewFailure = { message: error instanceof Error ? error.message : String(error), atMs: this.runtime.clock.wallMs() };
      throw error;
    }
  }

  async #fetchGroupOffsets(): Promise<KeyResults<GroupOffsets>> {
    const { value } = await this.groupListings.getCheaply(GROUPS_MAX_AGE_MS);
    return this.admin.listGroupOffsets(new Map(value.groups.map(({ groupId }) => [groupId, null])), { timeoutMs: REQUEST_TIMEOUT_MS });
  }

  async #fetchLogDirs(): Promise<LogDirsByBroker> {
    const { value } = await this.view.get(2_000);
    return this.admin.describeLogDirs(Array.from(value.brokers.keys()), { timeoutMs: EACH_BROKER_MS });
  }
}

function makeAdmin(bootstrapServers: string, runtime: SessionRuntime): ConsoleAdmin {
  return new Admin({
    runtime,
    bootstrapServers,
    clientId: 'samsa-console',
    defaultApiTimeoutMs: CALL_TIMEOUT_MS,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    // One broker's word: a page that pulls after a change must not be told of before it by a broker that has not heard yet.
    metadata: { attemptTimeoutMs: METADATA_ATTEMPT_MS, keepsBroker: true },
  });
}

/** The sentence for a local cluster none of whose brokers can answer; undefined when one may. */
function everyBrokerDown(control: ControlStatus | undefined): string | undefined {
  const brokers = control?.processes.filter(({ role }) => role === 'broker') ?? [];
  if (brokers.length === 0 || brokers.some(({ state }) => state === 'running' || state === 'starting' || state === 'stopping'))
    return undefined;
  const states = new Set(brokers.map(({ state }) => wordFor(state)));
  return states.size === 1
    ? `Every broker is ${Array.from(states).join('')}`
    : brokers.map(({ id, state }) => `${id} is ${wordFor(state)}`).join(', ');
}

/** The state of a cluster in one word, and the sentence that explains it. */
export function statusOf(
  control: ControlStatus | undefined,
  isLocal: boolean,
  view: ClusterView | undefined,
  viewFailure: string | undefined,
): { readonly state: ClusterState; readonly message: string | null } {
  const processes = control?.processes ?? [];
  if (isLocal && control === undefined) return { state: 'starting', message: 'Waiting for the supervisor' };
  if (control?.stopping === true) return { state: 'stopping', message: null };
  if (processes.length > 0 && processes.every(({ state }) => state === 'stopped' || state === 'failed')) {
    const failed = processes.find(({ state, reason }) => state === 'failed' && reason !== null);
    return { state: 'stopped', message: failed ? `${failed.id}: ${failed.reason}` : 'Every process is stopped' };
  }
  const starting = processes.filter(({ state }) => state === 'starting').map(({ id }) => id);
  if (view === undefined || viewFailure !== undefined) {
    if (starting.length > 0) return { state: 'starting', message: `Starting ${starting.join(', ')}` };
    // Nobody has looked yet: the supervisor knows which processes have said that they are ready.
    if (view === undefined && viewFailure === undefined)
      return { state: processes.length > 0 && processes.every(({ state }) => state === 'running') ? 'running' : 'starting', message: null };
    return { state: 'unreachable', message: viewFailure ?? 'No broker answers' };
  }
  const down = processes.filter(({ state }) => state !== 'running').map(({ id, state }) => `${id} is ${wordFor(state)}`);
  if (down.length > 0) return { state: 'degraded', message: down.join(', ') };
  const leaderless = countPartitions(view, ({ leaderId }) => leaderId < 0);
  if (leaderless > 0)
    return { state: 'degraded', message: `${leaderless} ${leaderless === 1 ? 'partition has' : 'partitions have'} no leader` };
  return { state: 'running', message: null };
}

function wordFor(state: string): string {
  return state === 'backoff' ? 'waiting to be started again' : state;
}

export function countPartitions(
  view: ClusterView,
  matches: (partition: { leaderId: number; isr: readonly number[]; replicas: readonly number[] }) => boolean,
): number {
  let count = 0;
  for (const { partitions } of view.topics.values()) for (const partition of partitions) if (matches(partition)) count++;
  return count;
}
