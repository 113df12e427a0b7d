/**
 * Looks at a cluster while somebody watches it, and says what changed. Three looks, each at its own pace: metadata (brokers,
 * topics, leaders, ISR), groups (states, members, commits), offsets (ends, from which rates come).
 *
 * Cheap: one request for all topics, one ListGroups per broker, one ListOffsets per leader, whatever there is to see; a look that took
 * long is repeated later in proportion, so watching takes at most a tenth of the time; and on a cluster too large for
 * everything, offsets and commits are only asked for what pages look at. Nobody subscribed: nothing is asked.
 */
import { KafkaError } from '../../protocol/errors.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import { OffsetSpec } from '../../client/admin/offsets.ts';
import type { TopicMetadata } from '../../client/cluster-snapshot.ts';
import type { Cancellable } from '../../runtime/scheduler.ts';
import type { Change } from '../contract/live.ts';
import type { ClusterSession } from './cluster-session.ts';
import { compareViews } from './cluster-view.ts';
import type { ClusterView } from './cluster-view.ts';
import type { NewEntry } from './timeline.ts';

const METADATA_PERIOD_MS = 350;
const GROUPS_PERIOD_MS = 600;
const OFFSETS_PERIOD_MS = 600;
/** After a failed look. */
const RETRY_MS = 700;
/** A look may take one part in so many of the time. */
const DUTY = 10;
const MAX_PERIOD_MS = 30_000;
/** Up to these, everything is looked at; above, what pages look at. */
const MAX_PARTITIONS = 5_000;
const MAX_GROUPS = 200;
const LOOK_TIMEOUT_MS = 3_000;

export class ClusterWatcher {
  readonly #session: ClusterSession;
  readonly #looks: readonly Look[];
  #view: ClusterView | undefined;
  #groups: ReadonlyMap<string, GroupLook> | undefined;
  #endOffsets = new Map<string, number>();
  #status: string | undefined;
  #stopControl: () => void;

  constructor(session: ClusterSession) {
    this.#session = session;
    this.#looks = [
      new Look(session, METADATA_PERIOD_MS, () => this.#lookAtMetadata()),
      new Look(session, GROUPS_PERIOD_MS, () => this.#lookAtGroups()),
      new Look(session, OFFSETS_PERIOD_MS, () => this.#lookAtOffsets()),
    ];
    session.onSubscribers = (count) => {
      for (const look of this.#looks) look.run(count > 0);
      if (count === 0) session.rates.clear();
    };
    this.#stopControl =
      session.control?.onEvent((event) => {
        if (event.type === 'timeline') {
          session.timeline.add([event.entry]);
          session.hub.publish([{ kind: 'timeline', ids: null }]);
        } else {
          session.hub.publish([
            { kind: 'processes', ids: event.processId === null ? null : [event.processId] },
            { kind: 'cluster', ids: null },
          ]);
          // A process that came or went is about to show in the metadata.
          this.#looks[0]?.soon();
        }
      }) ?? (() => undefined);
  }

  /** Looks at the metadata at once: something was changed through the console. */
  lookNow(): void {
    for (const look of this.#looks) look.soon();
  }

  close(): void {
    this.#stopControl();
    for (const look of this.#looks) look.run(false);
  }

  async #lookAtMetadata(): Promise<void> {
    const { view, hub, runtime } = this.#session;
    try {
      // A page may have got one before the first look.
      const known = view.last?.value;
      const { value, asOfMs } = await view.get(METADATA_PERIOD_MS / 2);
      const before = this.#view ?? known;
      this.#view = value;
      if (before === undefined || before === value) return;
      const { changes, entries } = compareViews(before, value, asOfMs);
      hub.publish(changes);
      this.#tell(entries);
    } catch (error) {
      runtime.logger.debug({ error: messageOf(error) }, 'the cluster did not answer the watcher');
      throw error;
    } finally {
      this.#publishStatus();
    }
  }

  async #lookAtGroups(): Promise<void> {
    const { value } = await this.#session.groupListings.get(GROUPS_PERIOD_MS / 2);
    const states = new Map(value.groups.map(({ groupId, state }) => [groupId, state]));
    const all = value.groups.length <= MAX_GROUPS;
    const closely = all ? Array.from(states.keys()) : this.#session.groupInterest.names().filter((groupId) => states.has(groupId));
    const [described, committed] =
      closely.length === 0
        ? [new Map(), new Map()]
        : await Promise.all([
            this.#session.admin.describeGroups(closely, { timeoutMs: LOOK_TIMEOUT_MS }),
            this.#session.admin.listGroupOffsets(new Map(closely.map((groupId) => [groupId, null])), { timeoutMs: LOOK_TIMEOUT_MS }),
          ]);
    const now = new Map<string, GroupLook>();
    for (const [groupId, listed] of states) {
      const [group, offsets] = [described.get(groupId), committed.get(groupId)];
      now.set(groupId, {
        state: group instanceof KafkaError || group === undefined ? listed : group.state,
        members: group instanceof KafkaError || group === undefined ? undefined : membersText(group.members),
        commits: offsets instanceof KafkaError || offsets === undefined ? undefined : commitsText(offsets),
      });
    }
    // A broker that can't be asked hides its groups: they are not gone.
    if (value.errors.size > 0) for (const [groupId, old] of this.#groups ?? []) if (!now.has(groupId)) now.set(groupId, old);
    this.#compareGroups(now);
  }

  #compareGroups(now: ReadonlyMap<string, GroupLook>): void {
    const before = this.#groups;
    this.#groups = now;
    if (before === undefined) return;
    const entries: NewEntry[] = [];
    const changed = new Set<string>();
    const moved: string[] = [];
    const atMs = this.#session.runtime.clock.wallMs();
    for (const [groupId, group] of now) {
      const old = before.get(groupId);
      if (old === undefined || old.state !== group.state || differ(old.members, group.members)) changed.add(groupId);
      if (old !== undefined && differ(old.commits, group.commits)) moved.push(groupId);
      if (old === undefined)
        entries.push({
          atMs,
          type: 'group.created',
          text: `Group ${groupId} is there${group.state === undefined ? '' : ` (${group.state})`}`,
          groupId,
        });
      else if (old.state !== group.state && group.state !== undefined) {
        entries.push({
          atMs,
          type: 'group.state',
          text: `Group ${groupId} went from ${old.state ?? 'unknown'} to ${group.state}`,
          groupId,
        });
      }
    }
    for (const groupId of before.keys()) {
      if (now.has(groupId)) continue;
      changed.add(groupId);
      entries.push({ atMs, type: 'group.deleted', text: `Group ${groupId} is gone`, groupId });
    }
    this.#tell(entries);
    const changes: Change[] = [];
    if (changed.size > 0) changes.push({ kind: 'groups', ids: Array.from(changed) });
    if (moved.length > 0) changes.push({ kind: 'groupOffsets', ids: moved });
    this.#session.hub.publish(changes);
  }

  /** A local cluster's brokers tell their supervisor of themselves, with reasons that can't be seen from outside: nothing is told twice. */
  #tell(entries: readonly NewEntry[]): void {
    if (this.#session.isLocal || entries.length === 0) return;
    this.#session.timeline.add(entries);
    this.#session.hub.publish([{ kind: 'timeline', ids: null }]);
  }

  async #lookAtOffsets(): Promise<void> {
    const session = this.#session;
    const { value: view } = await session.view.get(METADATA_PERIOD_MS * 2);
    const topics = this.#topicsToSample(view);
    const queries = topics.flatMap(({ partitions }) =>
      partitions.flatMap(({ topic, partition, leaderId }) => (leaderId < 0 ? [] : [{ topic, partition, timestamp: OffsetSpec.LATEST }])),
    );
    if (queries.length === 0) {
      session.rates.keepOnly(new Set());
      return;
    }
    const results = await session.admin.listOffsets(queries, { timeoutMs: LOOK_TIMEOUT_MS });
    const atMs = session.runtime.clock.monotonicMs();
    const moved = new Set<string>();
    const sums = new Map<string, number | undefined>();
    const ends = new Map<string, number>();
    for (const { topic, partition } of queries) {
      const key = topicPartitionKey({ topic, partition });
      const result = results.get(key);
      const old = this.#endOffsets.get(key);
      if (result === undefined || result instanceof KafkaError) {
        sums.set(topic, undefined);
        if (old !== undefined) ends.set(key, old);
        continue;
      }
      ends.set(key, result.offset);
      if (old !== undefined && old !== result.offset) moved.add(topic);
      const sum = sums.has(topic) ? sums.get(topic) : 0;
      sums.set(topic, sum === undefined ? undefined : sum + result.offset);
    }
    for (const { partitions } of topics) {
      for (const { topic, partition, leaderId } of partitions) {
        if (leaderId >= 0) continue;
        // Nobody appends to it: it counts as it was, or it would look like so many new records when it has a leader again.
        const key = topicPartitionKey({ topic, partition });
        const last = this.#endOffsets.get(key);
        const sum = sums.has(topic) ? sums.get(topic) : 0;
        sums.set(topic, sum === undefined || last === undefined ? undefined : sum + last);
        if (last !== undefined) ends.set(key, last);
      }
    }
    this.#endOffsets = ends;
    for (const [topic, sum] of sums) if (sum !== undefined) session.rates.sample(topic, sum, atMs);
    session.rates.keepOnly(new Set(sums.keys()));
    if (moved.size > 0) session.hub.publish([{ kind: 'offsets', ids: Array.from(moved) }]);
  }

  /** All of them, or those that pages look at, as far as they fit. */
  #topicsToSample(view: ClusterView): TopicMetadata[] {
    const all = Array.from(view.topics.values()).filter(({ isInternal }) => !isInternal);
    const partitions = all.reduce((sum, topic) => sum + topic.partitions.length, 0);
    if (partitions <= MAX_PARTITIONS) return all;
    let left = MAX_PARTITIONS;
    return this.#session.interest.names().flatMap((name) => {
      const topic = view.topics.get(name);
      if (topic === undefined || topic.partitions.length > left) return [];
      left -= topic.partitions.length;
      return [topic];
    });
  }

  #publishStatus(): void {
    const { state, message } = this.#session.status();
    const text = `${state} ${message ?? ''}`;
    if (text === this.#status) return;
    this.#status = text;
    this.#session.hub.publish([{ kind: 'cluster', ids: null }]);
  }
}

interface GroupLook {
  readonly state: string | undefined;
  /** Undefined when it was not looked at closely. */
  readonly members: string | undefined;
  readonly commits: string | undefined;
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

function membersText(members: readonly { readonly memberId: string; readonly assignment: Buffer }[]): string {
  return members
    .map(({ memberId, assignment }) => `${memberId} ${assignment.toString('base64')}`)
    .toSorted()
    .join(' ');
}

function commitsText(offsets: ReadonlyMap<string, { readonly offset: number } | KafkaError>): string {
  let text = '';
  for (const [key, committed] of offsets) text += committed instanceof KafkaError ? '' : `${key}:${committed.offset} `;
  return text;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One look, again and again while there is somebody to look for; never two at once. */
class Look {
  readonly #session: ClusterSession;
  readonly #periodMs: number;
  readonly #look: () => Promise<void>;
  #timer: Cancellable | undefined;
  #looking = false;
  #wanted = false;
  #again = false;

  constructor(session: ClusterSession, periodMs: number, look: () => Promise<void>) {
    this.#session = session;
    this.#periodMs = periodMs;
    this.#look = look;
  }

  run(wanted: boolean): void {
    this.#wanted = wanted;
    if (!wanted) {
      this.#timer?.cancel();
      this.#timer = undefined;
    } else if (this.#timer === undefined && !this.#looking) this.#begin();
  }

  soon(): void {
    if (!this.#wanted) return;
    this.#again = true;
    if (!this.#looking) this.#begin();
  }

  #begin(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#looking = true;
    this.#again = false;
    const { clock } = this.#session.runtime;
    const startedMs = clock.monotonicMs();
    this.#look().then(
      () => this.#next(Math.min(MAX_PERIOD_MS, Math.max(this.#periodMs, DUTY * (clock.monotonicMs() - startedMs)))),
      () => this.#next(RETRY_MS),
    );
  }

  #next(delayMs: number): void {
    this.#looking = false;
    if (!this.#wanted) return;
    this.#timer = this.#session.runtime.scheduler.after(this.#again ? 0 : delayMs, () => this.#begin());
  }
}
