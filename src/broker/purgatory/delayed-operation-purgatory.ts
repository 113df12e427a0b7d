/**
 * Keeps delayed operations until they can be completed (Kafka's `DelayedOperationPurgatory`): each is watched under the keys
 * whose events can fulfil it (`topic-partition`, a group, …), and expires by a timer. Several purgatories may share one timer.
 *
 * Who brings about an event calls `checkAndComplete(key)` after it has taken effect. Operations are tried in the order of
 * their coming. An operation completes once, and is out of all lists and the timer when its `onComplete` runs.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { MetricsRegistry } from '../../runtime/metrics.ts';
import type { DelayedOperation, OperationOwner } from './delayed-operation.ts';
import type { Timer } from './timer.ts';
import { Watchers } from './watchers.ts';

export interface PurgatoryOptions {
  /** Kafka's name: Produce, Fetch, Rebalance, Heartbeat, topic, ElectLeader, DeleteRecords. */
  readonly name: string;
  readonly timer: Timer;
  readonly clock: Clock;
  readonly metrics?: MetricsRegistry;
}

/** One pending operation, for the console. */
export interface PendingOperation {
  readonly description: string;
  readonly keys: readonly string[];
  readonly waitingMs: number;
  readonly expiresInMs: number;
}

export class DelayedOperationPurgatory<T extends DelayedOperation> implements OperationOwner {
  readonly name: string;
  readonly #timer: Timer;
  readonly #clock: Clock;
  readonly #metrics: MetricsRegistry | undefined;
  readonly #watchersByKey = new Map<string, Watchers<T>>();
  readonly #removeIfEmpty = (watchers: Watchers<T>): void => {
    this.#watchersByKey.delete(watchers.key);
  };
  #watched = 0;
  #numDelayed = 0;
  #expirations = 0;

  constructor({ name, timer, clock, metrics }: PurgatoryOptions) {
    this.name = name;
    this.#timer = timer;
    this.#clock = clock;
    this.#metrics = metrics;
    metrics?.gauge('PurgatorySize', () => this.#watched, this.#tags());
    metrics?.gauge('NumDelayedOperations', () => this.#numDelayed, this.#tags());
    metrics?.gauge('ExpiresPerSec', () => this.#expirations, this.#tags());
  }

  /** Entries in watch lists: an operation counts once per key. */
  get watched(): number {
    return this.#watched;
  }

  /** Operations that wait. */
  get numDelayed(): number {
    return this.#numDelayed;
  }

  /** Operations whose time was over before their condition held, since the start. */
  get expirations(): number {
    return this.#expirations;
  }

  /**
   * Completes `operation` when its condition holds already, else lets it wait under `keys`, at most its `delayMs`.
   * @param keys at least one: all events that can fulfil the condition.
   * @returns whether the operation is complete when this returns (also because its delay is 0).
   */
  tryCompleteElseWatch(operation: T, keys: readonly string[]): boolean {
    if (keys.length === 0) throw new Error(`an operation in the ${this.name} purgatory needs a key to be watched under`);
    if (operation.isCompleted || operation.tryComplete()) return true;
    operation.watchEntries = keys.map((key) => this.#getOrCreateWatchers(key).watch(operation));
    operation.owner = this;
    operation.waitingSinceMs = this.#clock.monotonicMs();
    this.#watched += keys.length;
    this.#numDelayed++;
    this.#timer.add(operation);
    return operation.isCompleted;
  }

  /**
   * Tries the operations that are watched under `key`, in the order of their coming.
   * @returns how many of them this completed.
   */
  checkAndComplete(key: string): number {
    const watchers = this.#watchersByKey.get(key);
    if (watchers === undefined) return 0;
    if (watchers.size === 1) return watchers.first?.operation.tryComplete() === true ? 1 : 0;
    let completed = 0;
    for (const operation of watchers.operations()) {
      // Completing one may have completed another.
      if (!operation.isCompleted && operation.tryComplete()) completed++;
    }
    return completed;
  }

  /**
   * Takes the operations under `key` out of the purgatory without completing them: whoever owned the key is gone
   * (a coordinator that resigned) and answers them itself.
   */
  cancelForKey(key: string): T[] {
    const operations = this.#watchersByKey.get(key)?.operations() ?? [];
    for (const operation of operations) {
      operation.cancel();
      operation.owner = undefined;
      this.operationDone(operation, false);
    }
    return operations;
  }

  /** An operation's own call when it is done; not for others. */
  operationDone(operation: DelayedOperation, expired: boolean): void {
    const entries = operation.watchEntries ?? [];
    operation.watchEntries = undefined;
    for (const entry of entries) entry.unlink();
    this.#watched -= entries.length;
    this.#numDelayed--;
    if (expired) this.#expirations++;
  }

  /** How many operations wait under `key`. */
  watchedUnder(key: string): number {
    return this.#watchersByKey.get(key)?.size ?? 0;
  }

  /** What waits, the oldest key first, at most `limit` operations: for the console. */
  pendingOperations(limit = 1000): PendingOperation[] {
    const nowMs = this.#clock.monotonicMs();
    const seen = new Set<T>();
    const pending: PendingOperation[] = [];
    for (const watchers of this.#watchersByKey.values()) {
      for (let node = watchers.first; node !== undefined; node = node.next) {
        if (pending.length >= limit) return pending;
        const { operation } = node;
        if (seen.has(operation)) continue;
        seen.add(operation);
        pending.push({
          description: operation.describe(),
          keys: (operation.watchEntries ?? []).map(({ key }) => key),
          waitingMs: nowMs - operation.waitingSinceMs,
          expiresInMs: Math.max(0, operation.expirationMs - nowMs),
        });
      }
    }
    return pending;
  }

  /** Forgets everything that waits, uncompleted. The timer belongs to whoever made it. */
  close(): void {
    for (const key of Array.from(this.#watchersByKey.keys())) this.cancelForKey(key);
    for (const metric of ['PurgatorySize', 'NumDelayedOperations', 'ExpiresPerSec']) this.#metrics?.remove(metric, this.#tags());
  }

  #getOrCreateWatchers(key: string): Watchers<T> {
    let watchers = this.#watchersByKey.get(key);
    if (watchers === undefined) {
      watchers = new Watchers<T>(key, this.#removeIfEmpty);
      this.#watchersByKey.set(key, watchers);
    }
    return watchers;
  }

  #tags(): Record<string, string> {
    return { type: 'DelayedOperationPurgatory', delayedOperation: this.name };
  }
}
