/**
 * A broker made of a script, on a real loopback port: answers each API as the test says, and remembers what it was
 * asked. ApiVersions is answered from the script's own APIs unless the test takes it over.
 */
import * as net from 'node:net';
import type { Api } from '../../protocol/api.ts';
import { decodeRequestBody, decodeRequestHeader, encodeResponse } from '../../protocol/frames.ts';
import { ApiVersions } from '../../protocol/generated/api-versions.ts';
import { FrameReader } from '../frame-reader.ts';

export interface AskedRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly body: unknown;
}

/** Instead of an answer: close the connection, or say nothing. */
export const DISCONNECT = Symbol('disconnect');
export const SILENCE = Symbol('silence');
type Special = typeof DISCONNECT | typeof SILENCE;

interface Script {
  readonly minVersion: number;
  readonly maxVersion: number;
  answer(request: AskedRequest, frame: Buffer, bodyOffset: number): Promise<Buffer[] | Special>;
}

export class FakeBroker {
  readonly asked: AskedRequest[] = [];
  connectionCount = 0;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  readonly #scripts = new Map<number, Script>();

  private constructor(server: net.Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(port = 0): Promise<FakeBroker> {
    const server = net.createServer();
    const broker = new FakeBroker(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return broker;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Answers `api` with what `answer` gives; versions outside `range` are not advertised. */
  on<Req, Res, ReqIn, ResIn>(
    api: Api<Req, Res, ReqIn, ResIn>,
    answer: (body: Req, request: AskedRequest) => ResIn | Special | Promise<ResIn | Special>,
    range: { readonly minVersion?: number; readonly maxVersion?: number } = {},
  ): this {
    this.#scripts.set(api.key, {
      minVersion: range.minVersion ?? api.minVersion,
      maxVersion: range.maxVersion ?? api.maxVersion,
      async answer(request, frame, bodyOffset) {
        const body = decodeRequestBody(api, { ...request, bodyOffset }, frame);
        Object.assign(request, { body });
        const response = await answer(body, request);
        if (response === DISCONNECT || response === SILENCE) return response as Special;
        return encodeResponse(api, request.apiVersion, request.correlationId, response as ResIn);
      },
    });
    return this;
  }

  /** Answers `apiKey` with `bytes` behind the size, whatever they are. */
  onRaw(apiKey: number, bytes: (request: AskedRequest) => Buffer | Special): this {
    this.#scripts.set(apiKey, {
      minVersion: 0,
      maxVersion: 20,
      answer: (request) => {
        const answer = bytes(request);
        return Promise.resolve(Buffer.isBuffer(answer) ? [sizeOf(answer), answer] : answer);
      },
    });
    return this;
  }

  askedFor(api: { readonly key: number }): AskedRequest[] {
    return this.asked.filter(({ apiKey }) => apiKey === api.key);
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.dropConnections();
    await closed;
  }

  #serve(socket: net.Socket): void {
    this.connectionCount++;
    this.#sockets.add(socket);
    const frames = new FrameReader(1 << 24);
    let turn = Promise.resolve();
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      frames.push(chunk, (frame) => {
        turn = turn.then(() => this.#answer(socket, frame));
      });
    });
  }

  async #answer(socket: net.Socket, frame: Buffer): Promise<void> {
    const { bodyOffset, ...header } = decodeRequestHeader(frame);
    const request: AskedRequest = { ...header, body: undefined };
    this.asked.push(request);
    const script = this.#scripts.get(header.apiKey) ?? (header.apiKey === ApiVersions.key ? this.#apiVersions() : undefined);
    const answer = await (script?.answer(request, frame, bodyOffset) ?? DISCONNECT);
    if (answer === DISCONNECT) socket.destroy();
    else if (answer !== SILENCE) for (const part of answer) socket.write(part);
  }

  #apiVersions(): Script {
    const ranges = Array.from(this.#scripts, ([apiKey, { minVersion, maxVersion }]) => ({ apiKey, minVersion, maxVersion }));
    const apiKeys = [
      ...ranges.filter(({ apiKey }) => apiKey !== ApiVersions.key),
      { apiKey: ApiVersions.key, minVersion: 0, maxVersion: 4 },
    ];
    return {
      minVersion: 0,
      maxVersion: 4,
      answer: ({ apiVersion, correlationId }) =>
        Promise.resolve(encodeResponse(ApiVersions, apiVersion, correlationId, { errorCode: 0, apiKeys })),
    };
  }
}

function sizeOf(bytes: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(bytes.length);
  return size;
}

export interface FakeTopic {
  readonly name: string;
  /** Leader per partition. */
  readonly leaders: readonly number[];
  readonly errorCode?: number;
}

/** A Metadata response over `brokers` (id, port on 127.0.0.1). */
export function metadataOf(brokers: ReadonlyMap<number, number>, controllerId: number, topics: readonly FakeTopic[] = []) {
  return {
    brokers: Array.from(brokers, ([nodeId, port]) => ({ nodeId, host: '127.0.0.1', port })),
    clusterId: 'fake-cluster',
    controllerId,
    topics: topics.map(({ name, leaders, errorCode = 0 }) => ({
      errorCode,
      name,
      partitions: leaders.map((leaderId, partitionIndex) => ({
        errorCode: 0,
        partitionIndex,
        leaderId,
        leaderEpoch: 1,
        replicaNodes: [leaderId],
        isrNodes: [leaderId],
      })),
    })),
  };
}
