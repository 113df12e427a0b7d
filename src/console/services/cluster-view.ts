/** One look at a cluster: brokers, controller and all topics, from one Metadata answer; and what differs between two looks. */
import type { BrokerNode, PartitionMetadata, TopicMetadata } from '../../client/cluster-snapshot.ts';
import type { Change } from '../contract/live.ts';
import type { NewEntry } from './timeline.ts';

export interface ClusterView {
  readonly clusterId: string | null;
  /** Null when there is none at the moment. */
  readonly controllerId: number | null;
  readonly brokers: ReadonlyMap<number, BrokerNode>;
  readonly topics: ReadonlyMap<string, TopicMetadata>;
  /** How often another broker had to be asked before this look (`Metadata.brokerSwitches`). */
  readonly brokerSwitches: number;
}

export interface ViewDifference {
  readonly changes: readonly Change[];
  readonly entries: readonly NewEntry[];
}

/** More partitions than this with the same kind of change at once become one entry with their number. */
const MAX_ENTRIES_OF_A_KIND = 12;

/** What is different in `now` from `before`, as changes for pages and entries for the timeline (`atMs`: wall clock of `now`). */
export function compareViews(before: ClusterView, now: ClusterView, atMs: number): ViewDifference {
  const changes: Change[] = [];
  const entries: NewEntry[] = [];
  const say = (type: string, text: string, more: Partial<NewEntry> = {}): void => {
    entries.push({ ...more, atMs, type, text });
  };
  const brokers = compareBrokers(before, now, say);
  if (brokers.length > 0) changes.push({ kind: 'brokers', ids: brokers });
  const topics = compareTopics(before, now, say);
  if (topics.changed.length > 0) changes.push({ kind: 'topics', ids: topics.changed });
  if (topics.partitionsChanged.length > 0) changes.push({ kind: 'partitions', ids: topics.partitionsChanged });
  // What pages got between the looks may be older than either: another broker told them.
  if (before.brokerSwitches !== now.brokerSwitches) changes.push({ kind: 'topics', ids: null }, { kind: 'partitions', ids: null });
  return { changes, entries };
}

type Say = (type: string, text: string, more?: Partial<NewEntry>) => void;

function compareBrokers(before: ClusterView, now: ClusterView, say: Say): string[] {
  const ids = new Set<number>();
  for (const [id, { host, port }] of now.brokers) {
    const old = before.brokers.get(id);
    if (old === undefined) say('broker.registered', `Broker ${id} is registered at ${host}:${port}`, { brokerId: id });
    if (old?.host !== host || old.port !== port) ids.add(id);
  }
  for (const id of before.brokers.keys()) {
    if (now.brokers.has(id)) continue;
    ids.add(id);
    say('broker.lost', `Broker ${id} is gone from the cluster`, { brokerId: id, severity: 'warning' });
  }
  if (before.controllerId !== now.controllerId) {
    for (const id of [before.controllerId, now.controllerId]) if (id !== null) ids.add(id);
    if (now.controllerId === null) say('controller.lost', 'There is no controller', { severity: 'warning' });
    else say('controller.elected', controllerText(before, now.controllerId, now), { brokerId: now.controllerId });
  }
  return Array.from(ids, String);
}

function controllerText(before: ClusterView, controllerId: number, now: ClusterView): string {
  if (before.controllerId === null) return `Broker ${controllerId} is the controller`;
  const reason = now.brokers.has(before.controllerId)
    ? `broker ${before.controllerId} gave it up`
    : `broker ${before.controllerId} is gone`;
  return `Broker ${controllerId} is the controller now: ${reason}`;
}

interface PartitionChange {
  readonly type: 'leader' | 'isrShrunk' | 'isrExpanded';
  readonly before: PartitionMetadata;
  readonly now: PartitionMetadata;
}

function compareTopics(before: ClusterView, now: ClusterView, say: Say): { changed: string[]; partitionsChanged: string[] } {
  const changed: string[] = [];
  const partitionsChanged: string[] = [];
  const partitionChanges: PartitionChange[] = [];
  for (const [name, topic] of now.topics) {
    const old = before.topics.get(name);
    if (old === undefined || old.topicId !== topic.topicId) {
      changed.push(name);
      say('topic.created', `Topic ${name} was created with ${count(topic.partitions.length, 'partition')}`, { topic: name });
      continue;
    }
    if (old.partitions.length !== topic.partitions.length) {
      changed.push(name);
      if (old.partitions.length > 0)
        say('topic.partitionsAdded', `Topic ${name} has ${count(topic.partitions.length, 'partition')} now`, { topic: name });
    } else if (old.errorCode !== topic.errorCode) changed.push(name);
    const own = comparePartitions(old, topic);
    partitionChanges.push(...own.changes);
    if (own.any) partitionsChanged.push(name);
  }
  for (const name of before.topics.keys()) {
    if (now.topics.has(name)) continue;
    changed.push(name);
    say('topic.deleted', `Topic ${name} was deleted`, { topic: name });
  }
  tellPartitions(partitionChanges, now, say);
  return { changed, partitionsChanged };
}

function comparePartitions(before: TopicMetadata, now: TopicMetadata): { changes: PartitionChange[]; any: boolean } {
  const changes: PartitionChange[] = [];
  let any = false;
  for (const [index, partition] of now.partitions.entries()) {
    const old = before.partitions[index];
    if (old === undefined || samePartition(old, partition)) continue;
    any = true;
    if (old.leaderId !== partition.leaderId) changes.push({ type: 'leader', before: old, now: partition });
    if (old.isr.some((id) => !partition.isr.includes(id))) changes.push({ type: 'isrShrunk', before: old, now: partition });
    if (partition.isr.some((id) => !old.isr.includes(id))) changes.push({ type: 'isrExpanded', before: old, now: partition });
  }
  return { changes, any };
}

function samePartition(a: PartitionMetadata, b: PartitionMetadata): boolean {
  return (
    a.leaderId === b.leaderId &&
    a.leaderEpoch === b.leaderEpoch &&
    a.errorCode === b.errorCode &&
    sameNumbers(a.isr, b.isr) &&
    sameNumbers(a.replicas, b.replicas) &&
    sameNumbers(a.offlineReplicas, b.offlineReplicas)
  );
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

function tellPartitions(changes: readonly PartitionChange[], view: ClusterView, say: Say): void {
  const kinds = [
    ['leader', 'leader.elected', 'The leader changed for', leaderText],
    ['isrShrunk', 'isr.shrunk', 'The ISR shrank for', isrShrunkText],
    ['isrExpanded', 'isr.expanded', 'The ISR grew for', isrExpandedText],
  ] as const;
  for (const [kind, type, summary, textOf] of kinds) {
    const own = changes.filter((change) => change.type === kind);
    const severity = kind === 'isrShrunk' || own.some(({ now }) => now.leaderId < 0) ? 'warning' : 'info';
    if (own.length > MAX_ENTRIES_OF_A_KIND) {
      say(type, `${summary} ${count(own.length, 'partition')} of ${count(new Set(own.map(({ now }) => now.topic)).size, 'topic')}`, {
        severity,
      });
      continue;
    }
    for (const { before, now } of own) {
      const brokerId = kind === 'leader' && now.leaderId >= 0 ? now.leaderId : null;
      say(type, textOf(before, now, view), { severity, topic: now.topic, partition: now.partition, brokerId });
    }
  }
}

function leaderText(before: PartitionMetadata, now: PartitionMetadata, view: ClusterView): string {
  const name = `${now.topic}-${now.partition}`;
  if (now.leaderId < 0)
    return `${name} has no leader: of its replicas (${now.replicas.join(', ')}) none in the ISR (${now.isr.join(', ')}) is alive`;
  const epoch = now.leaderEpoch >= 0 ? `, epoch ${now.leaderEpoch}` : '';
  if (before.leaderId < 0) return `${name} is led by broker ${now.leaderId}${epoch}`;
  const why = view.brokers.has(before.leaderId)
    ? now.replicas[0] === now.leaderId
      ? 'it is the preferred leader'
      : `broker ${before.leaderId} gave it up`
    : `broker ${before.leaderId} is gone`;
  return `${name} is led by broker ${now.leaderId} instead of ${before.leaderId}${epoch}: ${why}`;
}

function isrShrunkText(before: PartitionMetadata, now: PartitionMetadata, view: ClusterView): string {
  const out = before.isr.filter((id) => !now.isr.includes(id));
  const why = out.every((id) => !view.brokers.has(id)) ? 'gone from the cluster' : 'behind';
  return `${now.topic}-${now.partition}: broker ${out.join(', ')} left the ISR (${why}), which is ${now.isr.join(', ') || 'empty'} now`;
}

function isrExpandedText(before: PartitionMetadata, now: PartitionMetadata): string {
  const joined = now.isr.filter((id) => !before.isr.includes(id));
  // A leader that was not in sync: it did not catch up, it was elected all the same.
  if (joined.includes(now.leaderId) && before.leaderId !== now.leaderId)
    return `${now.topic}-${now.partition}: the ISR is ${now.isr.join(', ')} now, of the new leader ${now.leaderId}, which was not in it: records may be lost`;
  return `${now.topic}-${now.partition}: broker ${joined.join(', ')} caught up and joined the ISR, which is ${now.isr.join(', ')} now`;
}

function count(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? '' : 's'}`;
}
