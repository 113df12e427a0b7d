import { describe, expect, it } from 'vitest';
import { MetricsRegistry } from '../../runtime/metrics.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { DelayedOperation } from './delayed-operation.ts';
import { DelayedOperationPurgatory } from './delayed-operation-purgatory.ts';
import { Timer } from './timer.ts';

class Operation extends DelayedOperation {
  holds = false;
  completions = 0;
  expirations = 0;
  tries = 0;
  onDone: () => void = () => {};

  tryComplete(): boolean {
    this.tries++;
    return this.holds && this.forceComplete();
  }
  onComplete(): void {
    this.completions++;
    this.onDone();
  }
  onExpiration(): void {
    this.expirations++;
  }
  override describe(): string {
    return 'a produce of 3 records';
  }
}

function newPurgatory() {
  const time = new ManualTime();
  const timer = new Timer({ clock: time, scheduler: time });
  const metrics = new MetricsRegistry();
  const purgatory = new DelayedOperationPurgatory<Operation>({ name: 'Produce', timer, clock: time, metrics });
  const wait = (keys: string[], delayMs = 1000): Operation => {
    const operation = new Operation(delayMs);
    purgatory.tryCompleteElseWatch(operation, keys);
    return operation;
  };
  return { time, timer, metrics, purgatory, wait };
}

describe('DelayedOperationPurgatory', () => {
  it('completes an operation whose condition holds already, without watching it', () => {
    const { purgatory, timer } = newPurgatory();
    const operation = new Operation(1000);
    operation.holds = true;
    expect(purgatory.tryCompleteElseWatch(operation, ['t-0'])).toBe(true);
    expect(operation.completions).toBe(1);
    expect([purgatory.watched, purgatory.numDelayed, timer.size]).toEqual([0, 0, 0]);
  });

  it('tries only what is watched under the key of the event', () => {
    const { purgatory, wait } = newPurgatory();
    const first = wait(['t-0']);
    const second = wait(['t-1']);
    first.holds = true;
    second.holds = true;
    expect(purgatory.checkAndComplete('t-1')).toBe(1);
    expect([first.completions, second.completions]).toEqual([0, 1]);
    expect(purgatory.checkAndComplete('unknown')).toBe(0);
  });

  it('completes once, and leaves the lists of all its keys and the timer at once', async () => {
    const { purgatory, wait, time, timer } = newPurgatory();
    const operation = wait(['t-0', 't-1', 't-2']);
    expect(purgatory.watched).toBe(3);
    operation.holds = true;
    expect(purgatory.checkAndComplete('t-1')).toBe(1);
    expect([purgatory.watched, purgatory.numDelayed, timer.size, purgatory.watchedUnder('t-0')]).toEqual([0, 0, 0, 0]);
    expect(purgatory.checkAndComplete('t-0')).toBe(0);
    expect(operation.forceComplete()).toBe(false);
    await time.advance(5000);
    expect([operation.completions, operation.expirations]).toEqual([1, 0]);
  });

  it('completes what has waited too long, and tells it so', async () => {
    const { purgatory, wait, time } = newPurgatory();
    const operation = wait(['t-0'], 500);
    await time.advance(499);
    expect(operation.completions).toBe(0);
    await time.advance(1);
    expect([operation.completions, operation.expirations, purgatory.expirations]).toEqual([1, 1, 1]);
    expect([purgatory.watched, purgatory.numDelayed]).toEqual([0, 0]);
  });

  it('goes on when completing one operation completes others of the same key', () => {
    const { purgatory, wait } = newPurgatory();
    const [first, second, third] = [wait(['t-0']), wait(['t-0']), wait(['t-0'])];
    first.holds = true;
    third.holds = true;
    first.onDone = () => second.forceComplete();
    expect(purgatory.checkAndComplete('t-0')).toBe(2);
    expect([first.completions, second.completions, third.completions]).toEqual([1, 1, 1]);
    expect(purgatory.watched).toBe(0);
  });

  it('does not try an operation in the round in which it has come', () => {
    const { purgatory, wait } = newPurgatory();
    const first = wait(['t-0']);
    wait(['t-0']);
    let next: Operation | undefined;
    first.holds = true;
    first.onDone = () => {
      next = wait(['t-0']);
    };
    purgatory.checkAndComplete('t-0');
    expect(next?.tries).toBe(1);
    expect(purgatory.watchedUnder('t-0')).toBe(2);
  });

  it('hands back what waits under a key whose owner is gone, uncompleted', async () => {
    const { purgatory, wait, time } = newPurgatory();
    const operation = wait(['group', 'member']);
    expect(purgatory.cancelForKey('group')).toEqual([operation]);
    await time.advance(5000);
    expect([operation.completions, purgatory.watched, purgatory.numDelayed]).toEqual([0, 0, 0]);
  });

  it('tells what waits, for what, since when', async () => {
    const { purgatory, wait, time, metrics } = newPurgatory();
    wait(['t-0', 't-1'], 1000);
    await time.advance(300);
    wait(['t-1'], 1000);
    expect(purgatory.pendingOperations()).toEqual([
      { description: 'a produce of 3 records', keys: ['t-0', 't-1'], waitingMs: 300, expiresInMs: 700 },
      { description: 'a produce of 3 records', keys: ['t-1'], waitingMs: 0, expiresInMs: 1000 },
    ]);
    expect(purgatory.pendingOperations(1)).toHaveLength(1);
    const values = Object.fromEntries(metrics.snapshot().map(({ name, value }) => [name, value]));
    expect(values).toEqual({ PurgatorySize: 3, NumDelayedOperations: 2, ExpiresPerSec: 0 });
  });

  it('forgets everything when it is closed', async () => {
    const { purgatory, wait, time } = newPurgatory();
    const operations = [wait(['t-0']), wait(['t-0', 't-1'])];
    purgatory.close();
    await time.advance(5000);
    expect(operations.map(({ completions }) => completions)).toEqual([0, 0]);
  });
});
