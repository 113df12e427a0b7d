/**
 * The contract, implemented on the make-believe cluster of fake-model.ts: for looking at pages before and without the services,
 * and for tests of the renderer. Never part of the app's build. It lives: offsets grow, groups follow, actions on processes
 * take effect and are told on the stream of changes.
 */
import { createRouterClient } from '@orpc/server';
import type { ConsoleClient } from '../../../console/contract/contract.ts';
import { fakeGroups } from './fake-groups.ts';
import { fakeLive } from './fake-live.ts';
import { fakeMessages } from './fake-messages.ts';
import { fakePartitions, fakeRetention, fakeFlushLab } from './fake-partitions.ts';
import { fakeProcesses, fakeBrokers } from './fake-brokers.ts';
import { fakeSegments } from './fake-segments.ts';
import { fakeSession, fakeClusters, fakeZookeeper, fakeController, fakeOverview } from './fake-clusters.ts';
import { fakeTopics } from './fake-topics.ts';
import { makeWorld, os } from './fake-world.ts';
import type { FakeOptions } from './fake-world.ts';

export function fakeClient(options: FakeOptions): ConsoleClient {
  const world = makeWorld(options);
  const router = os.router({
    session: fakeSession(),
    clusters: fakeClusters(world),
    zookeeper: fakeZookeeper(),
    controller: fakeController(world),
    overview: fakeOverview(world),
    processes: fakeProcesses(world),
    brokers: fakeBrokers(world),
    topics: fakeTopics(world),
    groups: fakeGroups(world),
    messages: fakeMessages(world),
    retention: fakeRetention(),
    partitions: fakePartitions(),
    flushLab: fakeFlushLab(),
    segments: fakeSegments(world),
    live: fakeLive(world),
  });
  return createRouterClient(router, { context: {} });
}
