import { beforeEach, describe, expect, test } from 'vitest';
import type { LogFlushAnswer } from '../../introspection/answers/log-flush.ts';
import { FakeCluster, manualRuntime } from '../testing/fake-cluster.ts';
import type { ClusterControl, ControlStatus } from './cluster-control.ts';
import { ClusterSession } from './cluster-session.ts';
import { refuse } from './failures.ts';
import { flushLabState, losePower, setFlushSetting, startLoad } from './flush-lab-service.ts';

const asked: string[] = [];
/** What each broker's replica of the topic holds; without one it has none. */
const flushMessages = new Map<string, number>();
let cluster: FakeCluster;
beforeEach(() => {
  asked.length = 0;
  flushMessages.clear();
  cluster = new FakeCluster();
  cluster.addTopic('orders', 2);
});

const process = (brokerId: number, state: 'running' | 'frozen') =>
  ({ id: `broker-${brokerId}`, role: 'broker', brokerId, state }) as ControlStatus['processes'][number];
const status: ControlStatus = {
  processes: [process(1, 'running'), process(2, 'frozen'), process(3, 'running')],
  bootstrapServers: 'localhost:9092',
  zookeeperConnect: null,
  name: null,
  dataFolder: null,
  ephemeral: false,
  supervisorPid: 1,
  logDirs: new Map(),
  stopping: false,
};
const control: ClusterControl = {
  lastStatus: status,
  status: () => Promise.resolve(status),
  act: () => Promise.reject(new Error('not asked here')),
  query: (processId, name, input) => {
    asked.push(`${processId} ${name} ${JSON.stringify(input)}`);
    if (processId === 'broker-2') return Promise.reject(refuse('unreachable', 'broker-2 does not answer: it is frozen'));
    const held = flushMessages.get(processId);
    const replicas = held === undefined ? [] : [{ flushMessages: held }];
    return Promise.resolve({ brokerId: 1, replicas } as unknown as LogFlushAnswer);
  },
  cutOff: () => Promise.reject(new Error('nobody asked for this')),
  losePower: (processId) => {
    asked.push(`power loss ${processId}`);
    return Promise.resolve({ brokerId: 3, atMs: 1, logs: [] });
  },
  configure: (changes) => {
    asked.push(`configure ${JSON.stringify(changes)}`);
    return Promise.resolve();
  },
  readSpec: () => Promise.reject(new Error('not asked here')),
  reshape: () => Promise.reject(new Error('not asked here')),
  logs: () => Promise.reject(new Error('not asked here')),
  onEvent: () => () => undefined,
  close: () => Promise.resolve(),
};
const session = (isLocal = true, runtime = manualRuntime()): ClusterSession =>
  new ClusterSession({
    id: 'local',
    name: 'Local',
    environment: 'local',
    readOnly: false,
    color: 'teal',
    runtime,
    ...(isLocal ? { control } : { bootstrapServers: 'far:9092' }),
    makeAdmin: () => cluster.admin(),
  });

describe('the flush lab', () => {
  test('asks each broker with a replica, and shows beside the others why one does not answer', async () => {
    const { brokers } = await flushLabState(session(), 'orders');
    expect(brokers).toMatchObject([
      { brokerId: 1, state: 'running', flush: { replicas: [] }, failure: null },
      { brokerId: 2, state: 'frozen', flush: null, failure: { kind: 'unreachable', brokerId: 2 } },
      { brokerId: 3, state: 'running', failure: null },
    ]);
    expect(asked).toContain('broker-3 log.flush {"topic":"orders","max":300}');
  });

  test('changes what a broker reads at its start through the supervisor, and the rest by the API', async () => {
    await setFlushSetting(session(), 'orders', { scope: 'brokers', name: 'log.flush.scheduler.interval.ms', value: '250' });
    expect(asked).toEqual(['configure {"log.flush.scheduler.interval.ms":"250"}']);
    await setFlushSetting(session(), 'orders', { scope: 'topic', name: 'flush.messages', value: '7' });
    await setFlushSetting(session(), 'orders', { scope: 'brokers', name: 'log.flush.interval.ms', value: null });
    expect(cluster.calls.filter((call) => call === 'incrementalAlterConfigs')).toHaveLength(2);
    expect(asked.filter((call) => call.includes('configure'))).toHaveLength(1);
  });

  test("a topic's setting is saved once every replica that answers holds it", async () => {
    const runtime = manualRuntime();
    let saved = false;
    const saving = setFlushSetting(session(true, runtime), 'orders', { scope: 'topic', name: 'flush.messages', value: '7' }).then(() => {
      saved = true;
    });
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 20; turn++) {
        await runtime.time.advance(50);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    flushMessages.set('broker-1', 7);
    flushMessages.set('broker-3', 99);
    await turns();
    expect(saved).toBe(false);
    // Broker 2 is frozen.
    flushMessages.set('broker-3', 7);
    await turns();
    await saving;
  });

  test("a topic's setting is saved though a broker does not take it over for long", async () => {
    const runtime = manualRuntime();
    flushMessages.set('broker-1', 99);
    const saving = setFlushSetting(session(true, runtime), 'orders', { scope: 'topic', name: 'flush.messages', value: '7' });
    for (let turn = 0; turn < 400; turn++) {
      await runtime.time.advance(50);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await saving;
  });

  test.each(['', '-1', '1.5', 'never', '1e3'])('refuses %j as a value before anybody is asked', async (value) => {
    const change = { scope: 'brokers', name: 'log.flush.scheduler.interval.ms', value } as const;
    await expect(setFlushSetting(session(), 'orders', change)).rejects.toMatchObject({ failure: { kind: 'invalid' } });
    expect(asked).toEqual([]);
  });

  test('is refused on a remote cluster', async () => {
    const remote = session(false);
    const load = { topic: 'orders', recordsPerSecond: 1, recordBytes: 1, acks: 'all', seconds: 1 } as const;
    for (const attempt of [() => flushLabState(remote, 'orders'), () => losePower(remote, 1), () => startLoad(remote, load)])
      await expect(attempt()).rejects.toMatchObject({ failure: { kind: 'refused' } });
  });
});
