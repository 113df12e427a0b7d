/** Sessions on raw sockets that send one frame again and again, so many in flight each, and count the answers. */
import * as net from 'node:net';
import { KeeperCode } from '../../src/zookeeper/jute/constants.ts';
import { FrameDecoder } from '../../src/zookeeper/jute/frame-decoder.ts';
import { encodeConnectRequest } from '../../src/zookeeper/jute/session-records.ts';
import { median } from '../support/statistics.ts';

const SESSION_TIMEOUT_MS = 30_000;
/** Latencies kept: a sample is enough for a median. */
const MAX_LATENCIES = 200_000;
/** Where a reply's error code lies: behind xid and zxid. */
const ERROR_OFFSET = 12;

interface LoadConnection {
  readonly socket: net.Socket;
  onReply: (reply: Buffer) => void;
}

export class ZooKeeperLoad {
  readonly #connections: readonly LoadConnection[];

  private constructor(connections: readonly LoadConnection[]) {
    this.#connections = connections;
  }

  static async connect(port: number, connections: number): Promise<ZooKeeperLoad> {
    return new ZooKeeperLoad(await Promise.all(Array.from({ length: connections }, () => openSession(port))));
  }

  /** Sends `request` for so many seconds (at least once), `pipelined` in flight per connection; resolves when all is answered. */
  async run(request: Buffer, pipelined: number, seconds: number): Promise<{ rate: number; medianMs: number }> {
    const latencies: number[] = [];
    const startMs = performance.now();
    const endMs = startMs + seconds * 1000;
    let answers = 0;
    await Promise.all(
      this.#connections.map((connection) => {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const sentAt: number[] = [];
        let head = 0;
        connection.onReply = (reply) => {
          const err = reply.readInt32BE(ERROR_OFFSET);
          if (err !== KeeperCode.OK) reject(new Error(`the server answered ${err}`));
          const nowMs = performance.now();
          if (latencies.length < MAX_LATENCIES) latencies.push(nowMs - (sentAt[head] ?? nowMs));
          head++;
          answers++;
          if (nowMs < endMs) {
            sentAt.push(nowMs);
            connection.socket.write(request);
          } else if (head === sentAt.length) resolve();
        };
        connection.socket.on('close', () => reject(new Error('the server hung up')));
        for (let i = 0; i < pipelined; i++) {
          sentAt.push(performance.now());
          connection.socket.write(request);
        }
        return promise;
      }),
    );
    return { rate: answers / ((performance.now() - startMs) / 1000), medianMs: median(latencies) };
  }

  close(): void {
    for (const { socket } of this.#connections) {
      socket.removeAllListeners('close');
      socket.destroy();
    }
  }
}

function openSession(port: number): Promise<LoadConnection> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    const connection: LoadConnection = { socket, onReply: () => resolve(connection) };
    const decoder = new FrameDecoder(2 ** 24, {
      onFrame(reply) {
        connection.onReply(reply);
        return true;
      },
      onBadLength: () => socket.destroy(),
    });
    socket.on('data', (chunk: Buffer) => decoder.push(chunk));
    socket.on('error', reject);
    socket.write(
      encodeConnectRequest({
        protocolVersion: 0,
        lastZxidSeen: 0,
        timeOut: SESSION_TIMEOUT_MS,
        sessionId: '0000000000000000',
        passwd: Buffer.alloc(16),
        readOnly: undefined,
      }),
    );
  });
}
