/**
 * A pulled list of the contract: cheap rows first, dear columns after, for the rows on screen; kept fresh by changes that
 * name what they touch. Used by topics and groups.
 *
 * Up to MAX_ROWS the whole list is here and the grid filters and sorts it. Above, `isCapped` is set: filter and sort go behind the
 * contract (`load` again with them) and at most MAX_ROWS of the answer are held.
 * A new load cancels the one before; rows of the old one stay until the first page of the new one is there.
 */
import { shallowRef } from 'vue';
import type { ShallowRef } from 'vue';
import type { Failure } from '../../../console/contract/failure.ts';
import { failureOf } from '../../../console/transport/failure-of.ts';

export const MAX_ROWS = 10_000;
/** Small, so that there is something to see at once. */
const FIRST_PAGE = 500;
const PAGE = 5000;
const ROWS_AT_ONCE = 1000;
const DETAILS_AT_ONCE = 200;

export interface RowListSource<Row, Details, Query> {
  open: (
    query: Query,
    signal: AbortSignal,
  ) => Promise<{ readonly readerId: string; readonly count: number; readonly total: number; readonly asOfMs: number }>;
  next: (readerId: string, max: number) => Promise<{ readonly rows: readonly Row[]; readonly done: boolean }>;
  close: (readerId: string) => Promise<unknown>;
  rows: (keys: string[]) => Promise<readonly Row[]>;
  details: (keys: string[]) => Promise<readonly Details[]>;
  rowKey: (row: Row) => string;
  detailsKey: (details: Details) => string;
  /** Whether a row that has just come into being belongs to what `query` asks for. */
  admits: (row: Row, query: Query) => boolean;
}

export class RowList<Row, Details, Query> {
  readonly rows: ShallowRef<readonly Row[]> = shallowRef([]);
  /** Rows the filter lets through, and all; larger than what is held when `isCapped`. */
  readonly counts = shallowRef({ count: 0, total: 0 });
  readonly isLoaded = shallowRef(false);
  readonly isCapped = shallowRef(false);
  readonly failure: ShallowRef<Failure | null> = shallowRef(null);
  readonly asOfMs: ShallowRef<number | null> = shallowRef(null);
  readonly #source: RowListSource<Row, Details, Query>;
  readonly #details = new Map<string, Details>();
  readonly #detailsVersion = shallowRef(0);
  readonly #wanted = new Set<string>();
  readonly #asked = new Set<string>();
  readonly #fresh = new Set<string>();
  #onScreen: readonly string[] = [];
  #query: Query;
  #abort: AbortController | undefined;
  #isFetchingDetails = false;

  constructor(source: RowListSource<Row, Details, Query>, query: Query) {
    this.#source = source;
    this.#query = query;
  }

  /** The dear columns of a row as far as they are known; undefined: not asked for yet. Reactive. */
  detailsOf(key: string): Details | undefined {
    void this.#detailsVersion.value;
    return this.#details.get(key);
  }

  /** Reads the list from the beginning. Failures are put into `failure`, and rows that were there stay. */
  async load(query: Query = this.#query): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#query = query;
    try {
      const opened = await this.#source.open(query, abort.signal);
      let loaded: Row[] = [];
      let done = false;
      while (!done && loaded.length < MAX_ROWS) {
        if (abort.signal.aborted) break;
        const max = loaded.length === 0 ? FIRST_PAGE : Math.min(PAGE, MAX_ROWS - loaded.length);
        const page = await this.#source.next(opened.readerId, max);
        if (abort.signal.aborted) break;
        loaded = loaded.concat(page.rows);
        done = page.done;
        // The first load shows its first page at once; a reload replaces the rows when it is whole, so that nothing jumps.
        if (!this.isLoaded.value || done || loaded.length >= MAX_ROWS) this.rows.value = loaded;
        this.isLoaded.value = true;
      }
      if (!done) void this.#source.close(opened.readerId).catch(() => undefined);
      if (abort.signal.aborted) return;
      this.counts.value = { count: opened.count, total: opened.total };
      this.isCapped.value = opened.total > MAX_ROWS;
      this.asOfMs.value = Date.now();
      this.failure.value = null;
      // Details of rows that are no more would pile up over days.
      if (this.#details.size > 2 * MAX_ROWS) this.#details.clear();
    } catch (error) {
      if (!abort.signal.aborted) this.failure.value = failureOf(error);
    }
  }

  /** Asks again for the rows that a change names; null, or too many to name: for all. */
  async patch(keys: readonly string[] | null): Promise<void> {
    if (keys === null || keys.length > ROWS_AT_ONCE || this.isCapped.value || !this.isLoaded.value) return this.load();
    const asked = new Set(keys);
    try {
      const fresh = new Map((await this.#source.rows([...asked])).map((row) => [this.#source.rowKey(row), row]));
      let changed = false;
      const next: Row[] = [];
      for (const row of this.rows.value) {
        const key = this.#source.rowKey(row);
        if (!asked.has(key)) {
          next.push(row);
          continue;
        }
        changed = true;
        const now = fresh.get(key);
        fresh.delete(key);
        if (now === undefined) this.#details.delete(key);
        else next.push(now);
      }
      for (const row of fresh.values()) {
        if (!this.#source.admits(row, this.#query)) continue;
        next.push(row);
        changed = true;
      }
      if (changed) this.rows.value = next;
      this.counts.value = {
        count: next.length,
        total: Math.max(next.length, this.counts.value.total + next.length - this.counts.value.count),
      };
      this.asOfMs.value = Date.now();
      this.failure.value = null;
      this.refreshDetails(keys);
    } catch (error) {
      this.failure.value = failureOf(error);
    }
  }

  /** The rows on screen: the dear columns of those that are not fresh are asked for. */
  want(keys: readonly string[]): void {
    this.#onScreen = keys;
    this.#fetchDetails(keys.filter((key) => !this.#isFresh(key)));
  }

  /** All rows' dear columns, for sorting by one. */
  wantAll(): void {
    this.#fetchDetails(this.rows.value.map((row) => this.#source.rowKey(row)).filter((key) => !this.#isFresh(key)));
  }

  refreshVisible(): void {
    this.#fetchDetails(this.#onScreen);
  }

  /** These (null: all) may have changed: what is on screen is asked for now, the rest when it is seen. Old values stand until then. */
  refreshDetails(keys: readonly string[] | null): void {
    for (const set of [this.#fresh, this.#asked]) {
      if (keys === null) set.clear();
      else for (const key of keys) set.delete(key);
    }
    this.#fetchDetails(this.#onScreen.filter((key) => !this.#isFresh(key)));
  }

  /** Nobody looks any more: when someone does again, everything may have changed. */
  leave(): void {
    this.#onScreen = [];
    this.#fresh.clear();
  }

  /** Known and not called into doubt since, or under way. */
  #isFresh(key: string): boolean {
    return this.#fresh.has(key) || this.#asked.has(key);
  }

  #fetchDetails(keys: readonly string[]): void {
    for (const key of keys) this.#wanted.add(key);
    if (!this.#isFetchingDetails && this.#wanted.size > 0) void this.#drainDetails();
  }

  async #drainDetails(): Promise<void> {
    this.#isFetchingDetails = true;
    try {
      while (this.#wanted.size > 0) {
        const batch = [...this.#wanted].slice(0, DETAILS_AT_ONCE);
        for (const key of batch) {
          this.#wanted.delete(key);
          this.#asked.add(key);
        }
        for (const details of await this.#source.details(batch)) this.#details.set(this.#source.detailsKey(details), details);
        // A change that came while these were asked for has taken them out of #asked: they are asked for again.
        for (const key of batch) if (this.#asked.delete(key)) this.#fresh.add(key);
        this.#detailsVersion.value++;
      }
    } catch {
      // The rows' own failure says it when the connection is gone; the cells stay as they are and are asked for again when seen.
      this.#wanted.clear();
      this.#asked.clear();
    } finally {
      this.#isFetchingDetails = false;
    }
  }
}
