/**
 * Requests to brokers: the one door of this process to other people's Kafka ports.
 *
 * Per node one connection, made when first needed, versions negotiated on it, requests pipelined up to a limit and
 * answered strictly in order. Nothing is retried here: what went wrong is told by a typed error and the caller, who
 * knows whether repeating is safe, decides. Used by Metadata and Admin, by the replica fetcher and the controller
 * (with fixed versions and `skipApiVersions`).
 * A host name with several addresses (localhost: ::1 and 127.0.0.1) is the runtime's to resolve and try in turn.
 * Source: NetworkClient, InterBrokerSendThread.
 */
import type { Runtime } from '../runtime/runtime.ts';
import type { Random } from '../runtime/random.ts';
import type { Api } from '../protocol/api.ts';
import { decodeResponse, encodeRequest } from '../protocol/frames.ts';
import { ApiVersions } from '../protocol/generated/api-versions.ts';
import type { ApiVersionsRequest } from '../protocol/generated/api-versions.ts';
import type { ApiVersionRange, BrokerApiVersions } from './api-version-range.ts';
import { ClientRequest } from './client-request.ts';
import type { RequestCodec } from './client-request.ts';
import type { Node } from './connection.ts';
import { ClientClosedError } from './errors.ts';
import { NodeChannel } from './node-channel.ts';
import type { ChannelState, NodeChannelOptions } from './node-channel.ts';

export type { Node } from './connection.ts';
export type { BrokerApiVersions } from './api-version-range.ts';
export type { ChannelState } from './node-channel.ts';

/** `random` spreads the reconnect backoff; without it there is no jitter. */
export type NetworkClientRuntime = Pick<Runtime, 'clock' | 'scheduler' | 'net' | 'logger'> & { readonly random?: Random };

export interface NetworkClientOptions {
  readonly runtime: NetworkClientRuntime;
  readonly clientId: string;
  /** From `send` to the response, waiting included. `request.timeout.ms`, default 30,000. */
  readonly requestTimeoutMs?: number;
  /** `max.in.flight.requests.per.connection`, default 5. */
  readonly maxInFlightPerNode?: number;
  /** Requests that may wait for one node; more are rejected with `SendQueueFullError`. Default 10,000. */
  readonly maxQueuedPerNode?: number;
  /** `reconnect.backoff.ms`, default 50, and `reconnect.backoff.max.ms`, default 1,000. */
  readonly reconnectBackoffMs?: number;
  readonly reconnectBackoffMaxMs?: number;
  /** `socket.connection.setup.timeout.ms`, default 10,000: connect and version negotiation together. */
  readonly connectionSetupTimeoutMs?: number;
  /** `connections.max.idle.ms`, default 540,000; 0 for never. */
  readonly connectionsMaxIdleMs?: number;
  /** The largest response; a larger one closes the connection. Default 256 MiB. */
  readonly maxResponseBytes?: number;
  /** No ApiVersions round trip: every `send` names its version, or gets the highest that we have. */
  readonly skipApiVersions?: boolean;
  readonly clientSoftwareVersion?: string;
}

export interface SendOptions {
  /** Exactly this version. Without it the highest that both sides have. */
  readonly version?: number;
  /** Bounds for the negotiated version, for a caller that needs a field (`minVersion`) or can't fill one (`maxVersion`). */
  readonly minVersion?: number;
  readonly maxVersion?: number;
  /** Instead of the client's `requestTimeoutMs`: a long poll needs its wait on top. */
  readonly timeoutMs?: number;
  /** False for Produce with acks 0, which no broker answers: resolves (with undefined) when written. Default true. */
  readonly expectsResponse?: boolean;
}

const MEBIBYTE = 1 << 20;

export class NetworkClient {
  readonly #runtime: NetworkClientRuntime;
  readonly #clientId: string;
  readonly #requestTimeoutMs: number;
  readonly #channelOptions: NodeChannelOptions;
  readonly #software: ApiVersionsRequest;
  readonly #channels = new Map<number, NodeChannel>();
  readonly #disconnectListeners = new Set<(node: Node, reason: Error) => void>();
  #closed = false;

  constructor(options: NetworkClientOptions) {
    this.#runtime = options.runtime;
    this.#clientId = options.clientId;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? 30_000;
    this.#software = { clientSoftwareName: 'samsa', clientSoftwareVersion: options.clientSoftwareVersion ?? '0.1.0' };
    this.#channelOptions = {
      clientId: options.clientId,
      software: this.#software,
      skipApiVersions: options.skipApiVersions ?? false,
      maxFrameBytes: options.maxResponseBytes ?? 256 * MEBIBYTE,
      connectionSetupTimeoutMs: options.connectionSetupTimeoutMs ?? 10_000,
      connectionsMaxIdleMs: options.connectionsMaxIdleMs ?? 540_000,
      maxInFlightPerNode: options.maxInFlightPerNode ?? 5,
      maxQueuedPerNode: options.maxQueuedPerNode ?? 10_000,
      reconnectBackoff: { initialMs: options.reconnectBackoffMs ?? 50, maxMs: options.reconnectBackoffMaxMs ?? 1_000 },
    };
  }

  /**
   * Sends one request to `node` and resolves with the decoded response, whatever error codes it carries.
   * `body` may be made from the negotiated version. A node whose host or port has changed is connected to anew.
   *
   * Rejects with `DisconnectedError` (no connection, or lost before the response), `RequestTimeoutError`,
   * `UnsupportedVersionError`, `SendQueueFullError`, `ClientClosedError`, or `ProtocolError` for a body that has no
   * encoding; a response that can't be decoded counts as a lost connection.
   */
  send<Req, Res, ReqIn extends object, ResIn>(
    node: Node,
    api: Api<Req, Res, ReqIn, ResIn>,
    body: ReqIn | ((version: number) => ReqIn),
    options: SendOptions = {},
  ): Promise<Res> {
    if (this.#closed) return Promise.reject(new ClientClosedError());
    return new Promise<Res>((resolve, reject) => {
      const codec = this.#codecFor(api, body, options);
      const outcome = {
        // The codec below is the one that made the value.
        resolve: (decoded: unknown) => resolve(decoded as Res),
        reject,
      };
      const { expectsResponse = true, timeoutMs = this.#requestTimeoutMs } = options;
      this.#channelTo(node).send(new ClientRequest(codec, outcome, expectsResponse, timeoutMs));
    });
  }

  /** How things stand with a node; one that was never spoken to is idle. */
  stateOf(nodeId: number): ChannelState {
    return this.#channels.get(nodeId)?.state ?? 'idle';
  }

  /** Requests waiting for and in flight to a node. */
  pendingCount(nodeId: number): number {
    return this.#channels.get(nodeId)?.pendingCount ?? 0;
  }

  /** What a node advertised, while a negotiated connection to it is open. */
  brokerVersions(nodeId: number): BrokerApiVersions | undefined {
    return this.#channels.get(nodeId)?.brokerVersions;
  }

  /** What `node` advertises; connects when needed. Rejects as `send`. */
  async versionsOf(node: Node, options: Pick<SendOptions, 'timeoutMs'> = {}): Promise<BrokerApiVersions> {
    const known = this.brokerVersions(node.id);
    if (known !== undefined) return known;
    const { apiKeys } = await this.send(node, ApiVersions, this.#software, options);
    return new Map(apiKeys.map((range): [number, ApiVersionRange] => [range.apiKey, range]));
  }

  /** Calls `listener` each time a connection is lost or can't be made; returns how to stop that. */
  onDisconnected(listener: (node: Node, reason: Error) => void): () => void {
    this.#disconnectListeners.add(listener);
    return () => this.#disconnectListeners.delete(listener);
  }

  /** Ends the connection to a node, with what is in flight on it, and forgets its backoff. */
  closeConnection(nodeId: number): void {
    const channel = this.#channels.get(nodeId);
    this.#channels.delete(nodeId);
    channel?.close();
  }

  /** Ends all connections; everything pending rejects with `ClientClosedError`. A second call does nothing. */
  close(): Promise<void> {
    this.#closed = true;
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
    this.#disconnectListeners.clear();
    return Promise.resolve();
  }

  #channelTo(node: Node): NodeChannel {
    const known = this.#channels.get(node.id);
    if (known !== undefined) {
      if (known.node.host === node.host && known.node.port === node.port) return known;
      this.closeConnection(node.id);
    }
    const channel = new NodeChannel(node, this.#runtime, this.#channelOptions, (lost, reason) => {
      for (const listener of this.#disconnectListeners) listener(lost, reason);
    });
    this.#channels.set(node.id, channel);
    return channel;
  }

  #codecFor<Req, Res, ReqIn extends object, ResIn>(
    api: Api<Req, Res, ReqIn, ResIn>,
    body: ReqIn | ((version: number) => ReqIn),
    options: SendOptions,
  ): RequestCodec {
    const clientId = this.#clientId;
    return {
      apiKey: api.key,
      apiName: api.name,
      minVersion: options.version ?? Math.max(api.minVersion, options.minVersion ?? api.minVersion),
      maxVersion: options.version ?? Math.min(api.maxVersion, options.maxVersion ?? api.maxVersion),
      encode: (version, correlationId) =>
        encodeRequest(api, version, correlationId, clientId, typeof body === 'function' ? body(version) : body),
      decode: (version, frame) => decodeResponse(api, version, frame).body,
    };
  }
}
