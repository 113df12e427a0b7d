/**
 * A request as handlers see it, and what a handler is. The connection stays muted (its next request unread) until one of
 * `respond`, `respondNothing`, `closeConnection` is called, which may be long after the handler has returned: a purgatory
 * holds the request then. Calls after the first are ignored; so is an answer to a connection that is gone.
 * Kafka 3.9: `RequestChannel.Request`, `RequestContext`.
 */
import type { SecurityProtocol } from '../config/endpoint.ts';

/** Who speaks. Until SASL and TLS, everybody is anonymous. */
export interface KafkaPrincipal {
  readonly type: string;
  readonly name: string;
}

export const ANONYMOUS: KafkaPrincipal = Object.freeze({ type: 'User', name: 'ANONYMOUS' });

export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
}

export interface BrokerRequest<Req = unknown, Res = unknown> {
  readonly header: RequestHeader;
  readonly body: Req;
  /** `localAddress:localPort-remoteAddress:remotePort-index`, unique in the process. */
  readonly connectionId: string;
  /** When the connection was accepted, on the monotonic clock. */
  readonly connectedMs: number;
  /** Upper case. */
  readonly listenerName: string;
  readonly securityProtocol: SecurityProtocol;
  /** Whether it came over the listener that only brokers should use. */
  readonly fromPrivilegedListener: boolean;
  /** The peer's IP address; an IPv4 address is never written as an IPv6 one. */
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly principal: KafkaPrincipal;
  /** Of the request without its size field. */
  readonly sizeBytes: number;
  /** An ApiVersions request in a version we don't speak: the body holds defaults, the answer must be v0 with UNSUPPORTED_VERSION. */
  readonly isUnsupportedVersion: boolean;
  /** When the last byte had come, on the monotonic clock. */
  readonly receivedMs: number;
  /** Whether one of the three ways of answering was taken. */
  readonly isAnswered: boolean;

  /**
   * Answers. Encoding happens later, so that `body` must not change. `onSent` is called when all of a large answer has left for the
   * kernel and its memory may be used again; not for one that is small enough to go at once, nor when the connection breaks before.
   */
  respond(body: Res, onSent?: () => void): void;
  /** Answers in another version than the request's: for ApiVersions only. */
  respondWithVersion(version: number, body: Res): void;
  /** The request gets no answer (produce with acks=0); the connection goes on. */
  respondNothing(): void;
  /** The connection is closed instead of an answer. `reason` is logged: what the client can't be told. */
  closeConnection(reason?: string): void;
  /**
   * Forgets `body`, which refers to the request's bytes: for a request that waits long and doesn't need it any more.
   * `body` throws afterwards.
   */
  releaseBody(): void;
  /** Remembers what the client said of itself (ApiVersions v3, KIP-511). */
  setClientSoftware(name: string, version: string): void;
}

/** Handles one kind of request. It holds one of the M handler slots until it returns or its promise settles. */
export type ApiHandler<Req = never, Res = unknown> = (request: BrokerRequest<Req, Res>) => void | Promise<void>;

/** What the network layer asks of the API layer. */
export interface RequestHandler {
  /** The versions of an API that are served; undefined when the API isn't. */
  versionsOf(apiKey: number): { readonly minVersion: number; readonly maxVersion: number } | undefined;
  /** Handles a request. Never throws or rejects. */
  handle(request: BrokerRequest): void | Promise<void>;
}
