import { expect, test } from 'vitest';
import { ControlError } from '../../cluster/control-contract.ts';
import type { ClusterControl, ClusterEvent, ClusterStatus, ProcessStatus } from '../../cluster/control-contract.ts';
import type { ControlEvent } from './cluster-control.ts';
import { FailureError } from './failures.ts';
import { SupervisorConsoleControl } from './supervisor-control.ts';

const broker: ProcessStatus = {
  id: 'broker-1',
  role: 'broker',
  brokerId: 1,
  state: 'running',
  pid: 42,
  host: 'localhost',
  port: 9092,
  startedAtMs: 1,
  readyAfterMs: 5,
  generation: 1,
  lastExit: null,
  restartAtMs: null,
  reason: null,
  dataDirs: ['/data/broker-1', '/data/broker-1-dir-2'],
  logFile: '/data/logs/broker-1.log',
  cutOffFrom: [],
  awaitsRestart: false,
};
const status: ClusterStatus = {
  version: 1,
  name: null,
  supervisorPid: 1,
  state: 'running',
  startedAtMs: 0,
  home: '/data',
  ephemeral: false,
  bootstrapServers: 'localhost:9092',
  zookeeperConnect: 'localhost:2181',
  processes: [broker],
};

function supervisor(act: () => Promise<ProcessStatus> = () => Promise.resolve(broker)): {
  control: ClusterControl;
  readonly tell: (event: ClusterEvent) => void;
} {
  const listeners = new Set<(event: ClusterEvent) => void>();
  return {
    control: {
      status: () => Promise.resolve(status),
      act,
      cutOff: () => Promise.reject(new Error('nobody asked for this')),
      losePower: () => Promise.resolve({ brokerId: 1, atMs: 0, logs: [] }),
      configure: () => Promise.resolve(),
      query: () => Promise.resolve('{}'),
      readSpec: () => Promise.reject(new Error('not asked here')),
      reshape: () => Promise.reject(new Error('not asked here')),
      logs: () => Promise.resolve({ lines: [], dropped: 0 }),
      stop: () => Promise.resolve(),
      onEvent: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    tell: (event) => {
      for (const listener of listeners) listener(event);
    },
  };
}

test('keeps its status by events, and tells each change of state once, with its reason', async () => {
  const { control, tell } = supervisor();
  const adapter = new SupervisorConsoleControl({ control });
  const events: ControlEvent[] = [];
  adapter.onEvent((event) => events.push(event));
  expect((await adapter.status()).logDirs.get(1)).toEqual(['/data/broker-1', '/data/broker-1-dir-2']);
  const died: ProcessStatus = { ...broker, state: 'backoff', pid: null, lastExit: { code: null, signal: 'SIGKILL', atMs: 7 } };
  tell({ type: 'process', process: died, previous: 'running', atMs: 7 });
  tell({ type: 'process', process: { ...died, restartAtMs: 9 }, previous: 'backoff', atMs: 8 });
  expect(adapter.lastStatus?.processes[0]).toMatchObject({ state: 'backoff', restartAtMs: 9 });
  const texts = events.flatMap((event) => (event.type === 'timeline' ? event.entry.text : []));
  expect(texts).toEqual(['broker-1 died by SIGKILL; it will be started again']);
  expect(events.filter(({ type }) => type === 'status')).toHaveLength(2);
});

test('passes on what a broker tells of itself, and leaves out what is not for people', () => {
  const { control, tell } = supervisor();
  const adapter = new SupervisorConsoleControl({ control });
  const events: ControlEvent[] = [];
  adapter.onEvent((event) => events.push(event));
  const event = {
    type: 'leader-elected',
    text: 'Broker 2 leads orders-0: broker 1 is gone',
    severity: 'info',
    topic: 'orders',
    partition: 0,
    atMs: 5,
  };
  tell({ type: 'child', processId: 'broker-1', event, atMs: 6 });
  for (const other of [null, 'text', { type: 'x' }, { type: 'x', text: 'y'.repeat(10_000) }, { ...event, partition: 'zero' }]) {
    tell({ type: 'child', processId: 'broker-1', event: other, atMs: 6 });
  }
  expect(events).toEqual([
    {
      type: 'timeline',
      entry: {
        atMs: 5,
        type: 'leader.elected',
        text: event.text,
        severity: 'info',
        topic: 'orders',
        partition: 0,
        groupId: null,
        brokerId: null,
        processId: 'broker-1',
      },
    },
  ]);
});

test('what the supervisor refuses is refused, with its words', async () => {
  const { control } = supervisor(() => Promise.reject(new ControlError('refused', 'broker-1 is running already')));
  const adapter = new SupervisorConsoleControl({ control });
  const error: unknown = await adapter.act('broker-1', 'start').catch((thrown: unknown) => thrown);
  expect((error as FailureError).failure).toMatchObject({ kind: 'refused', message: 'broker-1 is running already', api: 'supervisor' });
});
