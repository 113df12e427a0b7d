/**
 * Children of a supervisor that was killed. They end themselves when their channel to it closes; the next supervisor
 * waits for that before it looks at ports and data, and kills what does not end. Who they are is kept in a file.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Disk } from '../runtime/disk.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Processes } from '../runtime/processes.ts';
import type { Scheduler } from '../runtime/scheduler.ts';
import { sleep } from '../runtime/scheduler.ts';

export interface ChildRecord {
  readonly id: string;
  readonly pid: number;
  /** Tells it from a later process with the same pid. */
  readonly identity: string;
}

export interface LeftoverRuntime {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly disk: Disk;
  readonly logger: Logger;
  readonly processes: Processes;
}

const CHECK_MS = 20;

/** The record of who runs; written at each start and exit. */
export class ChildRecords {
  readonly #runtime: LeftoverRuntime;
  readonly #path: string;
  readonly #records = new Map<string, ChildRecord>();

  constructor(runtime: LeftoverRuntime, path: string) {
    this.#runtime = runtime;
    this.#path = path;
  }

  set(id: string, pid: number | undefined): void {
    if (pid === undefined) this.#records.delete(id);
    else this.#records.set(id, { id, pid, identity: this.#runtime.processes.identityOf(pid) ?? '' });
    this.#runtime.disk.writeFile(this.#path, `${JSON.stringify(Array.from(this.#records.values()))}\n`);
  }

  /** Waits until the children of an earlier supervisor have ended, SIGKILL after `patienceMs`. Returns which were still there. */
  async waitForLeftovers(patienceMs: number): Promise<readonly ChildRecord[]> {
    const { clock, scheduler, logger, processes } = this.#runtime;
    const found = this.#read().filter((record) => this.#isAlive(record));
    if (found.length === 0) return found;
    logger.info({ children: found }, 'Waiting for processes of an earlier run to end');
    const deadlineMs = clock.monotonicMs() + patienceMs;
    let killed = false;
    for (;;) {
      const left = found.filter((record) => this.#isAlive(record));
      if (left.length === 0) return found;
      if (clock.monotonicMs() >= deadlineMs) {
        if (killed) throw new Error(`processes of an earlier run do not end: ${left.map(({ id, pid }) => `${id} (${pid})`).join(', ')}`);
        killed = true;
        for (const { pid } of left) processes.signal(pid, 'SIGKILL');
      }
      await sleep(scheduler, killed ? CHECK_MS * 10 : CHECK_MS);
    }
  }

  #isAlive({ pid, identity }: ChildRecord): boolean {
    // Where the system can't tell processes apart, a pid alone is not enough to wait for, let alone to kill.
    return identity !== '' && this.#runtime.processes.identityOf(pid) === identity;
  }

  #read(): ChildRecord[] {
    try {
      const value: unknown = JSON.parse(this.#runtime.disk.readFile(this.#path).toString('utf8'));
      return Array.isArray(value) ? value.filter(isChildRecord) : [];
    } catch {
      // None yet, or cut off while it was written: then the children it names are not known, and ports are looked at anyway.
      return [];
    }
  }
}

function isChildRecord(value: unknown): value is ChildRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { id, pid, identity } = value as Record<string, unknown>;
  return typeof id === 'string' && typeof pid === 'number' && typeof identity === 'string';
}
