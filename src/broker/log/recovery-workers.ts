/**
 * Lets workers scan segments while a broker starts, as many at a time in each log dir as `num.recovery.threads.per.data.dir` says. They are asked
 * once there is enough to scan: before that, and for small segments always, the event loop is done sooner than a worker has started. What the scan
 * finds is applied on the event loop, so that the outcome is the same.
 *
 * An error of the disk is thrown as the disk would here. A worker that dies costs nothing but time: its segment is scanned here.
 * Differs: Kafka's threads load whole logs; here only the scan leaves the event loop.
 */
import { AtMost } from '../../runtime/at-most.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';
import type { ScanFindings, ScanTarget } from './segment-scan.ts';
import { diskErrorOf, findingsOf, scanTask } from './segment-scan-task.ts';

/** A worker has cost as much processor time when it begins as the scan of this many bytes takes (`bench/log/recovery.ts`). */
const WORTH_WORKERS_BYTES = 256 * 1024 * 1024;
/** Below, the way to a worker isn't worth it even when it runs already. */
const SMALL_SEGMENT_BYTES = 4 * 1024 * 1024;
/** How often one looks how far the workers are. */
const PROGRESS_MS = 100;

export interface ScanJob {
  readonly logDir: string;
  readonly path: string;
  readonly target: ScanTarget;
  readonly producerState: ProducerStateManager;
  readonly onBytes: (bytes: number) => void;
  readonly scanHere: (onBytes: (bytes: number) => void) => Promise<ScanFindings>;
}

/** Other bounds than the usual ones, for tests. */
export interface RecoveryBounds {
  readonly worthWorkersBytes?: number;
  readonly smallSegmentBytes?: number;
}

export interface RecoveryWorkersOptions extends RecoveryBounds {
  readonly runtime: Pick<Runtime, 'offload' | 'scheduler' | 'logger'>;
  /** Of each log dir. */
  readonly threadsPerDir: number;
}

/** Of one start of a broker. */
export class RecoveryWorkers {
  readonly #options: RecoveryWorkersOptions;
  /** By log dir. */
  readonly #threads = new Map<string, AtMost>();
  /** What was asked for, scanned or not. */
  #demandBytes = 0;

  constructor(options: RecoveryWorkersOptions) {
    this.#options = options;
  }

  /** @throws errors of the disk. */
  async scan(job: ScanJob): Promise<ScanFindings> {
    const { worthWorkersBytes = WORTH_WORKERS_BYTES, smallSegmentBytes = SMALL_SEGMENT_BYTES } = this.#options;
    const { fileBytes } = job.target;
    this.#demandBytes += fileBytes;
    if (fileBytes < smallSegmentBytes || this.#demandBytes < worthWorkersBytes) return job.scanHere(job.onBytes);
    return this.#threadsOf(job.logDir).run(() => this.#scanInWorker(job));
  }

  #threadsOf(logDir: string): AtMost {
    let threads = this.#threads.get(logDir);
    if (threads === undefined) this.#threads.set(logDir, (threads = new AtMost(this.#options.threadsPerDir)));
    return threads;
  }

  async #scanInWorker({ path, target, producerState, onBytes, scanHere }: ScanJob): Promise<ScanFindings> {
    const { offload, scheduler, logger } = this.#options.runtime;
    const progress = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    let told = 0;
    const tell = (bytes: number): void => {
      if (bytes > told) onBytes(bytes - told);
      told = Math.max(told, bytes);
    };
    const timer = scheduler.every(PROGRESS_MS, () => tell(Atomics.load(progress, 0)));
    const producers = producerState.toNumbers();
    const output = await offload
      .run(scanTask, { path, target, producers, progress }, [producers.buffer])
      .catch((error: unknown) => {
        logger.warn({ err: error }, `No worker has scanned ${path} to its end: it is scanned on the event loop`);
        return undefined;
      })
      .finally(() => timer.cancel());
    if (output === undefined) {
      let scanned = 0;
      return scanHere((bytes) => tell((scanned += bytes)));
    }
    if (output.kind === 'disk-error') throw diskErrorOf(output);
    tell(output.validBytes);
    producerState.restore(output.producers);
    return findingsOf(target, output);
  }
}
