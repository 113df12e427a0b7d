/**
 * A processor (Kafka's network thread): the channels dealt to it, the framing and decoding of their requests, and a response
 * queue of its own. All processors share the event loop; each takes at most `MAX_RESPONSES_PER_TURN` answers a turn, and a
 * channel at most one request at a time, so that a connection that pipelines without end doesn't keep the others waiting.
 *
 * When the request channel is full, the processor keeps the one request it could not deliver and reads none of its sockets until
 * there is room (Kafka's thread would block). Bad input closes its connection with one log line and touches nothing else.
 */
import { encodeResponse } from '../../protocol/frames.ts';
import type { MetricsRegistry } from '../../runtime/metrics.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { RequestHandler } from './broker-request.ts';
import { BusyMeter } from './busy-meter.ts';
import type { KafkaChannel } from './kafka-channel.ts';
import type { MemoryPool } from './memory-pool.ts';
import { NetworkRequest, type ResponseSink } from './network-request.ts';
import type { RequestChannel } from './request-channel.ts';
import { decodeRequest } from './request-decoder.ts';
import type { RequestMetrics } from './request-metrics.ts';

/** Answers written by one processor before others have their turn. */
const MAX_RESPONSES_PER_TURN = 64;
/** Idle connections are looked for this often within `connections.max.idle.ms`, but at least every half minute. */
const IDLE_CHECKS = 10;
const MAX_IDLE_CHECK_MS = 30_000;

export interface ProcessorOptions {
  readonly id: number;
  readonly runtime: Pick<Runtime, 'clock' | 'scheduler' | 'logger'> & { readonly metrics?: MetricsRegistry };
  readonly requestChannel: RequestChannel;
  readonly requestMetrics: RequestMetrics;
  readonly memoryPool: MemoryPool;
  readonly handler: RequestHandler;
  /** 0 or less: never. */
  readonly connectionsMaxIdleMs: number;
  /** A channel of this processor is closed, once. */
  readonly onClosed: (channel: KafkaChannel) => void;
}

export class Processor implements ResponseSink {
  readonly id: number;
  readonly #clock: ProcessorOptions['runtime']['clock'];
  readonly #scheduler: ProcessorOptions['runtime']['scheduler'];
  readonly #logger: ProcessorOptions['runtime']['logger'];
  readonly #requestChannel: RequestChannel;
  readonly #requestMetrics: RequestMetrics;
  readonly #memoryPool: MemoryPool;
  readonly #handler: RequestHandler;
  readonly #onClosed: (channel: KafkaChannel) => void;
  readonly #meter: BusyMeter;
  readonly #channels = new Set<KafkaChannel>();
  readonly #responses: NetworkRequest[] = [];
  /** The request that the full request channel didn't take. */
  #undelivered: NetworkRequest | undefined = undefined;
  /** Channels whose bytes were stashed because of that. */
  readonly #held = new Set<KafkaChannel>();
  readonly #onRoom = (): void => this.#deliverHeld();
  /** The channels that wait for memory, and what each has left with the pool. */
  readonly #memoryWaits = new Map<KafkaChannel, () => void>();
  #drainScheduled = false;
  #inTurn = false;
  readonly #idleCheck: { cancel(): void } | undefined;

  constructor(options: ProcessorOptions) {
    const { runtime, connectionsMaxIdleMs } = options;
    this.id = options.id;
    this.#clock = runtime.clock;
    this.#scheduler = runtime.scheduler;
    this.#logger = runtime.logger;
    this.#requestChannel = options.requestChannel;
    this.#requestMetrics = options.requestMetrics;
    this.#memoryPool = options.memoryPool;
    this.#handler = options.handler;
    this.#onClosed = options.onClosed;
    this.#meter = new BusyMeter(runtime.clock, 1);
    const tags = { type: 'Processor', networkProcessor: String(options.id) };
    runtime.metrics?.gauge('IdlePercent', () => this.idleRatio, tags);
    runtime.metrics?.gauge('ResponseQueueSize', () => this.#responses.length, tags);
    if (connectionsMaxIdleMs > 0) {
      const periodMs = Math.max(1, Math.min(MAX_IDLE_CHECK_MS, connectionsMaxIdleMs / IDLE_CHECKS));
      this.#idleCheck = runtime.scheduler.every(periodMs, () => this.#closeIdle(connectionsMaxIdleMs));
    }
  }

  get channels(): ReadonlySet<KafkaChannel> {
    return this.#channels;
  }
  get idleRatio(): number {
    return this.#meter.idleRatio();
  }
  get responseQueueSize(): number {
    return this.#responses.length;
  }
  /** Whether the full request channel keeps this processor from reading. */
  get isBlocked(): boolean {
    return this.#undelivered !== undefined;
  }

  /** Takes a connection over. Its socket's events must be handed on to `onData`, `onDrain` and `onSocketClosed`. */
  accept(channel: KafkaChannel): void {
    this.#channels.add(channel);
  }

  onData(channel: KafkaChannel, chunk: Buffer): void {
    if (channel.closed) return;
    const nowMs = this.#clock.monotonicMs();
    channel.lastActiveMs = nowMs;
    this.#turn(nowMs, () => this.#read(channel, chunk));
  }

  onDrain(channel: KafkaChannel): void {
    if (channel.closed || channel.state !== 'sending') return;
    const nowMs = this.#clock.monotonicMs();
    channel.lastActiveMs = nowMs;
    channel.current?.onSent?.();
    this.#turn(nowMs, () => this.#completeSend(channel));
  }

  /**
   * The peer has gone. Of what it had sent before, that is still carried out which has no answer: who writes with acks=0 and leaves counts
   * it as delivered. Kafka's Selector does so too (closing channels), up to the first request that has an answer.
   */
  onSocketClosed(channel: KafkaChannel): void {
    channel.disconnected = true;
    if (channel.state === 'sending' || channel.closing || !channel.hasStashed) this.#forget(channel);
  }

  /** Closes a connection at once. */
  close(channel: KafkaChannel): void {
    channel.socket.destroy();
    this.#forget(channel);
  }

  /** Reads nothing any more. Connections without a request in progress close now, the others when it is answered. */
  stopReading(): void {
    for (const channel of this.#channels) {
      channel.closing = true;
      if (!channel.isMuted || channel.disconnected) this.close(channel);
    }
  }

  shutdown(): void {
    this.#idleCheck?.cancel();
    this.#requestChannel.stopWaiting(this.#onRoom);
    for (const channel of this.#channels) this.close(channel);
    this.#responses.length = 0;
  }

  // --- ResponseSink

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  enqueueResponse(request: NetworkRequest): void {
    this.#responses.push(request);
    if (!this.#inTurn) this.#scheduleDrain();
  }

  releaseMemory(request: NetworkRequest): void {
    const { reservedBytes } = request;
    if (reservedBytes === 0) return;
    request.reservedBytes = 0;
    this.#memoryPool.release(reservedBytes);
  }

  answeredTwice(request: NetworkRequest): void {
    this.#logger.error(
      { api: request.api.name, connectionId: request.connectionId },
      `A second answer to one ${request.api.name} request was dropped`,
    );
  }

  // --- reading

  #read(channel: KafkaChannel, chunk: Buffer): void {
    if (this.#undelivered !== undefined && !channel.isMuted) this.#held.add(channel);
    if (channel.isMuted || this.#undelivered !== undefined || this.#memoryWaits.has(channel)) {
      channel.stash(chunk);
      return;
    }
    let offset = 0;
    while (offset < chunk.length) {
      const state = channel.receive.feed(chunk, offset);
      offset += channel.receive.consumed;
      if (state === 'invalid-size') {
        this.#closeBad(channel, `announced a request of ${channel.receive.size} bytes`);
        return;
      }
      if (state === 'no-memory') {
        this.#waitForMemory(channel, chunk.subarray(offset));
        return;
      }
      if (state === 'complete') {
        this.#receive(channel, channel.receive.take());
        break;
      }
    }
    if (offset < chunk.length && !channel.closed) channel.unread(chunk.subarray(offset));
  }

  /** Goes on with what a channel has stashed, until a request is complete or nothing is left. */
  #readStashed(channel: KafkaChannel): void {
    while (!channel.closed && !channel.isMuted && this.#undelivered === undefined && !this.#memoryWaits.has(channel)) {
      const stashed = channel.takeStashed();
      if (stashed === undefined) break;
      this.#read(channel, stashed);
    }
    if (channel.isMuted || channel.closed) return;
    if (this.#undelivered !== undefined) this.#held.add(channel);
    else if (this.#memoryWaits.has(channel)) return;
    else if (channel.disconnected) this.#forget(channel);
    else channel.maybeResume();
  }

  /** The size of a request is read, but no memory is left for it: the channel goes on when there is. */
  #waitForMemory(channel: KafkaChannel, rest: Buffer): void {
    if (rest.length > 0) channel.unread(rest);
    else channel.pause();
    const resume = (): void => {
      if (!channel.receive.tryReserve()) {
        this.#memoryPool.wait(resume);
        return;
      }
      this.#memoryWaits.delete(channel);
      this.#turn(this.#clock.monotonicMs(), () => this.#readStashed(channel));
    };
    this.#memoryWaits.set(channel, resume);
    this.#memoryPool.wait(resume);
  }

  /** A request has come whole. */
  #receive(channel: KafkaChannel, frame: Buffer): void {
    const decoded = decodeRequest(this.#handler, frame);
    if ('reason' in decoded) {
      this.#memoryPool.release(frame.length);
      this.#closeBad(channel, decoded.reason);
      return;
    }
    const request = new NetworkRequest({ ...decoded, sizeBytes: frame.length, receivedMs: this.nowMs(), channel, sink: this });
    if (channel.disconnected && request.hasAnswer) {
      this.releaseMemory(request);
      return;
    }
    channel.state = 'request-in-progress';
    channel.current = request;
    channel.requestCount++;
    channel.clientId = request.header.clientId;
    if (this.#requestChannel.trySend(request)) return;
    this.#undelivered = request;
    this.#requestChannel.waitForRoom(this.#onRoom);
  }

  /** There is room in the request channel again. */
  #deliverHeld(): void {
    this.#turn(this.#clock.monotonicMs(), () => {
      const undelivered = this.#undelivered;
      if (undelivered === undefined) return;
      if (!this.#requestChannel.trySend(undelivered)) {
        this.#requestChannel.waitForRoom(this.#onRoom);
        return;
      }
      this.#undelivered = undefined;
      for (const channel of this.#held) {
        this.#held.delete(channel);
        this.#readStashed(channel);
        if (this.#undelivered !== undefined) return;
      }
    });
  }

  // --- answering

  #scheduleDrain(): void {
    if (this.#drainScheduled) return;
    this.#drainScheduled = true;
    this.#scheduler.endOfTurn(() => {
      this.#drainScheduled = false;
      this.#turn(this.#clock.monotonicMs(), () => {});
    });
  }

  /** Does `work`, then answers what there is to answer, up to a fair share. Measures the time that took. */
  #turn(startMs: number, work: () => void): void {
    if (this.#inTurn) {
      work();
      return;
    }
    this.#inTurn = true;
    this.#meter.begin(startMs);
    try {
      work();
      for (let count = 0; count < MAX_RESPONSES_PER_TURN; count++) {
        const request = this.#responses.shift();
        if (request === undefined) break;
        this.#answer(request);
      }
    } finally {
      this.#inTurn = false;
      this.#meter.end();
    }
    if (this.#responses.length > 0) this.#scheduleDrain();
  }

  #answer(request: NetworkRequest): void {
    const { channel } = request;
    this.releaseMemory(request);
    if (channel.closed) return;
    request.writtenMs = this.nowMs();
    if (request.action === 'close') {
      const { closeReason, connectionId, header } = request;
      if (closeReason !== undefined)
        this.#logger.info({ connectionId, ...header }, `Closed the connection from ${channel.remoteAddress}: ${closeReason}`);
      this.close(channel);
      return;
    }
    if (request.action === 'none') {
      this.#completeSend(channel);
      return;
    }
    if (channel.disconnected) {
      channel.current = undefined;
      channel.state = 'reading';
      this.#readStashed(channel);
      return;
    }
    const chunks = this.#encode(request);
    if (chunks === undefined) return;
    for (const chunk of chunks) channel.sendingBytes += chunk.length;
    channel.state = 'sending';
    if (channel.socket.write(chunks)) this.#completeSend(channel);
  }

  #encode(request: NetworkRequest): Buffer[] | undefined {
    const { api, header, responseVersion, responseBody } = request;
    try {
      // The handler of this API made the body: the table of KafkaApis pairs their types.
      return encodeResponse(api, responseVersion, header.correlationId, responseBody as never);
    } catch (error) {
      this.#logger.error(
        { err: error, connectionId: request.connectionId },
        `The answer to ${api.name} version ${header.apiVersion} cannot be written; its connection is closed`,
      );
      this.close(request.channel);
      return undefined;
    }
  }

  /** The answer has gone to the kernel (or there is none): the channel may go on. */
  #completeSend(channel: KafkaChannel): void {
    const request = channel.current;
    const nowMs = this.nowMs();
    channel.lastActiveMs = nowMs;
    if (request !== undefined) this.#requestMetrics.record(request, nowMs, channel.sendingBytes);
    channel.current = undefined;
    channel.sendingBytes = 0;
    if (channel.closing) {
      // It stays muted until the peer has closed its side, or the server has shut down.
      channel.socket.end();
      return;
    }
    channel.state = 'reading';
    this.#readStashed(channel);
  }

  // --- closing

  #closeBad(channel: KafkaChannel, what: string): void {
    const { id: connectionId, listenerName, remoteAddress } = channel;
    this.#logger.warn({ connectionId, listenerName }, `Closed the connection from ${remoteAddress}, which ${what}`);
    this.close(channel);
  }

  #closeIdle(maxIdleMs: number): void {
    const beforeMs = this.#clock.monotonicMs() - maxIdleMs;
    for (const channel of this.#channels) {
      // A request in progress may rightly take long (a join, a fetch); an answer nobody reads may not.
      if (channel.lastActiveMs > beforeMs || channel.state === 'request-in-progress') continue;
      this.#logger.debug({ connectionId: channel.id }, `Closed the connection from ${channel.remoteAddress}, idle for ${maxIdleMs} ms`);
      this.close(channel);
    }
  }

  #forget(channel: KafkaChannel): void {
    if (channel.closed) return;
    channel.closed = true;
    this.#channels.delete(channel);
    this.#held.delete(channel);
    const wait = this.#memoryWaits.get(channel);
    if (wait !== undefined) {
      this.#memoryWaits.delete(channel);
      this.#memoryPool.stopWaiting(wait);
    }
    channel.receive.abandon();
    this.#onClosed(channel);
  }
}
