/**
 * Who waits for a change of which path. A server has two: for data (and existence) and for children.
 * A standard watch fires once; a persistent one stays; a recursive one stays, hears of every node below its path,
 * and never of "children changed". Setting a watch again replaces its mode. Source: WatchManager.
 */
import { EventType } from '../jute/constants.ts';
import type { Acl } from '../jute/records.ts';
import { parentPath } from './path.ts';

export type WatchMode = 'standard' | 'persistent' | 'recursive';

export interface Watcher {
  /** Tells the watcher; `acl` is the node's, for a check of the right to read. */
  process(type: EventType, path: string, acl: readonly Acl[]): void;
}

export class WatchManager<W extends Watcher> {
  readonly #byPath = new Map<string, Map<W, WatchMode>>();
  readonly #byWatcher = new Map<W, Set<string>>();
  #recursiveCount = 0;
  readonly #onTold: ((type: EventType, watchers: number) => void) | undefined;

  /** `onTold` hears of each event that had watchers. */
  constructor(onTold?: (type: EventType, watchers: number) => void) {
    this.#onTold = onTold;
  }

  add(path: string, watcher: W, mode: WatchMode = 'standard'): void {
    let watchers = this.#byPath.get(path);
    if (watchers === undefined) this.#byPath.set(path, (watchers = new Map()));
    if (watchers.get(watcher) === 'recursive') this.#recursiveCount--;
    if (mode === 'recursive') this.#recursiveCount++;
    watchers.set(watcher, mode);
    let paths = this.#byWatcher.get(watcher);
    if (paths === undefined) this.#byWatcher.set(watcher, (paths = new Set()));
    paths.add(path);
  }

  /** Whether a watch of `watcher` would hear of `path`: one on it, or a recursive one above it. */
  contains(path: string, watcher: W): boolean {
    if (this.#byPath.get(path)?.has(watcher) === true) return true;
    for (const above of this.#pathsAbove(path)) if (this.#byPath.get(above)?.get(watcher) === 'recursive') return true;
    return false;
  }

  /** Takes away one watch; false when there was none. */
  remove(path: string, watcher: W): boolean {
    const watchers = this.#byPath.get(path);
    const mode = watchers?.get(watcher);
    if (watchers === undefined || mode === undefined) return false;
    this.#forget(path, watchers, watcher, mode);
    return true;
  }

  /** Takes away all watches of a connection that is gone. */
  removeWatcher(watcher: W): void {
    const paths = this.#byWatcher.get(watcher);
    if (paths === undefined) return;
    for (const path of Array.from(paths)) this.remove(path, watcher);
  }

  /**
   * Fires the watches on `path`, except for those in `suppress` (already told).
   * @returns who was told, undefined when nobody watches.
   */
  trigger(path: string, type: EventType, acl: readonly Acl[], suppress?: ReadonlySet<W>): Set<W> | undefined {
    const told = new Set<W>();
    const watchers = this.#byPath.get(path);
    if (watchers !== undefined) {
      for (const [watcher, mode] of watchers) {
        if (mode === 'recursive') {
          if (type !== EventType.NodeChildrenChanged) told.add(watcher);
          continue;
        }
        told.add(watcher);
        if (mode === 'standard') this.#forget(path, watchers, watcher, mode);
      }
    }
    if (type !== EventType.NodeChildrenChanged) {
      for (const above of this.#pathsAbove(path)) {
        for (const [watcher, mode] of this.#byPath.get(above) ?? []) if (mode === 'recursive') told.add(watcher);
      }
    }
    if (told.size === 0) return undefined;
    let count = 0;
    for (const watcher of told) {
      if (suppress?.has(watcher) === true) continue;
      watcher.process(type, path, acl);
      count++;
    }
    if (count > 0) this.#onTold?.(type, count);
    return told;
  }

  get pathCount(): number {
    return this.#byPath.size;
  }

  get watcherCount(): number {
    return this.#byWatcher.size;
  }

  get watchCount(): number {
    let count = 0;
    for (const paths of this.#byWatcher.values()) count += paths.size;
    return count;
  }

  readonly paths = (): Iterable<string> => this.#byPath.keys();

  pathsOf(watcher: W): Iterable<string> {
    return this.#byWatcher.get(watcher) ?? [];
  }

  watchersOf(path: string): Iterable<[W, WatchMode]> {
    return this.#byPath.get(path) ?? [];
  }

  modeOf(path: string, watcher: W): WatchMode | undefined {
    return this.#byPath.get(path)?.get(watcher);
  }

  *watchersByPath(): Iterable<[string, Iterable<W>]> {
    for (const [path, watchers] of this.#byPath) yield [path, watchers.keys()];
  }

  pathsByWatcher(): Iterable<[W, ReadonlySet<string>]> {
    return this.#byWatcher;
  }

  /** The paths above `path`, only walked when a recursive watch exists at all. */
  *#pathsAbove(path: string): Iterable<string> {
    if (this.#recursiveCount === 0) return;
    for (let above = path; above !== '/';) {
      above = parentPath(above);
      yield above;
    }
  }

  #forget(path: string, watchers: Map<W, WatchMode>, watcher: W, mode: WatchMode): void {
    if (mode === 'recursive') this.#recursiveCount--;
    watchers.delete(watcher);
    if (watchers.size === 0) this.#byPath.delete(path);
    const paths = this.#byWatcher.get(watcher);
    paths?.delete(path);
    if (paths?.size === 0) this.#byWatcher.delete(watcher);
  }
}
