/**
 * The last N records of several partitions together, by time: reads backwards from each partition's end in windows, and reads on
 * only where older records could still belong among the N. Timestamps that producers set may go back and forth; the order is
 * by timestamp all the same, and a record that lies outside the windows read is not among them.
 */
import type { MessageRow } from '../contract/messages.ts';
import type { PartitionCursor } from './partition-cursor.ts';

const MIN_WINDOW = 20;
const MAX_ROUNDS = 14;

export interface LastPartition {
  readonly partition: number;
  readonly startOffset: number;
  readonly endOffset: number;
}

interface Tail {
  readonly partition: LastPartition;
  /** The first offset of what was read. */
  low: number;
  window: number;
  /** Oldest first. */
  rows: MessageRow[];
}

/**
 * @param makeCursor reads [from, end) of a partition.
 * @param onRead told of what was read, to show progress; returns false to stop.
 * @param onFailure told when a partition can't be read; the others are all the same.
 */
export async function readLast(
  partitions: readonly LastPartition[],
  count: number,
  makeCursor: (partition: number, from: number, end: number) => PartitionCursor,
  onRead: (cursor: PartitionCursor) => boolean,
  onFailure: (cursor: PartitionCursor, error: unknown) => void,
): Promise<MessageRow[]> {
  const window = Math.max(MIN_WINDOW, Math.ceil((count * 1.25) / Math.max(1, partitions.length)));
  const tails = partitions.map((partition): Tail => ({ partition, low: partition.endOffset, window: Math.min(window, count), rows: [] }));
  let wanted = tails.filter(({ partition, low }) => low > partition.startOffset);
  for (let round = 0; round < MAX_ROUNDS && wanted.length > 0; round++) {
    await Promise.all(wanted.map((tail) => readWindow(tail, count, makeCursor, onRead, onFailure)));
    const oldest = newest(tails, count);
    wanted = tails.filter((tail) => tail.low > tail.partition.startOffset && mayHoldMore(tail, oldest, count));
  }
  return newest(tails, count).rows;
}

async function readWindow(
  tail: Tail,
  count: number,
  makeCursor: (partition: number, from: number, end: number) => PartitionCursor,
  onRead: (cursor: PartitionCursor) => boolean,
  onFailure: (cursor: PartitionCursor, error: unknown) => void,
): Promise<void> {
  const from = Math.max(tail.partition.startOffset, tail.low - tail.window);
  const cursor = makeCursor(tail.partition.partition, from, tail.low);
  let rows: MessageRow[] = [];
  try {
    while (!cursor.done) {
      // Of a window only the last `count` can be among the last `count` of all.
      rows = [...rows, ...(await cursor.read(count))].slice(-count);
      if (onRead(cursor)) continue;
      // Stopped: what was read counts, and nothing more is asked for.
      tail.rows = [...rows, ...tail.rows].slice(-count);
      tail.low = tail.partition.startOffset;
      return;
    }
  } catch (error) {
    onFailure(cursor, error);
    tail.low = tail.partition.startOffset;
    return;
  }
  tail.rows = [...rows, ...tail.rows].slice(-count);
  tail.low = from;
  tail.window *= 2;
}

interface Newest {
  /** Oldest first. */
  readonly rows: MessageRow[];
  /** The timestamp below which nothing belongs to the rows; -Infinity while there are too few. */
  readonly cutoffMs: number;
}

function newest(tails: readonly Tail[], count: number): Newest {
  const rows = tails
    .flatMap((tail) => tail.rows)
    .toSorted((a, b) => timeOf(a) - timeOf(b) || a.partition - b.partition || a.offset - b.offset)
    .slice(-count);
  const [first] = rows;
  return { rows, cutoffMs: rows.length < count || first === undefined ? -Infinity : timeOf(first) };
}

/** Whether records older than those read of `tail` could be among the newest. */
function mayHoldMore(tail: Tail, { cutoffMs }: Newest, count: number): boolean {
  if (tail.rows.length >= count) return false;
  const [oldest] = tail.rows;
  return oldest === undefined || timeOf(oldest) >= cutoffMs;
}

function timeOf(row: MessageRow): number {
  return row.timestampMs ?? 0;
}
