/**
 * One connection: its socket, the request that is coming in, the request in progress. Kafka 3.9: `KafkaChannel`.
 *
 * It is muted from the receipt of a request until its answer is sent, so that the requests of a connection are handled in order.
 * Bytes that come meanwhile (pipelining) are stashed, at most one chunk of the runtime, and the socket is paused.
 * TLS and SASL come between the socket and `NetworkReceive` later; `principal` is what they will set.
 */
import type { Socket } from '../../runtime/net.ts';
import type { SecurityProtocol } from '../config/endpoint.ts';
import { ANONYMOUS, type KafkaPrincipal } from './broker-request.ts';
import type { MemoryPool } from './memory-pool.ts';
import { NetworkReceive } from './network-receive.ts';
import type { NetworkRequest } from './network-request.ts';

export interface KafkaChannelInit {
  readonly id: string;
  readonly socket: Socket;
  readonly listenerName: string;
  readonly securityProtocol: SecurityProtocol;
  readonly isPrivilegedListener: boolean;
  readonly remoteAddress: string;
  readonly maxRequestBytes: number;
  readonly memoryPool: MemoryPool;
  readonly connectedMs: number;
}

/** Why a channel doesn't read. */
export type MuteState = 'reading' | 'request-in-progress' | 'sending';

export class KafkaChannel {
  readonly id: string;
  readonly socket: Socket;
  readonly listenerName: string;
  readonly securityProtocol: SecurityProtocol;
  readonly isPrivilegedListener: boolean;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly receive: NetworkReceive;
  readonly connectedMs: number;
  principal: KafkaPrincipal = ANONYMOUS;
  clientSoftwareName = 'unknown';
  clientSoftwareVersion = 'unknown';
  /** The client id of its last request. */
  clientId: string | null = null;
  requestCount = 0;
  lastActiveMs: number;
  state: MuteState = 'reading';
  /** The request in progress or being answered. */
  current: NetworkRequest | undefined = undefined;
  /** Bytes of the answer being sent. */
  sendingBytes = 0;
  closed = false;
  /** The peer has gone; what it had sent before is still read. */
  disconnected = false;
  /** No further request is read; it closes when the one in progress is answered. */
  closing = false;
  readonly #stash: Buffer[] = [];
  #paused = false;

  constructor(init: KafkaChannelInit) {
    this.id = init.id;
    this.socket = init.socket;
    this.listenerName = init.listenerName;
    this.securityProtocol = init.securityProtocol;
    this.isPrivilegedListener = init.isPrivilegedListener;
    this.remoteAddress = init.remoteAddress;
    this.remotePort = init.socket.remotePort;
    this.receive = new NetworkReceive(init.maxRequestBytes, init.memoryPool);
    this.connectedMs = init.connectedMs;
    this.lastActiveMs = init.connectedMs;
  }

  get isMuted(): boolean {
    return this.state !== 'reading';
  }

  /** Keeps bytes for later and stops the socket. */
  stash(bytes: Buffer): void {
    this.#stash.push(bytes);
    this.pause();
  }

  /** Keeps bytes for later that come before what is stashed. */
  unread(bytes: Buffer): void {
    this.#stash.unshift(bytes);
    this.pause();
  }

  get hasStashed(): boolean {
    return this.#stash.length > 0;
  }

  takeStashed(): Buffer | undefined {
    return this.#stash.shift();
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  /** Lets the socket flow again when nothing is stashed. */
  maybeResume(): void {
    if (!this.#paused || this.#stash.length > 0 || this.closed) return;
    this.#paused = false;
    this.socket.resume();
  }
}
