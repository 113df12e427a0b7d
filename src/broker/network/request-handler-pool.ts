/**
 * The M handler slots (`num.io.threads`). Requests are taken from the channel in order while a slot is free; a handler holds its
 * slot until it returns, or until its promise settles. A request parked in a purgatory holds none.
 * Kafka 3.9: `KafkaRequestHandlerPool`, whose threads are slots here.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { MetricsRegistry } from '../../runtime/metrics.ts';
import type { Scheduler } from '../../runtime/scheduler.ts';
import type { RequestHandler } from './broker-request.ts';
import { BusyMeter } from './busy-meter.ts';
import type { NetworkRequest } from './network-request.ts';
import type { RequestChannel } from './request-channel.ts';

/** Requests begun in one go before the event loop has its turn. */
const MAX_REQUESTS_PER_TURN = 64;

export interface RequestHandlerPoolOptions {
  readonly requestChannel: RequestChannel;
  readonly handler: RequestHandler;
  /** M. */
  readonly size: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly metrics?: MetricsRegistry;
}

export class KafkaRequestHandlerPool {
  readonly #requestChannel: RequestChannel;
  readonly #handler: RequestHandler;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #meter: BusyMeter;
  #size: number;
  #dispatching = false;
  #dispatchScheduled = false;
  #stopped = false;
  #whenIdle: (() => void)[] = [];

  constructor(options: RequestHandlerPoolOptions) {
    this.#requestChannel = options.requestChannel;
    this.#handler = options.handler;
    this.#size = options.size;
    this.#clock = options.clock;
    this.#scheduler = options.scheduler;
    this.#meter = new BusyMeter(options.clock, options.size);
    const tags = { type: 'KafkaRequestHandlerPool' };
    options.metrics?.gauge('RequestHandlerAvgIdlePercent', () => this.idleRatio, tags);
    options.metrics?.gauge('ActiveHandlers', () => this.active, tags);
    options.requestChannel.setConsumer(() => this.#dispatch());
    this.#dispatch();
  }

  get size(): number {
    return this.#size;
  }
  /** Handlers in execution. */
  get active(): number {
    return this.#meter.active;
  }
  get idleRatio(): number {
    return this.#meter.idleRatio();
  }

  /** Another number of slots. Handlers in execution go on; fewer slots fill up again only as far as the new number. */
  resize(size: number): void {
    this.#size = size;
    this.#meter.capacity = size;
    this.#dispatch();
  }

  /** Begins no further request; resolves when those in execution have ended. */
  shutdown(): Promise<void> {
    this.#stopped = true;
    if (this.active === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve);
    });
  }

  #dispatch(): void {
    if (this.#dispatching || this.#stopped) return;
    this.#dispatching = true;
    let begun = 0;
    while (this.#meter.active < this.#size) {
      if (begun === MAX_REQUESTS_PER_TURN) {
        this.#dispatchLater();
        break;
      }
      const request = this.#requestChannel.receive();
      if (request === undefined) break;
      begun++;
      this.#execute(request);
    }
    this.#dispatching = false;
  }

  #dispatchLater(): void {
    if (this.#dispatchScheduled) return;
    this.#dispatchScheduled = true;
    this.#scheduler.endOfTurn(() => {
      this.#dispatchScheduled = false;
      this.#dispatch();
    });
  }

  #execute(request: NetworkRequest): void {
    const startMs = this.#clock.monotonicMs();
    request.dequeuedMs = startMs;
    this.#meter.begin(startMs);
    // The API layer catches what handlers throw; anything else ends the process.
    const outcome = this.#handler.handle(request);
    if (outcome === undefined) this.#end(request);
    else void outcome.then(() => this.#end(request));
  }

  #end(request: NetworkRequest): void {
    const nowMs = this.#clock.monotonicMs();
    request.handledMs = nowMs;
    this.#meter.end(nowMs);
    if (this.#stopped) {
      if (this.active === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
      return;
    }
    this.#dispatch();
  }
}
