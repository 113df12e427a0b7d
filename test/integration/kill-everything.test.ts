/**
 * SIGKILL to a whole cluster, supervisor and all, while records are written; and to the supervisor alone. What was acknowledged is
 * there after the next start, and nothing is left that would be in its way.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Admin } from '../../src/client/admin/admin.ts';
import { NetworkClient } from '../../src/client/network-client.ts';
import { FindCoordinator } from '../../src/protocol/generated/find-coordinator.ts';
import { OffsetCommit } from '../../src/protocol/generated/offset-commit.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { nodeProcesses } from '../../src/runtime/node/node-processes.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import {
  adminOf,
  Cleanups,
  describeTopic,
  endOffset,
  startAgain,
  temporaryHome,
  until,
  untilCommitted,
  untilInSync,
  untilKnown,
  valueOf,
} from './support/clusters.ts';
import { consumeValues, kcat, SteadyProducer } from './support/kcat.ts';

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

const TOPIC = 'orders';
const GROUP = 'billing';
const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'];

interface Supervised {
  readonly supervisor: number;
  readonly supervisorEnded: Promise<unknown>;
  readonly children: readonly number[];
  readonly bootstrapServers: string;
}

/** A cluster of three whose supervisor is another process. */
async function supervise(home: string): Promise<Supervised> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'fixtures', 'supervisor.ts'), home, '', '3'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.add(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { pids, bootstrapServers } = JSON.parse(line.toString()) as { pids: number[]; bootstrapServers: string };
  return { supervisor: child.pid ?? 0, supervisorEnded: once(child, 'exit'), children: pids, bootstrapServers };
}

const isAlive = (pid: number): boolean => nodeProcesses.identityOf(pid) !== undefined;

/** Offset 7 of partition 0 and offset 9 of partition 1. */
async function commitOffsets(admin: Admin): Promise<void> {
  const client = new NetworkClient({ runtime: createNodeRuntime(silentLogger), clientId: 'committer' });
  cleanups.add(() => client.close());
  const { brokers } = await admin.describeCluster();
  const coordinator = await until('the coordinator', async () => {
    const [any] = brokers;
    if (any === undefined) return undefined;
    const { errorCode, nodeId } = await client.send(any, FindCoordinator, { key: GROUP, keyType: 0 }, { version: 2 });
    return errorCode === 0 ? brokers.find(({ id }) => id === nodeId) : undefined;
  });
  const partitions = [7, 9].map((committedOffset, partitionIndex) => ({ partitionIndex, committedOffset, committedMetadata: 'm' }));
  await until('the offsets are committed', async () => {
    const { topics } = await client.send(
      coordinator,
      OffsetCommit,
      { groupId: GROUP, topics: [{ name: TOPIC, partitions }] },
      { version: 7 },
    );
    return topics[0]?.partitions.every(({ errorCode }) => errorCode === 0);
  });
}

async function committedOffsets(admin: Admin): Promise<(number | undefined)[]> {
  const offsets = valueOf((await admin.listGroupOffsets(new Map([[GROUP, null]]))).get(GROUP));
  return [0, 1].map((partition) => valueOf(offsets.get(`${TOPIC}-${partition}`)).offset);
}

describe('SIGKILL', () => {
  it('of everything at once under load loses nothing that was acknowledged', async () => {
    const home = temporaryHome(cleanups);
    const first = await supervise(home);
    const before = adminOf(cleanups, first.bootstrapServers);
    valueOf((await before.createTopics([{ name: TOPIC, numPartitions: 2, replicationFactor: 3 }])).get(TOPIC));
    await untilInSync(before, TOPIC, 3);
    const { topicId } = await describeTopic(before, TOPIC);
    await commitOffsets(before);
    // Other topics and codecs, so that there is more than one log to recover.
    for (const codec of CODECS) {
      const lines = Array.from({ length: 500 }, (_, index) => `${codec}-${index}`).join('\n');
      const { code, error } = await kcat(
        ['-P', '-b', first.bootstrapServers, '-t', `by-${codec}`, '-p', '0', '-X', 'acks=all', '-z', codec],
        `${lines}\n`,
      );
      expect([code, error]).toEqual([0, expect.any(String)]);
    }
    const producer = new SteadyProducer({ bootstrapServers: first.bootstrapServers, topic: TOPIC });
    cleanups.add(() => producer.kill());
    await until('records are acknowledged', () => producer.acknowledged > 300);
    for (const pid of [first.supervisor, ...first.children]) process.kill(pid, 'SIGKILL');
    const acknowledged = producer.acknowledgedValues();
    producer.kill();
    await before.close();

    const startedMs = performance.now();
    const cluster = await startAgain(cleanups, home);
    process.stdout.write(`start after SIGKILL of everything: ${Math.round(performance.now() - startedMs)} ms\n`);
    expect(cluster.bootstrapServers).toBe(first.bootstrapServers);
    const after = adminOf(cleanups, cluster.bootstrapServers);
    await untilInSync(after, TOPIC, 3);
    await untilCommitted(after, TOPIC, acknowledged.length);
    for (const codec of CODECS) {
      await untilInSync(after, `by-${codec}`, 3);
      await untilCommitted(after, `by-${codec}`, 500);
    }
    expect((await describeTopic(after, TOPIC)).topicId).toBe(topicId);
    const values = await consumeValues(cluster.bootstrapServers, TOPIC);
    // More may have been written than acknowledged, in the same order.
    expect(values.slice(0, acknowledged.length)).toEqual(acknowledged);
    expect(new Set(values).size).toBe(values.length);
    expect(await committedOffsets(after)).toEqual([7, 9]);
    for (const codec of CODECS) {
      const kept = await consumeValues(cluster.bootstrapServers, `by-${codec}`);
      expect(kept).toEqual(Array.from({ length: 500 }, (_, index) => `${codec}-${index}`));
    }
    // The replicas agree to the last offset.
    expect(await endOffset(after, TOPIC)).toBe(values.length);
  });

  it('of the supervisor alone: the children end by themselves, and the folder is free', async () => {
    const home = temporaryHome(cleanups);
    const { supervisor, children, bootstrapServers } = await supervise(home);
    const { code } = await kcat(['-P', '-b', bootstrapServers, '-t', TOPIC, '-p', '0', '-X', 'acks=all'], 'kept\n');
    expect(code).toBe(0);
    process.kill(supervisor, 'SIGKILL');
    const killedMs = performance.now();
    await until('the children have ended', () => !children.some(isAlive));
    process.stdout.write(`supervisor killed to children gone: ${Math.round(performance.now() - killedMs)} ms\n`);
    const cluster = await startAgain(cleanups, home);
    expect(cluster.bootstrapServers).toBe(bootstrapServers);
    const admin = adminOf(cleanups, bootstrapServers);
    await untilInSync(admin, TOPIC, 3);
    await untilCommitted(admin, TOPIC, 1);
    expect(await consumeValues(bootstrapServers, TOPIC)).toEqual(['kept']);
  });

  it('of the supervisor, and a start on the same folder in the same moment: it waits for the children', async () => {
    const home = temporaryHome(cleanups);
    const { supervisor, supervisorEnded, children, bootstrapServers } = await supervise(home);
    process.kill(supervisor, 'SIGKILL');
    await supervisorEnded;
    const cluster = await startAgain(cleanups, home);
    expect(children.filter(isAlive)).toEqual([]);
    expect(cluster.bootstrapServers).toBe(bootstrapServers);
    await untilKnown(adminOf(cleanups, bootstrapServers), 3);
  });
});
