/**
 * The contract, implemented on the make-believe cluster of fake-model.ts: for looking at pages before and without the services,
 * and for tests of the renderer. Never part of the app's build. It lives: offsets grow, groups follow, actions on processes
 * take effect and are told on the stream of changes.
 */
import { implement, ORPCError } from '@orpc/server';
import { createRouterClient } from '@orpc/server';
import type { ConsoleClient } from '../../console/contract/contract.ts';
import { contract } from '../../console/contract/contract.ts';
import type { ConfigEntry, TopicConfigSpec } from '../../console/contract/configs.ts';
import type { Failure } from '../../console/contract/failure.ts';
import type { GroupDetails, GroupRow } from '../../console/contract/groups.ts';
import type { Change, ChangeEvent } from '../../console/contract/live.ts';
import type { MessageRow } from '../../console/contract/messages.ts';
import type { ProcessState, ProcessStatus } from '../../console/contract/processes.ts';
import { LARGE_OFFSET, largeValue, makeCluster, messageAt, partitionsOf, topicRow } from './fake-model.ts';
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

const catalog: readonly TopicConfigSpec[] = [
  {
    name: 'flush.messages',
    group: 'flush',
    type: 'long',
    defaultValue: '9223372036854775807',
    unit: 'messages',
    min: 1,
    max: null,
    allowed: null,
    documentation:
      'Forces an fsync after this many records. Left at its default, the operating system writes in its own time and replication keeps records safe.',
  },
  {
    name: 'flush.ms',
    group: 'flush',
    type: 'long',
    defaultValue: '9223372036854775807',
    unit: 'ms',
    min: 0,
    max: null,
    allowed: null,
    documentation: 'Forces an fsync when the oldest unflushed record is this old.',
  },
  {
    name: 'cleanup.policy',
    group: 'retention',
    type: 'list',
    defaultValue: 'delete',
    unit: null,
    min: null,
    max: null,
    allowed: ['delete', 'compact'],
    documentation: 'What happens to old segments: deleted by age and size, or compacted to the last record of each key, or both.',
  },
  {
    name: 'retention.ms',
    group: 'retention',
    type: 'long',
    defaultValue: '604800000',
    unit: 'ms',
    min: -1,
    max: null,
    allowed: null,
    documentation: 'How long records are kept before their segment may be deleted; -1 keeps them for ever.',
  },
  {
    name: 'retention.bytes',
    group: 'retention',
    type: 'long',
    defaultValue: '-1',
    unit: 'bytes',
    min: null,
    max: null,
    allowed: null,
    documentation: 'How large a partition may grow before its oldest segments are deleted.',
  },
  {
    name: 'segment.bytes',
    group: 'segments',
    type: 'int',
    defaultValue: '1073741824',
    unit: 'bytes',
    min: 14,
    max: null,
    allowed: null,
    documentation: 'The size at which a segment is closed and a new one begun.',
  },
  {
    name: 'segment.ms',
    group: 'segments',
    type: 'long',
    defaultValue: '604800000',
    unit: 'ms',
    min: 1,
    max: null,
    allowed: null,
    documentation: 'The age at which a segment is closed even if it is not full.',
  },
  {
    name: 'min.insync.replicas',
    group: 'replication',
    type: 'int',
    defaultValue: '1',
    unit: null,
    min: 1,
    max: null,
    allowed: null,
    documentation: 'How many replicas must have a record before a write with acks=all is acknowledged.',
  },
  {
    name: 'unclean.leader.election.enable',
    group: 'replication',
    type: 'boolean',
    defaultValue: 'false',
    unit: null,
    min: null,
    max: null,
    allowed: null,
    documentation: 'Whether a replica that is not in sync may lead when no other is left, losing records.',
  },
  {
    name: 'max.message.bytes',
    group: 'messages',
    type: 'int',
    defaultValue: '1048588',
    unit: 'bytes',
    min: 0,
    max: null,
    allowed: null,
    documentation: 'The largest record batch that is accepted.',
  },
  {
    name: 'compression.type',
    group: 'messages',
    type: 'string',
    defaultValue: 'producer',
    unit: null,
    min: null,
    max: null,
    allowed: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
    documentation: 'The codec in which batches are stored; “producer” keeps what the producer chose.',
  },
];

export function fakeClient(options: FakeOptions): ConsoleClient {
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
  const matcher = (filter: { text: string; regex: boolean } | undefined): ((name: string) => boolean) => {
    if (filter === undefined) return () => true;
    const expression = new RegExp(filter.regex ? filter.text : filter.text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i');
    return (name) => expression.test(name);
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
  const entriesOf = (overrides: ReadonlyMap<string, string>): ConfigEntry[] =>
    catalog.map((spec) => {
      const override = overrides.get(spec.name);
      return {
        name: spec.name,
        value: override ?? spec.defaultValue,
        defaultValue: spec.defaultValue,
        source: override === undefined ? (spec.name === 'min.insync.replicas' ? 'staticBroker' : 'default') : 'dynamicTopic',
        type: spec.type,
        readOnly: false,
        sensitive: false,
        documentation: spec.documentation,
        synonyms: [
          ...(override === undefined ? [] : [{ name: spec.name, value: override, source: 'dynamicTopic' as const }]),
          { name: `log.${spec.name}`, value: spec.defaultValue, source: 'default' as const },
        ],
        unit: spec.unit,
      };
    });

  const act = async (processId: string, through: ProcessState, end: ProcessState, line: string): Promise<ProcessStatus> => {
    const before = cluster.processes.get(processId) ?? fail({ kind: 'notFound', message: `No process ${processId}` });
    const set = (change: Partial<ProcessStatus>): ProcessStatus => {
      const now = { ...(cluster.processes.get(processId) ?? before), ...change };
      cluster.processes.set(processId, now);
      tell(
        { kind: 'processes', ids: [processId] },
        { kind: 'brokers', ids: null },
        { kind: 'partitions', ids: null },
        { kind: 'cluster', ids: null },
      );
      return now;
    };
    set({ state: through });
    await new Promise((resolve) => setTimeout(resolve, 400));
    const isUp = end === 'running' || end === 'frozen';
    const after = set({
      state: end,
      pid: isUp ? (before.pid ?? 51_000) : null,
      startedAtMs: end === 'running' && before.state !== 'frozen' ? Date.now() : before.startedAtMs,
    });
    if (before.brokerId === cluster.controllerId && end !== 'running') {
      cluster.controllerId = (before.brokerId % 3) + 1;
      happened('controller.elected', 'info', `Broker ${cluster.controllerId} became the controller`);
    }
    happened(isUp ? 'process.started' : 'process.exited', isUp ? 'info' : 'warning', `${processId} ${line}`);
    return after;
  };
  const os = implement(contract);
  const processStatus = (broker: number): ProcessStatus | null => cluster.processes.get(`broker-${broker}`) ?? null;
  const isDown = (): boolean => [1, 2, 3].some((id) => processStatus(id)?.state !== 'running');
  const status = () => ({
    state: isDown() ? ('degraded' as const) : ('running' as const),
    message: isDown() ? 'A broker that should run does not' : null,
    asOfMs: Date.now(),
  });
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

  const noLab = (): never => fail({ kind: 'refused', message: 'The make-believe cluster measures nothing', retriable: false });

  const router = os.router({
    session: {
      hello: os.session.hello.handler(() => ({
        product: 'samsa' as const,
        version: '0.1.0',
        host: 'browser' as const,
        serverTimeMs: Date.now(),
      })),
    },
    clusters: {
      list: os.clusters.list.handler(() => [summary()]),
      create: os.clusters.create.handler(() => noLab()),
      start: os.clusters.start.handler(() => noLab()),
      stop: os.clusters.stop.handler(() => noLab()),
      remove: os.clusters.remove.handler(() => noLab()),
      makeUp: os.clusters.makeUp.handler(() => ({
        name: summary().name,
        brokers: [1, 2, 3].map((id) => ({ id, port: 9091 + id })),
        logDirsPerBroker: 1,
        zookeeper: { kind: 'embedded' as const, port: 2181 },
        config: { 'num.partitions': '6' },
      })),
      change: os.clusters.change.handler(() => noLab()),
      checkZooKeeper: os.clusters.checkZooKeeper.handler(() => noLab()),
      zookeeper: os.clusters.zookeeper.handler(() => ({
        kind: 'embedded' as const,
        connect: 'localhost:2181',
        servers: [{ address: 'localhost:2181', reachable: true, mode: 'standalone', version: '3.8.4-samsa', problem: null }],
      })),
      get: os.clusters.get.handler(({ input }) => {
        if (input.clusterId !== 'local') fail({ kind: 'notFound', message: `There is no cluster ${input.clusterId}`, retriable: false });
        return {
          ...summary(),
          kafkaClusterId: 'q4sXv0fTQ2a1bC3dE5fG7h',
          capabilities: [
            { feature: 'acls' as const, supported: false, reason: 'ACLs, users and quotas come with a later version of Samsa' },
            { feature: 'controller' as const, supported: false, reason: 'The controller page comes with a later version of Samsa' },
            { feature: 'internals' as const, supported: false, reason: 'The internals pages come with a later version of Samsa' },
          ],
          local: {
            dataFolder: '/home/ada/.local/share/samsa/local',
            zookeeperConnect: 'localhost:2181',
            ephemeral: false,
            supervisorPid: 41_200,
            isOwn: true,
          },
        };
      }),
    },
    zookeeper: {
      children: os.zookeeper.children.handler(({ input: { path, after, max } }) => {
        const names = path === '/' ? ['big', 'brokers'] : path === '/big' ? Array.from({ length: 10_000 }, (_, at) => String(at)) : [];
        const from = after === null ? 0 : names.indexOf(after) + 1;
        const page = names.slice(from, from + max);
        return {
          path,
          total: names.length,
          children: page.map((name) => ({ name, childCount: name === 'big' ? 10_000 : 0, ephemeral: false })),
          next: from + max < names.length ? (page.at(-1) ?? null) : null,
        };
      }),
      node: os.zookeeper.node.handler(() => fail({ kind: 'notFound', message: 'There is no such node' })),
      sessions: os.zookeeper.sessions.handler(() => ({ total: 0, nowMs: Date.now(), sessions: [], brokers: {}, ownSession: null })),
      session: os.zookeeper.session.handler(() => fail({ kind: 'notFound', message: 'There is no such session' })),
      watches: os.zookeeper.watches.handler(() => ({ total: 0, paths: [] })),
    },
    controller: {
      get: os.controller.get.handler(() => ({
        controllerId: cluster.controllerId,
        atMs: Date.now(),
        inside: null,
        failure: null,
        progress: [],
      })),
    },
    overview: {
      get: os.overview.get.handler(() => {
        guard('overview');
        const all = [...cluster.topics.values()];
        const rows = all.map((topic) => topicRow(cluster, topic));
        return {
          status: status(),
          kafkaClusterId: 'q4sXv0fTQ2a1bC3dE5fG7h',
          controllerId: cluster.controllerId,
          brokers: [1, 2, 3].map((brokerId) => ({
            brokerId,
            host: 'localhost',
            port: 9091 + brokerId,
            isController: brokerId === cluster.controllerId,
            online: processStatus(brokerId)?.state === 'running',
            processId: `broker-${brokerId}`,
          })),
          topics: all.filter((topic) => !topic.internal).length,
          internalTopics: all.filter((topic) => topic.internal).length,
          partitions: all.reduce((sum, topic) => sum + topic.partitions, 0),
          underReplicatedPartitions: rows.reduce((sum, row) => sum + row.underReplicatedPartitions, 0),
          offlinePartitions: rows.reduce((sum, row) => sum + row.leaderlessPartitions, 0),
          groups: cluster.groups.size,
          recordsPerSecond: options.tickMs === 0 ? null : 350 + Math.sin(Date.now() / 9000) * 180 + Math.random() * 40,
          sizeBytes: all.reduce((sum, topic) => sum + topic.ends.reduce((a, b) => a + b, 0) * 143 * topic.replicationFactor, 0),
          sizeIsPartial: false,
          failures: [],
        };
      }),
    },
    processes: {
      list: os.processes.list.handler(() => [...cluster.processes.values()]),
      logs: os.processes.logs.handler(({ input }) => {
        const all = Array.from({ length: 400 + Math.floor((Date.now() / 1000) % 1000) }, (_, index) => ({
          sequence: index + 1,
          atMs: Date.now() - (1400 - index) * 1000,
          level: index % 37 === 36 ? ('warn' as const) : index % 151 === 150 ? ('error' as const) : ('info' as const),
          component: ['ReplicaManager', 'LogManager', 'GroupCoordinator', 'SocketServer'][index % 4] ?? null,
          text:
            index % 37 === 36
              ? `Shrinking ISR of orders.raw-${index % 6} from 1,2,3 to 1,3: broker 2 did not catch up for 30000 ms`
              : `Rolled a new segment of orders.raw-${index % 6} at offset ${index * 997}`,
        }));
        const wanted = all.filter(
          (line) => line.sequence > input.after && (input.text === undefined || line.text.toLowerCase().includes(input.text.toLowerCase())),
        );
        return { lines: wanted.slice(0, input.max), dropped: 0 };
      }),
      cutOff: os.processes.cutOff.handler(({ input }) => {
        const before = cluster.processes.get(input.processId) ?? fail({ kind: 'notFound', message: `No process ${input.processId}` });
        const after = { ...before, cutOffFrom: input.from };
        cluster.processes.set(input.processId, after);
        tell({ kind: 'processes', ids: [input.processId] });
        return after;
      }),
      stop: os.processes.stop.handler(({ input }) => act(input.processId, 'stopping', 'stopped', 'was stopped by the user')),
      start: os.processes.start.handler(({ input }) => act(input.processId, 'starting', 'running', 'started')),
      restart: os.processes.restart.handler(({ input }) => act(input.processId, 'starting', 'running', 'was started again by the user')),
      freeze: os.processes.freeze.handler(({ input }) => act(input.processId, 'running', 'frozen', 'was frozen by the user')),
      thaw: os.processes.thaw.handler(({ input }) => act(input.processId, 'frozen', 'running', 'was thawed by the user')),
      kill: os.processes.kill.handler(({ input }) => act(input.processId, 'stopping', 'stopped', 'was killed (SIGKILL) by the user')),
    },
    brokers: {
      list: os.brokers.list.handler(() => (guard('brokers'), [1, 2, 3].map(brokerRow))),
      sizes: os.brokers.sizes.handler(() => [1, 2, 3].map((brokerId) => ({ brokerId, sizeBytes: brokerId * 731_000_123, failure: null }))),
      get: os.brokers.get.handler(({ input }) => ({
        broker: brokerRow(input.brokerId),
        apiVersions: [
          { key: 0, name: 'Produce', min: 0, max: 11 },
          { key: 1, name: 'Fetch', min: 4, max: 16 },
          { key: 3, name: 'Metadata', min: 0, max: 12 },
        ],
        logDirs: [
          {
            path: `/home/ada/.local/share/samsa/local/broker-${input.brokerId}/data`,
            sizeBytes: 731_000_123,
            replicas: 214,
            totalBytes: 512e9,
            usableBytes: 201e9,
            failure: null,
          },
        ],
        failures: [],
      })),
      partitions: os.brokers.partitions.handler(({ input }) =>
        [...cluster.topics.values()].flatMap((topic) =>
          partitionsOf(cluster, topic)
            .filter((row) => row.replicas.includes(input.brokerId))
            .map((row) => ({
              topic: topic.name,
              partition: row.partition,
              role: row.leader === input.brokerId ? ('leader' as const) : ('follower' as const),
              inSync: row.isr.includes(input.brokerId),
            })),
        ),
      ),
      replicas: os.brokers.replicas.handler(() => noLab()),
      moveReplicas: os.brokers.moveReplicas.handler(() => noLab()),
      throttleMoves: os.brokers.throttleMoves.handler(() => noLab()),
      configs: os.brokers.configs.handler(() =>
        entriesOf(new Map()).map((entry) => ({ ...entry, name: `log.${entry.name}`, readOnly: entry.name.startsWith('segment') })),
      ),
      alterConfigs: os.brokers.alterConfigs.handler(() => null),
    },
    topics: {
      open: os.topics.open.handler(({ input }) => {
        guard('topics');
        const match = matcher(input.filter);
        const all = [...cluster.topics.values()].filter((topic) => input.includeInternal || !topic.internal);
        const rows = all
          .filter((topic) => match(topic.name))
          .map((topic) => topicRow(cluster, topic))
          .sort((a, b) => (a.name < b.name ? -1 : 1) * (input.sort.descending ? -1 : 1));
        return { readerId: open(rows), count: rows.length, total: all.length, asOfMs: Date.now() };
      }),
      next: os.topics.next.handler(({ input }) => next(input.readerId, input.max)),
      close: os.topics.close.handler(({ input }) => (readers.delete(input.readerId), null)),
      rows: os.topics.rows.handler(({ input }) =>
        input.names.flatMap((name) => (cluster.topics.has(name) ? [topicRow(cluster, topicOf(name))] : [])),
      ),
      details: os.topics.details.handler(async ({ input }) => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        return input.names.map((name) => {
          const topic = topicOf(name);
          const records = topic.ends.reduce((sum, end) => sum + end, 0);
          return {
            name,
            records,
            sizeBytes: name.includes('dlq') ? null : records * 143 * topic.replicationFactor,
            sizeIsPartial: false,
            cleanupPolicy: topic.configs.get('cleanup.policy') ?? 'delete',
            recordsPerSecond: records === 0 ? 0 : records % 90,
            groups: [...cluster.groups]
              .filter(([, group]) => group.topic === name)
              .map(([groupId]) => ({ groupId, lag: groupDetails(groupId).lag })),
            failure: null,
          };
        });
      }),
      get: os.topics.get.handler(({ input }) => ({
        topic: topicRow(cluster, topicOf(input.topic)),
        partitions: partitionsOf(cluster, topicOf(input.topic)),
      })),
      groups: os.topics.groups.handler(({ input }) =>
        [...cluster.groups]
          .filter(([, group]) => group.topic === input.topic)
          .map(([groupId, group]) => ({ groupId, state: groupRow(groupId).state, members: group.members, lag: groupDetails(groupId).lag })),
      ),
      impact: os.topics.impact.handler(({ input }) =>
        input.names.map((name) => {
          const topic = topicOf(name);
          const records = topic.ends.reduce((sum, end) => sum + end, 0);
          return {
            name,
            partitions: topic.partitions,
            records,
            sizeBytes: records * 143,
            activeGroups: [...cluster.groups]
              .filter(([, group]) => group.topic === name && group.members > 0)
              .map(([id]) => id)
              .slice(0, 2),
          };
        }),
      ),
      configs: os.topics.configs.handler(({ input }) => entriesOf(topicOf(input.topic).configs)),
      configCatalog: os.topics.configCatalog.handler(() => catalog),
      create: os.topics.create.handler(({ input }) => {
        if (cluster.topics.has(input.name))
          fail({
            api: 'CreateTopics',
            code: 36,
            name: 'TOPIC_ALREADY_EXISTS',
            brokerId: 1,
            message: `Topic '${input.name}' already exists.`,
            retriable: false,
          });
        const partitions = input.partitions ?? 1;
        cluster.topics.set(input.name, {
          name: input.name,
          internal: false,
          partitions,
          replicationFactor: input.replicationFactor ?? 3,
          ends: Array.from({ length: partitions }, () => 0),
          configs: new Map(Object.entries(input.configs)),
        });
        tell({ kind: 'topics', ids: [input.name] });
        return { name: input.name, topicId: null, partitions, replicationFactor: 3 };
      }),
      createPartitions: os.topics.createPartitions.handler(() => null),
      alterConfigs: os.topics.alterConfigs.handler(({ input }) => {
        const { configs } = topicOf(input.topic);
        for (const change of input.changes) {
          if (change.operation === 'set' && change.value !== null) configs.set(change.name, change.value);
          else configs.delete(change.name);
        }
        tell({ kind: 'configs', ids: [`topic:${input.topic}`] });
        return null;
      }),
      delete: os.topics.delete.handler(async ({ input }) => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        const results = input.names.map((name) => {
          if (name.includes('audit')) {
            return {
              name,
              failure: {
                kind: 'notPermitted' as const,
                api: 'DeleteTopics',
                code: 29,
                name: 'TOPIC_AUTHORIZATION_FAILED',
                brokerId: 1,
                message: 'Not authorized to access the topic',
                retriable: false,
                timeoutMs: null,
              },
            };
          }
          cluster.topics.delete(name);
          return { name, failure: null };
        });
        tell({ kind: 'topics', ids: input.names });
        return results;
      }),
    },
    groups: {
      open: os.groups.open.handler(({ input }) => {
        guard('groups');
        const match = matcher(input.filter);
        const rows = [...cluster.groups.keys()].filter(match).sort().map(groupRow);
        return { readerId: open(rows), count: rows.length, total: cluster.groups.size, asOfMs: Date.now(), failures: [] };
      }),
      next: os.groups.next.handler(({ input }) => next(input.readerId, input.max)),
      close: os.groups.close.handler(({ input }) => (readers.delete(input.readerId), null)),
      rows: os.groups.rows.handler(({ input }) => input.groupIds.flatMap((id) => (cluster.groups.has(id) ? [groupRow(id)] : []))),
      details: os.groups.details.handler(({ input }) => input.groupIds.map(groupDetails)),
      get: os.groups.get.handler(({ input }) => {
        const group =
          cluster.groups.get(input.groupId) ??
          fail({
            kind: 'notFound',
            api: 'DescribeGroups',
            code: 69,
            name: 'GROUP_ID_NOT_FOUND',
            message: `There is no group ${input.groupId}`,
            retriable: false,
          });
        const topic = topicOf(group.topic);
        const member = (index: number) => ({
          memberId: `kafkajs-${index}-5a1c7d0e-91fe-4c04-8d2e-${index}b7c0a1f3d4e5`,
          clientId: `app-${index}`,
          host: '/127.0.0.1',
        });
        const offsets = topic.ends.map((endOffset, partition) => {
          const of = group.members > 0 ? member(partition % group.members) : null;
          const isUnknown = input.groupId.startsWith('fraud') && partition === 1;
          const committedOffset = partition === 2 && topic.partitions > 4 ? null : (group.committed[partition] ?? null);
          return {
            topic: topic.name,
            partition,
            committedOffset,
            committedLeaderEpoch: 0,
            metadata: '',
            startOffset: 0,
            endOffset: isUnknown ? null : endOffset,
            lag: isUnknown || committedOffset === null ? null : Math.max(0, endOffset - committedOffset),
            memberId: of?.memberId ?? null,
            clientId: of?.clientId ?? null,
            host: of?.host ?? null,
            failure: null,
          };
        });
        return {
          group: groupRow(input.groupId),
          protocol: group.members > 0 ? 'RoundRobinAssigner' : null,
          members: Array.from({ length: group.members }, (_, index) => ({
            ...member(index),
            groupInstanceId: null,
            assignment: [
              {
                topic: topic.name,
                partitions: topic.ends.map((__, partition) => partition).filter((partition) => partition % group.members === index),
              },
            ],
          })),
          offsets,
          lag: offsets.reduce((sum, row) => sum + (row.lag ?? 0), 0),
        };
      }),
      delete: os.groups.delete.handler(({ input }) => {
        for (const id of input.groupIds) cluster.groups.delete(id);
        tell({ kind: 'groups', ids: input.groupIds });
        return input.groupIds.map((name) => ({ name, failure: null }));
      }),
    },
    messages: {
      open: os.messages.open.handler(({ input }) => {
        guard('messages');
        const topic = topicOf(input.topic);
        const partitions = input.partitions ?? topic.ends.map((_, partition) => partition);
        const rows: MessageRow[] = [];
        for (const partition of partitions) {
          const end = topic.ends[partition] ?? 0;
          const share =
            input.seek.from === 'last' ? Math.ceil(input.seek.count / partitions.length) : Math.ceil(input.limit / partitions.length);
          const from =
            input.seek.from === 'last' ? Math.max(0, end - share) : input.seek.from === 'offset' ? Math.min(end, input.seek.offset) : 0;
          for (let offset = from; offset < Math.min(end, from + share); offset++)
            rows.push(messageAt(partition, offset, end, input.previewBytes));
        }
        return {
          readerId: open(rows),
          partitions: partitions.map((partition) => ({
            partition,
            startOffset: 0,
            endOffset: topic.ends[partition] ?? 0,
            fromOffset: 0,
            failure: null,
          })),
        };
      }),
      next: os.messages.next.handler(({ input }) => {
        const { rows, done } = next<MessageRow>(input.readerId, input.max);
        const read = readers.get(input.readerId);
        const passed = Math.min(read?.at ?? 0, read?.rows.length ?? 0);
        return {
          messages: rows,
          done,
          progress: { records: passed, bytes: passed * 143, offsetsPassed: passed, offsetsInScope: read?.rows.length ?? 0 },
          failures: [],
        };
      }),
      close: os.messages.close.handler(({ input }) => (readers.delete(input.readerId), null)),
      bytes: os.messages.bytes.handler(async ({ input }) => {
        await new Promise((resolve) => setTimeout(resolve, 60));
        const row = messageAt(input.partition, input.offset, input.offset + 1, 65_536);
        const whole = new TextEncoder().encode(
          input.offset === LARGE_OFFSET && input.part.of === 'value'
            ? largeValue()
            : ((input.part.of === 'key' ? row.key : row.value)?.data ?? ''),
        );
        return { sizeBytes: whole.length, position: input.position, bytes: whole.slice(input.position, input.position + input.length) };
      }),
    },
    // Numbers that nobody measured would be a lie, also here: the page shows how it is refused.
    retention: { replica: os.retention.replica.handler(() => noLab()) },
    partitions: {
      electPreferred: os.partitions.electPreferred.handler(() => noLab()),
      electUnclean: os.partitions.electUnclean.handler(() => noLab()),
      plan: os.partitions.plan.handler(() => noLab()),
      reassign: os.partitions.reassign.handler(() => noLab()),
      cancelReassignment: os.partitions.cancelReassignment.handler(() => noLab()),
      reassignments: os.partitions.reassignments.handler(() => []),
      throttle: os.partitions.throttle.handler(() => null),
      setThrottle: os.partitions.setThrottle.handler(() => noLab()),
      replication: os.partitions.replication.handler(() => noLab()),
    },
    flushLab: {
      state: os.flushLab.state.handler(() => noLab()),
      settings: os.flushLab.settings.handler(() => noLab()),
      set: os.flushLab.set.handler(() => noLab()),
      losePower: os.flushLab.losePower.handler(() => noLab()),
      startLoad: os.flushLab.startLoad.handler(() => noLab()),
      stopLoad: os.flushLab.stopLoad.handler(() => noLab()),
    },
    segments: {
      replicas: os.segments.replicas.handler(({ input }) =>
        partitionsOf(cluster, topicOf(input.topic)).flatMap((row) =>
          row.replicas.map((brokerId) => ({
            partition: row.partition,
            brokerId,
            path: `/home/ada/.local/share/samsa/local/broker-${brokerId}/data/${input.topic}-${row.partition}`,
            role: row.leader === brokerId ? ('leader' as const) : ('follower' as const),
            inSync: row.isr.includes(brokerId),
            onDisk: true,
            sizeBytes: row.sizeBytes,
            segments: 3,
          })),
        ),
      ),
      contents: os.segments.contents.handler(({ input }) => {
        const end = topicOf(input.topic).ends[input.partition] ?? 0;
        const bases = end === 0 ? [0] : [0, Math.floor(end / 3), Math.floor((2 * end) / 3)];
        const name = (base: number, ending: string): string => `${String(base).padStart(20, '0')}.${ending}`;
        const modifiedAtMs = Date.now() - 90_000;
        const size = Math.floor(end / bases.length) * 143;
        return {
          path: `/home/ada/.local/share/samsa/local/broker-${input.brokerId}/data/${input.topic}-${input.partition}`,
          logDir: `/home/ada/.local/share/samsa/local/broker-${input.brokerId}/data`,
          brokerRuns: true,
          marks: { logStartOffset: 0, recoveryPoint: Math.floor(end / 2), highWatermark: end, asOfMs: modifiedAtMs },
          logDirFiles: [
            { name: 'meta.properties', kind: 'metaProperties' as const, baseOffset: null, sizeBytes: 90, modifiedAtMs },
            { name: 'recovery-point-offset-checkpoint', kind: 'offsetCheckpoint' as const, baseOffset: null, sizeBytes: 700, modifiedAtMs },
          ],
          segments: bases.map((baseOffset, index) => ({
            baseOffset,
            file: name(baseOffset, 'log'),
            sizeBytes: size,
            indexBytes: 1024,
            timeIndexBytes: 1536,
            firstOffset: end === 0 ? null : baseOffset,
            lastOffset: end === 0 ? null : (bases[index + 1] ?? end) - 1,
            modifiedAtMs,
            active: index === bases.length - 1,
          })),
          files: [
            ...bases.flatMap((base) => [
              { name: name(base, 'log'), kind: 'log' as const, baseOffset: base, sizeBytes: size, modifiedAtMs },
              { name: name(base, 'index'), kind: 'index' as const, baseOffset: base, sizeBytes: 10_485_760, modifiedAtMs },
              { name: name(base, 'timeindex'), kind: 'timeindex' as const, baseOffset: base, sizeBytes: 10_485_756, modifiedAtMs },
            ]),
            { name: 'leader-epoch-checkpoint', kind: 'leaderEpochCheckpoint' as const, baseOffset: null, sizeBytes: 8, modifiedAtMs },
            { name: 'partition.metadata', kind: 'partitionMetadata' as const, baseOffset: null, sizeBytes: 43, modifiedAtMs },
          ],
        };
      }),
      batches: os.segments.batches.handler(({ input }) => {
        const first = input.position / 1843;
        const batches = Array.from({ length: Math.min(input.max, 900 - first) }, (_, index) => ({
          position: (first + index) * 1843,
          sizeBytes: 1843,
          baseOffset: input.baseOffset + (first + index) * 10,
          lastOffset: input.baseOffset + (first + index) * 10 + 9,
          records: 10,
          baseTimestampMs: Date.now() - 1e7 + index * 1000,
          maxTimestampMs: Date.now() - 1e7 + index * 1000 + 900,
          timestampType: 'CreateTime' as const,
          codec: 'zstd' as const,
          leaderEpoch: 0,
          magic: 2,
          crc: (index * 2_654_435_761) >>> 0,
          crcValid: index !== 13,
          producerId: null,
          producerEpoch: null,
          baseSequence: null,
          transactional: false,
          control: false,
        }));
        const end = (first + batches.length) * 1843;
        return {
          batches,
          nextPosition: first + batches.length >= 900 ? null : end,
          torn: first + batches.length >= 900 ? { position: end, reason: '61 bytes are left, a batch has at least 61', bytes: 61 } : null,
        };
      }),
      records: os.segments.records.handler(() => ({ records: [], more: false })),
      file: os.segments.file.handler(({ input }) => {
        const total = 900;
        const rows = Array.from({ length: Math.min(input.max, total - input.from) }, (_, index) => {
          const slot = input.from + index;
          return [slot, slot * 30 + 29, slot * 5529];
        });
        return {
          sizeBytes: 7200,
          fields: ['slot', 'offset', 'position'] as const,
          rows,
          from: input.from,
          total,
          zeroEntries: 0,
          problem: null,
        };
      }),
      lookup: os.segments.lookup.handler(({ input }) => {
        const batch = { position: 1843, sizeBytes: 1843, baseOffset: 10, lastOffset: 19, maxTimestampMs: Date.now() - 1e6, records: 10 };
        return {
          by: input.by,
          target: input.target,
          segmentCount: 3,
          firstOffset: 0,
          nextBaseOffset: 9000,
          logStartOffset: 0,
          segmentTimes: [],
          segmentTimesCount: 0,
          segments: [
            {
              baseOffset: 0,
              indexes: [{ kind: 'offset' as const, target: input.target, entries: 0, probes: [], found: null }],
              scanFrom: 0,
              scanned: [batch],
              scannedCount: 1,
              damage: null,
            },
          ],
          found: { segment: 0, batch, record: null, recordError: null },
        };
      }),
    },
    live: {
      changes: os.live.changes.handler(async function* ({ signal }) {
        const queue: Change[] = [{ kind: 'cluster', ids: ['local'] }];
        let wake = Promise.withResolvers<void>();
        const hear = (changes: readonly Change[]): void => {
          queue.push(...changes);
          wake.resolve();
        };
        listeners.add(hear);
        signal?.addEventListener('abort', () => wake.resolve());
        try {
          for (;;) {
            if (signal?.aborted === true) return;
            if (queue.length > 0) yield { atMs: Date.now(), changes: queue.splice(0) } satisfies ChangeEvent;
            wake = Promise.withResolvers();
            if (queue.length === 0) await wake.promise;
          }
        } finally {
          listeners.delete(hear);
        }
      }),
      timeline: os.live.timeline.handler(({ input }) => ({
        entries: cluster.timeline.filter((entry) => entry.sequence > input.after).slice(-input.max),
        dropped: 0,
      })),
    },
  });
  return createRouterClient(router, { context: {} });
}
