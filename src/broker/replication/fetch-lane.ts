/**
 * One way from a follower to its leader: a connection with at most one fetch under way, the pauses between fetches, and what went wrong.
 * A fetcher has two, so that partitions in sync, for which producers with acks=all wait, never wait for the megabytes of those that are
 * catching up. Kafka has one for both.
 */
import type { NetworkClient } from '../../client/network-client.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Cancellable, Scheduler } from '../../runtime/scheduler.ts';

export type LaneClient = Pick<NetworkClient, 'send' | 'closeConnection'>;

/** Between two long polls that are cut short because partitions were added. */
const MIN_MS_BETWEEN_CUTS = 25;

export interface FetchLaneOptions {
  readonly leaderId: number;
  readonly client: LaneClient;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** The most that one answer carries. */
  readonly responseMaxBytes: number;
}

export class FetchLane {
  readonly responseMaxBytes: number;
  readonly client: LaneClient;
  isRunning = false;
  failuresInRow = 0;
  /** Why the last request failed; undefined after one that didn't. */
  problem: string | undefined;
  readonly #options: FetchLaneOptions;
  #wake: (() => void) | undefined;
  /** The request that is under way, which asks for what was followed when it was sent. */
  #inFlight: { isCut: boolean } | undefined;
  #cut: Cancellable | undefined;
  #lastCutMs = Number.NEGATIVE_INFINITY;

  constructor(options: FetchLaneOptions) {
    this.#options = options;
    this.client = options.client;
    this.responseMaxBytes = options.responseMaxBytes;
  }

  /** Waits, but not longer than until `wake`. */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      let timer: Cancellable | undefined;
      const done = (): void => {
        timer?.cancel();
        this.#wake = undefined;
        resolve();
      };
      this.#wake = done;
      timer = this.#options.scheduler.after(delayMs, done);
    });
  }

  wake(): void {
    this.#wake?.();
  }

  /** Runs one request. Undefined when it was cut short: it is to be made anew. */
  async ask<T>(send: () => Promise<T>): Promise<T | undefined> {
    const inFlight = { isCut: false };
    this.#inFlight = inFlight;
    try {
      return await send();
    } catch (error) {
      if (inFlight.isCut) return undefined;
      throw error;
    } finally {
      this.#inFlight = undefined;
      // It was answered: the next request asks for everything.
      this.#cut?.cancel();
      this.#cut = undefined;
    }
  }

  /**
   * A long poll under way doesn't ask for the partition that was just added, and the leader answers a connection's requests in
   * order: without more, the first acks=all write to a new topic or a new leader would wait for `replica.fetch.wait.max.ms`, as in
   * Kafka. The connection is closed and the fetch sent again with everything; seldom, so that a large answer gets through.
   */
  cutLongPoll(): void {
    if (this.#inFlight === undefined || this.#cut !== undefined) return;
    const { scheduler, clock, client, leaderId } = this.#options;
    const delayMs = Math.max(0, this.#lastCutMs + MIN_MS_BETWEEN_CUTS - clock.monotonicMs());
    this.#cut = scheduler.after(delayMs, () => {
      this.#cut = undefined;
      if (this.#inFlight === undefined) return;
      this.#inFlight.isCut = true;
      this.#lastCutMs = clock.monotonicMs();
      client.closeConnection(leaderId);
    });
  }
}
