/**
 * Tells the brokers: one queue and one connection per broker, requests strictly in order, the next when the one before was
 * answered. A request that fails is sent again until it is answered or the broker is removed, which happens when its broker
 * epoch changes: every request carries the epoch, so that a broker that came back never takes one meant for the one before.
 *
 * A queue that overflows (a broker that is registered and can't be reached for that long) is dropped and `onOverflow` told:
 * the controller then treats the broker as bounced and sends it everything anew.
 * Source: kafka.controller.ControllerChannelManager, RequestSendThread.
 */
import type { Api } from '../../protocol/api.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { MetricsRegistry } from '../../runtime/metrics.ts';
import type { Clock } from '../../runtime/clock.ts';
import { sleep, type Scheduler } from '../../runtime/scheduler.ts';

/** Pause before a request is sent again. */
const RETRY_BACKOFF_MS = 100;
const DEFAULT_MAX_QUEUED_REQUESTS = 10_000;

export interface BrokerNode {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

/** What is needed of `NetworkClient`. */
export interface ControllerNetworkClient {
  send<Req, Res, ReqIn extends object, ResIn>(
    node: BrokerNode,
    api: Api<Req, Res, ReqIn, ResIn>,
    body: ReqIn,
    options?: { readonly version?: number; readonly timeoutMs?: number },
  ): Promise<Res>;
  closeConnection(nodeId: number): void;
  close(): Promise<void>;
}

export interface ControllerChannelManagerOptions {
  readonly client: ControllerNetworkClient;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  /** `controller.socket.timeout.ms` */
  readonly requestTimeoutMs: number;
  readonly maxQueuedRequests?: number;
  readonly onOverflow?: (brokerId: number) => void;
}

interface QueueItem {
  readonly apiName: string;
  readonly enqueuedAtMs: number;
  send(node: BrokerNode): Promise<void>;
}

interface BrokerChannel {
  readonly node: BrokerNode;
  readonly queue: QueueItem[];
  sending: boolean;
  removed: boolean;
}

export class ControllerChannelManager {
  readonly #options: ControllerChannelManagerOptions;
  readonly #maxQueuedRequests: number;
  readonly #channels = new Map<number, BrokerChannel>();

  constructor(options: ControllerChannelManagerOptions) {
    this.#options = options;
    this.#maxQueuedRequests = options.maxQueuedRequests ?? DEFAULT_MAX_QUEUED_REQUESTS;
    options.metrics.gauge('TotalQueueSize', () => this.#totalQueueSize(), { type: 'ControllerChannelManager' });
  }

  /** Opens the broker's queue; does nothing when there is one. */
  addBroker(node: BrokerNode): void {
    if (this.#channels.has(node.id)) return;
    const channel: BrokerChannel = { node, queue: [], sending: false, removed: false };
    this.#channels.set(node.id, channel);
    this.#options.metrics.gauge('QueueSize', () => channel.queue.length, queueTags(node.id));
  }

  /** Drops the broker's queue and connection; an answer that is under way is not delivered any more. */
  removeBroker(brokerId: number): void {
    const channel = this.#channels.get(brokerId);
    if (channel === undefined) return;
    channel.removed = true;
    channel.queue.length = 0;
    this.#channels.delete(brokerId);
    this.#options.client.closeConnection(brokerId);
    this.#options.metrics.remove('QueueSize', queueTags(brokerId));
  }

  removeAllBrokers(): void {
    for (const brokerId of this.#channels.keys()) this.removeBroker(brokerId);
  }

  queueSize(brokerId: number): number {
    return this.#channels.get(brokerId)?.queue.length ?? 0;
  }

  /** Queues a request for the broker; `onResponse` is called with its answer unless the broker is removed before. */
  sendRequest<Req, Res, ReqIn extends object, ResIn>(
    brokerId: number,
    api: Api<Req, Res, ReqIn, ResIn>,
    version: number,
    body: ReqIn,
    onResponse?: (response: Res) => void,
  ): void {
    const channel = this.#channels.get(brokerId);
    if (channel === undefined) {
      this.#options.logger.warn(`not sending ${api.name} to broker ${brokerId}: it is offline`);
      return;
    }
    if (channel.queue.length >= this.#maxQueuedRequests) {
      this.#overflow(channel);
      return;
    }
    channel.queue.push({
      apiName: api.name,
      enqueuedAtMs: this.#options.clock.monotonicMs(),
      send: async (node) => {
        const response = await this.#options.client.send(node, api, body, { version, timeoutMs: this.#options.requestTimeoutMs });
        if (!channel.removed) onResponse?.(response);
      },
    });
    if (!channel.sending) void this.#sendAll(channel);
  }

  async shutdown(): Promise<void> {
    this.removeAllBrokers();
    this.#options.metrics.remove('TotalQueueSize', { type: 'ControllerChannelManager' });
    await this.#options.client.close();
  }

  async #sendAll(channel: BrokerChannel): Promise<void> {
    channel.sending = true;
    for (let item = channel.queue[0]; item !== undefined && !channel.removed; item = channel.queue[0]) {
      const answered = await this.#trySend(channel, item);
      if (channel.removed) break;
      if (answered) channel.queue.shift();
      else await sleep(this.#options.scheduler, RETRY_BACKOFF_MS);
    }
    channel.sending = false;
  }

  async #trySend(channel: BrokerChannel, item: QueueItem): Promise<boolean> {
    const { clock, logger, metrics } = this.#options;
    try {
      await item.send(channel.node);
      metrics.histogram('RequestRateAndQueueTimeMs', queueTags(channel.node.id)).record(clock.monotonicMs() - item.enqueuedAtMs);
      return true;
    } catch (error) {
      if (channel.removed) return false;
      const { id, host, port } = channel.node;
      logger.warn({ err: error }, `sending ${item.apiName} to broker ${id} (${host}:${port}) failed; trying again`);
      return false;
    }
  }

  #overflow(channel: BrokerChannel): void {
    const brokerId = channel.node.id;
    this.#options.logger.error(
      `${channel.queue.length} requests wait for broker ${brokerId}: dropping them, it will be told everything anew`,
    );
    this.removeBroker(brokerId);
    this.#options.onOverflow?.(brokerId);
  }

  #totalQueueSize(): number {
    let total = 0;
    for (const channel of this.#channels.values()) total += channel.queue.length;
    return total;
  }
}

function queueTags(brokerId: number): Record<string, string> {
  return { type: 'ControllerChannelManager', 'broker-id': String(brokerId) };
}
