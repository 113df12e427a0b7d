import { afterEach, describe, expect, it } from 'vitest';
import { Metadata as MetadataApi } from '../protocol/generated/metadata.ts';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import { silentLogger } from '../runtime/node/node-logger.ts';
import { NoBrokerAvailableError } from './errors.ts';
import { Metadata } from './metadata.ts';
import type { MetadataOptions } from './metadata.ts';
import { NetworkClient } from './network-client.ts';
import { FakeBroker, metadataOf, SILENCE } from './testing/fake-broker.ts';
import type { FakeTopic } from './testing/fake-broker.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function brokers(count: number): Promise<FakeBroker[]> {
  const started = await Promise.all(Array.from({ length: count }, () => FakeBroker.start()));
  cleanups.push(() => Promise.all(started.map((broker) => broker.stop())));
  return started;
}

function metadataFrom(bootstrap: readonly FakeBroker[], options: Partial<MetadataOptions> = {}): Metadata {
  const runtime = createNodeRuntime(silentLogger);
  const client = new NetworkClient({ runtime, clientId: 'test', reconnectBackoffMs: 1 });
  const metadata = new Metadata({ runtime, client, bootstrapServers: bootstrap.map(({ address }) => address), ...options });
  cleanups.push(
    () => client.close(),
    () => metadata.close(),
  );
  return metadata;
}

const answerWith = (all: readonly FakeBroker[], topics: readonly FakeTopic[] = []): void => {
  const ports = new Map(all.map((broker, index) => [index + 1, broker.port]));
  for (const broker of all) broker.on(MetadataApi, () => metadataOf(ports, 1, topics));
};

describe('Metadata', () => {
  it('learns the cluster from the first bootstrap server that answers', async () => {
    const [down, up, other] = await brokers(3);
    if (down === undefined || up === undefined || other === undefined) throw new Error('three were started');
    answerWith([up, other]);
    const metadata = metadataFrom([down, up]);
    await down.stop();
    const snapshot = await metadata.refresh();
    expect(snapshot.clusterId).toBe('fake-cluster');
    expect(Array.from(snapshot.brokers.keys())).toEqual([1, 2]);
  });

  it('shares one request among callers that ask at once', async () => {
    const all = await brokers(1);
    answerWith(all);
    const metadata = metadataFrom(all);
    await Promise.all([metadata.refresh(), metadata.refresh(), metadata.refresh()]);
    expect(all[0]?.askedFor(MetadataApi)).toHaveLength(1);
  });

  it('asks again for a topic whose partition had no leader, and not for one that is complete', async () => {
    const all = await brokers(1);
    answerWith(all, [{ name: 'new', leaders: [-1] }]);
    const metadata = metadataFrom(all);
    expect((await metadata.topics(['new'])).get('new')?.partitions[0]?.leaderId).toBe(-1);
    answerWith(all, [{ name: 'new', leaders: [1] }]);
    expect((await metadata.topics(['new'])).get('new')?.partitions[0]?.leaderId).toBe(1);
    await metadata.topics(['new']);
    expect(all[0]?.askedFor(MetadataApi)).toHaveLength(2);
  });

  it('never asks a broker to create a topic', async () => {
    const all = await brokers(1);
    answerWith(all);
    await metadataFrom(all).topics(['typo']);
    expect(all[0]?.askedFor(MetadataApi)[0]?.body).toMatchObject({ allowAutoTopicCreation: false });
  });

  it('comes back to the bootstrap servers when the cluster has moved to other ports', async () => {
    const [first, second] = await brokers(2);
    if (first === undefined || second === undefined) throw new Error('two were started');
    for (const broker of [first, second]) broker.on(MetadataApi, () => metadataOf(new Map([[1, first.port]]), 1));
    const metadata = metadataFrom([first, second]);
    await metadata.refresh();
    await first.stop();
    answerWith([second]);
    expect((await metadata.refresh()).brokers.get(1)?.port).toBe(second.port);
  });

  it('refreshes by itself when a connection is lost', async () => {
    const [first, second] = await brokers(2);
    if (first === undefined || second === undefined) throw new Error('two were started');
    answerWith([first, second]);
    const metadata = metadataFrom([first, second], { retryBackoffMs: 1 });
    await metadata.refresh();
    const updates: number[] = [];
    metadata.onUpdate(({ controllerId }) => updates.push(controllerId));
    first.dropConnections();
    second.dropConnections();
    await expect.poll(() => updates).toEqual([1]);
  });

  it('goes on to the next broker when one does not answer, and says who was tried when none does', async () => {
    const all = await brokers(2);
    for (const broker of all) broker.on(MetadataApi, () => SILENCE);
    const metadata = metadataFrom(all, { attemptTimeoutMs: 50 });
    const failure = await metadata.refresh().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NoBrokerAvailableError);
    expect(String(failure)).toContain(all[0]?.address);
    expect(String(failure)).toContain(all[1]?.address);
  });

  it('keeps to the broker that answered, where it is told to, and counts when another one had to be asked', async () => {
    const all = await brokers(3);
    answerWith(all);
    const metadata = metadataFrom(all, { keepsBroker: true });
    for (let asked = 0; asked < 20; asked++) await metadata.fetchTopics('all');
    const counts = all.map((broker) => broker.askedFor(MetadataApi).length);
    expect(counts.toSorted((a, b) => a - b)).toEqual([0, 0, 20]);
    expect(metadata.brokerSwitches).toBe(0);
    await all[counts.indexOf(20)]?.stop();
    for (let asked = 0; asked < 10; asked++) await metadata.fetchTopics('all');
    const after = all.map((broker, index) => broker.askedFor(MetadataApi).length - (counts[index] ?? 0));
    expect(Math.max(...after)).toBeGreaterThanOrEqual(10);
    expect(after.filter((count) => count > 0)).toHaveLength(1);
    expect(metadata.brokerSwitches).toBe(1);
  });

  it('forgets topics that nobody has asked for lately', async () => {
    const all = await brokers(1);
    answerWith(all, [{ name: 'a', leaders: [1] }]);
    const metadata = metadataFrom(all, { metadataMaxIdleMs: -1 });
    await metadata.topics(['a']);
    expect((await metadata.refresh()).topics.size).toBe(0);
    expect(all[0]?.askedFor(MetadataApi).at(-1)?.body).toMatchObject({ topics: [] });
  });
});
