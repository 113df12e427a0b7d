/**
 * One event at a time: the queue of what the controller has to deal with, and the loop that does.
 *
 * The next event starts when the one before has settled, and in a later turn of the event loop, so that a long series starves
 * nobody. Events that only say "look again" (`coalesce`) wait at most once each. Events that carry a request are bounded by
 * `maxQueuedEvents`: the rest is preempted, as all of them are when the session is lost.
 * Source: kafka.controller.ControllerEventManager, ControllerState.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Histogram, MetricsRegistry } from '../../runtime/metrics.ts';
import type { Scheduler } from '../../runtime/scheduler.ts';

/** What an event is about; the value is Kafka's `ControllerState` gauge, `metric` its rate-and-time metric. */
export const CONTROLLER_STATES = {
  Idle: { value: 0, metric: undefined },
  ControllerChange: { value: 1, metric: 'ControllerChangeRateAndTimeMs' },
  BrokerChange: { value: 2, metric: 'LeaderElectionRateAndTimeMs' },
  TopicChange: { value: 3, metric: 'TopicChangeRateAndTimeMs' },
  TopicDeletion: { value: 4, metric: 'TopicDeletionRateAndTimeMs' },
  AlterPartitionReassignment: { value: 5, metric: 'PartitionReassignmentRateAndTimeMs' },
  AutoLeaderBalance: { value: 6, metric: 'AutoLeaderBalanceRateAndTimeMs' },
  ManualLeaderBalance: { value: 7, metric: 'ManualLeaderBalanceRateAndTimeMs' },
  ControlledShutdown: { value: 8, metric: 'ControlledShutdownRateAndTimeMs' },
  IsrChange: { value: 9, metric: 'IsrChangeRateAndTimeMs' },
  LeaderAndIsrResponseReceived: { value: 10, metric: 'LeaderAndIsrResponseReceivedRateAndTimeMs' },
  LogDirChange: { value: 11, metric: 'LogDirChangeRateAndTimeMs' },
  ControllerShutdown: { value: 12, metric: 'ControllerShutdownRateAndTimeMs' },
  UncleanLeaderElectionEnable: { value: 13, metric: 'UncleanLeaderElectionEnableRateAndTimeMs' },
  TopicUncleanLeaderElectionEnable: { value: 14, metric: 'TopicUncleanLeaderElectionEnableRateAndTimeMs' },
  ListPartitionReassignment: { value: 15, metric: 'ListPartitionReassignmentRateAndTimeMs' },
  UpdateMetadataResponseReceived: { value: 16, metric: 'UpdateMetadataResponseReceivedRateAndTimeMs' },
  UpdateFeatures: { value: 17, metric: 'UpdateFeaturesRateAndTimeMs' },
} as const;
export type ControllerState = keyof typeof CONTROLLER_STATES;

export interface ControllerEvent {
  /** For logs and coalescing: events of one name that wait are one when `coalesce` is set. */
  readonly name: string;
  readonly state: ControllerState;
  readonly coalesce?: boolean;
  process(): Promise<void> | void;
  /** Called instead of `process` when the event will not be processed. */
  preempt?(): void;
}

export interface ControllerEventManagerOptions {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  readonly maxQueuedEvents?: number;
}

/** An event that was processed. */
export interface ProcessedEvent {
  readonly name: string;
  readonly state: ControllerState;
  /** Wall clock. */
  readonly startedAtMs: number;
  readonly queuedMs: number;
  readonly durationMs: number;
  readonly failed: boolean;
}

/** Of the time that events waited, or took. */
export interface TimeSummary {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Events kept for whoever asks; the oldest go first. */
const MAX_RECENT_EVENTS = 100;

interface QueuedEvent {
  readonly event: ControllerEvent;
  readonly enqueuedAtMs: number;
  readonly done: () => void;
}

export class ControllerEventManager {
  readonly #options: ControllerEventManagerOptions;
  readonly #maxQueuedEvents: number;
  readonly #queueTimeMs: Histogram;
  readonly #processingTimeMs: Histogram;
  readonly #recent: ProcessedEvent[] = [];
  #current: { readonly name: string; readonly startedAtMs: number } | undefined;
  #queue: QueuedEvent[] = [];
  /** Names of events that wait and stand for all of their name: there may be thousands. */
  readonly #coalesced = new Set<string>();
  #state: ControllerState = 'Idle';
  #running = false;
  #started = false;
  #closed = false;
  #idle: Promise<void> = Promise.resolve();

  constructor(options: ControllerEventManagerOptions) {
    this.#options = options;
    this.#maxQueuedEvents = options.maxQueuedEvents ?? 10_000;
    const tags = { type: 'ControllerEventManager' };
    this.#queueTimeMs = options.metrics.histogram('EventQueueTimeMs', tags);
    this.#processingTimeMs = options.metrics.histogram('EventQueueProcessingTimeMs', tags);
    options.metrics.gauge('EventQueueSize', () => this.#queue.length, tags);
    options.metrics.gauge('ControllerState', () => CONTROLLER_STATES[this.#state].value, { type: 'KafkaController' });
  }

  get state(): ControllerState {
    return this.#state;
  }

  get queueSize(): number {
    return this.#queue.length;
  }

  /** The event being processed, since when (wall clock). */
  get current(): { readonly name: string; readonly startedAtMs: number } | undefined {
    return this.#current;
  }

  /** Names of the events that wait, in order, at most `max`. */
  waiting(max: number): string[] {
    return this.#queue.slice(0, max).map(({ event }) => event.name);
  }

  /** The last events, oldest first. */
  get recent(): readonly ProcessedEvent[] {
    return [...this.#recent];
  }

  get queueTimes(): TimeSummary {
    return summaryOf(this.#queueTimeMs);
  }

  get processingTimes(): TimeSummary {
    return summaryOf(this.#processingTimeMs);
  }

  /** Events may be put before: they wait for this. */
  start(): void {
    this.#started = true;
    this.#run();
  }

  /** Queues `event`; the promise settles when it was processed or preempted, and never rejects. */
  put(event: ControllerEvent): Promise<void> {
    if (this.#closed || this.#isFullFor(event)) {
      event.preempt?.();
      return Promise.resolve();
    }
    if (event.coalesce === true) {
      if (this.#coalesced.has(event.name)) return Promise.resolve();
      this.#coalesced.add(event.name);
    }
    return new Promise((done) => {
      this.#queue.push({ event, enqueuedAtMs: this.#options.clock.monotonicMs(), done });
      this.#run();
    });
  }

  /** Preempts all that waits and puts `event` instead. */
  clearAndPut(event: ControllerEvent): Promise<void> {
    this.#preemptAll();
    return this.put(event);
  }

  /** Preempts what waits; resolves when the event in process has settled. Nothing can be put any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#preemptAll();
    await this.#idle;
    for (const name of ['EventQueueTimeMs', 'EventQueueProcessingTimeMs', 'EventQueueSize'])
      this.#options.metrics.remove(name, { type: 'ControllerEventManager' });
    this.#options.metrics.remove('ControllerState', { type: 'KafkaController' });
  }

  /** Only what someone else waits for is refused: a lost "look again" would leave the controller blind. */
  #isFullFor(event: ControllerEvent): boolean {
    if (event.preempt === undefined || this.#queue.length < this.#maxQueuedEvents) return false;
    this.#options.logger.warn(`the controller's queue is full (${this.#queue.length} events): refusing ${event.name}`);
    return true;
  }

  #preemptAll(): void {
    const queue = this.#queue;
    this.#queue = [];
    this.#coalesced.clear();
    for (const { event, done } of queue) {
      event.preempt?.();
      done();
    }
  }

  #run(): void {
    if (this.#running || !this.#started) return;
    this.#running = true;
    this.#idle = this.#processAll().finally(() => {
      this.#running = false;
      // Something may have been put between the last look at the queue and now.
      if (this.#queue.length > 0) this.#run();
    });
  }

  async #processAll(): Promise<void> {
    for (let queued = this.#queue.shift(); queued !== undefined; queued = this.#queue.shift()) {
      if (queued.event.coalesce === true) this.#coalesced.delete(queued.event.name);
      await this.#process(queued);
      await new Promise<void>((resolve) => this.#options.scheduler.endOfTurn(resolve));
    }
  }

  async #process({ event, enqueuedAtMs, done }: QueuedEvent): Promise<void> {
    const { clock, logger, metrics } = this.#options;
    const startedAtMs = clock.monotonicMs();
    const queuedMs = startedAtMs - enqueuedAtMs;
    this.#queueTimeMs.record(queuedMs);
    this.#state = event.state;
    const current = { name: event.name, startedAtMs: clock.wallMs() };
    this.#current = current;
    let failed = false;
    try {
      await event.process();
    } catch (error) {
      failed = true;
      logger.error({ err: error }, `the controller failed to process ${event.name}`);
    }
    const { metric } = CONTROLLER_STATES[event.state];
    const durationMs = clock.monotonicMs() - startedAtMs;
    this.#processingTimeMs.record(durationMs);
    if (metric !== undefined) metrics.histogram(metric, { type: 'ControllerStats' }).record(durationMs);
    this.#recent.push({ ...current, state: event.state, queuedMs, durationMs, failed });
    if (this.#recent.length > MAX_RECENT_EVENTS) this.#recent.shift();
    this.#current = undefined;
    this.#state = 'Idle';
    done();
  }
}

function summaryOf(histogram: Histogram): TimeSummary {
  return { count: histogram.count, p50Ms: histogram.quantile(0.5), p99Ms: histogram.quantile(0.99), maxMs: histogram.max };
}
