/**
 * Group commit (SyncRequestProcessor): what arrives in one turn of the event loop, or while an fsync is under way, goes to
 * the log as one write and one fsync. Nothing is applied, answered or seen by others before its fsync has returned.
 * Every so often the log is rolled and a snapshot begun. A log that can't be written ends the process: what was
 * promised afterwards could not be kept.
 */
import type { Halt } from '../../runtime/halt.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Random } from '../../runtime/random.ts';
import { writeSnapshot, type SnapshotSource, type SnapshotWriterRuntime } from '../persistence/file-snap-writer.ts';
import type { FileTxnLog } from '../persistence/file-txn-log.ts';
import { ServerMetrics } from '../server-metrics.ts';
import type { TxnLogEntry } from '../txn.ts';

export interface TxnCommitterOptions {
  readonly directory: string;
  readonly snapCount: number;
  /** Transactions in the log since the last snapshot. */
  readonly txnsSinceSnapshot: number;
  readonly snapshotSource: SnapshotSource;
  readonly metrics?: ServerMetrics;
}

export class TxnCommitter<T extends TxnLogEntry> {
  readonly #runtime: SnapshotWriterRuntime & { readonly halt: Halt; readonly logger: Logger; readonly random: Random };
  readonly #options: TxnCommitterOptions;
  readonly #log: FileTxnLog;
  readonly #onCommitted: (group: readonly T[]) => void;
  readonly #metrics: ServerMetrics;
  #waiting: T[] = [];
  /** When each of them came. */
  #waitingSinceMs: number[] = [];
  #flushScheduled = false;
  #syncing = false;
  #idleWaiters: (() => void)[] = [];
  #txnsSinceSnapshot: number;
  #snapshotAfter: number;
  #snapshotting: Promise<void> | undefined;
  #closed = false;

  /** `onCommitted` gets each group, in order, once it is durable. */
  constructor(
    runtime: SnapshotWriterRuntime & { readonly halt: Halt; readonly logger: Logger; readonly random: Random },
    log: FileTxnLog,
    options: TxnCommitterOptions,
    onCommitted: (group: readonly T[]) => void,
  ) {
    this.#runtime = runtime;
    this.#log = log;
    this.#metrics = options.metrics ?? new ServerMetrics();
    this.#options = options;
    this.#onCommitted = onCommitted;
    this.#txnsSinceSnapshot = options.txnsSinceSnapshot;
    this.#snapshotAfter = this.#nextSnapshotAfter();
  }

  submit(entry: T): void {
    if (this.#closed) return;
    this.#log.append(entry);
    this.#metrics.record('sync_processor_queue_size', this.#waiting.length);
    this.#metrics.count('sync_processor_request_queued');
    this.#waiting.push(entry);
    this.#waitingSinceMs.push(this.#runtime.clock.monotonicMs());
    if (this.#syncing || this.#flushScheduled) return;
    this.#flushScheduled = true;
    this.#runtime.scheduler.endOfTurn(() => {
      this.#flushScheduled = false;
      if (!this.#syncing) void this.#commitGroups();
    });
  }

  /** Bytes that wait for the log. */
  get pendingBytes(): number {
    return this.#log.pendingBytes;
  }

  /** Resolves when everything submitted before is durable and applied. */
  async idle(): Promise<void> {
    while (this.#waiting.length > 0 || this.#syncing) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Commits what was submitted, takes nothing more, waits for a snapshot under way, ends the log. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.idle();
    await this.#snapshotting;
    this.#log.close();
  }

  async #commitGroups(): Promise<void> {
    this.#syncing = true;
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      const sinceMs = this.#waitingSinceMs;
      this.#waiting = [];
      this.#waitingSinceMs = [];
      const startMs = this.#runtime.clock.monotonicMs();
      try {
        this.#log.flush();
        const flushedMs = this.#runtime.clock.monotonicMs();
        await this.#log.sync();
        this.#metrics.record('fsynctime', this.#runtime.clock.monotonicMs() - flushedMs);
      } catch (error) {
        this.#runtime.halt.halt(1, `the transaction log can't be written: ${String(error)}`, error);
      }
      this.#measure(sinceMs, startMs);
      this.#txnsSinceSnapshot += group.length;
      this.#onCommitted(group);
      if (this.#txnsSinceSnapshot >= this.#snapshotAfter) this.#beginSnapshot();
    }
    this.#syncing = false;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }

  #measure(sinceMs: readonly number[], startMs: number): void {
    const metrics = this.#metrics;
    const endMs = this.#runtime.clock.monotonicMs();
    metrics.record('sync_processor_batch_size', sinceMs.length);
    metrics.record('sync_processor_queue_flush_time_ms', endMs - startMs);
    metrics.record('sync_process_time', endMs - startMs);
    for (const ms of sinceMs) {
      metrics.record('sync_processor_queue_time_ms', startMs - ms);
      metrics.record('sync_processor_queue_and_flush_time_ms', endMs - ms);
    }
  }

  #beginSnapshot(): void {
    if (this.#snapshotting !== undefined) return;
    // A group may be gathered meanwhile, but none of it is written yet: it begins the next file.
    this.#log.roll();
    this.#txnsSinceSnapshot = 0;
    this.#snapshotAfter = this.#nextSnapshotAfter();
    this.#snapshotting = this.#snapshot().finally(() => {
      this.#snapshotting = undefined;
    });
  }

  async #snapshot(): Promise<void> {
    const { clock, logger, halt } = this.#runtime;
    const startMs = clock.monotonicMs();
    try {
      const path = await writeSnapshot(this.#runtime, this.#options.directory, this.#options.snapshotSource);
      this.#metrics.record('snapshottime', clock.monotonicMs() - startMs);
      logger.info({ path, tookMs: Math.round(clock.monotonicMs() - startMs) }, 'wrote a snapshot');
    } catch (error) {
      halt.halt(1, `a snapshot can't be written: ${String(error)}`, error);
    }
  }

  #nextSnapshotAfter(): number {
    const half = Math.floor(this.#options.snapCount / 2);
    return half + this.#runtime.random.int(Math.max(1, half)) + 1;
  }
}
