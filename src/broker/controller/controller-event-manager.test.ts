import { expect, it, vi } from 'vitest';
import { MetricsRegistry } from '../../runtime/metrics.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { ControllerEventManager, type ControllerEvent } from './controller-event-manager.ts';

function fixture(maxQueuedEvents = 100): {
  readonly time: ManualTime;
  readonly metrics: MetricsRegistry;
  readonly manager: ControllerEventManager;
} {
  const time = new ManualTime();
  const metrics = new MetricsRegistry();
  return {
    time,
    metrics,
    manager: new ControllerEventManager({ clock: time, scheduler: time, logger: silentLogger, metrics, maxQueuedEvents }),
  };
}

function event(name: string, process: () => void | Promise<void>, extra: Partial<ControllerEvent> = {}): ControllerEvent {
  return { name, state: 'TopicChange', process, ...extra };
}

it('processes one event at a time, in order, the next only when the one before has settled', async () => {
  const { time, manager } = fixture();
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  void manager.put(
    event('slow', async () => {
      log.push('slow begins');
      await gate.promise;
      log.push('slow ends');
    }),
  );
  void manager.put(event('next', () => void log.push('next')));
  manager.start();
  await time.settle();
  expect(log).toEqual(['slow begins']);
  expect(manager.state).toBe('TopicChange');
  gate.resolve();
  await time.settle();
  expect(log).toEqual(['slow begins', 'slow ends', 'next']);
  expect(manager.state).toBe('Idle');
});

it('leaves the event loop between two events', async () => {
  const { time, manager } = fixture();
  const log: string[] = [];
  manager.start();
  void manager.put(event('a', () => void log.push('a')));
  void manager.put(event('b', () => void log.push('b')));
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  // Promises alone don't bring the second: the turn must end first.
  expect(log).toEqual(['a']);
  await time.settle();
  expect(log).toEqual(['a', 'b']);
});

it('goes on after an event that failed', async () => {
  const { time, manager } = fixture();
  const after = vi.fn();
  manager.start();
  void manager.put(event('bad', () => Promise.reject(new Error('x'))));
  void manager.put(event('good', after));
  await time.settle();
  expect(after).toHaveBeenCalled();
});

it('keeps an event that says "look again" once while it waits, and takes it again while it is processed', async () => {
  const { time, manager } = fixture();
  const process = vi.fn();
  for (let count = 0; count < 5; count++) void manager.put(event('look', process, { coalesce: true }));
  expect(manager.queueSize).toBe(1);
  manager.start();
  void manager.put(event('look', process, { coalesce: true }));
  await time.settle();
  expect(process).toHaveBeenCalledTimes(2);
});

it('preempts what waits when the session is lost, and processes what came instead', async () => {
  const { time, manager } = fixture();
  const preempt = vi.fn();
  const expire = vi.fn();
  void manager.put(event('request', () => expect.unreachable(), { preempt }));
  const done = manager.clearAndPut(event('Expire', expire));
  manager.start();
  await time.settle();
  await done;
  expect(preempt).toHaveBeenCalledTimes(1);
  expect(expire).toHaveBeenCalledTimes(1);
});

it('refuses requests when the queue is full, and never an event that only looks', async () => {
  const { manager } = fixture(2);
  const preempt = vi.fn();
  for (const name of ['a', 'b', 'c']) void manager.put(event(name, () => undefined, { preempt }));
  expect(preempt).toHaveBeenCalledTimes(1);
  void manager.put(event('look', () => undefined));
  expect(manager.queueSize).toBe(3);
});

it('waits on close for the event in process, preempts the rest and takes nothing more', async () => {
  const { time, manager } = fixture();
  const gate = Promise.withResolvers<void>();
  const preempt = vi.fn();
  manager.start();
  void manager.put(event('slow', () => gate.promise));
  await time.settle();
  void manager.put(event('request', () => expect.unreachable(), { preempt }));
  let closed = false;
  void manager.close().then(() => (closed = true));
  await time.settle();
  expect([closed, preempt.mock.calls.length]).toEqual([false, 1]);
  gate.resolve();
  await time.settle();
  expect(closed).toBe(true);
  void manager.put(event('late', () => expect.unreachable(), { preempt }));
  expect(preempt).toHaveBeenCalledTimes(2);
});

it("measures under Kafka's names", async () => {
  const { time, metrics, manager } = fixture();
  manager.start();
  void manager.put(event('BrokerChange', () => undefined, { state: 'BrokerChange' }));
  await time.settle();
  const names = metrics.snapshot().map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['EventQueueTimeMs', 'EventQueueSize', 'ControllerState', 'LeaderElectionRateAndTimeMs']));
});
