/**
 * One connection to one broker, from connect to close; it is never used again after.
 *
 *   connecting ──► negotiating ──► ready ──► closed      (negotiating is left out with `skipApiVersions`;
 *        └──────────────┴─────────────────────▲           any state may go to closed)
 *
 * Requests go out in order and responses come back in that order: a response whose correlation id is not that of the
 * oldest request in flight means that the peer or we have lost our place, and closes the connection. Closing rejects
 * everything in flight: whether the broker did it is unknown. What was not sent yet belongs to `NodeChannel`.
 * Source: NetworkClient, InFlightRequests; KIP-35 and KIP-511 (ApiVersions), KIP-219 (throttling on the client's side).
 */
import type { Runtime } from '../runtime/runtime.ts';
import type { Cancellable } from '../runtime/scheduler.ts';
import type { Socket } from '../runtime/net.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { decodeResponse, encodeRequest } from '../protocol/frames.ts';
import { ApiVersions } from '../protocol/generated/api-versions.ts';
import type { ApiVersionsRequest } from '../protocol/generated/api-versions.ts';
import { selectVersion } from './api-version-range.ts';
import type { ApiVersionRange, BrokerApiVersions } from './api-version-range.ts';
import type { ClientRequest } from './client-request.ts';
import { ClientClosedError, DisconnectedError, RequestTimeoutError } from './errors.ts';
import { FrameReader } from './frame-reader.ts';

export interface Node {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

export interface ConnectionOptions {
  readonly clientId: string;
  /** What ApiVersions tells the broker about us (KIP-511). */
  readonly software: ApiVersionsRequest;
  readonly skipApiVersions: boolean;
  readonly maxFrameBytes: number;
  /** From the connect call to ready. */
  readonly connectionSetupTimeoutMs: number;
  /** Closed after so long without a request; 0 for never. */
  readonly connectionsMaxIdleMs: number;
}

export interface ConnectionEvents {
  onReady(): void;
  /** There may be room for more: a response came, or a throttle has ended. */
  onRoom(): void;
  /** Once. `reason` is undefined for an idle or asked-for close. */
  onClosed(reason: Error | undefined, wasReady: boolean): void;
}

export type ConnectionRuntime = Pick<Runtime, 'clock' | 'scheduler' | 'net' | 'logger'>;

interface InFlight {
  readonly correlationId: number;
  readonly version: number;
  readonly request: ClientRequest;
}

const FIRST_API_VERSIONS_VERSION = 3;
/** ApiVersions is the only request before ready: it needs no id of its own among the callers'. */
const MAX_CORRELATION_ID = 0x7fff_ffff;
const MAX_THROTTLE_MS = 60_000;
const CORRELATION_ID_BYTES = 4;
/** How long what is written may take to leave after an orderly close. */
const LINGER_MS = 5_000;

export class Connection {
  readonly node: Node;
  readonly #runtime: ConnectionRuntime;
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #frames: FrameReader;
  readonly #inFlight: InFlight[] = [];
  #state: 'connecting' | 'negotiating' | 'ready' | 'closed' = 'connecting';
  #socket: Socket | undefined;
  #setupTimer: Cancellable | undefined;
  #idleTimer: Cancellable | undefined;
  #throttleTimer: Cancellable | undefined;
  #lingerTimer: Cancellable | undefined;
  #lastUsedMs: number;
  #nextCorrelationId = 0;
  #negotiation = { correlationId: 0, version: FIRST_API_VERSIONS_VERSION };
  #brokerVersions: BrokerApiVersions | undefined;

  constructor(node: Node, runtime: ConnectionRuntime, options: ConnectionOptions, events: ConnectionEvents) {
    this.node = node;
    this.#runtime = runtime;
    this.#options = options;
    this.#events = events;
    this.#frames = new FrameReader(options.maxFrameBytes);
    this.#lastUsedMs = runtime.clock.monotonicMs();
  }

  /** Starts connecting; the outcome comes as `onReady` or `onClosed`, never inside this call. */
  open(): void {
    const { connectionSetupTimeoutMs } = this.#options;
    this.#setupTimer = this.#runtime.scheduler.after(connectionSetupTimeoutMs, () => {
      this.close(this.#lost(`was not ready within ${connectionSetupTimeoutMs} ms (${this.#state})`));
    });
    this.#socket = this.#runtime.net.connect(
      { host: this.node.host, port: this.node.port },
      {
        onConnect: () => this.#onConnect(),
        onData: (chunk) => this.#onData(chunk),
        onClose: (error) => {
          this.#lingerTimer?.cancel();
          this.close(this.#lost(error?.message ?? 'was closed by the broker', error));
        },
      },
    );
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  get isThrottled(): boolean {
    return this.#throttleTimer !== undefined;
  }

  get inFlightCount(): number {
    return this.#inFlight.length;
  }

  /** What the broker advertised; undefined when it was not asked. */
  get brokerVersions(): BrokerApiVersions | undefined {
    return this.#brokerVersions;
  }

  /** Sends at once; the connection must be ready. A request that can't be encoded is rejected and nothing is sent. */
  send(request: ClientRequest): void {
    let version: number;
    let chunks: readonly Buffer[];
    const correlationId = this.#takeCorrelationId();
    try {
      version = selectVersion(request.codec, this.#brokerVersions);
      chunks = request.codec.encode(version, correlationId);
    } catch (error) {
      request.reject(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#lastUsedMs = this.#runtime.clock.monotonicMs();
    if (request.expectsResponse) this.#inFlight.push({ correlationId, version, request });
    this.#socket?.write(chunks);
    if (!request.expectsResponse) request.resolve(undefined);
  }

  /** A request in flight has run out of time: nothing that follows it can be trusted to come, so the connection goes. */
  timeOut(request: ClientRequest): void {
    const { apiName } = request.codec;
    const message = `${apiName} was not answered by ${describe(this.node)} within ${request.timeoutMs} ms`;
    request.reject(new RequestTimeoutError(message));
    this.close(this.#lost(`was given up: ${message}`));
  }

  holds(request: ClientRequest): boolean {
    return this.#inFlight.some((inFlight) => inFlight.request === request);
  }

  /** Without a reason, or with `ClientClosedError`, it is an orderly close. */
  close(reason?: Error): void {
    if (this.#state === 'closed') return;
    const wasReady = this.#state === 'ready';
    this.#state = 'closed';
    this.#frames.stop();
    this.#setupTimer?.cancel();
    this.#idleTimer?.cancel();
    this.#throttleTimer?.cancel();
    if (reason === undefined || reason instanceof ClientClosedError) this.#endSocket();
    else this.#socket?.destroy();
    const error = reason ?? this.#lost('was closed');
    for (const { request } of this.#inFlight.splice(0)) request.reject(error);
    this.#events.onClosed(reason, wasReady);
  }

  /** What is written still leaves: a request without an answer (acks=0) counts as sent since then. */
  #endSocket(): void {
    const socket = this.#socket;
    if (socket === undefined || socket.bufferedBytes === 0) {
      socket?.destroy();
      return;
    }
    this.#lingerTimer = this.#runtime.scheduler.after(LINGER_MS, () => socket.destroy());
    socket.end();
  }

  #onConnect(): void {
    if (this.#state !== 'connecting') return;
    if (this.#options.skipApiVersions) {
      this.#becomeReady();
      return;
    }
    this.#state = 'negotiating';
    this.#askVersions(FIRST_API_VERSIONS_VERSION);
  }

  #askVersions(version: number): void {
    const correlationId = this.#takeCorrelationId();
    this.#negotiation = { correlationId, version };
    this.#socket?.write(encodeRequest(ApiVersions, version, correlationId, this.#options.clientId, this.#options.software));
  }

  #becomeReady(): void {
    this.#state = 'ready';
    this.#setupTimer?.cancel();
    this.#lastUsedMs = this.#runtime.clock.monotonicMs();
    if (this.#options.connectionsMaxIdleMs > 0) this.#watchIdle(this.#options.connectionsMaxIdleMs);
    this.#events.onReady();
  }

  #watchIdle(delayMs: number): void {
    this.#idleTimer = this.#runtime.scheduler.after(delayMs, () => {
      const idleMs = this.#runtime.clock.monotonicMs() - this.#lastUsedMs;
      const leftMs = this.#options.connectionsMaxIdleMs - idleMs;
      if (leftMs <= 0 && this.#inFlight.length === 0) this.close();
      else this.#watchIdle(Math.max(1, leftMs > 0 ? leftMs : this.#options.connectionsMaxIdleMs));
    });
  }

  #onData(chunk: Buffer): void {
    try {
      this.#frames.push(chunk, (frame) => this.#onFrame(frame));
    } catch (error) {
      this.close(this.#lost(error instanceof Error ? error.message : String(error), error));
    }
  }

  #onFrame(frame: Buffer): void {
    if (frame.length < CORRELATION_ID_BYTES) throw new Error(`a response of ${frame.length} bytes has no correlation id`);
    const correlationId = frame.readInt32BE(0);
    if (this.#state === 'negotiating') this.#onVersions(correlationId, frame);
    else this.#onResponse(correlationId, frame);
  }

  #onVersions(correlationId: number, frame: Buffer): void {
    const { version } = this.#negotiation;
    this.#checkCorrelation(correlationId, this.#negotiation.correlationId);
    // The error code comes first in every version; a broker that doesn't know ours answers in the shape of version 0.
    const errorCode = frame.readInt16BE(CORRELATION_ID_BYTES);
    const shape = errorCode === ErrorCode.UNSUPPORTED_VERSION ? 0 : version;
    const { body } = decodeResponse(ApiVersions, shape, frame);
    if (errorCode === ErrorCode.UNSUPPORTED_VERSION && version > 0) {
      const own = body.apiKeys.find((range) => range.apiKey === ApiVersions.key);
      this.#askVersions(own === undefined ? 0 : Math.min(own.maxVersion, version - 1));
      return;
    }
    if (errorCode !== ErrorCode.NONE) throw new Error(`ApiVersions was answered with error ${errorCode}`);
    this.#brokerVersions = new Map(body.apiKeys.map((range): [number, ApiVersionRange] => [range.apiKey, range]));
    this.#becomeReady();
  }

  #onResponse(correlationId: number, frame: Buffer): void {
    const oldest = this.#inFlight[0];
    if (oldest === undefined) throw new Error(`a response (correlation id ${correlationId}) came that nobody waits for`);
    this.#checkCorrelation(correlationId, oldest.correlationId);
    const body = oldest.request.codec.decode(oldest.version, frame);
    this.#inFlight.shift();
    this.#lastUsedMs = this.#runtime.clock.monotonicMs();
    this.#throttle(throttleTimeMsOf(body));
    oldest.request.resolve(body);
    if (!this.isThrottled) this.#events.onRoom();
  }

  #checkCorrelation(actual: number, expected: number): void {
    if (actual !== expected) throw new Error(`a response has correlation id ${actual}, ${expected} was next`);
  }

  #throttle(throttleTimeMs: number): void {
    if (throttleTimeMs <= 0 || this.#state !== 'ready') return;
    this.#throttleTimer?.cancel();
    this.#throttleTimer = this.#runtime.scheduler.after(Math.min(throttleTimeMs, MAX_THROTTLE_MS), () => {
      this.#throttleTimer = undefined;
      this.#events.onRoom();
    });
  }

  #takeCorrelationId(): number {
    const correlationId = this.#nextCorrelationId;
    this.#nextCorrelationId = correlationId === MAX_CORRELATION_ID ? 0 : correlationId + 1;
    return correlationId;
  }

  #lost(what: string, cause?: unknown): DisconnectedError {
    return new DisconnectedError(this.node.id, `the connection to ${describe(this.node)} ${what}`, cause);
  }
}

export function describe(node: Node): string {
  return node.id < 0 ? `${node.host}:${node.port}` : `broker ${node.id} (${node.host}:${node.port})`;
}

function throttleTimeMsOf(body: unknown): number {
  if (typeof body !== 'object' || body === null || !('throttleTimeMs' in body)) return 0;
  return typeof body.throttleTimeMs === 'number' ? body.throttleTimeMs : 0;
}
