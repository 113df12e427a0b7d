/**
 * The way to one broker: a bounded queue, at most one connection, and the wait between attempts to make one.
 *
 *   idle ──send──► connecting ──► ready ──lost──► (queue empty: idle | else: backing off ──► connecting)
 *                      └─failed: what waits is rejected, the next attempt waits longer─┘
 *
 * Requests leave in the order of `send`. A connection that is lost takes those in flight with it; those that were not
 * sent yet stay and go over the next one. An attempt that fails rejects all that wait, since their caller may know a
 * better broker. Source: ClusterConnectionStates, KafkaChannel.
 */
import type { Cancellable } from '../runtime/scheduler.ts';
import type { Random } from '../runtime/random.ts';
import { backoffMs } from './backoff.ts';
import type { BackoffOptions } from './backoff.ts';
import type { BrokerApiVersions } from './api-version-range.ts';
import type { ClientRequest } from './client-request.ts';
import { Connection, describe } from './connection.ts';
import type { ConnectionOptions, ConnectionRuntime, Node } from './connection.ts';
import { ClientClosedError, RequestTimeoutError, SendQueueFullError } from './errors.ts';

export interface NodeChannelOptions extends ConnectionOptions {
  readonly maxInFlightPerNode: number;
  readonly maxQueuedPerNode: number;
  readonly reconnectBackoff: BackoffOptions;
}

/** `backing-off`: the last attempt failed and the next may not start yet. */
export type ChannelState = 'idle' | 'connecting' | 'ready' | 'backing-off';

export class NodeChannel {
  readonly node: Node;
  readonly #runtime: ConnectionRuntime;
  readonly #random: Random | undefined;
  readonly #options: NodeChannelOptions;
  readonly #onDisconnected: (node: Node, reason: Error) => void;
  readonly #queue: ClientRequest[] = [];
  #connection: Connection | undefined;
  #failures = 0;
  #nextAttemptMs = 0;
  #backoffTimer: Cancellable | undefined;
  #closed = false;

  constructor(
    node: Node,
    runtime: ConnectionRuntime & { readonly random?: Random },
    options: NodeChannelOptions,
    onDisconnected: (node: Node, reason: Error) => void,
  ) {
    this.node = node;
    this.#runtime = runtime;
    this.#random = runtime.random;
    this.#options = options;
    this.#onDisconnected = onDisconnected;
  }

  get state(): ChannelState {
    if (this.#connection?.isReady === true) return 'ready';
    if (this.#connection !== undefined) return 'connecting';
    return this.#backoffTimer !== undefined || this.#backoffLeftMs() > 0 ? 'backing-off' : 'idle';
  }

  /** Requests waiting and in flight. */
  get pendingCount(): number {
    return this.#queue.length + (this.#connection?.inFlightCount ?? 0);
  }

  /** What the broker advertised on the connection of now; undefined when there is none that is ready. */
  get brokerVersions(): BrokerApiVersions | undefined {
    return this.#connection?.brokerVersions;
  }

  /** Sends `request` as soon as there is a connection with room; it settles by itself in every case. */
  send(request: ClientRequest): void {
    if (this.#closed) {
      request.reject(new ClientClosedError());
      return;
    }
    if (this.#queue.length >= this.#options.maxQueuedPerNode) {
      request.reject(new SendQueueFullError(this.node.id, this.#options.maxQueuedPerNode));
      return;
    }
    request.deadline = this.#runtime.scheduler.after(request.timeoutMs, () => this.#timeOut(request));
    this.#queue.push(request);
    this.#pump();
  }

  /** Ends the connection of now; the next `send` makes another. */
  disconnect(): void {
    this.#connection?.close();
  }

  /** Ends everything: what waits and what is in flight is rejected. */
  close(reason: Error = new ClientClosedError()): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#backoffTimer?.cancel();
    this.#backoffTimer = undefined;
    this.#connection?.close(reason);
    for (const request of this.#queue.splice(0)) request.reject(reason);
  }

  #pump(): void {
    const connection = this.#connection;
    if (connection === undefined) {
      if (this.#queue.length > 0 && !this.#closed) this.#connectWhenAllowed();
      return;
    }
    while (connection.isReady && !connection.isThrottled && connection.inFlightCount < this.#options.maxInFlightPerNode) {
      const request = this.#queue.shift();
      if (request === undefined) return;
      if (!request.settled) connection.send(request);
    }
  }

  #connectWhenAllowed(): void {
    if (this.#backoffTimer !== undefined) return;
    const leftMs = this.#backoffLeftMs();
    if (leftMs <= 0) {
      this.#connect();
      return;
    }
    this.#backoffTimer = this.#runtime.scheduler.after(leftMs, () => {
      this.#backoffTimer = undefined;
      if (this.#queue.length > 0) this.#connect();
    });
  }

  #connect(): void {
    const connection = new Connection(this.node, this.#runtime, this.#options, {
      onReady: () => {
        this.#failures = 0;
        this.#pump();
      },
      onRoom: () => this.#pump(),
      onClosed: (reason, wasReady) => this.#onClosed(reason, wasReady),
    });
    this.#connection = connection;
    connection.open();
  }

  #onClosed(reason: Error | undefined, wasReady: boolean): void {
    this.#connection = undefined;
    this.#nextAttemptMs =
      reason === undefined
        ? 0
        : this.#runtime.clock.monotonicMs() + backoffMs(this.#options.reconnectBackoff, this.#failures, this.#random);
    if (reason === undefined || this.#closed) {
      this.#pump();
      return;
    }
    this.#failures++;
    this.#runtime.logger.debug({ node: this.node.id, wasReady, reason: reason.message }, `Disconnected from ${describe(this.node)}`);
    if (!wasReady) for (const request of this.#queue.splice(0)) request.reject(reason);
    this.#onDisconnected(this.node, reason);
    this.#pump();
  }

  #timeOut(request: ClientRequest): void {
    const connection = this.#connection;
    if (connection?.holds(request) === true) {
      connection.timeOut(request);
      return;
    }
    const index = this.#queue.indexOf(request);
    if (index >= 0) this.#queue.splice(index, 1);
    const why = `${request.codec.apiName} could not be sent to ${describe(this.node)} within ${request.timeoutMs} ms (${this.state})`;
    request.reject(new RequestTimeoutError(why));
  }

  #backoffLeftMs(): number {
    return this.#nextAttemptMs - this.#runtime.clock.monotonicMs();
  }
}
