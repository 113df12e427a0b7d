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
import type { LocalLog } from './local-log.ts';
import { WriteRun } from './write-run.ts';
import type { OnComplete, PlannedRoll } from './write-run.ts';

const MAX_SYNC_BYTES = 1024 * 1024;
const SLOW_WRITE_MS = 20;
/** How long writes are asynchronous after a slow one. */
const ASYNC_AFTER_SLOW_MS = 5000;
/** More than this waits for no disk: further appends are refused. */
export const MAX_QUEUED_BYTES = 256 * 1024 * 1024;

/** What the queue asks of the log that it writes to. */
export interface AppendTarget {
  /** Begins the planned segment. */
  roll(roll: PlannedRoll): void;
  /** All of a group is written: the log end offset has moved. A promise holds back the answers (flush.messages). */
  groupWritten(): Promise<void> | undefined;
  /** The folder must go offline; returns what the waiting appends are told. */
  failed(error: unknown): LogStorageError;
}

export class AppendQueue {
  readonly #context: LogContext;
  readonly #local: LocalLog;
  readonly #target: AppendTarget;
  /** A chain of runs, of one segment each, that are written at one time; and its last one. */
  #waiting: WriteRun | undefined;
  #last: WriteRun | undefined;
  #queuedBytes = 0;
  #scheduled = false;
  #writing: Promise<void> | undefined;
  #asyncUntilMs = 0;
  #failure: LogStorageError | undefined;
  #beforeFirstWrite: (() => Promise<void>) | undefined;

  constructor(context: LogContext, local: LocalLog, target: AppendTarget) {
    this.#context = context;
    this.#local = local;
    this.#target = target;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get isIdle(): boolean {
    return this.#waiting === undefined && this.#writing === undefined && this.#beforeFirstWrite === undefined;
  }

  /**
   * Queues an append. Single parameters: this runs for every batch, and an object of them would be garbage.
   *
   * @param records whole batches of one segment; of none the append only waits for those in front of it.
   * @param roll set when the append begins a new segment.
   */
  add(
    records: Buffer,
    firstOffset: number,
    lastOffset: number,
    roll: PlannedRoll | undefined,
    abortedTxns: readonly AbortedTxn[],
    onComplete: OnComplete,
  ): void {
    let run = this.#last;
    if (run === undefined) this.#waiting = this.#last = run = new WriteRun(roll, onComplete);
    else if (roll !== undefined) this.#last = run = run.next = new WriteRun(roll, onComplete);
    else run.completions.push(onComplete);
    if (records.length > 0) {
      run.add(records, firstOffset, lastOffset, this.#local.slabs, this.#context.turnClock.wallMs());
      this.#queuedBytes += records.length;
    }
    if (abortedTxns.length > 0) run.abortedTxns = [...run.abortedTxns, ...abortedTxns];
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
    const first = this.#waiting;
    if (first === undefined) return;
    if (this.#failure !== undefined) {
      this.fail(this.#failure);
      return;
    }
    this.#waiting = this.#last = undefined;
    const isAsync =
      this.#queuedBytes > MAX_SYNC_BYTES || (this.#asyncUntilMs > 0 && this.#context.clock.monotonicMs() < this.#asyncUntilMs);
    if (isAsync) this.#writing = this.#writeAsync(first);
    else this.#writeSync(first);
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
    const first = this.#waiting;
    this.#waiting = this.#last = undefined;
    this.#queuedBytes = 0;
    answer(first, undefined, error);
  }

  #writeSync(first: WriteRun): void {
    let run: WriteRun | undefined = first;
    try {
      for (; run !== undefined; run = run.next) {
        this.#beginRun(run);
        const startMs = this.#context.clock.monotonicMs();
        const written = run.write(this.#local.activeSegment);
        this.#endRun(run, written, startMs);
      }
    } catch (error) {
      this.#onFailure(first, run, error);
      return;
    }
    this.#complete(first);
  }

  async #writeAsync(first: WriteRun): Promise<void> {
    // What has no bytes to write, or fails at a roll, would be over before the caller has noted that it is under way: for good, then.
    await Promise.resolve();
    this.#context.stats.asyncWrites.add();
    let run: WriteRun | undefined = first;
    try {
      for (; run !== undefined; run = run.next) {
        this.#beginRun(run);
        const startMs = this.#context.clock.monotonicMs();
        const written = run.bytes === 0 ? 0 : await run.writeAsync(this.#local.activeSegment);
        this.#endRun(run, written, startMs);
      }
      this.#writing = undefined;
    } catch (error) {
      this.#writing = undefined;
      this.#onFailure(first, run, error);
      return;
    }
    this.#complete(first);
    this.drain();
  }

  #beginRun({ roll }: WriteRun): void {
    if (roll !== undefined) this.#target.roll(roll);
  }

  #endRun(run: WriteRun, written: number, startMs: number): void {
    const { clock, stats, turnClock } = this.#context;
    if (written !== run.bytes) throw shortWriteError(this.#local.activeSegment.path, written, run.bytes);
    const tookMs = clock.monotonicMs() - startMs;
    stats.writeTimeMs.record(tookMs);
    stats.writeBytes.record(run.bytes);
    if (tookMs > SLOW_WRITE_MS) this.#asyncUntilMs = clock.monotonicMs() + ASYNC_AFTER_SLOW_MS;
    const nowMs = turnClock.wallMs();
    for (let piece = run.firstPiece; piece !== undefined; piece = piece.next) this.#local.appended(piece, nowMs);
    if (run.abortedTxns.length > 0) for (const txn of run.abortedTxns) this.#local.activeSegment.appendAbortedTxn(txn);
    this.#queuedBytes -= run.bytes;
  }

  #complete(first: WriteRun): void {
    const held = this.#target.groupWritten();
    if (held === undefined) {
      answer(first, undefined, undefined);
      return;
    }
    const answerAll = (): void => answer(first, undefined, this.#failure);
    void held.then(answerAll, answerAll);
  }

  /** @param failed the run that could not be written; those in front of it are. */
  #onFailure(first: WriteRun, failed: WriteRun | undefined, cause: unknown): void {
    try {
      this.#local.activeSegment.cutToSize();
    } catch {
      // What is left behind the segment's end is cut off by recovery.
    }
    const error = this.#target.failed(cause);
    this.#failure = error;
    if (failed !== first) void this.#target.groupWritten();
    answer(first, failed, undefined);
    answer(failed, undefined, error);
    this.fail(error);
  }
}

/** Tells the appends of the runs from `first` up to, not including, `end`. */
function answer(first: WriteRun | undefined, end: WriteRun | undefined, error: LogStorageError | undefined): void {
  for (let run = first; run !== end && run !== undefined; run = run.next) for (const onComplete of run.completions) onComplete?.(error);
}
