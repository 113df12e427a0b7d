import { describe, expect, it } from 'vitest';
import { silentLogger } from '../runtime/node/node-logger.ts';
import type { ChildHandler, ChildSignal, Processes } from '../runtime/processes.ts';
import { ManualTime } from '../runtime/testing/manual-time.ts';
import { ManagedProcess } from './managed-process.ts';
import type { ProcessDefinition } from './managed-process.ts';

interface FakeChild {
  readonly handler: ChildHandler;
  readonly signals: ChildSignal[];
  readonly sent: object[];
  ready(): void;
  exit(code: number | null, signal?: string): void;
}

function setUp(definition: Partial<ProcessDefinition> = {}) {
  const time = new ManualTime();
  const children: FakeChild[] = [];
  const processes: Processes = {
    ownPid: 1,
    spawn(_command, handler) {
      const child: FakeChild = {
        handler,
        signals: [],
        sent: [],
        ready: () => handler.onMessage({ type: 'ready' }),
        exit: (code, signal) => handler.onExit(code, signal ?? null),
      };
      children.push(child);
      return {
        pid: 100 + children.length,
        send: (message) => child.sent.push(message) > 0,
        signal: (signal) => child.signals.push(signal) > 0,
      };
    },
    identityOf: () => undefined,
    signal: () => false,
    portHolder: () => undefined,
  };
  const states: string[] = [];
  const process = new ManagedProcess(
    {
      id: 'broker-1',
      role: 'broker',
      brokerId: 1,
      host: 'localhost',
      port: 9092,
      dataDirs: ['/d'],
      logFile: '/l',
      note: null,
      config: 'as first defined',
      prepare: () => ({ command: 'node', args: [], env: {} }),
      ...definition,
    },
    { clock: time, scheduler: time, logger: silentLogger, processes },
    { stopTimeoutMs: 1_000, restart: { initialDelayMs: 100, maxDeaths: 3 } },
    { onChange: ({ state }, previous) => state !== previous && states.push(state), onOutput: () => {}, onEvent: () => {}, onPid: () => {} },
  );
  const last = (): FakeChild => {
    const child = children.at(-1);
    if (child === undefined) throw new Error('nothing was started yet');
    return child;
  };
  const running = async () => {
    const started = process.start();
    await time.settle();
    last().ready();
    await started;
  };
  return { time, children, process, states, last, running };
}

describe('ManagedProcess', () => {
  it('is running when it says so, not when it is started', async () => {
    const { time, process, last } = setUp();
    const started = process.start();
    await time.settle();
    expect(process.state).toBe('starting');
    await time.advance(250);
    last().ready();
    await started;
    expect(process.status()).toMatchObject({ state: 'running', readyAfterMs: 250, generation: 1, pid: 101 });
  });

  it('takes another definition over when it is started again, and says until then that it waits for that', async () => {
    const { process, last, running, time } = setUp();
    await running();
    const changed = { ...process.definition, port: 9999, config: 'changed' };
    process.redefine(changed);
    expect(process.status()).toMatchObject({ port: 9092, awaitsRestart: true });
    // Changed back before anybody restarted it.
    process.redefine({ ...changed, port: 9092, config: 'as first defined' });
    expect(process.status()).toMatchObject({ port: 9092, awaitsRestart: false });
    process.redefine(changed);
    const restarted = process.act('restart');
    await time.settle();
    last().exit(0);
    await time.settle();
    last().ready();
    expect(await restarted).toMatchObject({ port: 9999, awaitsRestart: false, state: 'running' });
  });

  it('takes another definition at once while it is down', () => {
    const { process } = setUp();
    process.redefine({ ...process.definition, port: 9999, config: 'changed' });
    expect(process.status()).toMatchObject({ port: 9999, awaitsRestart: false });
  });

  it('tells how far a starting child is, until it is ready', async () => {
    const { time, process, states, last } = setUp();
    const started = process.start();
    await time.settle();
    last().handler.onMessage({ type: 'progress', text: 'recovering logs: 37 of 110, 1.20 GiB scanned' });
    expect(process.status()).toMatchObject({ state: 'starting', reason: 'recovering logs: 37 of 110, 1.20 GiB scanned' });
    last().ready();
    await started;
    expect(process.status()).toMatchObject({ state: 'running', reason: null });
    expect(states).toEqual(['starting', 'running']);
  });

  it('does not take a stop that was sent for an exit, and kills what takes too long', async () => {
    const { time, process, last, running } = setUp();
    await running();
    const stopped = process.stop();
    expect(last().sent).toEqual([{ type: 'stop' }]);
    await time.advance(999);
    expect([process.state, last().signals]).toEqual(['stopping', []]);
    await time.advance(1);
    expect(last().signals).toEqual(['SIGKILL']);
    last().exit(null, 'SIGKILL');
    await stopped;
    expect(process.state).toBe('stopped');
    expect(time.pendingCount).toBe(0);
  });

  it('wakes a frozen child before it asks it to stop', async () => {
    const { time, process, last, running } = setUp();
    await running();
    await process.act('freeze');
    void process.stop();
    await time.settle();
    expect(last().signals).toEqual(['SIGSTOP', 'SIGCONT']);
  });

  it('starts again later after each death, and ignores what an earlier generation still says', async () => {
    const { time, process, children, last, running } = setUp();
    await running();
    last().exit(null, 'SIGSEGV');
    expect(process.status()).toMatchObject({ state: 'backoff', reason: 'ended by SIGSEGV', restartAtMs: time.wallMs() + 100 });
    await time.advance(100);
    expect(children).toHaveLength(2);
    children[0]?.ready();
    children[0]?.exit(0);
    expect(process.status()).toMatchObject({ state: 'starting', generation: 2 });
    last().exit(1);
    await time.advance(199);
    expect(children).toHaveLength(2);
    await time.advance(1);
    expect(children).toHaveLength(3);
    last().exit(1);
    expect(process.status()).toMatchObject({ state: 'failed', reason: 'died 3 times within 60 s; the last time: ended with code 1' });
  });

  it('does not try again what said that it can not start, and passes its words on', async () => {
    const { time, process, last } = setUp();
    const started = process.start();
    await time.settle();
    last().handler.onMessage({ type: 'failed', code: 'EADDRINUSE', message: 'port 9092 is in use' });
    last().exit(1);
    await expect(started).rejects.toMatchObject({ code: 'failed', message: 'broker-1: EADDRINUSE: port 9092 is in use' });
    expect(time.pendingCount).toBe(0);
  });

  it('does not try again what says that its configuration is wrong, also when it has been ready before', async () => {
    const { process, last, running, time } = setUp();
    await running();
    const restarted = process.act('restart');
    last().exit(0);
    await time.settle();
    last().handler.onMessage({ type: 'failed', code: 'BAD_CONFIGURATION', message: 'port must be a number' });
    last().exit(1);
    await expect(restarted).rejects.toMatchObject({ code: 'failed', message: 'broker-1: BAD_CONFIGURATION: port must be a number' });
    expect(process.state).toBe('failed');
  });

  it('tells a broker to lose what is not synced, and stays down after it', async () => {
    const { process, last, running } = setUp();
    await running();
    const lost = process.losePower('/run/note.json');
    expect(last().sent).toEqual([{ type: 'power-loss', file: '/run/note.json' }]);
    last().exit(null, 'SIGKILL');
    await lost;
    expect(process.state).toBe('stopped');
    await expect(process.losePower('/run/note.json')).rejects.toMatchObject({ code: 'refused' });
  });

  it('leaves a broker running that does not answer the power loss', async () => {
    const { time, process, last, running, children } = setUp();
    await running();
    const lost = expect(process.losePower('/run/note.json')).rejects.toMatchObject({ code: 'timeout' });
    await time.advance(5_000);
    await lost;
    expect(process.state).toBe('running');
    // Late after all: as any death, it is started again.
    last().exit(null, 'SIGKILL');
    await time.advance(100);
    expect(children).toHaveLength(2);
  });

  it('stays down when it dies of itself while a stop is asked for', async () => {
    const { time, process, last, running } = setUp();
    await running();
    const stopped = process.stop();
    last().exit(null, 'SIGSEGV');
    await stopped;
    await time.advance(60_000);
    expect(process.state).toBe('stopped');
  });

  it('settles a start that a stop crosses, and a stop that a start follows', async () => {
    const { time, process, children, last } = setUp();
    const started = process.start().catch((error: Error) => error.message);
    await time.settle();
    const stopped = process.stop();
    const again = process.start();
    last().exit(0);
    await stopped;
    expect(await started).toMatch(/stopped before it was ready/);
    await time.settle();
    expect(children).toHaveLength(2);
    last().ready();
    await again;
    expect(process.state).toBe('running');
  });

  it.each(['restart', 'start'] as const)(
    'stays down when a stop follows a %s that still waits for the end of the child before',
    async (action) => {
      const { time, process, children, last, running } = setUp();
      await running();
      const before = action === 'start' ? process.stop() : undefined;
      const up = process.act(action).catch((error: Error) => error.message);
      await time.settle();
      const stopped = process.stop();
      last().exit(0);
      await Promise.all([stopped, before]);
      await time.settle();
      expect(process.state).toBe('stopped');
      expect(children).toHaveLength(1);
      expect(await up).toMatch(/stopped before it was ready/);
    },
  );

  it('is restarted once by two requests that cross', async () => {
    const { time, process, children, last, running } = setUp();
    await running();
    const both = [process.act('restart'), process.act('restart')];
    await time.settle();
    last().exit(0);
    await time.settle();
    last().ready();
    expect((await Promise.all(both)).map(({ state }) => state)).toEqual(['running', 'running']);
    expect(children).toHaveLength(2);
  });

  it('cancels the restart of what is stopped while it waits for it', async () => {
    const { time, process, children, last, running } = setUp();
    await running();
    last().exit(1);
    await process.stop();
    await time.advance(60_000);
    expect(process.status()).toMatchObject({ state: 'stopped', restartAtMs: null, reason: null });
    expect(children).toHaveLength(1);
  });

  it('cleans up after every exit before it starts again, but does not wait for ever', async () => {
    const cleanings: PromiseWithResolvers<void>[] = [];
    const afterExit = (): Promise<void> => {
      const cleaning = Promise.withResolvers<void>();
      cleanings.push(cleaning);
      return cleaning.promise;
    };
    const { time, process, children, last, running } = setUp({ afterExit });
    await running();
    const killed = process.kill();
    last().exit(null, 'SIGKILL');
    await killed;
    void process.start();
    await time.settle();
    expect([cleanings.length, children.length]).toEqual([1, 1]);
    cleanings[0]?.resolve();
    await time.settle();
    expect(children).toHaveLength(2);
    last().ready();
    await time.settle();
    last().exit(1);
    await time.advance(3_000);
    expect(children).toHaveLength(3);
  });

  it('has stopped when what it left behind is cleaned up, also where it was down already', async () => {
    const cleaning = Promise.withResolvers<void>();
    const { time, process, last, running } = setUp({ afterExit: () => cleaning.promise });
    await running();
    const settled: string[] = [];
    void process.stop().then(() => settled.push('first'));
    last().exit(0);
    void process.stop().then(() => settled.push('second'));
    await time.settle();
    expect([process.state, settled]).toEqual(['stopped', []]);
    cleaning.resolve();
    await time.settle();
    expect(settled.toSorted()).toEqual(['first', 'second']);
  });

  it('tells why it could not even be prepared', async () => {
    const { process } = setUp({
      prepare: () => {
        throw new Error('ENOSPC: no space left');
      },
    });
    await expect(process.start()).rejects.toThrow(/ENOSPC/);
    expect(process.state).toBe('failed');
  });

  it('tells a running broker what it is cut off from, and forgets it with the generation', async () => {
    const { time, process, last, running } = setUp();
    const cutOff = { from: ['broker-2', 'clients'], blockedPorts: [9093], blockAccepted: true };
    expect(() => process.cutOff(cutOff)).toThrow('broker-1 is stopped: only a running broker');
    await running();
    process.cutOff(cutOff);
    expect(last().sent).toEqual([{ type: 'network', blockedPorts: [9093], blockAccepted: true }]);
    expect(process.status().cutOffFrom).toEqual(['broker-2', 'clients']);
    expect(() => process.cutOff({ ...cutOff, from: ['broker-1'] })).toThrow('from itself');
    last().exit(null, 'SIGSEGV');
    await time.advance(100);
    last().ready();
    expect(process.status().cutOffFrom).toEqual([]);
  });

  it('does not cut off ZooKeeper itself', async () => {
    const { process, running } = setUp({ id: 'zookeeper', role: 'zookeeper' });
    await running();
    expect(() => process.cutOff({ from: ['broker-1'], blockedPorts: [9092], blockAccepted: false })).toThrow(
      'cut the brokers off from zookeeper',
    );
  });

  it('asks its child, several questions at once, and gives each the answer with its id', async () => {
    const { process, last, running } = setUp();
    await running();
    const answers = Promise.all([process.query('a', { n: 1 }, 500), process.query('b', {}, 500)]);
    expect(last().sent).toEqual([
      { type: 'query', id: 1, name: 'a', input: { n: 1 } },
      { type: 'query', id: 2, name: 'b', input: {} },
    ]);
    last().handler.onMessage({ type: 'answer', id: 2, ok: true, json: '"of b"' });
    last().handler.onMessage({ type: 'answer', id: 1, ok: true, json: '"of a"' });
    // Unasked, or a second time: dropped.
    last().handler.onMessage({ type: 'answer', id: 1, ok: false, code: 'failed', message: 'late' });
    expect(await answers).toEqual(['"of a"', '"of b"']);
  });

  it('says why a question has no answer: refused by the child, too late, ended, frozen, down', async () => {
    const { time, process, last, running } = setUp();
    await expect(process.query('a', {}, 500)).rejects.toMatchObject({
      code: 'unavailable',
      message: 'broker-1 does not answer: it is stopped',
    });
    await running();
    const refused = process.query('a', {}, 500);
    last().handler.onMessage({ type: 'answer', id: 1, ok: false, code: 'not-found', message: 'no such topic' });
    await expect(refused).rejects.toMatchObject({ code: 'not-found', message: 'broker-1: no such topic' });
    const late = process.query('a', {}, 500);
    const expectation = expect(late).rejects.toMatchObject({
      code: 'timeout',
      message: 'broker-1 does not answer: no answer to a within 500 ms',
    });
    await time.advance(500);
    await expectation;
    await process.act('freeze');
    await expect(process.query('a', {}, 500)).rejects.toMatchObject({
      code: 'unavailable',
      message: 'broker-1 does not answer: it is frozen',
    });
    await process.act('thaw');
    const cut = process.query('a', {}, 500);
    last().exit(null, 'SIGSEGV');
    await expect(cut).rejects.toMatchObject({ code: 'unavailable', message: 'broker-1 ended before it answered' });
    await expect(process.query('a', {}, 500)).rejects.toMatchObject({
      message: 'broker-1 does not answer: it is waiting to be started again',
    });
  });
});
