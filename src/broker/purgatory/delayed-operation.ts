/**
 * An operation that waits in a purgatory until its condition holds or its time is over (Kafka's `DelayedOperation`):
 * a produce with acks=all, a fetch with min bytes, a join, a heartbeat, a topic creation.
 *
 * It completes exactly once, by whoever gets there first: `tryComplete` finds the condition true, or the timer runs out
 * (`onExpiration` follows `onComplete` then). Everything happens on the event loop, so that Kafka's locks and its second
 * `tryComplete` after watching are not needed: nothing can come between the check and the watching.
 */
import { TimerTask } from './timer-task.ts';

/** Its place in the watch list of one key. */
export interface WatchEntry {
  readonly key: string;
  unlink(): void;
}

/** Whoever keeps a waiting operation: told once when it no longer waits. */
export interface OperationOwner {
  operationDone(operation: DelayedOperation, expired: boolean): void;
}

export abstract class DelayedOperation extends TimerTask {
  #completed = false;
  /** Where it is watched; the purgatory's matter. */
  watchEntries: readonly WatchEntry[] | undefined = undefined;
  /** When it began to wait, on the monotonic clock; the purgatory's matter. */
  waitingSinceMs = 0;
  /** The purgatory it waits in; undefined while it doesn't. */
  owner: OperationOwner | undefined = undefined;

  get isCompleted(): boolean {
    return this.#completed;
  }

  /**
   * Completes the operation when its condition holds, by calling `forceComplete`.
   * @returns whether this call completed it.
   */
  abstract tryComplete(): boolean;

  /** The work of completion: usually the answer to a client. Runs exactly once. */
  abstract onComplete(): void;

  /** Runs after `onComplete` when the time was over: for metrics, or nothing. */
  abstract onExpiration(): void;

  /** What it is and waits for, one line for people (console, logs). */
  describe(): string {
    return this.constructor.name;
  }

  /**
   * Completes the operation, whatever its condition: stops its timer, leaves every watch list, runs `onComplete`.
   * @returns false when it was completed before; nothing happens then.
   */
  forceComplete(): boolean {
    if (!this.#leave(false)) return false;
    this.onComplete();
    return true;
  }

  /** The timer's call: the time is over. */
  run(): void {
    if (!this.#leave(true)) return;
    this.onComplete();
    this.onExpiration();
  }

  #leave(expired: boolean): boolean {
    if (this.#completed) return false;
    this.#completed = true;
    this.cancel();
    const owner = this.owner;
    if (owner !== undefined) {
      this.owner = undefined;
      owner.operationDone(this, expired);
    }
    return true;
  }
}
