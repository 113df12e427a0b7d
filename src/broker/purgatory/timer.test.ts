import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { Timer } from './timer.ts';
import { TimerTask } from './timer-task.ts';

class Probe extends TimerTask {
  readonly #onRun: () => void;
  constructor(delayMs: number, onRun: () => void = () => {}) {
    super(delayMs);
    this.#onRun = onRun;
  }
  run(): void {
    this.#onRun();
  }
}

function newTimer(startMs?: number): { time: ManualTime; timer: Timer; runs: number[]; add: (delayMs: number) => Probe } {
  const time = new ManualTime(startMs);
  const timer = new Timer({ clock: time, scheduler: time });
  const runs: number[] = [];
  const beginMs = time.monotonicMs();
  const add = (delayMs: number): Probe => {
    const task = new Probe(delayMs, () => runs.push(time.monotonicMs() - beginMs));
    timer.add(task);
    return task;
  };
  return { time, timer, runs, add };
}

describe('Timer', () => {
  it('runs each task at its time, whichever wheel it is in', async () => {
    const { time, timer, runs, add } = newTimer();
    const delays = [1, 2, 19, 20, 21, 399, 400, 401, 7999, 8000, 30_000, 3_600_000, 604_800_000];
    for (const delayMs of delays.toReversed()) add(delayMs);
    await time.advance(604_800_000);
    expect(runs).toEqual(delays);
    expect(timer.size).toBe(0);
  });

  it('runs a task without delay at once', () => {
    const { runs, add } = newTimer();
    add(0);
    expect(runs).toEqual([0]);
  });

  it('never runs a task early when the clock stands between two milliseconds', async () => {
    const { time, runs, add } = newTimer(1000.75);
    add(10);
    await time.advance(10);
    expect(runs).toEqual([]);
    await time.advance(1);
    expect(runs).toHaveLength(1);
  });

  it('forgets a cancelled task, also one that has moved to a finer wheel', async () => {
    const { time, timer, runs, add } = newTimer();
    const early = add(5000);
    const late = add(5010);
    early.cancel();
    await time.advance(4999);
    late.cancel();
    late.cancel();
    await time.advance(1000);
    expect(runs).toEqual([]);
    expect(timer.size).toBe(0);
  });

  it('does nothing while no bucket is due', () => {
    const { time, add } = newTimer();
    add(30_000);
    add(40_000);
    expect(time.pendingCount).toBe(1);
  });

  it('does not keep the process awake when it is empty', async () => {
    const { time, add } = newTimer();
    add(30_000).cancel();
    await time.advance(60_000);
    expect(time.pendingCount).toBe(0);
  });

  it('arms again when a task comes that is due before the others', async () => {
    const { time, runs, add } = newTimer();
    add(30_000);
    add(10);
    await time.advance(15);
    expect(runs).toEqual([10]);
  });

  it('keeps its time after having been idle for long', async () => {
    const { time, runs, add } = newTimer();
    await time.advance(10_000_000);
    add(7);
    await time.advance(6);
    expect(runs).toEqual([]);
    await time.advance(1);
    expect(runs).toEqual([10_000_007]);
  });

  it('moves a task that is added again', async () => {
    const { time, timer, runs, add } = newTimer();
    const task = add(10);
    await time.advance(5);
    timer.add(task);
    await time.advance(10);
    expect(runs).toEqual([15]);
    expect(timer.size).toBe(0);
  });

  it('takes tasks from a task that runs', async () => {
    const time = new ManualTime();
    const timer = new Timer({ clock: time, scheduler: time });
    let rounds = 0;
    const again = (): void => {
      rounds++;
      if (rounds < 100) timer.add(new Probe(3, again));
    };
    timer.add(new Probe(3, again));
    await time.advance(300);
    expect(rounds).toBe(100);
  });

  it('runs nothing after it was closed', async () => {
    const { time, timer, runs, add } = newTimer();
    add(10);
    timer.close();
    await time.advance(100);
    expect(runs).toEqual([]);
    expect(timer.size).toBe(0);
  });

  it('runs whatever is added and not cancelled, once, at its time, whatever the order of calls', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), delayMs: fc.oneof(fc.nat(50), fc.nat(1000), fc.nat(100_000)) }),
      fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(100) }),
      fc.record({ kind: fc.constant('advance' as const), byMs: fc.oneof(fc.nat(30), fc.nat(3000)) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const time = new ManualTime();
        const timer = new Timer({ clock: time, scheduler: time });
        const tasks: { task: Probe; dueMs: number; ranMs: number[]; cancelledMs: number }[] = [];
        for (const action of steps) {
          if (action.kind === 'add') {
            const ranMs: number[] = [];
            const task = new Probe(action.delayMs, () => ranMs.push(time.monotonicMs()));
            tasks.push({ task, dueMs: time.monotonicMs() + action.delayMs, ranMs, cancelledMs: Number.POSITIVE_INFINITY });
            timer.add(task);
          } else if (action.kind === 'cancel') {
            const entry = tasks[action.which];
            if (entry === undefined) continue;
            entry.task.cancel();
            entry.cancelledMs = Math.min(entry.cancelledMs, time.monotonicMs());
          } else {
            await time.advance(action.byMs);
          }
        }
        await time.advance(200_000);
        for (const { dueMs, ranMs, cancelledMs } of tasks) expect(ranMs).toEqual(cancelledMs < dueMs ? [] : [dueMs]);
        expect(timer.size).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
