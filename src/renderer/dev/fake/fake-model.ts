/** The make-believe cluster behind fake-backend.ts: three brokers, topics and groups by the thousand, records made from their offset. Only for development and tests. */
import type { ProcessStatus } from '../../../console/contract/processes.ts';
import type { MessageRow, Payload } from '../../../console/contract/messages.ts';
import type { PartitionRow, TopicRow } from '../../../console/contract/topics.ts';
import type { TimelineEntry } from '../../../console/contract/live.ts';

export interface FakeTopic {
  readonly name: string;
  readonly internal: boolean;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** End offset per partition. */
  readonly ends: number[];
  readonly configs: Map<string, string>;
}

export interface FakeCluster {
  readonly topics: Map<string, FakeTopic>;
  readonly groups: Map<string, { readonly topic: string; committed: number[]; readonly members: number }>;
  readonly processes: Map<string, ProcessStatus>;
  readonly timeline: TimelineEntry[];
  controllerId: number;
}

const words = [
  'orders',
  'payments',
  'invoices',
  'shipments',
  'clicks',
  'sessions',
  'users',
  'audit',
  'metrics',
  'emails',
  'stock',
  'returns',
];
const stages = ['raw', 'clean', 'enriched', 'dlq', 'by-customer', 'v2', 'changelog', 'snapshot'];

export function makeCluster(topicCount: number, groupCount: number): FakeCluster {
  const topics = new Map<string, FakeTopic>();
  const add = (name: string, partitions: number, replicationFactor: number, end: number): void => {
    const internal = name.startsWith('__');
    topics.set(name, {
      name,
      internal,
      partitions,
      replicationFactor,
      ends: Array.from({ length: partitions }, (_, index) => (end === 0 ? 0 : end + index * 17)),
      configs: new Map(internal ? [['cleanup.policy', 'compact']] : []),
    });
  };
  add('__consumer_offsets', 50, 3, 40);
  for (let index = 0; index < topicCount; index++) {
    const word = words[index % words.length] ?? 'topic';
    const stage = stages[Math.floor(index / words.length) % stages.length] ?? 'x';
    const round = Math.floor(index / (words.length * stages.length));
    add(
      `${word}.${stage}${round === 0 ? '' : `-${round}`}`,
      [6, 1, 12, 3][index % 4] ?? 1,
      index % 5 === 4 ? 1 : 3,
      index % 7 === 6 ? 0 : 1000 + ((index * 7919) % 90_000),
    );
  }
  const names = [...topics.keys()].filter((name) => !name.startsWith('__'));
  const groups: FakeCluster['groups'] = new Map();
  for (let index = 0; index < groupCount; index++) {
    const topic = names[index % Math.max(1, names.length)];
    const of = topic === undefined ? undefined : topics.get(topic);
    if (topic === undefined || of === undefined) break;
    groups.set(`${['billing', 'search-indexer', 'mailer', 'fraud', 'reporting', 'warehouse'][index % 6]}${index < 6 ? '' : `-${index}`}`, {
      topic,
      committed: of.ends.map((end) => Math.max(0, end - ((index * 37) % 400))),
      members: index % 4 === 3 ? 0 : Math.min(3, of.partitions),
    });
  }
  const startedAtMs = Date.now() - 3_725_000;
  const process = (id: string, role: 'broker' | 'zookeeper', brokerId: number | null, port: number, pid: number): ProcessStatus => ({
    id,
    role,
    brokerId,
    state: 'running',
    pid,
    host: 'localhost',
    port,
    startedAtMs,
    generation: 1,
    lastExit: null,
    cutOffFrom: [],
    awaitsRestart: false,
    restartAtMs: null,
    reason: null,
  });
  const processes = new Map([1, 2, 3].map((id) => [`broker-${id}`, process(`broker-${id}`, 'broker', id, 9091 + id, 41_230 + id)]));
  processes.set('zookeeper', process('zookeeper', 'zookeeper', null, 2181, 41_229));
  return { topics, groups, processes, timeline: firstTimeline(startedAtMs), controllerId: 1 };
}

function firstTimeline(startMs: number): TimelineEntry[] {
  const lines: readonly (readonly [string, TimelineEntry['severity'], string])[] = [
    ['process.started', 'info', 'ZooKeeper started (pid 41229) on localhost:2181'],
    ['process.started', 'info', 'Broker 1 started (pid 41231) on localhost:9092'],
    ['broker.registered', 'info', 'Broker 1 registered in ZooKeeper (epoch 27)'],
    ['controller.elected', 'info', 'Broker 1 became the controller (epoch 1): it was the first to create /controller'],
    ['broker.registered', 'info', 'Broker 2 registered in ZooKeeper (epoch 41)'],
    ['broker.registered', 'info', 'Broker 3 registered in ZooKeeper (epoch 43)'],
    ['topic.created', 'info', 'Topic orders.raw created with 6 partitions and 3 replicas'],
    ['group.rebalanced', 'info', 'Group billing: generation 1, member kafkajs-5a1c joined, 1 member'],
    ['group.rebalanced', 'info', 'Group billing: generation 2, members kafkajs-91fe and kafkajs-c04d joined, 3 members'],
    ['process.exited', 'error', 'Broker 2 was killed (SIGKILL) by the user'],
    ['broker.lost', 'warning', 'Broker 2 is gone: its session was closed 4 ms after its process ended'],
    ['isr.shrunk', 'warning', 'orders.raw-0: ISR shrank from 2, 3, 1 to 3, 1: broker 2 is offline'],
    ['leader.elected', 'info', 'orders.raw-0: broker 3 leads now (epoch 2), the first replica in the ISR that is alive'],
    ['process.started', 'info', 'Broker 2 started (pid 41232) on localhost:9093'],
    ['isr.expanded', 'info', 'orders.raw-0: ISR grew to 3, 1, 2: broker 2 caught up at offset 48 211'],
  ];
  return lines.map(([type, severity, text], index) => ({
    sequence: index + 1,
    atMs: startMs + index * 61_337,
    type,
    severity,
    text,
    brokerId: null,
    topic: null,
    partition: null,
    groupId: null,
    processId: null,
  }));
}

const online = (cluster: FakeCluster, broker: number): boolean => cluster.processes.get(`broker-${broker}`)?.state === 'running';

export function partitionsOf(cluster: FakeCluster, topic: FakeTopic): PartitionRow[] {
  return topic.ends.map((end, partition) => {
    const replicas = Array.from({ length: topic.replicationFactor }, (_, index) => ((partition + index) % 3) + 1);
    const isr = replicas.filter((broker) => online(cluster, broker));
    return {
      partition,
      leader: isr[0] ?? null,
      leaderEpoch: 0,
      replicas,
      isr,
      offlineReplicas: replicas.filter((broker) => !online(cluster, broker)),
      startOffset: isr.length === 0 ? null : 0,
      endOffset: isr.length === 0 ? null : end,
      sizeBytes: isr.length === 0 ? null : end * 143,
      failure: null,
    };
  });
}

export function topicRow(cluster: FakeCluster, topic: FakeTopic): TopicRow {
  const partitions = partitionsOf(cluster, topic);
  return {
    name: topic.name,
    topicId: null,
    internal: topic.internal,
    partitions: topic.partitions,
    replicationFactor: topic.replicationFactor,
    underReplicatedPartitions: partitions.filter((row) => row.isr.length < row.replicas.length).length,
    leaderlessPartitions: partitions.filter((row) => row.leader === null).length,
    failure: null,
  };
}

/** 3 MB of JSON for offset 7 of partition 0: what a large value looks like. */
export const LARGE_OFFSET = 7;
export function largeValue(): string {
  return JSON.stringify({
    note: 'a large value',
    items: Array.from({ length: 40_000 }, (_, index) => ({ index, sku: `SKU-${index * 7919}`, price: index / 100 })),
  });
}

const text = (data: string, preview: number): Payload => ({
  sizeBytes: new TextEncoder().encode(data).length,
  encoding: 'text',
  data: data.slice(0, preview),
  truncated: data.length > preview,
});

export function messageAt(partition: number, offset: number, end: number, previewBytes: number): MessageRow {
  const isTombstone = offset % 23 === 5;
  const isBinary = offset % 17 === 3;
  const isControl = offset % 41 === 11;
  const value =
    partition === 0 && offset === LARGE_OFFSET
      ? largeValue()
      : JSON.stringify({
          id: 700_000_000 + offset,
          customer: `c-${(offset * 7919) % 1000}`,
          total: ((offset * 37) % 50_000) / 100,
          items: [{ sku: 'A-17', count: 2 }],
          placedAt: '2025-11-23T18:05:07.041Z',
        });
  return {
    partition,
    offset,
    kind: isControl ? 'commitMarker' : isTombstone ? 'tombstone' : 'record',
    timestampMs: Date.now() - (end - offset) * 1731 - partition * 113,
    timestampType: 'CreateTime',
    key: isControl ? null : text(`order-${(offset * 31) % 5000}`, previewBytes),
    value:
      isTombstone || isControl
        ? null
        : isBinary
          ? { sizeBytes: 24, encoding: 'base64', data: 'AAEC/wAAAAAHdmFsdWVzAgAAAAAAACoBAP8=', truncated: false }
          : text(value, previewBytes),
    headers:
      offset % 3 === 0
        ? [
            { key: 'trace-id', value: text(`4bf92f3577b34da6a3ce929d0e0e${offset}`, 200) },
            { key: 'source', value: text('checkout', 200) },
          ]
        : [],
    codec: 'zstd',
    batch: {
      baseOffset: offset - (offset % 10),
      sizeBytes: 1843,
      leaderEpoch: 0,
      producerId: isControl ? 12 : null,
      producerEpoch: isControl ? 0 : null,
      baseSequence: null,
      transactional: isControl,
    },
  };
}
