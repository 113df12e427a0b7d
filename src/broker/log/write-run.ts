/**
 * The appends of a group that go to one segment, as what is written: large batches as they came, neighbouring small ones copied
 * together. A gather list costs the kernel and Node about 100 ns an entry, more than the copy of 1 KiB, and the tail keeps the
 * copy, which it would have to make anyway.
 */
import type { AbortedTxn } from '../../log-format/txn-index.ts';
import type { PendingAppend } from './append-queue.ts';
import type { BufferPool } from './buffer-pool.ts';

/** Whole batches, contiguous in memory. */
export interface WrittenPiece {
  readonly records: Buffer;
  readonly firstOffset: number;
  readonly lastOffset: number;
}

export interface WriteRun {
  /** Index in the group behind the last append of the run. */
  readonly end: number;
  readonly bytes: number;
  readonly pieces: readonly WrittenPiece[];
  readonly abortedTxns: readonly AbortedTxn[];
}

const JOIN_BELOW_BYTES = 8 * 1024;
/** Fewer bytes are left to the gather list and the tail's own slabs: the buffer would be mostly empty. */
const MIN_JOINED_BYTES = 8 * 1024;
const MAX_JOINED_BYTES = 256 * 1024;
const NONE_ABORTED: readonly AbortedTxn[] = [];

/** The appends of `group` from `start` up to the next one that begins a segment. */
export function planRun(group: readonly PendingAppend[], start: number, buffers: BufferPool, nowMs: number): WriteRun {
  const pieces: WrittenPiece[] = [];
  let abortedTxns = NONE_ABORTED;
  let bytes = 0;
  let end = start;
  while (end < group.length) {
    const append = group[end] as PendingAppend;
    if (append.roll !== undefined && end > start) break;
    if (append.abortedTxns.length > 0) abortedTxns = [...abortedTxns, ...append.abortedTxns];
    const { length } = append.records;
    if (length === 0) {
      end++;
      continue;
    }
    const joined = length < JOIN_BELOW_BYTES ? smallNeighbours(group, end) : undefined;
    if (joined === undefined) {
      pieces.push(append);
      bytes += length;
      end++;
      continue;
    }
    pieces.push(join(group, end, joined, buffers.take(joined.bytes, nowMs)));
    bytes += joined.bytes;
    end = joined.end;
  }
  return { end, bytes, pieces, abortedTxns };
}

/** How many appends from `start` on can be copied together; undefined when it isn't worth it. */
function smallNeighbours(group: readonly PendingAppend[], start: number): { end: number; bytes: number } | undefined {
  let bytes = 0;
  let end = start;
  for (; end < group.length; end++) {
    const { records, roll, abortedTxns } = group[end] as PendingAppend;
    if (records.length >= JOIN_BELOW_BYTES || records.length === 0 || bytes + records.length > MAX_JOINED_BYTES) break;
    if (end > start && (roll !== undefined || abortedTxns.length > 0)) break;
    bytes += records.length;
  }
  return bytes < MIN_JOINED_BYTES ? undefined : { end, bytes };
}

function join(group: readonly PendingAppend[], start: number, { end }: { end: number }, records: Buffer): WrittenPiece {
  let at = 0;
  for (let index = start; index < end; index++) {
    const append = group[index] as PendingAppend;
    records.set(append.records, at);
    at += append.records.length;
  }
  return { records, firstOffset: (group[start] as PendingAppend).firstOffset, lastOffset: (group[end - 1] as PendingAppend).lastOffset };
}
