/** Offload on worker threads: one pool per process, workers end after some idle seconds. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Offload, OffloadTask } from '../offload.ts';

/** Tasks take a core each; more than two where there are cores, for recoveries of many logs. */
const MAX_WORKERS = Math.max(2, Math.min(8, availableParallelism()));
const IDLE_MS = 10_000;
const MAX_QUEUED_TASKS = 10_000;

interface Job {
  readonly module: string;
  readonly input: unknown;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (output: never) => void;
  readonly reject: (error: Error) => void;
}

/** The worker's own program: loads a task's module by URL, runs it, answers. */
const WORKER_SOURCE = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', async ({ module, input }) => {
  try {
    const { run } = await import(module);
    const { output, transfer } = await Promise.resolve(run(input)).then((o) => o && o.__transfer ? { output: o.output, transfer: o.__transfer } : { output: o, transfer: [] });
    parentPort.postMessage({ output }, transfer);
  } catch (error) {
    parentPort.postMessage({ error: error instanceof Error ? error : new Error(String(error)) });
  }
});`;

class PooledWorker {
  readonly #worker = new Worker(WORKER_SOURCE, { eval: true });
  #job: Job | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  /** `onGone` may be called more than once: it must not be given work any more. */
  constructor(onIdle: (worker: PooledWorker) => void, onGone: (worker: PooledWorker) => void) {
    this.#worker.unref();
    this.#worker.on('message', (answer: { output?: never; error?: Error }) => {
      const job = this.#job;
      this.#job = undefined;
      if (answer.error !== undefined) job?.reject(answer.error);
      else job?.resolve(answer.output as never);
      this.#idleTimer = setTimeout(() => {
        // First out of the pool: what was given to it now would be lost.
        onGone(this);
        void this.#worker.terminate();
      }, IDLE_MS).unref();
      onIdle(this);
    });
    const gone = (error?: Error): void => {
      const job = this.#job;
      this.#job = undefined;
      onGone(this);
      job?.reject(error ?? new Error('the worker ended before its task did'));
    };
    this.#worker.on('error', gone);
    this.#worker.on('exit', () => gone());
  }

  start(job: Job): void {
    clearTimeout(this.#idleTimer);
    this.#job = job;
    this.#worker.postMessage({ module: job.module, input: job.input }, [...job.transfer]);
  }

  terminate(): Promise<number> {
    clearTimeout(this.#idleTimer);
    return this.#worker.terminate();
  }
}

export class NodeOffload implements Offload {
  readonly #workers = new Set<PooledWorker>();
  readonly #idle: PooledWorker[] = [];
  readonly #queue: Job[] = [];
  #isClosed = false;

  run<Input, Output>(task: OffloadTask<Input, Output>, input: Input, transfer: readonly ArrayBuffer[] = []): Promise<Output> {
    if (this.#isClosed) return Promise.reject(new Error('no worker takes tasks any more'));
    if (this.#queue.length >= MAX_QUEUED_TASKS) return Promise.reject(new Error(`${MAX_QUEUED_TASKS} tasks wait for a worker already`));
    return new Promise<Output>((resolve, reject) => {
      this.#queue.push({ module: task.module.href, input, transfer, resolve, reject });
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const job of this.#queue.splice(0)) job.reject(new Error('no worker takes tasks any more'));
    await Promise.all(Array.from(this.#workers, (worker) => worker.terminate()));
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const worker = this.#idle.pop() ?? this.#grow();
      if (worker === undefined) return;
      const job = this.#queue.shift();
      if (job !== undefined) worker.start(job);
    }
  }

  #grow(): PooledWorker | undefined {
    if (this.#workers.size >= MAX_WORKERS) return undefined;
    const worker = new PooledWorker(
      (idle) => {
        this.#idle.push(idle);
        this.#dispatch();
      },
      (gone) => {
        this.#workers.delete(gone);
        const index = this.#idle.indexOf(gone);
        if (index >= 0) this.#idle.splice(index, 1);
        // Work may wait for the place that it leaves.
        this.#dispatch();
      },
    );
    this.#workers.add(worker);
    return worker;
  }
}
