/**
 * Accepts the connections of one listener and deals them to its processors in turn. Kafka 3.9: `Acceptor`.
 *
 * A connection over `max.connections` or the creation rate waits, unread, in a line of `socket.listen.backlog.size`; further
 * ones are closed, as the system does when its own line is full. So do all connections until the broker is ready to serve.
 * A connection over the limit of its address is closed at once.
 */
import type { Socket } from '../../runtime/net.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { EndPoint } from '../config/endpoint.ts';
import type { ConnectionQuotas } from './connection-quotas.ts';
import { KafkaChannel } from './kafka-channel.ts';
import type { MemoryPool } from './memory-pool.ts';
import type { Processor } from './processor.ts';

export interface AcceptorOptions {
  readonly endPoint: EndPoint;
  readonly runtime: Pick<Runtime, 'clock' | 'scheduler' | 'logger'>;
  readonly quotas: ConnectionQuotas;
  readonly memoryPool: MemoryPool;
  readonly maxRequestBytes: number;
  readonly maxWaiting: number;
  readonly isPrivilegedListener: boolean;
  /** Makes room: closes the idlest connection of another listener. */
  readonly closeIdlest: (exceptListener: string) => void;
}

/** One line about refused connections at most this often. */
const REFUSAL_LOG_MS = 1000;

export class Acceptor {
  readonly endPoint: EndPoint;
  readonly #options: AcceptorOptions;
  readonly #logger: AcceptorOptions['runtime']['logger'];
  readonly #processors: Processor[] = [];
  readonly #waiting: WaitingConnection[] = [];
  #nextProcessor = 0;
  #nextConnectionIndex = 0;
  #refused = 0;
  #refusalLoggedAtMs = Number.NEGATIVE_INFINITY;
  #retry: { cancel(): void } | undefined = undefined;
  #closed = false;

  constructor(options: AcceptorOptions) {
    this.endPoint = options.endPoint;
    this.#options = options;
    this.#logger = options.runtime.logger;
  }

  get processors(): readonly Processor[] {
    return this.#processors;
  }
  get waitingCount(): number {
    return this.#waiting.length;
  }
  /** Connections turned away since the start. */
  get refusedCount(): number {
    return this.#refused;
  }

  /** Begins to serve: connections that waited are dealt out. */
  start(processors: readonly Processor[]): void {
    this.#processors.push(...processors);
    this.admitWaiting();
  }

  onConnection(socket: Socket): void {
    if (this.#closed) {
      socket.destroy();
      return;
    }
    if (this.#processors.length > 0 && this.#waiting.length === 0 && this.#tryAdmit(socket, undefined)) return;
    this.#wait(socket);
  }

  /** A connection has closed somewhere: one that waits may come in. */
  admitWaiting(): void {
    if (this.#processors.length === 0 || this.#closed) return;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (!next.closed && !this.#tryAdmit(next.socket, next)) return;
      this.#waiting.shift();
    }
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    for (const { socket } of this.#waiting.splice(0)) socket.destroy();
  }

  /** False when the connection has to wait; true when it is dealt out or refused. */
  #tryAdmit(socket: Socket, waiting: WaitingConnection | undefined): boolean {
    const { listenerName } = this.endPoint;
    const address = plainAddress(socket.remoteAddress);
    const admission = this.#options.quotas.admit(listenerName, address);
    switch (admission.outcome) {
      case 'wait':
        if (admission.retryMs !== undefined) this.#retryIn(admission.retryMs);
        return false;
      case 'too-many-per-ip':
        this.#refuse(socket, `${address} has ${admission.limit} connections already, as many as max.connections.per.ip allows`);
        return true;
      case 'admitted-over-limit':
        this.#options.closeIdlest(listenerName);
        break;
      case 'admitted':
    }
    this.#deal(socket, address, waiting);
    return true;
  }

  #deal(socket: Socket, address: string, waiting: WaitingConnection | undefined): void {
    const processor = this.#processors[this.#nextProcessor++ % this.#processors.length];
    if (processor === undefined) throw new Error('an acceptor without processors admitted a connection');
    const { listenerName, securityProtocol } = this.endPoint;
    const channel = new KafkaChannel({
      id: `${plainAddress(socket.localAddress)}:${socket.localPort}-${address}:${socket.remotePort}-${this.#nextConnectionIndex++}`,
      socket,
      listenerName,
      securityProtocol,
      isPrivilegedListener: this.#options.isPrivilegedListener,
      remoteAddress: address,
      maxRequestBytes: this.#options.maxRequestBytes,
      memoryPool: this.#options.memoryPool,
      connectedMs: this.#options.runtime.clock.monotonicMs(),
    });
    processor.accept(channel);
    if (waiting === undefined) socket.setHandler(handlerOf(processor, channel));
    else waiting.admit(handlerOf(processor, channel));
  }

  #wait(socket: Socket): void {
    if (this.#waiting.length >= this.#options.maxWaiting) {
      this.#refuse(socket, `${this.#waiting.length} connections wait already`);
      return;
    }
    const waiting = new WaitingConnection(socket);
    this.#waiting.push(waiting);
  }

  #retryIn(retryMs: number): void {
    this.#retry?.cancel();
    this.#retry = this.#options.runtime.scheduler.after(retryMs, () => this.admitWaiting());
  }

  #refuse(socket: Socket, reason: string): void {
    socket.destroy();
    this.#refused++;
    const nowMs = this.#options.runtime.clock.monotonicMs();
    if (nowMs - this.#refusalLoggedAtMs < REFUSAL_LOG_MS) return;
    this.#refusalLoggedAtMs = nowMs;
    const { listenerName } = this.endPoint;
    this.#logger.info({ listenerName, refused: this.#refused }, `Refused a connection on listener ${listenerName}: ${reason}`);
  }
}

interface ChannelEvents {
  onData(chunk: Buffer): void;
  onDrain(): void;
  onClose(): void;
}

function handlerOf(processor: Processor, channel: KafkaChannel): ChannelEvents {
  return {
    onData: (chunk) => processor.onData(channel, chunk),
    onDrain: () => processor.onDrain(channel),
    onClose: () => processor.onSocketClosed(channel),
  };
}

/** A socket that has to wait: paused, with a handler that knows when the peer gives up. */
class WaitingConnection {
  readonly socket: Socket;
  closed = false;
  #target: ChannelEvents | undefined = undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setHandler({
      onData: (chunk) => this.#target?.onData(chunk),
      onDrain: () => this.#target?.onDrain(),
      onClose: () => {
        this.closed = true;
        this.#target?.onClose();
      },
    });
    socket.pause();
  }

  admit(target: ChannelEvents): void {
    this.#target = target;
    this.socket.resume();
  }
}

/** An IPv4 address that came over an IPv6 socket is written as IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
