import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryPool } from './memory-pool.ts';
import { NetworkReceive } from './network-receive.ts';

function framed(payload: Uint8Array): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(payload.length);
  return Buffer.concat([size, payload]);
}

/** Feeds `chunks` one after another and takes every request. */
function receiveAll(receive: NetworkReceive, chunks: readonly Buffer[]): Buffer[] {
  const requests: Buffer[] = [];
  for (const chunk of chunks) {
    let offset = 0;
    while (offset < chunk.length) {
      const state = receive.feed(chunk, offset);
      offset += receive.consumed;
      if (state === 'complete') requests.push(receive.take());
    }
  }
  return requests;
}

describe('NetworkReceive', () => {
  it('gives the same requests however the stream is cut', () => {
    const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(payloads, fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 20 }), (requests, cuts) => {
        const stream = Buffer.concat(requests.map(framed));
        const chunks: Buffer[] = [];
        for (let position = 0, index = 0; position < stream.length; index++) {
          const length = cuts[index % cuts.length] ?? 1;
          chunks.push(stream.subarray(position, position + length));
          position += length;
        }
        const pool = new MemoryPool(100_000);
        const received = receiveAll(new NetworkReceive(1000, pool), chunks);
        expect(received.map((request) => request.toString('hex'))).toEqual(requests.map((request) => Buffer.from(request).toString('hex')));
        expect(pool.usedBytes).toBe(received.reduce((sum, { length }) => sum + length, 0));
      }),
    );
  });

  it('does not copy a request that lies in one chunk', () => {
    const stream = framed(Buffer.from('hello'));
    const [request] = receiveAll(new NetworkReceive(100, new MemoryPool(-1)), [stream]);
    expect(request?.buffer).toBe(stream.buffer);
  });

  it('takes no memory for a large request before its first part has come', () => {
    const receive = new NetworkReceive(2 ** 30, new MemoryPool(-1));
    const before = process.memoryUsage().arrayBuffers;
    const announced = Buffer.alloc(8);
    announced.writeInt32BE(2 ** 29);
    expect(receive.feed(announced, 0)).toBe('incomplete');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024);
  });

  it('gathers a request of several MiB', () => {
    const payload = Buffer.from(Array.from({ length: 3 * 1024 * 1024 }, (_, index) => index % 251));
    const stream = framed(payload);
    const chunks = Array.from({ length: Math.ceil(stream.length / 65_536) }, (_, index) =>
      stream.subarray(index * 65_536, (index + 1) * 65_536),
    );
    const [request] = receiveAll(new NetworkReceive(2 ** 30, new MemoryPool(-1)), chunks);
    expect(request?.equals(payload)).toBe(true);
  });

  it.each([
    ['ffffffff', 'invalid-size'],
    ['80000000', 'invalid-size'],
    ['7fffffff', 'invalid-size'],
    ['00000065', 'invalid-size'],
    ['00000064', 'incomplete'],
    ['00000000', 'complete'],
  ])('takes the size %s for %s when 100 bytes are allowed', (hex, state) => {
    expect(new NetworkReceive(100, new MemoryPool(-1)).feed(Buffer.from(hex, 'hex'), 0)).toBe(state);
  });

  it('waits for memory at the size, and goes on from there', () => {
    const pool = new MemoryPool(10);
    pool.tryAllocate(10);
    const receive = new NetworkReceive(100, pool);
    const stream = framed(Buffer.from('hello'));
    expect(receive.feed(stream, 0)).toBe('no-memory');
    expect(receive.consumed).toBe(4);
    pool.release(10);
    expect(receive.tryReserve()).toBe(true);
    expect(receive.feed(stream, 4)).toBe('complete');
    expect(receive.take().toString()).toBe('hello');
  });
});
