/**
 * One read of a topic's records, pulled page by page. It fetches only when somebody asks, ahead by one page at most, so a
 * page that is left costs nothing; its buffer is bounded in rows and bytes; and it ends, since the end offsets were fixed when it began.
 */
import { KafkaError } from '../../protocol/errors.ts';
import type { Scheduler } from '../../runtime/scheduler.ts';
import type { Failure } from '../contract/failure.ts';
import type { MessagePage, MessageRow, ReadPartition } from '../contract/messages.ts';
import { toFailure } from './failures.ts';
import { readLast } from './last-messages.ts';
import { rowBytes } from './message-rows.ts';
import { PartitionCursor } from './partition-cursor.ts';
import type { Reader } from './readers.ts';
import type { RecordSource } from './record-source.ts';

const MAX_BUFFERED_ROWS = 4_000;
const MAX_PAGE_BYTES = 512 * 1024;
/** Partitions that are fetched from at once. */
const PARALLEL = 6;
/** What one read may fetch in all before it stops by itself and says so. */
const MAX_READ_BYTES = 512 * 1024 * 1024;

export interface MessageReaderOptions {
  readonly source: RecordSource;
  readonly scheduler: Scheduler;
  readonly topic: string;
  readonly partitions: readonly ReadPartition[];
  readonly limit: number;
  /** Set for "the last N": read backwards, sorted by time. */
  readonly last: number | undefined;
  readonly previewBytes: number;
  readonly readCommitted: boolean;
  readonly includeControl: boolean;
}

export class MessageReader implements Reader {
  readonly #options: MessageReaderOptions;
  readonly #cursors: PartitionCursor[];
  readonly #failures: (Failure & { readonly partition: number })[];
  #buffer: MessageRow[] = [];
  #given = 0;
  #bytes = 0;
  #passed = 0;
  #lastDone = false;
  #turn = 0;
  #filling: Promise<void> | undefined;
  #closed = false;

  constructor(options: MessageReaderOptions) {
    this.#options = options;
    const readable = options.partitions.filter(({ fromOffset, endOffset }) => fromOffset !== null && endOffset !== null);
    this.#cursors =
      options.last === undefined
        ? readable.map(({ partition, fromOffset, endOffset }) => this.#cursor(partition, fromOffset ?? 0, endOffset ?? 0))
        : [];
    this.#failures = options.partitions.flatMap(({ partition, failure }) => (failure === null ? [] : [{ ...failure, partition }]));
    this.#lastDone = options.last === undefined;
  }

  /** Rows that are there, after waiting up to `waitMs` for the first. Never rejects: what goes wrong is in `failures`. */
  async next(max: number, waitMs: number): Promise<MessagePage> {
    if (this.#buffer.length === 0 && !this.#exhausted) await this.#within(waitMs, this.#fill());
    const messages = this.#takePage(max);
    // The next page is fetched while this one is looked at.
    if (!this.#exhausted && this.#buffer.length < max) void this.#fill();
    return {
      messages,
      done: this.#buffer.length === 0 && this.#exhausted,
      progress: { records: this.#given, bytes: this.#bytes, offsetsPassed: this.#passed, offsetsInScope: this.#scope() },
      failures: this.#failures,
    };
  }

  close(): void {
    this.#closed = true;
    this.#buffer = [];
  }

  get #exhausted(): boolean {
    if (this.#closed || this.#bytes >= MAX_READ_BYTES) return true;
    if (!this.#lastDone) return false;
    return this.#given + this.#buffer.length >= this.#options.limit || this.#cursors.every(({ done }) => done);
  }

  #takePage(max: number): MessageRow[] {
    let bytes = 0;
    let count = 0;
    while (count < max && count < this.#buffer.length && bytes < MAX_PAGE_BYTES) {
      const row = this.#buffer[count];
      if (row === undefined) break;
      bytes += rowBytes(row);
      count++;
    }
    this.#given += count;
    return this.#buffer.splice(0, count);
  }

  #fill(): Promise<void> {
    this.#filling ??= (this.#lastDone ? this.#fillForward() : this.#fillLast()).finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  /** One fetch from each of some partitions, in turn, until there is something or nothing is left. */
  async #fillForward(): Promise<void> {
    while (!this.#exhausted && this.#buffer.length === 0) {
      const open = this.#cursors.filter(({ done }) => !done);
      const chosen = Array.from({ length: Math.min(PARALLEL, open.length) }, (_, at) => open[(this.#turn + at) % open.length]).flatMap(
        (cursor) => cursor ?? [],
      );
      this.#turn += chosen.length;
      const room = Math.min(MAX_BUFFERED_ROWS, this.#options.limit - this.#given);
      const each = Math.max(1, Math.ceil(room / Math.max(1, chosen.length)));
      const read = await Promise.all(chosen.map((cursor) => this.#readCursor(cursor, each)));
      if (this.#closed) return;
      this.#buffer.push(...read.flat().slice(0, room));
    }
  }

  async #readCursor(cursor: PartitionCursor, maxRows: number): Promise<MessageRow[]> {
    const [position, bytes] = [cursor.position, cursor.bytes];
    try {
      return await cursor.read(maxRows);
    } catch (error) {
      this.#fail(cursor, error);
      return [];
    } finally {
      this.#passed += cursor.position - position;
      this.#bytes += cursor.bytes - bytes;
    }
  }

  async #fillLast(): Promise<void> {
    const { partitions, last = 0, limit } = this.#options;
    const readable = partitions.flatMap(({ partition, startOffset, endOffset }) =>
      startOffset === null || endOffset === null ? [] : [{ partition, startOffset, endOffset }],
    );
    const seen = new Map<PartitionCursor, { bytes: number; position: number }>();
    try {
      this.#buffer = await readLast(
        readable,
        Math.min(last, limit),
        (partition, from, end) => this.#cursor(partition, from, end),
        (cursor) => {
          const before = seen.get(cursor) ?? { bytes: 0, position: cursor.options.from };
          this.#bytes += cursor.bytes - before.bytes;
          this.#passed += cursor.position - before.position;
          seen.set(cursor, { bytes: cursor.bytes, position: cursor.position });
          return !this.#closed && this.#bytes < MAX_READ_BYTES;
        },
        (cursor, error) => this.#fail(cursor, error),
      );
    } finally {
      this.#lastDone = true;
    }
  }

  /** The partition is read no further, and the page says why. */
  #fail(cursor: PartitionCursor, error: unknown): void {
    const { partition } = cursor.options;
    const api = error instanceof KafkaError ? 'Fetch' : 'reading the records';
    if (!this.#failures.some((failure) => failure.partition === partition))
      this.#failures.push({ ...toFailure(error, { api }), partition });
    const at = this.#cursors.indexOf(cursor);
    if (at >= 0) this.#cursors.splice(at, 1);
  }

  #cursor(partition: number, from: number, end: number): PartitionCursor {
    const { source, topic, previewBytes, readCommitted, includeControl } = this.#options;
    return new PartitionCursor(source, { topic, partition, from, end, previewBytes, readCommitted, includeControl });
  }

  #scope(): number {
    const sum = this.#options.partitions.reduce(
      (total, { fromOffset, endOffset }) => total + Math.max(0, (endOffset ?? 0) - (fromOffset ?? 0)),
      0,
    );
    return Math.max(sum, this.#passed);
  }

  #within(waitMs: number, work: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.scheduler.after(waitMs, resolve);
      void work.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
