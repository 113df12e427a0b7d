import { expect, it } from 'vitest';
import { silentLogger } from '../runtime/node/node-logger.ts';
import type { ChildHandler, Processes } from '../runtime/processes.ts';
import { ManualTime } from '../runtime/testing/manual-time.ts';
import { MemoryDisk } from '../runtime/testing/memory-disk.ts';
import type { ProcessDefinition } from './managed-process.ts';
import { Supervisor } from './supervisor.ts';

function setUp(ids: readonly string[]) {
  const time = new ManualTime();
  const children: ChildHandler[] = [];
  const processes: Processes = {
    ownPid: 1,
    spawn(_command, handler) {
      children.push(handler);
      return { pid: 100 + children.length, send: () => true, signal: () => true };
    },
    identityOf: () => undefined,
    signal: () => false,
    portHolder: () => undefined,
  };
  const definitions = ids.map((id, index): ProcessDefinition => ({
    id,
    role: 'broker',
    brokerId: index,
    host: 'localhost',
    port: 9092 + index,
    dataDirs: ['/d'],
    logFile: `/${id}.log`,
    note: null,
    config: '',
    prepare: () => ({ command: 'node', args: [], env: {} }),
  }));
  const runtime = { clock: time, scheduler: time, logger: silentLogger, disk: new MemoryDisk(), processes };
  const supervisor = new Supervisor(definitions, runtime, { stopTimeoutMs: 1_000 }, { onEvent: () => {}, onPid: () => {} });
  return { time, children, supervisor };
}

it('starts nothing any more once all is told to stop, also not what restarts one process after another', async () => {
  const { time, children, supervisor } = setUp(['a', 'b']);
  const started = supervisor.startAll();
  await time.settle();
  for (const child of children) child.onMessage({ type: 'ready' });
  await started;
  const restartAll = async (): Promise<void> => {
    for (const id of ['a', 'b']) await supervisor.act(id, 'restart').catch(() => undefined);
  };
  void restartAll();
  await time.settle();
  const stopped = supervisor.stopAll();
  for (const child of children.slice()) child.onExit(0, null);
  await stopped;
  await time.settle();
  expect(supervisor.statuses().map(({ state }) => state)).toEqual(['stopped', 'stopped']);
  expect(children).toHaveLength(2);
});
