/**
 * Appends that wait to be written. What a log gets within one turn of the event loop goes out in one gathered write at its end:
 * synchronous up to 1 MiB, asynchronous above that and for some seconds after a synchronous write that took long; what comes while an
 * asynchronous one is under way waits behind it. An append is complete when all of its bytes are in the page cache.
 *
 * A write that fails or stops short (a full disk) is cut off again; it and all behind it fail, and the log's folder goes offline: offsets
 * and producer state have been given out for what isn't there. Bounded by `MAX_QUEUED_BYTES`.
 */
import type { AbortedTxn } from '../../log-format/txn-index.ts';
import { shortWriteError } from '../../runtime/disk.ts';
import type { LogContext } from './log-context.ts';
import type { LogStorageError } from './log-errors.ts';
import type { LogSegment } from './log-segment.ts';
import { planRun } from './write-run.ts';
import type { WriteRun, WrittenPiece } from './write-run.ts';

const MAX_SYNC_BYTES = 1024 * 1024;
const SLOW_WRITE_MS = 20;
/** How long writes are asynchronous after a slow one. */
const ASYNC_AFTER_SLOW_MS = 5000;
/** More than this waits for no disk: further appends are refused. */
export const MAX_QUEUED_BYTES = 256 * 1024 * 1024;

/** The segment that begins with an append, and the producer state at that point. */
export interface PlannedRoll {
  readonly baseOffset: number;
  readonly snapshot: Buffer | undefined;
}

export interface PendingAppend {
  /** Whole batches of one segment; empty for one that only waits for those in front of it. */
  readonly records: Buffer;
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** Set when the append begins a new segment. */
  readonly roll: PlannedRoll | undefined;
  readonly abortedTxns: readonly AbortedTxn[];
  readonly onComplete: ((error?: LogStorageError) => void) | undefined;
}

/** The log that the queue writes to. */
export interface AppendTarget {
  readonly activeSegment: LogSegment;
  /** Begins the planned segment. */
  roll(roll: PlannedRoll): void;
  /** The run's bytes are written at the end of the active segment. */
  written(run: WriteRun, nowMs: number): void;
  /** All of a group is written: the log end offset has moved. A promise holds back the answers (flush.messages). */
  groupWritten(): Promise<void> | undefined;
  /** The folder must go offline; returns what the waiting appends are told. */
  failed(error: unknown): LogStorageError;
}

export class AppendQueue {
  readonly #context: LogContext;
  readonly #target: AppendTarget;
  #queue: PendingAppend[] = [];
  #queuedBytes = 0;
  #scheduled = false;
  #writing: Promise<void> | undefined;
  #asyncUntilMs = 0;
  #failure: LogStorageError | undefined;
  #beforeFirstWrite: (() => Promise<void>) | undefined;

  constructor(context: LogContext, target: AppendTarget) {
    this.#context = context;
    this.#target = target;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#writing === undefined && this.#beforeFirstWrite === undefined;
  }

  add(append: PendingAppend): void {
    this.#queue.push(append);
    this.#queuedBytes += append.records.length;
    if (this.#scheduled || this.#writing !== undefined) return;
    this.#scheduled = true;
    this.#context.endOfTurn.add(this.#onEndOfTurn);
  }

  readonly #onEndOfTurn = (): void => {
    this.#scheduled = false;
    this.drain();
  };

  /** Writes what waits, now; an asynchronous write that is under way goes on and what waits goes behind it. */
  drain(): void {
    if (this.#writing !== undefined) return;
    const begin = this.#beforeFirstWrite;
    if (begin !== undefined && this.#failure === undefined) {
      this.#beforeFirstWrite = undefined;
      this.hold(begin());
      return;
    }
    if (this.#queue.length === 0) return;
    if (this.#failure !== undefined) {
      this.fail(this.#failure);
      return;
    }
    const group = this.#queue;
    this.#queue = [];
    const isAsync = this.#queuedBytes > MAX_SYNC_BYTES || this.#context.clock.monotonicMs() < this.#asyncUntilMs;
    if (isAsync) this.#writing = this.#writeAsync(group);
    else this.#writeSync(group);
  }

  /** As `hold`, begun when there is something to write or somebody waits for all to be settled. */
  holdFirstWrite(begin: () => Promise<void>): void {
    this.#beforeFirstWrite = begin;
  }

  /** Nothing is written before `until` resolves, which never rejects. Only while nothing is being written. */
  hold(until: Promise<void>): void {
    this.#writing = until.then(() => {
      this.#writing = undefined;
      this.drain();
    });
  }

  /** Resolves when nothing waits and nothing is being written. */
  async settled(): Promise<void> {
    while (!this.isIdle) {
      this.drain();
      if (this.#writing !== undefined) await this.#writing;
    }
  }

  /** All that waits fails with `error`, now and from here on. */
  fail(error: LogStorageError): void {
    this.#failure = error;
    this.#beforeFirstWrite = undefined;
    const waiting = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    for (const append of waiting) append.onComplete?.(error);
  }

  #writeSync(group: readonly PendingAppend[]): void {
    let done = 0;
    try {
      while (done < group.length) {
        const run = this.#beginRun(group, done);
        const startMs = this.#context.clock.monotonicMs();
        const written = run.bytes === 0 ? 0 : this.#target.activeSegment.write(run.pieces.map(recordsOf));
        this.#endRun(run, written, startMs);
        done = run.end;
      }
    } catch (error) {
      this.#onFailure(group, done, error);
      return;
    }
    this.#complete(group);
  }

  async #writeAsync(group: readonly PendingAppend[]): Promise<void> {
    this.#context.stats.asyncWrites.add();
    let done = 0;
    try {
      while (done < group.length) {
        const run = this.#beginRun(group, done);
        const startMs = this.#context.clock.monotonicMs();
        const written = run.bytes === 0 ? 0 : await this.#target.activeSegment.writeAsync(run.pieces.map(recordsOf));
        this.#endRun(run, written, startMs);
        done = run.end;
      }
      this.#writing = undefined;
    } catch (error) {
      this.#writing = undefined;
      this.#onFailure(group, done, error);
      return;
    }
    this.#complete(group);
    this.drain();
  }

  /** The appends from `start` that go to one segment, which is begun when they need a new one. */
  #beginRun(group: readonly PendingAppend[], start: number): WriteRun {
    const roll = group[start]?.roll;
    if (roll !== undefined) this.#target.roll(roll);
    return planRun(group, start, this.#context.tailBuffers, this.#context.turnClock.wallMs());
  }

  #endRun(run: WriteRun, written: number, startMs: number): void {
    const { clock, stats } = this.#context;
    if (written !== run.bytes) throw shortWriteError(this.#target.activeSegment.path, written, run.bytes);
    const tookMs = clock.monotonicMs() - startMs;
    stats.writeTimeMs.record(tookMs);
    stats.writeBytes.record(run.bytes);
    if (tookMs > SLOW_WRITE_MS) this.#asyncUntilMs = clock.monotonicMs() + ASYNC_AFTER_SLOW_MS;
    this.#target.written(run, clock.wallMs());
    this.#queuedBytes -= run.bytes;
  }

  #complete(group: readonly PendingAppend[]): void {
    const held = this.#target.groupWritten();
    if (held === undefined) {
      for (const append of group) append.onComplete?.();
      return;
    }
    void held.then(
      () => {
        for (const append of group) append.onComplete?.(this.#failure);
      },
      () => {
        for (const append of group) append.onComplete?.(this.#failure);
      },
    );
  }

  #onFailure(group: readonly PendingAppend[], done: number, cause: unknown): void {
    try {
      this.#target.activeSegment.cutToSize();
    } catch {
      // What is left behind the segment's end is cut off by recovery.
    }
    const error = this.#target.failed(cause);
    this.#failure = error;
    if (done > 0) void this.#target.groupWritten();
    for (let index = 0; index < group.length; index++) (group[index] as PendingAppend).onComplete?.(index < done ? undefined : error);
    this.fail(error);
  }
}

function recordsOf({ records }: WrittenPiece): Buffer {
  return records;
}
