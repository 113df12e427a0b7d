/**
 * The make-believe cluster as its handlers see it: its state, its readers, who listens to its changes. It lives: offsets grow, groups follow.
 */
import { implement, ORPCError } from '@orpc/server';
import { contract } from '../../../console/contract/contract.ts';
import type { Failure } from '../../../console/contract/failure.ts';
import type { GroupDetails, GroupRow } from '../../../console/contract/groups.ts';
import type { Change } from '../../../console/contract/live.ts';
import type { ProcessStatus } from '../../../console/contract/processes.ts';
import { makeCluster, partitionsOf } from './fake-model.ts';
import type { FakeTopic } from './fake-model.ts';

export interface FakeOptions {
  readonly topics: number;
  readonly groups: number;
  /** Milliseconds between moves of the cluster; 0: it stands still. */
  readonly tickMs: number;
  readonly environment?: 'local' | 'dev' | 'test' | 'prod';
  /** Every read of this domain fails. */
  readonly failing?: string;
}

export function fail(failure: Partial<Failure>): never {
  const data: Failure = {
    kind: 'kafka',
    api: null,
    code: null,
    name: null,
    brokerId: null,
    message: 'failed',
    retriable: true,
    timeoutMs: null,
    ...failure,
  };
  throw new ORPCError('FAILURE', { status: 500, message: data.message, data, defined: true });
}

export const os = implement(contract);

export const noLab = (): never => fail({ kind: 'refused', message: 'The make-believe cluster measures nothing', retriable: false });

export const matcher = (filter: { text: string; regex: boolean } | undefined): ((name: string) => boolean) => {
  if (filter === undefined) return () => true;
  const expression = new RegExp(filter.regex ? filter.text : filter.text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i');
  return (name) => expression.test(name);
};

/** What the handlers share. */
export function makeWorld(options: FakeOptions) {
  const cluster = makeCluster(options.topics, options.groups);
  const readers = new Map<string, { rows: unknown[]; at: number }>();
  const listeners = new Set<(changes: readonly Change[]) => void>();
  let readerCount = 0;

  const tell = (...changes: Change[]): void => {
    for (const listener of listeners) listener(changes);
  };
  const happened = (type: string, severity: 'info' | 'warning' | 'error', line: string): void => {
    cluster.timeline.push({
      sequence: cluster.timeline.length + 1,
      atMs: Date.now(),
      type,
      severity,
      text: line,
      brokerId: null,
      topic: null,
      partition: null,
      groupId: null,
      processId: null,
    });
    tell({ kind: 'timeline', ids: null });
  };
  if (options.tickMs > 0) {
    setInterval(() => {
      const moved = [...cluster.topics.values()].filter((topic) => !topic.internal && (topic.ends[0] ?? 0) > 0).slice(0, 4);
      for (const topic of moved)
        for (let index = 0; index < topic.ends.length; index++)
          topic.ends[index] = (topic.ends[index] ?? 0) + Math.floor(Math.random() * 40);
      const groups = [...cluster.groups].slice(0, 4);
      for (const [, group] of groups)
        group.committed = (cluster.topics.get(group.topic)?.ends ?? []).map((end) => Math.max(0, end - Math.floor(Math.random() * 60)));
      tell({ kind: 'offsets', ids: moved.map((topic) => topic.name) }, { kind: 'groupOffsets', ids: groups.map(([id]) => id) });
    }, options.tickMs);
  }
  const open = (rows: unknown[]): string => {
    const readerId = String(++readerCount);
    readers.set(readerId, { rows, at: 0 });
    return readerId;
  };
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows what its reader was opened with
  const next = <T>(readerId: string, max: number): { rows: T[]; done: boolean } => {
    const reader = readers.get(readerId) ?? fail({ kind: 'notFound', message: 'No such reader' });
    const rows = reader.rows.slice(reader.at, reader.at + max) as T[];
    reader.at += max;
    return { rows, done: reader.at >= reader.rows.length };
  };
  const topicOf = (name: string): FakeTopic =>
    cluster.topics.get(name) ??
    fail({
      api: 'Metadata',
      code: 3,
      name: 'UNKNOWN_TOPIC_OR_PARTITION',
      kind: 'notFound',
      brokerId: 1,
      message: `There is no topic ${name}`,
      retriable: false,
    });
  const guard = (domain: string): void => {
    if (options.failing === domain)
      fail({
        kind: 'timeout',
        api: 'Metadata',
        brokerId: 2,
        code: 7,
        name: 'REQUEST_TIMED_OUT',
        message: 'Broker 2 at localhost:9093 did not answer within 5,000 ms',
        timeoutMs: 5000,
      });
  };
  const groupRow = (groupId: string): GroupRow => {
    const group = cluster.groups.get(groupId) ?? fail({ kind: 'notFound', api: 'DescribeGroups', message: `There is no group ${groupId}` });
    return { groupId, state: group.members > 0 ? 'Stable' : 'Empty', protocolType: 'consumer', coordinatorId: (groupId.length % 3) + 1 };
  };
  const groupDetails = (groupId: string): GroupDetails => {
    const group = cluster.groups.get(groupId);
    const ends = cluster.topics.get(group?.topic ?? '')?.ends ?? [];
    const lag = groupId.startsWith('fraud')
      ? null
      : ends.reduce((sum, end, index) => sum + Math.max(0, end - (group?.committed[index] ?? 0)), 0);
    return {
      groupId,
      state: groupRow(groupId).state,
      members: group?.members ?? 0,
      topics: group === undefined ? null : [group.topic],
      lag,
      failure: null,
    };
  };
  const processStatus = (broker: number): ProcessStatus | null => cluster.processes.get(`broker-${broker}`) ?? null;
  const isDown = (): boolean => [1, 2, 3].some((id) => processStatus(id)?.state !== 'running');
  const status = () => ({
    state: isDown() ? ('degraded' as const) : ('running' as const),
    message: isDown() ? 'A broker that should run does not' : null,
    asOfMs: Date.now(),
  });
  const brokerRow = (brokerId: number) => {
    const all = [...cluster.topics.values()].slice(0, 300).flatMap((topic) => partitionsOf(cluster, topic));
    const leaders = all.filter((row) => row.leader === brokerId).length;
    return {
      brokerId,
      host: 'localhost',
      port: 9091 + brokerId,
      rack: null,
      isController: brokerId === cluster.controllerId,
      online: processStatus(brokerId)?.state === 'running',
      leaders,
      replicas: all.filter((row) => row.replicas.includes(brokerId)).length,
      outOfSync: all.filter((row) => row.replicas.includes(brokerId) && !row.isr.includes(brokerId)).length,
      leaderSkewPercent: all.length === 0 ? null : (leaders / (all.length / 3) - 1) * 100,
      process: processStatus(brokerId),
    };
  };

  const summary = () => ({
    id: 'local',
    name: 'local',
    kind: 'local' as const,
    environment: options.environment ?? ('local' as const),
    readOnly: false,
    color: options.environment === 'prod' ? 'red' : 'teal',
    bootstrapServers: 'localhost:9092,localhost:9093,localhost:9094',
    status: status(),
  });
  return {
    cluster,
    options,
    readers,
    listeners,
    tell,
    happened,
    open,
    next,
    topicOf,
    guard,
    processStatus,
    isDown,
    status,
    summary,
    brokerRow,
    groupRow,
    groupDetails,
  };
}

export type FakeWorld = ReturnType<typeof makeWorld>;
