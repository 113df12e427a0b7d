/**
 * What `open` made and `next` takes from, per connection: bounded in number, closed when the page closes it, when its
 * connection ends, and when nobody has taken anything for a minute (a page that was reloaded never says goodbye).
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Cancellable, Scheduler } from '../../runtime/scheduler.ts';
import { refuse } from './failures.ts';

const MAX_READERS = 64;
const IDLE_MS = 60_000;
const SWEEP_MS = 10_000;

export interface Reader {
  /** Frees what it holds; a second call does nothing. */
  close(): void;
}

export class ReaderRegistry {
  readonly #clock: Clock;
  readonly #readers = new Map<string, { readonly reader: Reader; usedAtMs: number }>();
  readonly #sweeper: Cancellable;
  #nextId = 1;
  #closed = false;

  constructor(clock: Clock, scheduler: Scheduler) {
    this.#clock = clock;
    this.#sweeper = scheduler.every(SWEEP_MS, () => this.#sweep());
  }

  /** Keeps `reader` and names it; the longest unused one goes when there are too many. */
  add(reader: Reader): string {
    if (this.#closed) {
      reader.close();
      throw refuse('unreachable', 'The connection has ended');
    }
    if (this.#readers.size >= MAX_READERS) this.#closeOldest();
    const id = `r${this.#nextId++}`;
    this.#readers.set(id, { reader, usedAtMs: this.#clock.monotonicMs() });
    return id;
  }

  /** The reader of that name and kind; throws a `notFound` failure that tells the page to open again. */
  get<R extends Reader>(id: string, kind: abstract new (...args: never[]) => R): R {
    const found = this.#readers.get(id);
    if (!(found?.reader instanceof kind)) throw refuse('notFound', 'This list is not open any more: open it again', { retriable: true });
    found.usedAtMs = this.#clock.monotonicMs();
    return found.reader;
  }

  close(id: string): void {
    this.#readers.get(id)?.reader.close();
    this.#readers.delete(id);
  }

  closeAll(): void {
    this.#closed = true;
    this.#sweeper.cancel();
    for (const id of Array.from(this.#readers.keys())) this.close(id);
  }

  #sweep(): void {
    const oldestMs = this.#clock.monotonicMs() - IDLE_MS;
    for (const [id, { usedAtMs }] of this.#readers) if (usedAtMs < oldestMs) this.close(id);
  }

  #closeOldest(): void {
    let oldest: string | undefined;
    let oldestMs = Infinity;
    for (const [id, { usedAtMs }] of this.#readers) {
      if (usedAtMs < oldestMs) [oldest, oldestMs] = [id, usedAtMs];
    }
    if (oldest !== undefined) this.close(oldest);
  }
}

/** Rows that are all there already, handed out in pages. */
export class ListReader<Row> implements Reader {
  #rows: readonly Row[];
  #position = 0;

  constructor(rows: readonly Row[]) {
    this.#rows = rows;
  }

  next(max: number): { readonly rows: readonly Row[]; readonly done: boolean } {
    const rows = this.#rows.slice(this.#position, this.#position + max);
    this.#position += rows.length;
    return { rows, done: this.#position >= this.#rows.length };
  }

  close(): void {
    this.#rows = [];
  }
}
