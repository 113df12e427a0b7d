/** `__consumer_offsets` in memory: appends succeed at once, fail with a code, or wait until told. */
import { ErrorCode } from '../../../protocol/errors.ts';
import { readBatchHeader, setBaseOffsetAndLeaderEpoch } from '../../../protocol/records/record-batch.ts';
import { iterateRecords } from '../../../protocol/records/record-reader.ts';
import type { CoordinatorLog } from '../coordinator-config.ts';
import { readGroupRecord } from '../group-records.ts';
import type { GroupRecord } from '../group-records.ts';

export class FakeCoordinatorLog implements CoordinatorLog {
  readonly #batches = new Map<number, Buffer[]>();
  #held: { readonly onDone: (errorCode: number) => void }[] | undefined;
  /** The code of every append from now on. */
  appendError: number = ErrorCode.NONE;
  readonly lostLeaderships = new Set<number>();
  /** How many bytes each read asked for. */
  readonly readSizes: number[] = [];

  partitionCount(): number {
    return 50;
  }

  append(partition: number, batch: Buffer, onDone: (errorCode: number) => void): void {
    if (this.appendError !== ErrorCode.NONE) {
      onDone(this.appendError);
      return;
    }
    this.write(partition, batch);
    if (this.#held === undefined) onDone(ErrorCode.NONE);
    else this.#held.push({ onDone });
  }

  /** Appends wait for `release`. */
  hold(): void {
    this.#held ??= [];
  }

  /** Ends the waiting of the `count` oldest appends (all of them by default). */
  release(errorCode: number = ErrorCode.NONE, count = this.#held?.length ?? 0): void {
    for (const { onDone } of this.#held?.splice(0, count) ?? []) onDone(errorCode);
  }

  stopHolding(): void {
    this.release();
    this.#held = undefined;
  }

  /** Puts a batch at the end, with the offsets that come next. */
  write(partition: number, batch: Buffer): void {
    const copy = Buffer.from(batch);
    setBaseOffsetAndLeaderEpoch(copy, 0, this.logEndOffset(partition), 0);
    const batches = this.#batches.get(partition);
    if (batches === undefined) this.#batches.set(partition, [copy]);
    else batches.push(copy);
  }

  isLeader(partition: number): boolean {
    return !this.lostLeaderships.has(partition);
  }

  logStartOffset(): number {
    return 0;
  }

  logEndOffset(partition: number): number {
    const last = this.#batches.get(partition)?.at(-1);
    return last === undefined ? 0 : readBatchHeader(last, 0).lastOffset + 1;
  }

  read(partition: number, offset: number, maxBytes: number): Buffer {
    this.readSizes.push(maxBytes);
    const wanted: Buffer[] = [];
    let size = 0;
    for (const batch of this.#batches.get(partition) ?? []) {
      if (readBatchHeader(batch, 0).lastOffset < offset) continue;
      if (wanted.length > 0 && size + batch.length > maxBytes) break;
      wanted.push(batch);
      size += batch.length;
    }
    return Buffer.concat(wanted);
  }

  batches(partition: number): readonly Buffer[] {
    return this.#batches.get(partition) ?? [];
  }

  /** Everything written, in order. */
  records(partition: number): GroupRecord[] {
    return this.batches(partition).flatMap((batch) =>
      Array.from(iterateRecords(batch, 1 << 20), ({ key, value }) => readGroupRecord(key, value)),
    );
  }
}
