/**
 * What a delayed operation costs: adding to and cancelling from a timing wheel with 1,000,000 tasks pending, beside Node's own
 * setTimeout and clearTimeout, and a purgatory's watch and completion. Run: `node bench/purgatory/timer.ts [pending]`.
 */
import { DelayedOperation } from '../../src/broker/purgatory/delayed-operation.ts';
import { DelayedOperationPurgatory } from '../../src/broker/purgatory/delayed-operation-purgatory.ts';
import { Timer } from '../../src/broker/purgatory/timer.ts';
import { TimerTask } from '../../src/broker/purgatory/timer-task.ts';
import { nodeClock, nodeScheduler } from '../../src/runtime/node/node-clock.ts';
import { atMost, heading, printTable } from '../support/print.ts';

const PENDING = Number(process.argv[2] ?? 1_000_000);
const BUDGET_MICROSECONDS = 1;

class Task extends TimerTask {
  run(): void {}
}

class Operation extends DelayedOperation {
  override tryComplete(): boolean {
    return false;
  }
  override onComplete(): void {}
  override onExpiration(): void {}
}

/** Delays from 10 to 600 s, so that none is due while this runs. */
const delayOf = (index: number): number => 10_000 + ((index * 7919) % 590_000);

const rows: string[][] = [];
heading('purgatory');

function measure(name: string, count: number, work: () => void, budget?: number): void {
  const startMs = performance.now();
  work();
  const microseconds = ((performance.now() - startMs) * 1000) / count;
  rows.push([
    name,
    `${microseconds.toFixed(3)} µs`,
    budget === undefined ? '' : `${budget} µs`,
    budget === undefined ? '' : atMost(microseconds, budget),
  ]);
}

const timer = new Timer({ clock: nodeClock, scheduler: nodeScheduler });
const tasks = Array.from({ length: PENDING }, (_, index) => new Task(delayOf(index)));
measure(`timing wheel: add, up to ${PENDING} pending`, PENDING, () => {
  for (const task of tasks) timer.add(task);
});
const extra = Array.from({ length: PENDING }, (_, index) => new Task(delayOf(index)));
measure(
  `timing wheel: add and cancel, ${PENDING} pending`,
  PENDING,
  () => {
    for (const task of extra) {
      timer.add(task);
      task.cancel();
    }
  },
  BUDGET_MICROSECONDS,
);
measure(`timing wheel: cancel all`, PENDING, () => {
  for (const task of tasks) task.cancel();
});

const handles: NodeJS.Timeout[] = [];
measure(`Node: setTimeout, up to ${PENDING} pending`, PENDING, () => {
  for (let index = 0; index < PENDING; index++) handles.push(setTimeout(() => {}, delayOf(index)));
});
measure(`Node: clearTimeout, all`, PENDING, () => {
  for (const handle of handles) clearTimeout(handle);
});

const purgatory = new DelayedOperationPurgatory<Operation>({ name: 'Bench', timer, clock: nodeClock });
const operations = Array.from({ length: PENDING }, (_, index) => new Operation(delayOf(index)));
const keys = Array.from({ length: 1000 }, (_, index) => [`topic-${index}`]);
measure(`purgatory: watch, up to ${PENDING} pending under 1000 keys`, PENDING, () => {
  for (const [index, operation] of operations.entries()) purgatory.tryCompleteElseWatch(operation, keys[index % keys.length] ?? []);
});
measure(`purgatory: complete`, PENDING, () => {
  for (const operation of operations) operation.forceComplete();
});
timer.close();
printTable(['each', 'time', 'budget', ''], rows);
