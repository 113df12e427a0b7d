/**
 * Workers on a disk in memory: tasks run in place, but what goes in and comes out is cloned as it would be, so that nothing is shared by mistake.
 * `rejecting` lets them die: no task comes to its end.
 */
import type { Disk } from '../../../runtime/disk.ts';
import type { Offload, OffloadTask } from '../../../runtime/offload.ts';
import { RecoveryWorkers } from '../recovery-workers.ts';
import type { RecoveryBounds } from '../recovery-workers.ts';
import type { LogFixture } from './log-fixture.ts';

/** Every scan of a recovery goes to a worker. */
export const ALL_IN_WORKERS: RecoveryBounds = { worthWorkersBytes: 0, smallSegmentBytes: 0 };

export class ClonedOffload implements Offload {
  readonly #disk: Disk;
  readonly #dies: boolean;
  tasks = 0;

  constructor(disk: Disk, options: { readonly rejecting?: boolean } = {}) {
    this.#disk = disk;
    this.#dies = options.rejecting ?? false;
  }

  async run<Input, Output>(task: OffloadTask<Input, Output>, input: Input, transfer: readonly ArrayBuffer[] = []): Promise<Output> {
    this.tasks++;
    const received = structuredClone(input, { transfer: [...transfer] });
    await Promise.resolve();
    const output = await task.inPlace(received, this.#disk);
    if (this.#dies) throw new Error('the worker ended before its task did');
    return structuredClone(output);
  }

  async close(): Promise<void> {}
}

export function workersOn({ context, time }: Pick<LogFixture, 'context' | 'time'>): RecoveryWorkers {
  const runtime = { offload: new ClonedOffload(context.disk), scheduler: time, logger: context.logger };
  return new RecoveryWorkers({ runtime, threadsPerDir: 1, ...ALL_IN_WORKERS });
}
