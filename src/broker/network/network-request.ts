/**
 * A request on its way through the broker, with the times of its stations. Handlers see it as `BrokerRequest`.
 * It is answered once: the first of `respond`, `respondNothing`, `closeConnection` puts it into the response queue of the
 * processor it came from.
 */
import type { AnyApi } from '../../protocol/api.ts';
import { Produce, type ProduceRequest } from '../../protocol/generated/produce.ts';
import type { SecurityProtocol } from '../config/endpoint.ts';
import type { BrokerRequest, KafkaPrincipal, RequestHeader } from './broker-request.ts';
import type { KafkaChannel } from './kafka-channel.ts';

/** What is to happen to a request's connection. */
export type ResponseAction = 'send' | 'none' | 'close';

/** The processor that a request came from. */
export interface ResponseSink {
  enqueueResponse(request: NetworkRequest): void;
  /** Gives the request's memory back. */
  releaseMemory(request: NetworkRequest): void;
  nowMs(): number;
  /** A second answer: a fault of a handler. */
  answeredTwice(request: NetworkRequest): void;
}

export interface NetworkRequestInit {
  readonly header: RequestHeader;
  readonly api: AnyApi;
  readonly body: unknown;
  readonly sizeBytes: number;
  readonly isUnsupportedVersion: boolean;
  readonly receivedMs: number;
  readonly channel: KafkaChannel;
  readonly sink: ResponseSink;
}

const RELEASED = Symbol('released');

export class NetworkRequest implements BrokerRequest {
  readonly header: RequestHeader;
  readonly api: AnyApi;
  readonly sizeBytes: number;
  readonly isUnsupportedVersion: boolean;
  readonly channel: KafkaChannel;
  readonly #sink: ResponseSink;
  #body: unknown;
  /** Memory of the pool that this request holds. */
  reservedBytes: number;

  readonly receivedMs: number;
  dequeuedMs = 0;
  handledMs = Number.POSITIVE_INFINITY;
  respondedMs = 0;
  writtenMs = 0;

  /** Undefined until it is answered. */
  action: ResponseAction | undefined = undefined;
  responseBody: unknown = undefined;
  onSent: (() => void) | undefined = undefined;
  closeReason: string | undefined = undefined;
  responseVersion: number;
  /** A fetch by a broker. */
  readonly isFromFollower: boolean;

  constructor(init: NetworkRequestInit) {
    this.header = init.header;
    this.api = init.api;
    this.#body = init.body;
    this.sizeBytes = init.sizeBytes;
    this.reservedBytes = init.sizeBytes;
    this.isUnsupportedVersion = init.isUnsupportedVersion;
    this.receivedMs = init.receivedMs;
    this.channel = init.channel;
    this.#sink = init.sink;
    this.responseVersion = init.header.apiVersion;
    this.isFromFollower = init.api.key === 1 && isFollowerFetch(init.body);
  }

  get body(): unknown {
    if (this.#body === RELEASED) throw new Error(`the body of this ${this.api.name} request was released`);
    return this.#body;
  }
  get connectionId(): string {
    return this.channel.id;
  }
  get connectedMs(): number {
    return this.channel.connectedMs;
  }
  get listenerName(): string {
    return this.channel.listenerName;
  }
  get securityProtocol(): SecurityProtocol {
    return this.channel.securityProtocol;
  }
  get fromPrivilegedListener(): boolean {
    return this.channel.isPrivilegedListener;
  }
  get clientAddress(): string {
    return this.channel.remoteAddress;
  }
  get clientPort(): number {
    return this.channel.remotePort;
  }
  get principal(): KafkaPrincipal {
    return this.channel.principal;
  }

  /** False for Produce with acks=0. */
  get hasAnswer(): boolean {
    return this.api.key !== Produce.key || (this.#body as ProduceRequest | undefined)?.acks !== 0;
  }

  get isAnswered(): boolean {
    return this.action !== undefined;
  }

  respond(body: unknown, onSent?: () => void): void {
    if (this.action === undefined) this.onSent = onSent;
    this.#answer('send', body);
  }

  respondWithVersion(version: number, body: unknown): void {
    this.responseVersion = version;
    this.#answer('send', body);
  }

  respondNothing(): void {
    this.#answer('none', undefined);
  }

  closeConnection(reason?: string): void {
    if (this.action === undefined) this.closeReason = reason;
    this.#answer('close', undefined);
  }

  releaseBody(): void {
    this.#body = RELEASED;
    this.#sink.releaseMemory(this);
  }

  setClientSoftware(name: string, version: string): void {
    this.channel.clientSoftwareName = name;
    this.channel.clientSoftwareVersion = version;
  }

  #answer(action: ResponseAction, body: unknown): void {
    if (this.action !== undefined) {
      this.#sink.answeredTwice(this);
      return;
    }
    this.action = action;
    this.responseBody = body;
    this.respondedMs = this.#sink.nowMs();
    this.#sink.enqueueResponse(this);
  }
}

/** Followers name themselves in `replicaId`, from version 15 on in `replicaState`. */
function isFollowerFetch(body: unknown): boolean {
  const { replicaId = -1, replicaState } = (body ?? {}) as { replicaId?: number; replicaState?: { replicaId?: number } };
  return replicaId >= 0 || (replicaState?.replicaId ?? -1) >= 0;
}
