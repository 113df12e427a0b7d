import { expect, test } from 'vitest';
import { BufferPool, READ_BUFFERS } from './buffer-pool.ts';

const MIB = 1024 * 1024;

test('a buffer that was given back is used again, also when only a part of it had been sent', () => {
  const buffers = new BufferPool(READ_BUFFERS);
  const first = buffers.take(MIB, 0);
  buffers.giveBack([first.subarray(0, 100)]);
  expect(buffers.idleBytes).toBe(MIB);
  const second = buffers.take(MIB - 1, 0);
  expect(second.buffer).toBe(first.buffer);
  expect([second.length, buffers.idleBytes]).toEqual([MIB - 1, 0]);
});

test('a buffer is lent to one reader at a time, also when it is given back twice', () => {
  const buffers = new BufferPool(READ_BUFFERS);
  const first = buffers.take(MIB, 0);
  buffers.giveBack([first, first]);
  buffers.giveBack([first]);
  const second = buffers.take(MIB, 0);
  const third = buffers.take(MIB, 0);
  expect(third.buffer).not.toBe(second.buffer);
});

test('what came from elsewhere, small reads and huge ones are not kept', () => {
  const buffers = new BufferPool(READ_BUFFERS);
  buffers.giveBack([Buffer.alloc(MIB), buffers.take(1000, 0), buffers.take(64 * MIB, 0)]);
  expect(buffers.idleBytes).toBe(0);
});

test('idle memory is bounded, and goes when nothing is read', () => {
  const buffers = new BufferPool(READ_BUFFERS);
  const taken = Array.from({ length: 40 }, () => buffers.take(MIB, 5));
  buffers.giveBack(taken);
  expect(buffers.idleBytes).toBe(16 * MIB);
  buffers.expire(5);
  expect(buffers.idleBytes).toBe(16 * MIB);
  buffers.expire(6);
  expect(buffers.idleBytes).toBe(0);
});
