/**
 * Quotas: limits and use of subtrees, kept in nodes below /zookeeper/quota (`…/zookeeper_limits`, `…/zookeeper_stats`)
 * as text, `count=5,bytes=100=;byteHardLimit=1000;countHardLimit=10` (Quotas, StatsTrack).
 * Only hard limits refuse, and only where the server enforces them; a soft one that is exceeded is told. Use is kept up to date
 * always.
 * A path counts for the longest path above or at it that has a limit.
 */
import type { DataNode } from './data-node.ts';
import { childName, parentPath } from './path.ts';

export const QUOTA_ROOT = '/zookeeper/quota';
const LIMIT_NODE = 'zookeeper_limits';
const STAT_NODE = 'zookeeper_stats';

export interface QuotaStats {
  readonly count: number;
  readonly bytes: number;
  readonly countHardLimit: number;
  readonly byteHardLimit: number;
}

/** A soft limit that is exceeded. */
export interface QuotaExcess {
  /** The limited path. */
  readonly target: string;
  readonly what: 'nodes' | 'bytes';
  readonly use: number;
  readonly limit: number;
}

/** Reads a limits or stats node; what isn't there or isn't a number is -1. */
export function parseQuotaStats(data: Buffer | null): QuotaStats {
  const values = new Map<string, number>();
  for (const pair of (data?.toString('utf8') ?? '').split(/[,;]+/)) {
    const [key, value] = pair.split('=');
    const number = Number(value === undefined || value === '' ? -1 : value);
    if (key !== undefined) values.set(key, Number.isSafeInteger(number) ? number : -1);
  }
  const of = (key: string): number => values.get(key) ?? -1;
  return { count: of('count'), bytes: of('bytes'), countHardLimit: of('countHardLimit'), byteHardLimit: of('byteHardLimit') };
}

function formatQuotaUse(count: number, bytes: number): Buffer {
  return Buffer.from(`count=${count},bytes=${bytes}`, 'utf8');
}

/** The path that a node below /zookeeper/quota speaks of. */
function quotaTargetOf(quotaPath: string): string {
  return quotaPath.slice(QUOTA_ROOT.length) || '/';
}

export function limitPathOf(target: string): string {
  return `${QUOTA_ROOT}${target}/${LIMIT_NODE}`;
}

export function statPathOf(target: string): string {
  return `${QUOTA_ROOT}${target}/${STAT_NODE}`;
}

/** Which paths of a tree have a limit, and how much of it is used. */
export class Quotas {
  readonly #nodes: ReadonlyMap<string, DataNode>;
  readonly #targets = new Set<string>();
  readonly #onExceeded: (excess: QuotaExcess) => void;

  /** `onExceeded` hears of each change that leaves a soft limit exceeded. */
  constructor(nodes: ReadonlyMap<string, DataNode>, onExceeded: (excess: QuotaExcess) => void) {
    this.#nodes = nodes;
    this.#onExceeded = onExceeded;
  }

  /** The longest limited path at or above `path`, never the root. */
  targetOf(path: string): string | undefined {
    if (this.#targets.size === 0) return undefined;
    for (let at = path; at !== '/'; at = parentPath(at)) if (this.#targets.has(at)) return at;
    return undefined;
  }

  /** After a node was made: it may be a limit, and it counts. */
  onCreated(path: string, bytes: number): void {
    const above = parentPath(path);
    if (above.startsWith(QUOTA_ROOT)) {
      const name = childName(path);
      if (name === LIMIT_NODE) this.#targets.add(quotaTargetOf(above));
      if (name === STAT_NODE) this.#recount(quotaTargetOf(above));
    }
    this.count(path, bytes, 1);
  }

  onDeleted(path: string, bytes: number): void {
    const above = parentPath(path);
    if (above.startsWith(QUOTA_ROOT) && childName(path) === LIMIT_NODE) this.#targets.delete(quotaTargetOf(above));
    this.count(path, -bytes, -1);
  }

  /** Adds to the use of the limit that `path` counts for. */
  count(path: string, bytes: number, nodes: number): void {
    const target = this.targetOf(path);
    const statNode = target === undefined ? undefined : this.#nodes.get(statPathOf(target));
    if (statNode === undefined) return;
    const use = parseQuotaStats(statNode.data);
    const [count, size] = [use.count + nodes, use.bytes + bytes];
    statNode.data = formatQuotaUse(count, size);
    if (target !== undefined) this.#tellExcess(target, count, size);
  }

  #tellExcess(target: string, count: number, bytes: number): void {
    const limits = parseQuotaStats(this.#nodes.get(limitPathOf(target))?.data ?? null);
    if (limits.count > -1 && count > limits.count) this.#onExceeded({ target, what: 'nodes', use: count, limit: limits.count });
    if (limits.bytes > -1 && bytes > limits.bytes) this.#onExceeded({ target, what: 'bytes', use: bytes, limit: limits.bytes });
  }

  /** Finds the limits of a restored tree and counts their use. */
  restore(): void {
    this.#targets.clear();
    for (const path of this.#nodes.keys()) {
      if (!path.startsWith(QUOTA_ROOT) || childName(path) !== LIMIT_NODE) continue;
      const target = quotaTargetOf(parentPath(path));
      this.#recount(target);
      this.#targets.add(target);
    }
  }

  #recount(target: string): void {
    const statNode = this.#nodes.get(statPathOf(target));
    if (statNode === undefined) return;
    const top = this.#nodes.get(target);
    const pending: [string, DataNode][] = top === undefined ? [] : [[target, top]];
    let count = 0;
    let bytes = 0;
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const [path, node] = next;
      count++;
      bytes += node.data?.length ?? 0;
      const prefix = path === '/' ? '/' : `${path}/`;
      for (const name of node.children) {
        const child = this.#nodes.get(prefix + name);
        if (child !== undefined) pending.push([prefix + name, child]);
      }
    }
    statNode.data = formatQuotaUse(count, bytes);
  }
}
