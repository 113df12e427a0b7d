/**
 * A bounded producer for the flush lab: so many records a second, in small batches over the topic's partitions in turn, until its time is
 * over. It never has more than one batch under way for a partition: a slow broker is not flooded, what was held back is counted.
 */
import { produceBatch } from '../../client/produce-batch.ts';
import { buildRecordBatch } from '../../protocol/records/record-batch-builder.ts';
import type { Cancellable } from '../../runtime/scheduler.ts';
import type { Failure } from '../contract/failure.ts';
import type { LoadStatus } from '../contract/flush-lab.ts';
import type { ClusterSession } from './cluster-session.ts';
import { toFailure } from './failures.ts';

export interface LoadOptions {
  readonly topic: string;
  readonly partitions: number;
  readonly recordsPerSecond: number;
  readonly recordBytes: number;
  readonly acks: 'all' | 'leader';
  readonly seconds: number;
}

const TICK_MS = 50;
const KEPT_TIMES = 100;
const CALL_TIMEOUT_MS = 5_000;

export class GentleLoad {
  readonly #session: ClusterSession;
  readonly #options: LoadOptions;
  readonly #timer: Cancellable;
  readonly #startedAtMs: number;
  readonly #startMs: number;
  readonly #busy = new Set<number>();
  readonly #ackTimesMs: number[] = [];
  #running = true;
  #due = 0;
  #sequence = 0;
  #nextPartition = 0;
  #acknowledged = 0;
  #failed = 0;
  #heldBack = 0;
  #lastFailure: Failure | null = null;

  constructor(session: ClusterSession, options: LoadOptions) {
    const { clock, scheduler } = session.runtime;
    this.#session = session;
    this.#options = options;
    this.#startedAtMs = clock.wallMs();
    this.#startMs = clock.monotonicMs();
    this.#timer = scheduler.every(TICK_MS, () => this.#tick());
  }

  stop(): void {
    this.#running = false;
    this.#timer.cancel();
  }

  status(): LoadStatus {
    const { recordsPerSecond, recordBytes, acks, seconds } = this.#options;
    const ascending = this.#ackTimesMs.toSorted((a, b) => a - b);
    const at = (q: number): number => ascending[Math.max(0, Math.ceil(q * ascending.length) - 1)] ?? 0;
    return {
      recordsPerSecond,
      recordBytes,
      acks,
      startedAtMs: this.#startedAtMs,
      endsAtMs: this.#startedAtMs + seconds * 1_000,
      running: this.#running,
      acknowledged: this.#acknowledged,
      failed: this.#failed,
      heldBack: this.#heldBack,
      ackMs: ascending.length === 0 ? null : { p50: at(0.5), p99: at(0.99) },
      lastFailure: this.#lastFailure,
    };
  }

  #tick(): void {
    const elapsedMs = this.#session.runtime.clock.monotonicMs() - this.#startMs;
    const { recordsPerSecond, seconds, partitions } = this.#options;
    if (elapsedMs >= seconds * 1_000) {
      this.stop();
      return;
    }
    const dueNow = Math.floor((elapsedMs / 1_000) * recordsPerSecond);
    const count = dueNow - this.#due;
    if (count === 0) return;
    this.#due = dueNow;
    const partition = this.#nextPartition++ % partitions;
    if (this.#busy.has(partition)) this.#heldBack += count;
    else void this.#send(partition, count);
  }

  async #send(partition: number, count: number): Promise<void> {
    const { clock } = this.#session.runtime;
    const { topic, acks } = this.#options;
    this.#busy.add(partition);
    const sentMs = clock.monotonicMs();
    try {
      const options = { acks: acks === 'all' ? -1 : 1, timeoutMs: CALL_TIMEOUT_MS } as const;
      await produceBatch(this.#session.admin.context, { topic, partition }, this.#batch(count), options);
      this.#acknowledged += count;
      if (this.#ackTimesMs.push(clock.monotonicMs() - sentMs) > KEPT_TIMES) this.#ackTimesMs.shift();
    } catch (error) {
      this.#failed += count;
      this.#lastFailure = toFailure(error, { api: 'Produce' });
    } finally {
      this.#busy.delete(partition);
    }
  }

  /** Values that tell which record they are, filled up to the size asked for. */
  #batch(count: number): Buffer {
    const timestamp = this.#session.runtime.clock.wallMs();
    const records = Array.from({ length: count }, () => {
      const value = Buffer.alloc(this.#options.recordBytes, '.');
      value.write(`flush lab record ${++this.#sequence} `);
      return { timestamp, key: null, value };
    });
    return buildRecordBatch(records);
  }
}
