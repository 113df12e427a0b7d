/** A compacted topic in a cluster of three: written by kcat, compacted by the brokers' cleaners in their workers, read and replicated with its gaps. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../src/client/admin/admin.ts';
import { errorOf, runSingle } from '../../src/client/admin/keyed-call.ts';
import { groupCoordinator } from '../../src/client/admin/lookups.ts';
import { OffsetSpec } from '../../src/client/admin/offsets.ts';
import { RecordReader } from '../../src/client/record-reader.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import { OffsetCommit } from '../../src/protocol/generated/offset-commit.ts';
import { adminOf, Cleanups, describePartition, endOffset, startTestCluster, until, untilInSync, valueOf } from './support/clusters.ts';
import { kcat } from './support/kcat.ts';

const COMPACTED = {
  'cleanup.policy': 'compact',
  'segment.bytes': '20000',
  'min.cleanable.dirty.ratio': '0.01',
  'delete.retention.ms': '0',
};
const KEYS = 20;
const ROUNDS = 60;

const cleanups = new Cleanups();
let cluster: RunningCluster;
let admin: Admin;

beforeAll(async () => {
  const config = { 'log.cleaner.backoff.ms': '100', 'offsets.topic.num.partitions': '1', 'offsets.topic.segment.bytes': '5000' };
  cluster = await startTestCluster(cleanups, { config });
  admin = adminOf(cleanups, cluster.bootstrapServers);
});
afterAll(() => cleanups.run());

async function produce(topic: string, lines: readonly string[], ...args: string[]): Promise<void> {
  const flags = [
    '-P',
    '-b',
    cluster.bootstrapServers,
    '-t',
    topic,
    '-p',
    '0',
    '-K',
    ':',
    '-X',
    'acks=all',
    '-X',
    'batch.num.messages=25',
    ...args,
  ];
  const { code, error } = await kcat(flags, `${lines.join('\n')}\n`);
  if (code !== 0) throw new Error(`kcat -P ended with ${code}: ${error}`);
}

/** `offset key:value` of all records, as kcat reads them. */
async function consume(topic: string, from = 'beginning'): Promise<string[]> {
  const { code, out, error } = await kcat([
    '-C',
    '-b',
    cluster.bootstrapServers,
    '-t',
    topic,
    '-p',
    '0',
    '-o',
    from,
    // Where retention has taken the offset meanwhile; librdkafka would go to the end.
    '-X',
    'auto.offset.reset=earliest',
    '-e',
    '-q',
    '-f',
    '%o %k:%s\n',
  ]);
  if (code !== 0) throw new Error(`kcat -C ended with ${code}: ${error}`);
  return out.split('\n').slice(0, -1);
}

const replicaFolder = (broker: number, topic: string): string => join(cluster.folder.broker(broker), `${topic}-0`);

/** The segments of a replica, by the names of their files. */
function segmentsOf(broker: number, topic: string): string[] {
  return readdirSync(replicaFolder(broker, topic)).filter((name) => name.endsWith('.log'));
}

function bytesOf(broker: number, topic: string): number {
  return segmentsOf(broker, topic).reduce((bytes, name) => bytes + statSync(join(replicaFolder(broker, topic), name)).size, 0);
}

/** Keys that are written again and again, then a few records that fill the active segment, which stays as it is. */
async function fill(topic: string, codec: string): Promise<void> {
  const lines = Array.from({ length: KEYS * ROUNDS }, (_, index) => `key-${index % KEYS}:${index} ${'x'.repeat(100)}`);
  await produce(topic, lines, '-z', codec);
  await produce(
    topic,
    Array.from({ length: 400 }, (_, index) => `filler:${index} ${'y'.repeat(100)}`),
  );
}

async function newTopic(name: string, configs: Record<string, string> = COMPACTED, assignments?: number[][]): Promise<void> {
  const replicas = assignments === undefined ? { numPartitions: 1, replicationFactor: 2 } : { assignments };
  valueOf((await admin.createTopics([{ name, configs, ...replicas }])).get(name));
  await untilInSync(admin, name, assignments?.[0]?.length ?? 2);
}

describe('a compacted topic', () => {
  it.each(['none', 'lz4', 'zstd'])('of %s batches keeps the newest value of each key, at its offset', async (codec) => {
    const topic = `compacted-${codec}`;
    await newTopic(topic);
    await fill(topic, codec);
    const end = await endOffset(admin, topic);
    const kept = await until('it is compacted', async () => {
      const records = await consume(topic);
      return records.filter((line) => line.includes(' key-')).length === KEYS ? records : undefined;
    });
    const newest = Array.from({ length: KEYS }, (_, key) => {
      const offset = KEYS * (ROUNDS - 1) + key;
      return `${offset} key-${key}:${offset} ${'x'.repeat(100)}`;
    });
    expect(kept.slice(0, KEYS)).toEqual(newest);
    expect(kept.at(-1)).toBe(`${end - 1} filler:399 ${'y'.repeat(100)}`);
    expect(await endOffset(admin, topic)).toBe(end);
    // From within what is gone, a consumer gets what comes next.
    expect((await consume(topic, '7'))[0]).toBe(newest[0]);
  });

  it('is replicated with its gaps, and the new replica can lead', async () => {
    const topic = 'compacted-replicated';
    await newTopic(topic, COMPACTED, [[1, 2, 3]]);
    await fill(topic, 'none');
    await until('it is compacted', async () => (await consume(topic)).filter((line) => line.includes(' key-')).length === KEYS);
    const before = await consume(topic);
    // Broker 3 loses its replica and gets it again from a leader whose log has gaps.
    await cluster.broker(3).stop();
    rmSync(replicaFolder(3, topic), { recursive: true });
    await cluster.broker(3).start();
    await untilInSync(admin, topic, 3);
    await cluster.broker(2).stop();
    await cluster.broker(1).stop();
    await until('broker 3 leads', async () => (await describePartition(admin, topic)).leaderId === 3);
    const after = await consume(topic);
    await cluster.broker(1).start();
    await cluster.broker(2).start();
    await untilInSync(admin, topic, 3);
    // It may have been compacted further meanwhile.
    expect(after.filter((line) => line.includes(' key-'))).toEqual(before.filter((line) => line.includes(' key-')));
    expect(after.at(-1)).toBe(before.at(-1));
    await produce(topic, ['key-0:last']);
    expect((await consume(topic)).at(-1)).toContain('key-0:last');
  });

  it('loses what was deleted, and its segments become fewer', async () => {
    const topic = 'compacted-tombstones';
    await newTopic(topic);
    await fill(topic, 'none');
    const [leader = 0] = (await describePartition(admin, topic)).replicas;
    await produce(
      topic,
      Array.from({ length: KEYS }, (_, key) => `key-${key}:`),
      '-Z',
    );
    const fillers = Array.from({ length: 400 }, (_, index) => `filler:${index} ${'y'.repeat(100)}`);
    // A tombstone goes with the first cleaning after the one that saw it: there must be something new to clean.
    const noKeyIsLeft = async (): Promise<boolean> => {
      await produce(topic, fillers);
      return (await consume(topic)).every((line) => !line.includes(' key-'));
    };
    await until('no key is left', noKeyIsLeft);
    // More than ten were written.
    await until('segments were merged', () => segmentsOf(leader, topic).length <= 4);
  });

  it('with compact,delete also loses what is too old', async () => {
    const topic = 'compacted-deleted';
    await newTopic(topic, { ...COMPACTED, 'cleanup.policy': 'compact,delete', 'retention.bytes': '30000' });
    await produce(
      topic,
      Array.from({ length: 1000 }, (_, index) => `key-${index}:${'x'.repeat(100)}`),
    );
    await until('the log start offset has moved', async () => {
      const start = valueOf((await admin.listOffsets([{ topic, partition: 0, timestamp: OffsetSpec.EARLIEST }])).get(`${topic}-0`));
      return start.offset > 0;
    });
    const records = await consume(topic);
    expect(records.length).toBeLessThan(1000);
    expect(records.at(-1)).toContain('999 key-999:');
  });
});

describe('the records of batches that are gone', () => {
  it('are passed over by a reader that goes by the batches', async () => {
    const reader = new RecordReader(admin.context);
    const topic = 'compacted-none';
    const end = await endOffset(admin, topic);
    const offsets: number[] = [];
    for (let offset = 0; offset < end;) {
      const { records, nextOffset } = await reader.fetchRecords({ topic, partition: 0 }, offset, { maxBytes: 2000 });
      expect(nextOffset).toBeGreaterThan(offset);
      offsets.push(...records.map((record) => record.offset));
      offset = nextOffset;
    }
    expect(offsets).toEqual((await consume(topic)).map((line) => Number(line.split(' ')[0])));
  });
});

describe('the group coordinator', () => {
  it('loads the committed offsets from its compacted topic', async () => {
    const topic = 'read-by-group';
    await newTopic(topic, {});
    await produce(topic, ['a:1', 'b:2', 'c:3']);
    const commits = 400;
    for (let index = 0; index < commits; index++) await commit(`group-${index % 4}`, topic, index % 4);
    const offsets = (): Promise<number[]> => Promise.all([0, 1, 2, 3].map((group) => committed(`group-${group}`, topic)));
    expect(await offsets()).toEqual([0, 1, 2, 3]);
    const { leaderId: leader } = await describePartition(admin, '__consumer_offsets');
    await until('the topic is compacted', () => bytesOf(leader, '__consumer_offsets') < commits * 20);
    await cluster.broker(leader).restart();
    await untilInSync(admin, '__consumer_offsets', 3);
    await until('the offsets are known', async () => (await offsets()).join() === '0,1,2,3');
  });
});

function commit(groupId: string, topic: string, committedOffset: number): Promise<boolean> {
  return runSingle<boolean>(
    admin.context,
    {
      name: 'commit',
      lookup: groupCoordinator(admin.context),
      request: async (node) => {
        const partitions = [{ partitionIndex: 0, committedOffset, committedLeaderEpoch: -1, committedMetadata: '' }];
        const body = { groupId, generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null, topics: [{ name: topic, partitions }] };
        const { topics } = await admin.context.client.send(node, OffsetCommit, body, { minVersion: 7, maxVersion: 8, timeoutMs: 5000 });
        const errorCode = topics[0]?.partitions[0]?.errorCode ?? -1;
        return new Map([[groupId, errorOf(errorCode) ?? true]]);
      },
    },
    groupId,
  );
}

async function committed(group: string, topic: string): Promise<number> {
  const found = valueOf((await admin.listGroupOffsets(new Map([[group, null]]))).get(group));
  return found.has(`${topic}-0`) ? valueOf(found.get(`${topic}-0`)).offset : -1;
}
