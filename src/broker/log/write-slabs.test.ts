/** Whose memory it is, from the copy of a batch to the end of the last who looks at it. */
import { expect, test } from 'vitest';
import { BufferPool, TAIL_BUFFERS } from './buffer-pool.ts';
import { TailBudget, TailCache } from './tail-cache.ts';
import { batchOf } from './testing/log-fixture.ts';
import { WriteRun } from './write-run.ts';
import type { WritePiece } from './write-run.ts';
import { WriteSlabs } from './write-slabs.ts';

/** A batch of a given offset that fills a third of the first pooled slab. */
function numbered(offset: number): Buffer {
  const batch = batchOf(['x'.repeat(2600)]);
  batch.writeInt32BE(offset, 4);
  return batch;
}

function piecesOf(run: WriteRun): WritePiece[] {
  const pieces: WritePiece[] = [];
  for (let piece = run.firstPiece; piece !== undefined; piece = piece.next) pieces.push(piece);
  return pieces;
}

function fixture(maxTailBytes = 1e9) {
  const pool = new BufferPool(TAIL_BUFFERS);
  const slabs = new WriteSlabs(pool);
  const tail = new TailCache(new TailBudget(maxTailBytes), slabs);
  let position = 0;
  const write = (run: WriteRun): void => {
    for (const piece of piecesOf(run)) {
      tail.add(position, piece, 0);
      position += piece.end - piece.start;
    }
  };
  const stage = (from: number, count: number): WriteRun => {
    const run = new WriteRun(undefined, undefined);
    for (let offset = from; offset < from + count; offset++) run.add(numbered(offset), offset, offset, slabs, 0);
    return run;
  };
  return { pool, slabs, tail, write, stage };
}

test('neighbours in a slab are one piece, and one chunk of the tail', () => {
  const { stage, write, tail } = fixture();
  const run = stage(0, 12);
  expect(piecesOf(run).length).toBeLessThan(6);
  expect(Buffer.concat(run.chunks())).toEqual(Buffer.concat(Array.from({ length: 12 }, (_, offset) => numbered(offset))));
  write(run);
  for (let offset = 0; offset < 12; offset++) {
    const from = tail.find(offset);
    if (from === undefined) throw new Error(`offset ${offset} is not in the tail`);
    expect(Buffer.concat(tail.slice(from, 1e9, numbered(0).length, true).records)).toEqual(numbered(offset));
  }
});

test('a slab that the tail has dropped stays untouched while a piece in it waits to be written', () => {
  const { pool, stage, write, tail } = fixture();
  const written = stage(0, 3);
  const waiting = stage(3, 1);
  expect(waiting.firstPiece?.slab).toBe(piecesOf(written).at(-1)?.slab);
  write(written);
  tail.clear();
  const others = Array.from({ length: 50 }, () => pool.take(128 * 1024, 0).fill(0xff).buffer);
  expect(others).not.toContain(waiting.firstPiece?.slab?.buffer.buffer);
  expect(Buffer.concat(waiting.chunks())).toEqual(numbered(3));
});

test('memory that nobody was shown is used again, that of a reader never', () => {
  const { pool, stage, write, tail, slabs } = fixture();
  write(stage(0, 20));
  const idleBefore = pool.idleBytes;
  tail.clear();
  expect(pool.idleBytes).toBeGreaterThan(idleBefore);
  write(stage(20, 3));
  const from = tail.find(22);
  if (from === undefined) throw new Error('not in the tail');
  const shown = tail.slice(from, 1e9, 1e6, true).records;
  const copy = Buffer.concat(shown);
  tail.clear();
  slabs.drop();
  for (let round = 0; round < 50; round++) for (const size of [8, 16, 32, 64, 128]) pool.take(size * 1024, 0).fill(0xff);
  expect(Buffer.concat(shown)).toEqual(copy);
});

test('a log holds no slab once its tail is gone, also when the budget took it', () => {
  const { stage, write, slabs, tail } = fixture(1000);
  write(stage(0, 5));
  expect([tail.bytes, slabs.current]).toEqual([0, undefined]);
});
