import { expect, test } from 'vitest';
import type { ProcessStatus } from '../contract/processes.ts';
import type { ClusterControl } from './cluster-control.ts';
import { cutOffProcess } from './cut-off.ts';

/** A supervisor of ZooKeeper and three brokers, of which it only knows what they are cut off from. */
function control(states: Partial<Record<string, ProcessStatus['state']>> = {}): {
  readonly control: ClusterControl;
  readonly cuts: Map<string, readonly string[]>;
} {
  const cuts = new Map<string, readonly string[]>(['zookeeper', 'broker-1', 'broker-2', 'broker-3'].map((id) => [id, []]));
  const statusOf = (id: string): ProcessStatus =>
    ({
      id,
      role: id === 'zookeeper' ? 'zookeeper' : 'broker',
      state: states[id] ?? 'running',
      cutOffFrom: cuts.get(id) ?? [],
      awaitsRestart: false,
    }) as ProcessStatus;
  const fake: Pick<ClusterControl, 'cutOff' | 'status'> = {
    cutOff: (id, from) => {
      cuts.set(id, from);
      return Promise.resolve(statusOf(id));
    },
    status: () =>
      Promise.resolve({ processes: [...cuts.keys()].map(statusOf) } as unknown as Awaited<ReturnType<ClusterControl['status']>>),
  };
  return { control: fake as ClusterControl, cuts };
}

test('cuts one side only, unless both are asked for', async () => {
  const { control: supervisor, cuts } = control();
  const status = await cutOffProcess(supervisor, { processId: 'broker-1', from: ['broker-2', 'zookeeper'], mutual: false });
  expect(status.cutOffFrom).toEqual(['broker-2', 'zookeeper']);
  expect(Object.fromEntries(cuts)).toMatchObject({ 'broker-2': [], 'broker-3': [], zookeeper: [] });
});

test('cuts brokers off from it too, and mends those that are left out the next time', async () => {
  const { control: supervisor, cuts } = control();
  cuts.set('broker-3', ['zookeeper']);
  await cutOffProcess(supervisor, { processId: 'broker-1', from: ['broker-2', 'broker-3', 'clients'], mutual: true });
  expect(Object.fromEntries(cuts)).toMatchObject({ 'broker-2': ['broker-1'], 'broker-3': ['zookeeper', 'broker-1'], zookeeper: [] });
  await cutOffProcess(supervisor, { processId: 'broker-1', from: ['broker-2'], mutual: true });
  expect(Object.fromEntries(cuts)).toMatchObject({ 'broker-1': ['broker-2'], 'broker-2': ['broker-1'], 'broker-3': ['zookeeper'] });
});

test('leaves brokers that are not running alone', async () => {
  const { control: supervisor, cuts } = control({ 'broker-2': 'stopped' });
  await cutOffProcess(supervisor, { processId: 'broker-1', from: ['broker-2'], mutual: true });
  expect(cuts.get('broker-2')).toEqual([]);
});
