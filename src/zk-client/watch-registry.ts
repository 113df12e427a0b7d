/**
 * The watchers that a client has set, by path, as the server has them (ClientCnxn's ZKWatchManager): `data` on nodes that
 * were there, `exist` on nodes that weren't, `child`. An event takes away those it calls.
 */
import { EventType } from '../zookeeper/jute/constants.ts';
import type { WatchEvent, ZooKeeperWatcher } from './types.ts';

export type WatchKind = 'data' | 'exist' | 'child';

const EVENT_NAMES = new Map<number, WatchEvent['type']>([
  [EventType.NodeCreated, 'created'],
  [EventType.NodeDeleted, 'deleted'],
  [EventType.NodeDataChanged, 'dataChanged'],
  [EventType.NodeChildrenChanged, 'childrenChanged'],
]);

const KINDS_BY_EVENT: Record<WatchEvent['type'], readonly WatchKind[]> = {
  created: ['data', 'exist'],
  dataChanged: ['data', 'exist'],
  deleted: ['data', 'exist', 'child'],
  childrenChanged: ['child'],
};

/** The event of a notification's type; undefined for a type that isn't one-shot watches'. */
export function watchEventType(type: number): WatchEvent['type'] | undefined {
  return EVENT_NAMES.get(type);
}

export class WatchRegistry {
  readonly #watchers: Record<WatchKind, Map<string, Set<ZooKeeperWatcher>>> = { data: new Map(), exist: new Map(), child: new Map() };

  add(kind: WatchKind, path: string, watcher: ZooKeeperWatcher): void {
    const byPath = this.#watchers[kind];
    const watchers = byPath.get(path);
    if (watchers === undefined) byPath.set(path, new Set([watcher]));
    else watchers.add(watcher);
  }

  /** Takes away and returns who hears of `event`. */
  take(event: WatchEvent): ZooKeeperWatcher[] {
    const called = new Set<ZooKeeperWatcher>();
    for (const kind of KINDS_BY_EVENT[event.type]) {
      for (const watcher of this.#watchers[kind].get(event.path) ?? []) called.add(watcher);
      this.#watchers[kind].delete(event.path);
    }
    return Array.from(called);
  }

  paths(kind: WatchKind): string[] {
    return Array.from(this.#watchers[kind].keys());
  }

  /** All paths, each batch of at most about `maxBytes`. */
  batches(maxBytes: number): Record<WatchKind, string[]>[] {
    const batches: Record<WatchKind, string[]>[] = [];
    let bytes = Number.POSITIVE_INFINITY;
    for (const kind of ['data', 'exist', 'child'] as const) {
      for (const path of this.paths(kind)) {
        if (bytes > maxBytes) {
          batches.push({ data: [], exist: [], child: [] });
          bytes = 0;
        }
        batches.at(-1)?.[kind].push(path);
        bytes += path.length + 4;
      }
    }
    return batches;
  }

  get isEmpty(): boolean {
    return this.#watchers.data.size + this.#watchers.exist.size + this.#watchers.child.size === 0;
  }

  clear(): void {
    for (const byPath of Object.values(this.#watchers)) byPath.clear();
  }
}
