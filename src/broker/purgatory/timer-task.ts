/**
 * What a timing wheel holds: tasks, linked into the list of the bucket they are due in.
 * A task is its own list node, so that adding and cancelling allocate nothing and cost O(1).
 * A task is in at most one bucket; one that is in none has `bucket === undefined`.
 *
 * Source: Kafka's `TimerTask`, `TimerTaskEntry`, `TimerTaskList` (there three objects per task, with locks).
 */
export abstract class TimerTask {
  /** How long after being added the task is due, in milliseconds, 0 or more. */
  readonly delayMs: number;
  /** When the task is due on the timer's clock; set by the timer. */
  expirationMs = 0;
  bucket: TimerBucket | undefined = undefined;
  previousInBucket: TimerTask | undefined = undefined;
  nextInBucket: TimerTask | undefined = undefined;

  constructor(delayMs: number) {
    this.delayMs = delayMs;
  }

  /** The task is due. Called once, never after `cancel`. */
  abstract run(): void;

  /** Takes the task out of its timer; harmless when it isn't in one or has run. */
  cancel(): void {
    this.bucket?.remove(this);
  }
}

/** Tells the timer's count when tasks come and go. */
export interface TaskCounter {
  count: number;
}

/** The tasks of one tick of one wheel: a doubly linked list and the time at which the tick begins. */
export class TimerBucket {
  readonly #counter: TaskCounter;
  #first: TimerTask | undefined = undefined;
  #last: TimerTask | undefined = undefined;
  /** When this bucket is due; -1 while it isn't in the timer's queue. */
  expirationMs = -1;
  /** The bucket's place in the timer's heap; -1 when it isn't there. */
  heapIndex = -1;

  constructor(counter: TaskCounter) {
    this.#counter = counter;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  add(task: TimerTask): void {
    task.bucket = this;
    task.previousInBucket = this.#last;
    task.nextInBucket = undefined;
    if (this.#last === undefined) this.#first = task;
    else this.#last.nextInBucket = task;
    this.#last = task;
    this.#counter.count++;
  }

  remove(task: TimerTask): void {
    if (task.bucket !== this) return;
    const { previousInBucket, nextInBucket } = task;
    if (previousInBucket === undefined) this.#first = nextInBucket;
    else previousInBucket.nextInBucket = nextInBucket;
    if (nextInBucket === undefined) this.#last = previousInBucket;
    else nextInBucket.previousInBucket = previousInBucket;
    task.bucket = undefined;
    task.previousInBucket = undefined;
    task.nextInBucket = undefined;
    this.#counter.count--;
  }

  /** Takes the first task out, in the order of adding; undefined when there is none. */
  takeFirst(): TimerTask | undefined {
    const first = this.#first;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** The tasks in the order of adding; the list must not change meanwhile. */
  *tasks(): Generator<TimerTask> {
    for (let task = this.#first; task !== undefined; task = task.nextInBucket) yield task;
  }
}
