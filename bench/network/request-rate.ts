/**
 * What the network layer costs: requests a second and latency over loopback TCP against a bare echo of the same bytes, measured in
 * one run. The handler answers at once, so that framing, decoding, queues, dispatch, encoding and metrics are what is seen.
 * Run: `node bench/network/request-rate.ts [seconds]`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import * as net from 'node:net';
import { encodeRequest } from '../../src/protocol/frames.ts';
import { Heartbeat } from '../../src/protocol/generated/heartbeat.ts';
import { Produce } from '../../src/protocol/generated/produce.ts';
import { count, heading, milliseconds, printTable } from '../support/print.ts';

const SECONDS = Number(process.argv[2] ?? 3);

function requestOf(payloadBytes: number): Buffer {
  if (payloadBytes === 0) return Buffer.concat(encodeRequest(Heartbeat, 4, 1, 'bench', { groupId: 'g', generationId: 1, memberId: 'm' }));
  const records = [Buffer.alloc(payloadBytes)];
  const topicData = [{ name: 'topic', partitionData: [{ index: 0, records }] }];
  return Buffer.concat(encodeRequest(Produce, 9, 1, 'bench', { transactionalId: null, acks: 1, timeoutMs: 1000, topicData }));
}

interface Result {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

/** `connections` clients, each with `pipelined` requests on their way. A bare echo answers with as many bytes as it gets. */
async function run(port: number, request: Buffer, connections: number, pipelined: number, bareEcho: boolean): Promise<Result> {
  const latencies: number[] = [];
  let count = 0;
  const endMs = performance.now() + SECONDS * 1000;
  await Promise.all(
    Array.from({ length: connections }, () => {
      const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
      const sentAt: number[] = [];
      let pending = 0;
      let needed = bareEcho ? request.length : -1;
      let sizeBytes: Buffer = Buffer.alloc(0);
      return new Promise<void>((resolve, reject) => {
        socket.on('error', reject);
        const send = (): void => {
          sentAt.push(performance.now());
          socket.write(request);
        };
        const answered = (): void => {
          const nowMs = performance.now();
          latencies.push(nowMs - (sentAt.shift() ?? nowMs));
          count++;
          if (nowMs < endMs) send();
          else if (sentAt.length === 0) socket.end(resolve);
        };
        socket.on('connect', () => {
          for (let index = 0; index < pipelined; index++) send();
        });
        socket.on('data', (chunk: Buffer) => {
          let bytes = chunk;
          while (bytes.length > 0) {
            if (needed < 0) {
              sizeBytes = sizeBytes.length === 0 ? bytes : Buffer.concat([sizeBytes, bytes]);
              if (sizeBytes.length < 4) return;
              needed = sizeBytes.readInt32BE(0) + 4;
              bytes = sizeBytes;
              sizeBytes = Buffer.alloc(0);
              pending = 0;
            }
            const used = Math.min(bytes.length, needed - pending);
            pending += used;
            bytes = bytes.subarray(used);
            if (pending < needed) return;
            pending = 0;
            needed = bareEcho ? request.length : -1;
            answered();
          }
        });
      });
    }),
  );
  const sorted = Float64Array.from(latencies).toSorted();
  const quantile = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  return { rate: count / SECONDS, p50: quantile(0.5), p99: quantile(0.99) };
}

function start(script: readonly string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [...script], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    child.stdout.once('data', (line: Buffer) => resolve({ child, port: Number(line.toString()) }));
  });
}

const BARE_ECHO = `require('node:net').createServer({ noDelay: true }, (s) => { s.on('error', () => {}); s.on('data', (d) => s.write(d)); })
  .listen(0, '127.0.0.1', function () { console.log(this.address().port); })`;

heading('network');
const ours = await start([new URL('echo-server.ts', import.meta.url).pathname]);
const bare = await start(['-e', BARE_ECHO]);
const cells = ({ rate, p50, p99 }: Result): string[] => [`${count(rate)}/s`, milliseconds(p50), milliseconds(p99)];
const rows: string[][] = [];
try {
  for (const [payload, connections, pipelined] of [
    [0, 1, 1],
    [1024, 1, 1],
    [1024, 1, 5],
    [0, 1, 100],
    [0, 50, 1],
    [65_536, 4, 2],
  ] as const) {
    const request = requestOf(payload);
    const name = `${request.length} bytes, ${connections} connections, ${pipelined} in flight`;
    await run(ours.port, request, connections, pipelined, false);
    const measured = await run(ours.port, request, connections, pipelined, false);
    const limit = await run(bare.port, request, connections, pipelined, true);
    rows.push([name, ...cells(measured), ...cells(limit), `${((measured.rate / limit.rate) * 100).toFixed(0)} %`]);
  }
  printTable(['', 'rate', 'p50', 'p99', 'bare echo', 'p50', 'p99', 'share'], rows);
} finally {
  ours.child.removeAllListeners('exit');
  bare.child.removeAllListeners('exit');
  ours.child.kill();
  bare.child.kill();
}
