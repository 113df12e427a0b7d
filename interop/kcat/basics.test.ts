/** What one tries first with kcat: list, produce, consume, groups. What is not served yet is in `README.md` beside this file. */
import { describe, expect, it } from 'vitest';
import { createTopic, untilNoLag, expectSameRecords, until, untilCount, valueOf } from '../support/expectations.ts';
import { KcatGroupMember } from '../support/kcat-group-member.ts';
import { kcatConsume, kcatProduce } from '../support/kcat.ts';
import { runTool } from '../support/run-tool.ts';
import { sharedCluster } from '../support/shared-cluster.ts';

const cluster = sharedCluster();
const kcat = async (...args: readonly string[]): Promise<string> =>
  (await runTool('kcat', ['-b', cluster.bootstrapServers, ...args])).out.toString();

function records(count: number, size = 10): { key: string; value: Buffer }[] {
  return Array.from({ length: count }, (_, index) => ({ key: `key-${index}`, value: Buffer.from(`${index} `.padEnd(size, 'x')) }));
}

interface KcatMetadata {
  readonly brokers: readonly { readonly id: number; readonly name: string }[];
  readonly controllerid: number;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly leader: number; readonly isrs: readonly object[] }[];
  }[];
}

describe('metadata', () => {
  it('lists three brokers and a controller', async () => {
    const metadata = JSON.parse(await kcat('-L', '-J')) as KcatMetadata;
    expect(metadata.brokers.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    expect(metadata.brokers.map(({ name }) => name).toSorted()).toEqual(cluster.brokers.toSorted());
    expect([1, 2, 3]).toContain(metadata.controllerid);
  });

  it('lists the partitions of a topic with leader and in-sync replicas', async () => {
    await createTopic(cluster.admin, 'listed');
    const partitions = async () => (JSON.parse(await kcat('-L', '-J', '-t', 'listed')) as KcatMetadata).topics[0]?.partitions;
    // The broker that kcat asks may hear of the topic later than others.
    await expect
      .poll(async () => (await partitions())?.map(({ partition, isrs }) => [partition, isrs.length]))
      .toEqual(Array.from({ length: 6 }, (_, partition) => [partition, 3]));
    expect(new Set((await partitions())?.map(({ leader }) => leader)).size).toBe(3);
  });
});

describe('producing', () => {
  it.each(['0', '1', 'all'])('with acks=%s is read back', async (acks) => {
    const topic = `acks-${acks}`;
    const produced = records(2_000, 100);
    await createTopic(cluster.admin, topic);
    await kcatProduce(cluster.bootstrapServers, topic, produced, { acks });
    await untilCount(cluster.admin, topic, produced.length);
    expectSameRecords(await kcatConsume(cluster.bootstrapServers, topic), produced);
  });

  it('as an idempotent producer is read back in order', async () => {
    const produced = records(5_000, 200);
    await createTopic(cluster.admin, 'idempotent', { partitions: 3 });
    await kcatProduce(cluster.bootstrapServers, 'idempotent', produced, { 'enable.idempotence': 'true', 'batch.size': '4096' });
    expectSameRecords(await kcatConsume(cluster.bootstrapServers, 'idempotent', { 'check.crcs': 'true' }), produced);
  });

  it('makes the topic with the broker’s defaults when it is missing', async () => {
    await kcatProduce(cluster.bootstrapServers, 'made-by-producing', records(1));
    const replicaCounts = async (): Promise<number[]> => {
      const { partitions } = valueOf((await cluster.admin.describeTopics(['made-by-producing'])).get('made-by-producing'));
      return partitions.map(({ replicas }) => replicas.length);
    };
    await expect.poll(() => replicaCounts().catch(String)).toEqual([3]);
  });

  it('keeps null keys and values, empty values and headers', async () => {
    await createTopic(cluster.admin, 'shapes', { partitions: 1 });
    await runTool('kcat', ['-P', '-b', cluster.bootstrapServers, '-t', 'shapes', '-H', 'h=x', '-H', 'empty='], { input: 'no key\n' });
    await runTool('kcat', ['-P', '-b', cluster.bootstrapServers, '-t', 'shapes', '-K', ':', '-Z'], { input: 'tombstone:\n' });
    const lines = (await kcat('-C', '-t', 'shapes', '-o', 'beginning', '-e', '-q', '-f', '%o %K %S %h\n')).trim().split('\n');
    expect(lines.map((line) => line.trim())).toEqual(['0 -1 6 h=x,empty=', '1 9 -1']);
  });

  it('a record of 900 kB works, and one above message.max.bytes is refused by the broker', async () => {
    await createTopic(cluster.admin, 'large', { partitions: 1 });
    const large = [{ key: 'large', value: Buffer.alloc(900_000, 'x') }];
    await kcatProduce(cluster.bootstrapServers, 'large', large);
    expectSameRecords(await kcatConsume(cluster.bootstrapServers, 'large'), large);
    const tooLarge = [{ key: 'too large', value: Buffer.alloc(2_000_000, 'x') }];
    await expect(kcatProduce(cluster.bootstrapServers, 'large', tooLarge, { 'message.max.bytes': '5000000' })).rejects.toThrow(
      /Message size too large/,
    );
  });

  it('to a partition that does not exist fails', async () => {
    await createTopic(cluster.admin, 'one', { partitions: 1 });
    await expect(runTool('kcat', ['-P', '-b', cluster.bootstrapServers, '-t', 'one', '-p', '7'], { input: 'x\n' })).rejects.toThrow(
      /Unknown partition/,
    );
  });
});

describe('consuming', () => {
  it('begins where it is told: an offset, the last so many, a time', async () => {
    await createTopic(cluster.admin, 'places', { partitions: 1 });
    await runTool('kcat', ['-P', '-b', cluster.bootstrapServers, '-t', 'places'], { input: 'a\nb\nc\n' });
    const between = Date.now() + 1;
    await until('the clock has moved', () => Date.now() > between);
    await runTool('kcat', ['-P', '-b', cluster.bootstrapServers, '-t', 'places'], { input: 'd\ne\n' });
    const from = async (offset: string): Promise<string> =>
      (await kcat('-C', '-t', 'places', '-p', '0', '-o', offset, '-e', '-q', '-f', '%s')).trim();
    expect([await from('beginning'), await from('2'), await from('-2'), await from(`s@${between}`)]).toEqual(['abcde', 'cde', 'de', 'de']);
    expect(await from('end')).toBe('');
    expect((await kcat('-Q', '-t', `places:0:${between}`)).trim()).toMatch(/places \[0\] offset 3/);
  });

  it('waits at the end for what comes', async () => {
    await createTopic(cluster.admin, 'tail', { partitions: 1 });
    const reading = kcat('-C', '-t', 'tail', '-p', '0', '-o', 'beginning', '-c', '2', '-q', '-f', '%s ');
    await runTool('kcat', ['-P', '-b', cluster.bootstrapServers, '-t', 'tail'], { input: 'one\n' });
    await runTool('kcat', ['-P', '-b', cluster.bootstrapServers, '-t', 'tail'], { input: 'two\n' });
    expect(await reading).toBe('one two ');
  });
});

describe('a consumer group', () => {
  it('shares partitions, takes over from who leaves or dies, and commits', async () => {
    const [topic, groupId] = ['shared', 'kcat-group'];
    await createTopic(cluster.admin, topic);
    const first = new KcatGroupMember(cluster.bootstrapServers, groupId, topic);
    const members = [first];
    try {
      await until('the first has all partitions', () => first.partitions?.length === 6);
      const second = new KcatGroupMember(cluster.bootstrapServers, groupId, topic);
      members.push(second);
      await until('each has half', () => first.partitions?.length === 3 && second.partitions?.length === 3);
      // A member that the machine has kept waiting may be rejoining.
      const described = async () => valueOf((await cluster.admin.describeGroups([groupId])).get(groupId));
      await expect
        .poll(() => described().then(({ state, protocolType, members: { length } }) => [state, protocolType, length]))
        .toEqual(['Stable', 'consumer', 2]);

      await kcatProduce(cluster.bootstrapServers, topic, records(600));
      await until('all is read', () => first.values.length + second.values.length === 600);
      expect(Math.min(first.values.length, second.values.length)).toBeGreaterThan(100);

      await second.stop();
      await until('the first has all again', () => first.partitions?.length === 6);
      await untilNoLag(cluster.admin, groupId, topic);

      const third = new KcatGroupMember(cluster.bootstrapServers, groupId, topic);
      members.push(third);
      await until('the third has half', () => third.partitions?.length === 3);
      await first.kill();
      await until('the third has all when the session of the first has ended', () => third.partitions?.length === 6);
      await kcatProduce(cluster.bootstrapServers, topic, records(60));
      await until('it reads on where the group was', () => third.values.length === 60);
    } finally {
      await Promise.all(members.map((member) => member.kill()));
    }
  });

  it('goes on where it stopped', async () => {
    const [topic, groupId] = ['resumed', 'kcat-resumed'];
    await createTopic(cluster.admin, topic, { partitions: 2 });
    for (const expected of [50, 30]) {
      await kcatProduce(cluster.bootstrapServers, topic, records(expected));
      const member = new KcatGroupMember(cluster.bootstrapServers, groupId, topic);
      await until(`${expected} more are read`, () => member.values.length === expected);
      await member.stop();
      expect(member.values).toHaveLength(expected);
      await untilNoLag(cluster.admin, groupId, topic);
    }
  });
});
