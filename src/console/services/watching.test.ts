import { beforeEach, describe, expect, test } from 'vitest';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import type { Change, ChangeEvent } from '../contract/live.ts';
import { FakeCluster, manualRuntime } from '../testing/fake-cluster.ts';
import { ChangeHub } from './change-hub.ts';
import { ClusterSession } from './cluster-session.ts';
import { ClusterWatcher } from './cluster-watcher.ts';
import { ReaderRegistry } from './readers.ts';
import { SharedValue } from './shared-value.ts';
import { Timeline } from './timeline.ts';

let time: ManualTime;
let cluster: FakeCluster;
let session: ClusterSession;
let watcher: ClusterWatcher;

beforeEach(() => {
  time = new ManualTime();
  cluster = new FakeCluster();
  const common = { id: 'dev', name: 'Dev', environment: 'dev' as const, readOnly: false, color: 'teal' };
  session = new ClusterSession({ ...common, runtime: manualRuntime(time), bootstrapServers: 'x:1', makeAdmin: () => cluster.admin() });
  watcher = new ClusterWatcher(session);
});

/** Subscribes, and keeps what comes. */
function subscribe(): { readonly events: ChangeEvent[]; readonly stop: () => void; readonly changes: () => Change[] } {
  const events: ChangeEvent[] = [];
  const controller = new AbortController();
  void (async () => {
    for await (const event of session.hub.subscribe([], controller.signal)) events.push(event);
  })();
  return { events, stop: () => controller.abort(), changes: () => events.flatMap(({ changes }) => changes) };
}

describe('the watcher', () => {
  test('asks nothing while nobody watches, and stops when the last one leaves', async () => {
    cluster.addTopic('orders');
    await time.advance(5_000);
    expect(cluster.calls).toEqual([]);
    const { stop } = subscribe();
    await time.advance(2_000);
    expect(cluster.calls.length).toBeGreaterThan(5);
    stop();
    await time.advance(100);
    const asked = cluster.calls.length;
    await time.advance(10_000);
    expect(cluster.calls).toHaveLength(asked);
    expect(time.pendingCount).toBe(0);
  });

  test('tells of a created topic, a killed broker and the election it causes, each within a second and with its reason', async () => {
    const [partition] = cluster.addTopic('orders');
    const { changes } = subscribe();
    await time.advance(1_000);
    cluster.addTopic('payments');
    await time.advance(1_000);
    expect(changes()).toContainEqual({ kind: 'topics', ids: ['payments'] });
    cluster.brokers.delete(1);
    cluster.controllerId = 2;
    if (partition) [partition.leader, partition.isr] = [3, [2, 3]];
    await time.advance(1_000);
    expect(changes()).toContainEqual({ kind: 'partitions', ids: ['orders'] });
    expect(changes()).toContainEqual({ kind: 'brokers', ids: ['1', '2'] });
    const texts = session.timeline.page(0, 100).entries.map(({ text }) => text);
    expect(texts).toContain('Topic payments was created with 1 partition');
    expect(texts).toContain('Broker 1 is gone from the cluster');
    expect(texts).toContain('Broker 2 is the controller now: broker 1 is gone');
    expect(texts).toContain('orders-0 is led by broker 3 instead of 1, epoch 0: broker 1 is gone');
    expect(texts).toContain('orders-0: broker 1 left the ISR (gone from the cluster), which is 2, 3 now');
  });

  test('tells of offsets and commits that move, and knows the rate', async () => {
    const [partition] = cluster.addTopic('orders');
    const committed = new Map([['orders-0', { topic: 'orders', partition: 0, offset: 1 }]]);
    cluster.groups.set('readers', { state: 'Stable', protocolType: 'consumer', members: [], committed });
    const { changes } = subscribe();
    await time.advance(1_500);
    for (let second = 0; second < 4; second++) {
      if (partition) partition.end += 600;
      committed.set('orders-0', { topic: 'orders', partition: 0, offset: second + 2 });
      await time.advance(1_000);
    }
    expect(changes()).toContainEqual({ kind: 'offsets', ids: ['orders'] });
    expect(changes()).toContainEqual({ kind: 'groupOffsets', ids: ['readers'] });
    const rate = session.rates.ofTopic('orders') ?? 0;
    expect(rate).toBeGreaterThan(300);
    expect(rate).toBeLessThan(900);
    cluster.groups.delete('readers');
    await time.advance(1_500);
    expect(changes()).toContainEqual({ kind: 'groups', ids: ['readers'] });
  });

  test('counts no record as appended because its partition was without a leader for a while', async () => {
    const partitions = cluster.addTopic('orders', 2);
    const [first, second] = partitions;
    if (first === undefined || second === undefined) throw new Error('two were asked for');
    [first.end, second.end] = [5_000, 7_000];
    subscribe();
    await time.advance(3_000);
    expect(session.rates.ofTopic('orders')).toBe(0);
    second.leader = -1;
    await time.advance(8_000);
    expect(session.rates.ofTopic('orders')).toBe(0);
    second.leader = 2;
    await time.advance(1_500);
    expect(session.rates.ofTopic('orders')).toBe(0);
    second.end += 600;
    await time.advance(1_500);
    expect(session.rates.ofTopic('orders')).toBeGreaterThan(0);
  });

  test('says that the cluster cannot be reached, and that it is back', async () => {
    cluster.addTopic('orders');
    const { changes } = subscribe();
    await time.advance(1_000);
    expect(session.status().state).toBe('running');
    cluster.unreachable = true;
    await time.advance(1_000);
    expect(session.status()).toMatchObject({ state: 'unreachable', message: 'nobody answers' });
    cluster.unreachable = false;
    await time.advance(1_500);
    expect(session.status().state).toBe('running');
    expect(changes().filter(({ kind }) => kind === 'cluster').length).toBeGreaterThanOrEqual(2);
  });

  test('a change made here doesn’t make a running cluster seem to start', async () => {
    subscribe();
    await time.advance(1_000);
    session.changed([{ kind: 'brokers', ids: ['1'] }]);
    expect(session.status().state).toBe('running');
    cluster.addTopic('new');
    expect((await session.view.get(10_000)).value.topics.has('new')).toBe(true);
  });

  test('looks again at once after a change made here', async () => {
    const { changes } = subscribe();
    await time.advance(1_000);
    cluster.addTopic('new');
    session.changed([{ kind: 'topics', ids: ['new'] }]);
    watcher.lookNow();
    await time.advance(200);
    expect(changes()).toContainEqual({ kind: 'topics', ids: ['new'] });
    expect(session.timeline.page(0, 10).entries.map(({ type }) => type)).toContain('topic.created');
  });

  test('lets pages pull again when another broker had to be asked: what that one told them may be older than what they knew', async () => {
    cluster.addTopic('orders');
    const { changes } = subscribe();
    await time.advance(1_000);
    const before = changes().length;
    cluster.brokerSwitches++;
    await time.advance(1_000);
    expect(changes().slice(before)).toEqual(
      expect.arrayContaining([
        { kind: 'topics', ids: null },
        { kind: 'partitions', ids: null },
      ]),
    );
  });

  test('tells of what came between a page’s pull and its own first look', async () => {
    await session.view.get(0);
    cluster.addTopic('orders');
    const { changes } = subscribe();
    await time.advance(1_000);
    expect(changes()).toContainEqual({ kind: 'topics', ids: ['orders'] });
  });

  test('sums up when very many partitions change at once', async () => {
    const partitions = cluster.addTopic('wide', 300);
    subscribe();
    await time.advance(1_000);
    for (const partition of partitions) partition.isr = [2, 3];
    await time.advance(1_000);
    const texts = session.timeline.page(0, 100).entries.map(({ text }) => text);
    expect(texts).toEqual(['The ISR shrank for 300 partitions of 1 topic']);
  });
});

describe('a slow subscriber', () => {
  test('gets what it missed in one event, and "all" when there is too much to name', async () => {
    const hub = new ChangeHub(time, time);
    const iterator = hub.subscribe([], undefined);
    await iterator.next();
    for (let index = 0; index < 150; index++) hub.publish([{ kind: 'topics', ids: [`t${index}`] }]);
    hub.publish([{ kind: 'groups', ids: ['g'] }]);
    const first = iterator.next();
    await time.advance(500);
    const event = (await first).value as ChangeEvent;
    expect(event.changes.map(({ kind, ids }) => [kind, ids?.length])).toEqual([
      ['topics', 150],
      ['groups', 1],
    ]);
    for (let index = 0; index < 1000; index++) hub.publish([{ kind: 'topics', ids: [`t${index}`] }]);
    const second = iterator.next();
    await time.advance(500);
    expect(((await second).value as ChangeEvent).changes).toEqual([{ kind: 'topics', ids: null }]);
    await iterator.return();
    expect(hub.subscriberCount).toBe(0);
  });
});

describe('a shared value', () => {
  test('is fetched once for all who ask at once, and again when it is too old', async () => {
    let fetches = 0;
    const shared = new SharedValue(time, async () => {
      fetches++;
      await Promise.resolve();
      return fetches;
    });
    const both = await Promise.all([shared.get(100), shared.get(100)]);
    expect(both.map(({ value }) => value)).toEqual([1, 1]);
    await time.advance(101);
    expect((await shared.get(100)).value).toBe(2);
    shared.invalidate();
    expect((await shared.get(1_000_000)).value).toBe(3);
  });

  test('that failed is fetched again, and a fetch from before an invalidation is not kept', async () => {
    const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    let asked = 0;
    const shared = new SharedValue(time, () => answers[asked++]?.promise ?? Promise.reject(new Error('no more')));
    const before = shared.get(1_000);
    shared.invalidate();
    const after = shared.get(1_000);
    answers[1]?.resolve('new');
    answers[0]?.resolve('old');
    expect([(await before).value, (await after).value]).toEqual(['old', 'new']);
    expect((await shared.get(1_000)).value).toBe('new');
    await time.advance(2_000);
    await expect(shared.get(1_000)).rejects.toThrow('no more');
  });
});

describe('readers', () => {
  test('are closed when idle for a minute, and the oldest when there are too many', async () => {
    const closed: number[] = [];
    const registry = new ReaderRegistry(time, time);
    const make = (index: number): string => registry.add({ close: () => closed.push(index) });
    make(0);
    await time.advance(30_000);
    make(1);
    await time.advance(45_000);
    expect(closed).toEqual([0]);
    for (let index = 2; index < 66; index++) make(index);
    expect(closed).toEqual([0, 1]);
    registry.closeAll();
    expect(closed).toHaveLength(66);
    expect(() => make(99)).toThrow();
    expect(closed).toHaveLength(67);
    expect(time.pendingCount).toBe(0);
  });
});

describe('the timeline', () => {
  test('is a ring that tells how much a reader missed', () => {
    const timeline = new Timeline();
    timeline.add(Array.from({ length: 2500 }, (_, index) => ({ atMs: index, type: 'x', text: String(index) })));
    const page = timeline.page(100, 3);
    expect(page.entries.map(({ sequence }) => sequence)).toEqual([2498, 2499, 2500]);
    expect(page.dropped).toBe(2397);
    expect(timeline.page(2500, 10)).toEqual({ entries: [], dropped: 0 });
    expect(timeline.page(0, 1000).entries).toHaveLength(1000);
  });
});
