/**
 * A LogManager on two log dirs of a disk in memory, a workload that has all a broker does with its logs, and a book of what each log
 * may hold afterwards: what the tests compare with that make the disk fail or damage its files.
 */
import { baseOffsetAt, lastOffsetAt } from '../../../log-format/batch-fields.ts';
import { ManualTime } from '../../../runtime/testing/manual-time.ts';
import type { MemoryDisk } from '../../../runtime/testing/memory-disk.ts';
import type { LogManager } from '../log-manager.ts';
import type { UnifiedLog } from '../unified-log.ts';
import { batchOf, inconsistencyOf, readAll } from './log-fixture.ts';
import type { ReadRecord } from './log-fixture.ts';
import { memoryLogManager, whileTimeGoesOn } from './memory-log-manager.ts';

export { DIRS } from './memory-log-manager.ts';

const TOPIC = 'orders';
const TOPIC_ID = '5v2NLSJ8T2mHFZXSLYd-Ug';
const PARTITIONS = 4;
const CONFIG = {
  'segment.bytes': '1500',
  'index.interval.bytes': '200',
  'file.delete.delay.ms': '100',
  'retention.bytes': '4000',
  'producer.id.expiration.ms': '86400000',
};

/** What a partition's log may hold: the value at each offset. */
export class Book {
  /** More than one while a cut isn't known to be on the device. */
  candidates: (readonly string[])[] = [[]];
  /** Below it all is on the device. */
  durable = 0;
  /** The log's start is between them. */
  lowestStart = 0;
  highestStart = 0;

  get last(): readonly string[] {
    return this.candidates.at(-1) ?? [];
  }

  add(values: readonly string[]): void {
    this.candidates = this.candidates.map((known, index) => (index === this.candidates.length - 1 ? [...known, ...values] : known));
  }

  faultOf(log: UnifiedLog): string | undefined {
    const records = readAll(log, { from: Math.max(log.logStartOffset, log.segments[0]?.baseOffset ?? 0) });
    return this.recordsFaultOf(log, records) ?? inconsistencyOf(log);
  }

  recordsFaultOf(log: UnifiedLog, records: readonly ReadRecord[]): string | undefined {
    if (log.logStartOffset > this.highestStart && log.logStartOffset > this.durable)
      return `it starts at ${log.logStartOffset}, at most ${this.highestStart} was asked for`;
    if (log.logEndOffset < this.durable) return `it ends at ${log.logEndOffset}, ${this.durable} was synced`;
    if (this.candidates.some((values) => records.every(({ offset, value }) => values[offset] === value))) return undefined;
    return `${JSON.stringify(records.map(({ offset, value }) => [offset, value?.slice(0, 12)]))} is not what was written`;
  }
}

export class LogBroker {
  readonly disk: MemoryDisk;
  readonly books = new Map<number, Book>();
  time = new ManualTime();
  manager: LogManager;
  readonly #scansInWorkers: boolean;
  readonly #topic: Readonly<Record<string, string>>;
  #serial = 0;
  #firstEpoch = 0;
  readonly #sequences = new Map<number, number>();

  constructor(disk: MemoryDisk, options: { readonly scansInWorkers?: boolean; readonly preallocate?: boolean } = {}) {
    this.disk = disk;
    this.#topic = options.preallocate === true ? { ...CONFIG, preallocate: 'true' } : CONFIG;
    this.#scansInWorkers = options.scansInWorkers ?? false;
    this.manager = this.#newManager();
  }

  /** The same broker a second later, on a disk of its own with the same in it: for a start after this one was killed. */
  restartedCopy(options: { readonly scansInWorkers: boolean }): LogBroker {
    const copy = new LogBroker(this.disk.clone(), options);
    copy.time = new ManualTime(this.time.wallMs() + 1000);
    for (const [partition, book] of this.books) copy.books.set(partition, Object.assign(new Book(), book));
    for (const [partition, directory] of this.dirOf) copy.dirOf.set(partition, directory);
    return copy;
  }

  async start(): Promise<void> {
    this.manager = this.#newManager();
    await whileTimeGoesOn(this.time, this.manager.startup());
  }

  /** The scripted workload. Nothing in it throws because of the disk: logs refuse, folders go offline. */
  async work(): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++) this.#make(partition);
    for (let round = 0; round < 6; round++) await this.#append(round);
    await this.#each(
      (log) => log.flush(),
      (log, book) => void (book.durable = log.logEndOffset),
    );
    await this.manager.checkpointRecoveryPoints();
    await this.#each((log) => log.roll());
    await this.#append(6);
    await this.#truncate(2);
    await this.#append(7);
    await this.#truncate(12);
    for (let round = 8; round < 12; round++) await this.#append(round);
    await this.#each(
      async (log) => void log.deleteRecordsTo(Math.min(5, log.highWatermark)),
      (log, book) => void (book.highestStart = Math.max(book.highestStart, log.logStartOffset)),
    );
    await this.manager.checkpointLogStartOffsets();
    for (const [partition, book] of this.books) {
      const log = this.#log(partition);
      if (log !== undefined) book.highestStart = Math.max(book.highestStart, log.highWatermark);
    }
    this.manager.deleteOldSegments();
    await this.time.advance(2000);
    await this.#append(12);
    await this.#deletePartition(PARTITIONS - 1);
    this.#make(PARTITIONS);
    await this.#append(13);
  }

  async stop(): Promise<void> {
    const ends = new Map(Array.from(this.books.keys(), (partition) => [partition, this.#log(partition)?.logEndOffset]));
    const live = new Set(Array.from(this.books.keys(), (partition) => this.#log(partition)?.logDir));
    await whileTimeGoesOn(this.time, this.manager.shutdown());
    for (const directory of live) {
      if (directory === undefined || !this.disk.exists(`${directory}/.kafka_cleanshutdown`)) continue;
      if (!this.manager.liveLogDirs.includes(directory)) continue;
      for (const [partition, book] of this.books) {
        const end = ends.get(partition);
        if (end !== undefined && this.dirOf.get(partition) === directory) book.durable = Math.max(book.durable, end);
      }
    }
  }

  readonly dirOf = new Map<number, string>();
  /** Why log dirs went offline. */
  readonly failures: string[] = [];

  #newManager(): LogManager {
    return memoryLogManager({
      disk: this.disk.process(),
      time: this.time,
      topic: this.#topic,
      scansInWorkers: this.#scansInWorkers,
      onLogDirFailure: (_directory, message) => void this.failures.push(message),
    });
  }

  #log(partition: number): UnifiedLog | undefined {
    return this.manager.getLog({ topic: TOPIC, partition });
  }

  #make(partition: number): void {
    try {
      const log = this.manager.getOrCreateLog({ topic: TOPIC, partition }, { isNew: true, topicId: TOPIC_ID });
      this.dirOf.set(partition, log.logDir);
      if (!this.books.has(partition)) this.books.set(partition, new Book());
    } catch (error) {
      if ((error as Error).name !== 'LogStorageError') throw error;
    }
  }

  async #append(round: number): Promise<void> {
    for (const [partition, book] of this.books) {
      const log = this.#log(partition);
      if (log === undefined || log.isOffline) continue;
      for (let batch = 0; batch < 2; batch++) {
        const values = [`${partition}/${round}/${this.#serial++} ${'x'.repeat(40)}`, `${this.#serial++}`];
        const producer =
          partition % 2 === 0 ? { producerId: partition, producerEpoch: 0, baseSequence: this.#sequences.get(partition) ?? 0 } : {};
        const result = log.appendAsLeader(batchOf(values, { timestamp: this.time.wallMs(), ...producer }), {
          leaderEpoch: this.#firstEpoch + Math.floor(round / 3),
        });
        if (!result.ok) continue;
        this.#sequences.set(partition, (this.#sequences.get(partition) ?? 0) + values.length);
        book.add(values);
      }
    }
    await this.time.settle();
    for (const partition of this.books.keys()) {
      const log = this.#log(partition);
      if (log !== undefined) {
        await log.settled();
        log.updateHighWatermark(log.logEndOffset);
      }
    }
  }

  async #each(action: (log: UnifiedLog) => Promise<unknown>, then: (log: UnifiedLog, book: Book) => void = () => {}): Promise<void> {
    for (const [partition, book] of this.books) {
      const log = this.#log(partition);
      if (log === undefined) continue;
      try {
        await action(log);
      } catch (error) {
        if ((error as Error).name !== 'LogStorageError') throw error;
      }
      if (!log.isOffline) then(log, book);
    }
  }

  async #truncate(by: number): Promise<void> {
    for (const [partition, book] of this.books) {
      const log = this.#log(partition);
      if (log === undefined) continue;
      const offset = Math.max(log.logStartOffset, log.logEndOffset - by);
      book.candidates = [book.last, book.last.slice(0, offset)];
      book.durable = Math.min(book.durable, offset);
      try {
        await log.truncateTo(offset);
        book.candidates = [book.candidates[0] ?? [], book.last.slice(0, log.logEndOffset)];
        book.durable = Math.min(book.durable, log.logEndOffset);
        await log.settled();
      } catch (error) {
        if ((error as Error).name !== 'LogStorageError') throw error;
      }
      if (!log.isOffline) book.candidates = [book.last];
      const sequence = log.activeProducers.get(partition)?.lastSequence;
      this.#sequences.set(partition, sequence === undefined ? 0 : sequence + 1);
    }
  }

  async #deletePartition(partition: number): Promise<void> {
    this.books.delete(partition);
    await whileTimeGoesOn(this.time, this.manager.asyncDelete({ topic: TOPIC, partition }));
    await this.time.advance(200);
  }

  /** After a start that was found to be right: what is there is what counts from now on, also of a deletion that the crash undid. */
  adopt(): void {
    this.books.clear();
    this.#sequences.clear();
    this.#firstEpoch += 10;
    for (const log of this.manager.allLogs) {
      const { partition } = log.topicPartition;
      const book = new Book();
      const values: string[] = [];
      for (const { offset, value } of readAll(log)) values[offset] = value ?? '';
      book.candidates = [values];
      book.lowestStart = book.highestStart = log.logStartOffset;
      this.books.set(partition, book);
      for (const [producerId, { lastSequence }] of log.activeProducers) this.#sequences.set(producerId, lastSequence + 1);
    }
  }

  /**
   * The same after a file of that kind was damaged: it may have cost what only it knows. Of a log file records from the damage on, of
   * the epochs their history, of the log start offsets where a log begins; of meta.properties the whole log dir, until it is mended.
   */
  faultAfterDamage(kind: string): string | undefined {
    for (const [partition, book] of this.books) {
      const log = this.#log(partition);
      if (log === undefined) {
        if (kind !== 'meta.properties' || this.manager.liveLogDirs.includes(this.dirOf.get(partition) ?? ''))
          return `partition ${partition} is gone: ${this.failures.join()}`;
        continue;
      }
      if (kind === '.log') {
        // What lies below the recovery point isn't scanned: whoever reads it sees a wrong checksum, or is told CORRUPT_MESSAGE.
        if (log.recoveryPoint > 0) continue;
        book.durable = 0;
      }
      if (kind === 'log-start-offset-checkpoint') {
        book.durable = 0;
        book.highestStart = Infinity;
      }
      const records = readAll(log, { from: Math.max(log.logStartOffset, log.segments[0]?.baseOffset ?? 0) });
      // Epochs may be others then, also those of a lower start's first records, and index entries only slow a search down.
      const hasNoChecksum = kind.endsWith('checkpoint') || kind.endsWith('index');
      const fault = book.recordsFaultOf(log, records) ?? (hasNoChecksum ? undefined : inconsistencyOf(log));
      if (fault !== undefined) return `partition ${partition}: ${fault}`;
      for (const { offset, timestamp } of records) {
        if (offset < log.logStartOffset) continue;
        const [batch] = log.read(offset, { maxBytes: 1, maxOffset: log.logEndOffset, minOneMessage: true }).records;
        if (batch === undefined || baseOffsetAt(batch, 0) > offset || lastOffsetAt(batch, 0) < offset)
          return `partition ${partition}: offset ${offset} is not found`;
        const found = log.fetchOffsetByTimestamp(timestamp);
        if (found === undefined || found.offset > offset)
          return `partition ${partition}: ${timestamp} leads to ${found?.offset}, it is at ${offset}`;
      }
    }
    return undefined;
  }

  /** What contradicts the books, after a start. */
  fault(): string | undefined {
    for (const [partition, book] of this.books) {
      const log = this.#log(partition);
      if (log === undefined) {
        if (book.durable > 0) return `partition ${partition} is gone, ${book.durable} records were synced`;
        continue;
      }
      const fault = book.faultOf(log);
      if (fault !== undefined) return `partition ${partition}: ${fault}`;
    }
    return undefined;
  }
}
