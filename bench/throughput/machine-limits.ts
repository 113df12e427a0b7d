/** What this machine can do at best, measured beside the brokers: a bare Node server on loopback, bare writes into the page cache, bare CRC-32C. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32c } from '../../src/protocol/records/crc32c.ts';
import { BATCH_BYTES } from '../support/batches.ts';
import { summarize } from '../support/statistics.ts';
import type { Summary } from '../support/statistics.ts';

export interface MachineLimits {
  /** A bare Node server that takes 64-KiB requests and answers each with 64 bytes, on as many connections as the producers use. */
  readonly loopbackBytesPerSecond: number;
  /** The same with one request of about 1 KiB on its way. */
  readonly roundTrip: Summary;
  readonly roundTripsPerSecond: number;
  /** Gathered writes of 16 × 64 KiB. */
  readonly pageCacheBytesPerSecond: number;
  readonly crcBytesPerSecond: number;
}

const WRITE_BYTES = 1 << 30;
const GATHERED = 16;

/** Counts bytes and answers every REQUEST of them: nothing less can be done by a server on Node. */
const BARE_SERVER = `
const [size] = process.argv.slice(1).map(Number);
const answer = Buffer.alloc(64);
require('node:net').createServer({ noDelay: true }, (socket) => {
  let left = size;
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    for (left -= chunk.length; left <= 0; left += size) socket.write(answer);
  });
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;

export async function measureMachine(connections: number, inFlight: number, seconds: number): Promise<MachineLimits> {
  const stream = await loopback(BATCH_BYTES, connections, inFlight, seconds);
  const single = await loopback(1200, 1, 1, seconds);
  return {
    loopbackBytesPerSecond: stream.rate * BATCH_BYTES,
    roundTrip: single.latency,
    roundTripsPerSecond: single.rate,
    pageCacheBytesPerSecond: pageCacheRate(),
    crcBytesPerSecond: crcRate(),
  };
}

async function loopback(
  requestBytes: number,
  connections: number,
  inFlight: number,
  seconds: number,
): Promise<{ rate: number; latency: Summary }> {
  const server = spawn(process.execPath, ['-e', BARE_SERVER, String(requestBytes)], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const port = await new Promise<number>((resolve) => server.stdout.once('data', (line: Buffer) => resolve(Number(line.toString()))));
    const request = Buffer.alloc(requestBytes, 1);
    const latencies: number[] = [];
    const fromMs = performance.now() + 500;
    const toMs = fromMs + seconds * 1000;
    await Promise.all(
      Array.from(
        { length: connections },
        () =>
          new Promise<void>((resolve, reject) => {
            const sentAt: number[] = [];
            let received = 0;
            const onread = {
              buffer: Buffer.allocUnsafe(65_536),
              callback(length: number): boolean {
                for (received += length; received >= 64; received -= 64) {
                  const nowMs = performance.now();
                  const sentMs = sentAt.shift() ?? nowMs;
                  if (nowMs >= fromMs && nowMs < toMs) latencies.push(nowMs - sentMs);
                  if (nowMs < toMs) send();
                  else if (sentAt.length === 0) {
                    socket.destroy();
                    resolve();
                  }
                }
                return true;
              },
            };
            const socket = net.connect({ port, host: '127.0.0.1', noDelay: true, onread });
            const send = (): void => {
              sentAt.push(performance.now());
              socket.write(request);
            };
            socket.on('error', reject);
            socket.on('connect', () => {
              for (let index = 0; index < inFlight; index++) send();
            });
          }),
      ),
    );
    return { rate: latencies.length / seconds, latency: summarize(latencies) };
  } finally {
    server.kill('SIGKILL');
  }
}

function pageCacheRate(): number {
  const path = join(tmpdir(), `samsa-bench-write-${process.pid}`);
  const fd = fs.openSync(path, 'w');
  try {
    const chunks = Array.from({ length: GATHERED }, () => Buffer.alloc(BATCH_BYTES, 1));
    const startMs = performance.now();
    let written = 0;
    while (written < WRITE_BYTES) written += fs.writevSync(fd, chunks, written);
    return (written / (performance.now() - startMs)) * 1000;
  } finally {
    fs.closeSync(fd);
    fs.unlinkSync(path);
  }
}

function crcRate(): number {
  const data = Buffer.alloc(BATCH_BYTES, 1);
  let sum = 0;
  for (let index = 0; index < 2000; index++) sum ^= crc32c(data);
  const rounds = 10_000;
  const startMs = performance.now();
  for (let index = 0; index < rounds; index++) sum ^= crc32c(data);
  const tookMs = performance.now() - startMs;
  // The sum is used, so that nothing is optimised away.
  return sum === -1 ? 0 : ((rounds * data.length) / tookMs) * 1000;
}
