/**
 * Work that would hold the event loop goes to workers: started when first needed, ended when idle.
 * A task is a function of data and of the disk; its module exports it for a worker as `run(input)`. Where there is no worker (a simulated
 * disk lives in this process only) the same function is called in place.
 */
import type { Disk } from './disk.ts';

export interface Offload {
  /** Runs `task` on `input` (structured clone; `transfer` moves ArrayBuffers) and gives what it returns. */
  run<Input, Output>(task: OffloadTask<Input, Output>, input: Input, transfer?: readonly ArrayBuffer[]): Promise<Output>;
  close(): Promise<void>;
}

/** A task by its module. `module` is the URL of a file that exports `run`, which returns the output or `transferring` it. */
export interface OffloadTask<Input, Output> {
  readonly name: string;
  readonly module: URL;
  /** What `run` does, given the disk that the worker has. */
  readonly inPlace: (input: Input, disk: Disk) => Output | Promise<Output>;
}

/** Output whose memory the worker hands over. The worker's program knows it by the key. */
export interface Transferring<Output> {
  readonly output: Output;
  readonly __transfer: readonly ArrayBuffer[];
}

export function transferring<Output>(output: Output, memory: readonly ArrayBuffer[]): Transferring<Output> {
  return { output, __transfer: memory };
}

/**
 * Where a task's module lies: from source beside its caller; in a build, where callers are bundled, a program of its own, which
 * electron.vite.config.ts makes beside the others.
 *
 * @param callerUrl import.meta.url of the caller.
 */
export function offloadModule(callerUrl: string, source: string, builtName: string): URL {
  if (callerUrl.endsWith('.ts')) return new URL(source, callerUrl);
  return new URL(`${/\/chunks\/[^/]+$/.test(callerUrl) ? '../' : './'}${builtName}.js`, callerUrl);
}

/** Runs tasks in place: for simulation and tests. */
export class InPlaceOffload implements Offload {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async run<Input, Output>(task: OffloadTask<Input, Output>, input: Input): Promise<Output> {
    await Promise.resolve();
    return task.inPlace(input, this.#disk);
  }

  async close(): Promise<void> {}
}
