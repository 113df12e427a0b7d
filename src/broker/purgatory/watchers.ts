/**
 * The operations that watch one key, in the order of their coming: a doubly linked list, since an operation that completes
 * leaves the lists of all its keys at once. (Kafka's lists are shared by threads, so that completed operations stay in them
 * until a purge; here `*.purgatory.purge.interval.requests` has nothing to do, and a completed request holds no memory.)
 */
import type { DelayedOperation, WatchEntry } from './delayed-operation.ts';

export class Watchers<T extends DelayedOperation> {
  readonly key: string;
  readonly #onEmpty: (watchers: Watchers<T>) => void;
  first: WatcherNode<T> | undefined = undefined;
  last: WatcherNode<T> | undefined = undefined;
  size = 0;

  constructor(key: string, onEmpty: (watchers: Watchers<T>) => void) {
    this.key = key;
    this.#onEmpty = onEmpty;
  }

  watch(operation: T): WatcherNode<T> {
    const node = new WatcherNode(operation, this);
    node.previous = this.last;
    if (this.last === undefined) this.first = node;
    else this.last.next = node;
    this.last = node;
    this.size++;
    return node;
  }

  unlink(node: WatcherNode<T>): void {
    if (node.previous === undefined) this.first = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) this.last = node.previous;
    else node.next.previous = node.previous;
    this.size--;
    if (this.size === 0) this.#onEmpty(this);
  }

  /** The operations as they are now; the list may change while the caller goes through them. */
  operations(): T[] {
    const operations: T[] = [];
    for (let node = this.first; node !== undefined; node = node.next) operations.push(node.operation);
    return operations;
  }
}

/** One operation under one key. */
export class WatcherNode<T extends DelayedOperation> implements WatchEntry {
  readonly operation: T;
  readonly #watchers: Watchers<T>;
  #linked = true;
  previous: WatcherNode<T> | undefined = undefined;
  next: WatcherNode<T> | undefined = undefined;

  constructor(operation: T, watchers: Watchers<T>) {
    this.operation = operation;
    this.#watchers = watchers;
  }

  get key(): string {
    return this.#watchers.key;
  }

  unlink(): void {
    if (!this.#linked) return;
    this.#linked = false;
    this.#watchers.unlink(this);
  }
}
