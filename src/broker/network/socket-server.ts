/**
 * The broker's sockets: 1 acceptor and N processors per listener, one request channel for all, M handlers behind it.
 *
 *     new SocketServer → startup (ports are bound, connections wait) → enableRequestProcessing (they are served)
 *       → stopProcessingRequests (no new connection, no new request; answers still go out) → shutdown
 *
 * Kafka 3.9: `SocketServer`. One listener serves clients and brokers alike unless `control.plane.listener.name` says otherwise;
 * the control plane's listener shares the request channel here (Kafka gives it a queue and a thread of its own).
 */
import type { Runtime } from '../../runtime/runtime.ts';
import type { EndPoint } from '../config/endpoint.ts';
import type { BrokerReconfigurable } from '../config/dynamic-config.ts';
import type { KafkaConfig } from '../config/kafka-config.ts';
import { Acceptor } from './acceptor.ts';
import type { RequestHandler } from './broker-request.ts';
import { ConnectionQuotas } from './connection-quotas.ts';
import { type BoundListener, bindListener } from './listener-sockets.ts';
import type { KafkaChannel } from './kafka-channel.ts';
import { MemoryPool } from './memory-pool.ts';
import { Processor } from './processor.ts';
import { RequestChannel } from './request-channel.ts';
import { KafkaRequestHandlerPool } from './request-handler-pool.ts';
import { RequestMetrics } from './request-metrics.ts';

export type NetworkRuntime = Pick<Runtime, 'clock' | 'scheduler' | 'net' | 'logger' | 'metrics'>;

export interface SocketServerOptions {
  readonly config: KafkaConfig;
  readonly runtime: NetworkRuntime;
}

interface OpenListener {
  readonly acceptor: Acceptor;
  readonly bound: BoundListener;
}

export class SocketServer implements BrokerReconfigurable {
  readonly reconfigurableConfigs = [
    'max.connections',
    'max.connections.per.ip',
    'max.connections.per.ip.overrides',
    'max.connection.creation.rate',
    'num.io.threads',
  ] as const;
  readonly requestChannel: RequestChannel;
  readonly quotas: ConnectionQuotas;
  readonly memoryPool: MemoryPool;
  readonly #config: KafkaConfig;
  readonly #runtime: NetworkRuntime;
  readonly #requestMetrics: RequestMetrics;
  readonly #listeners: OpenListener[] = [];
  #pool: KafkaRequestHandlerPool | undefined = undefined;
  #admitScheduled = false;

  constructor({ config, runtime }: SocketServerOptions) {
    this.#config = config;
    this.#runtime = { ...runtime, logger: runtime.logger.child({ component: 'network' }) };
    this.requestChannel = new RequestChannel(config.queuedMaxRequests, runtime.metrics);
    this.quotas = new ConnectionQuotas(config, runtime.clock);
    this.memoryPool = new MemoryPool(config.queuedMaxRequestBytes);
    this.#requestMetrics = new RequestMetrics(runtime.metrics);
    runtime.metrics.gauge('ConnectionCount', () => this.quotas.count, { type: 'SocketServer' });
    runtime.metrics.gauge('MemoryPoolUsed', () => this.memoryPool.usedBytes, { type: 'SocketServer' });
    runtime.metrics.gauge('NetworkProcessorAvgIdlePercent', () => this.processorIdleRatio, { type: 'SocketServer' });
  }

  /** The handler slots; undefined until request processing is enabled. */
  get requestHandlerPool(): KafkaRequestHandlerPool | undefined {
    return this.#pool;
  }

  get processors(): readonly Processor[] {
    return this.#listeners.flatMap(({ acceptor }) => acceptor.processors);
  }

  get processorIdleRatio(): number {
    const { processors } = this;
    if (processors.length === 0) return 1;
    return processors.reduce((sum, { idleRatio }) => sum + idleRatio, 0) / processors.length;
  }

  /**
   * Binds all listeners. Connections are accepted from then on, and wait.
   * @throws Node's error (EADDRINUSE, EACCES, …, with `port`) when one can't be bound; nothing stays bound then.
   */
  async startup(): Promise<void> {
    try {
      for (const endPoint of this.#config.listeners) await this.#open(endPoint);
    } catch (error) {
      await this.#closeListeners();
      throw error;
    }
  }

  /** Begins to serve with `handler`: connections that wait are dealt out to N processors per listener. */
  enableRequestProcessing(handler: RequestHandler): void {
    const { clock, scheduler, metrics } = this.#runtime;
    this.#pool = new KafkaRequestHandlerPool({
      requestChannel: this.requestChannel,
      handler,
      size: this.#config.numIoThreads,
      clock,
      scheduler,
      metrics,
    });
    let nextId = 0;
    for (const { acceptor } of this.#listeners) {
      acceptor.start(Array.from({ length: this.#config.numNetworkThreads }, () => this.#newProcessor(nextId++, handler)));
    }
  }

  /** The port that a listener is bound to. */
  boundPort(listenerName: string): number {
    const found = this.#listeners.find(({ acceptor }) => acceptor.endPoint.listenerName === listenerName);
    if (found === undefined) throw new Error(`listener ${listenerName} isn't bound`);
    return found.bound.port;
  }

  /**
   * What goes into ZooKeeper: the advertised listeners with real ports in place of 0.
   * @param hostName stands for the host of a listener on all interfaces that no `advertised.listeners` names.
   */
  advertisedEndPoints(hostName = 'localhost'): EndPoint[] {
    return this.#config.advertisedListeners.map(({ listenerName, securityProtocol, host, port }) => ({
      listenerName,
      securityProtocol,
      host: host === '' ? hostName : host,
      port: port === 0 ? this.boundPort(listenerName) : port,
    }));
  }

  /** All open connections. */
  connections(): KafkaChannel[] {
    return this.processors.flatMap(({ channels }) => Array.from(channels));
  }

  /** New limits for connections to come (`max.connections*`), and another number of handlers. */
  reconfigure(_oldConfig: KafkaConfig, newConfig: KafkaConfig): void {
    this.quotas.reconfigure(newConfig);
    if (this.#pool !== undefined && this.#pool.size !== newConfig.numIoThreads) this.#pool.resize(newConfig.numIoThreads);
    this.#admitWaiting();
  }

  /** No new connections, no new requests. Idle connections close; those with a request in progress when it is answered. */
  async stopProcessingRequests(): Promise<void> {
    for (const { acceptor } of this.#listeners) acceptor.close();
    await this.#closeListeners();
    for (const processor of this.processors) processor.stopReading();
  }

  /** Closes everything. Requests in the queue are dropped; resolves when handlers in execution have ended. */
  async shutdown(): Promise<void> {
    await this.stopProcessingRequests();
    this.requestChannel.clear();
    for (const processor of this.processors) processor.shutdown();
    await this.#pool?.shutdown();
  }

  async #open(endPoint: EndPoint): Promise<void> {
    const { listenerName } = endPoint;
    const { controlPlaneListenerName, interBrokerListenerName, listeners, socketRequestMaxBytes, socketListenBacklogSize } = this.#config;
    const acceptor = new Acceptor({
      endPoint,
      runtime: this.#runtime,
      quotas: this.quotas,
      memoryPool: this.memoryPool,
      maxRequestBytes: socketRequestMaxBytes,
      maxWaiting: socketListenBacklogSize,
      isPrivilegedListener:
        controlPlaneListenerName === null
          ? listenerName === interBrokerListenerName
          : listenerName === controlPlaneListenerName.toUpperCase(),
      closeIdlest: (exceptListener) => this.#closeIdlest(exceptListener),
    });
    const bound = await bindListener(this.#runtime.net, endPoint.host, endPoint.port, socketListenBacklogSize, (socket) =>
      acceptor.onConnection(socket),
    );
    this.#listeners.push({ acceptor, bound });
    this.#runtime.logger.info(
      { listenerName, port: bound.port },
      `Listening for ${listenerName} connections on ${endPoint.host || 'all interfaces'}:${bound.port} (${listeners.length} listeners in all)`,
    );
  }

  #newProcessor(id: number, handler: RequestHandler): Processor {
    return new Processor({
      id,
      runtime: this.#runtime,
      requestChannel: this.requestChannel,
      requestMetrics: this.#requestMetrics,
      memoryPool: this.memoryPool,
      handler,
      connectionsMaxIdleMs: this.#config.connectionsMaxIdleMs,
      onClosed: (channel) => {
        this.quotas.release(channel.listenerName, channel.remoteAddress);
        this.#admitWaitingLater();
      },
    });
  }

  #closeIdlest(exceptListener: string): void {
    let idlest: KafkaChannel | undefined;
    let owner: Processor | undefined;
    for (const processor of this.processors) {
      for (const channel of processor.channels) {
        if (channel.listenerName === exceptListener) continue;
        if (idlest !== undefined && channel.lastActiveMs >= idlest.lastActiveMs) continue;
        idlest = channel;
        owner = processor;
      }
    }
    if (idlest !== undefined) owner?.close(idlest);
  }

  /** Not at once: a close may come in the middle of something. */
  #admitWaitingLater(): void {
    if (this.#admitScheduled || this.#listeners.every(({ acceptor }) => acceptor.waitingCount === 0)) return;
    this.#admitScheduled = true;
    this.#runtime.scheduler.endOfTurn(() => {
      this.#admitScheduled = false;
      this.#admitWaiting();
    });
  }

  #admitWaiting(): void {
    for (const { acceptor } of this.#listeners) acceptor.admitWaiting();
  }

  async #closeListeners(): Promise<void> {
    await Promise.all(this.#listeners.map(({ bound }) => bound.close()));
  }
}
