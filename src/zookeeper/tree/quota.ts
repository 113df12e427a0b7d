/**
 * Quotas: limits and use of subtrees, kept in nodes below /zookeeper/quota (`…/zookeeper_limits`, `…/zookeeper_stats`)
 * as text, `count=5,bytes=100=;byteHardLimit=1000;countHardLimit=10` (Quotas, StatsTrack).
 * Only hard limits refuse, and only where the server enforces them; use is kept up to date always.
 * A path counts for the longest path above or at it that has a limit.
 */
import { parentPath } from './path.ts';

export const QUOTA_ROOT = '/zookeeper/quota';
export const LIMIT_NODE = 'zookeeper_limits';
export const STAT_NODE = 'zookeeper_stats';

export interface QuotaStats {
  readonly count: number;
  readonly bytes: number;
  readonly countHardLimit: number;
  readonly byteHardLimit: number;
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

export function formatQuotaUse(count: number, bytes: number): Buffer {
  return Buffer.from(`count=${count},bytes=${bytes}`, 'utf8');
}

/** The path that a node below /zookeeper/quota speaks of. */
export function quotaTargetOf(quotaPath: string): string {
  return quotaPath.slice(QUOTA_ROOT.length) || '/';
}

export function limitPathOf(target: string): string {
  return `${QUOTA_ROOT}${target}/${LIMIT_NODE}`;
}

export function statPathOf(target: string): string {
  return `${QUOTA_ROOT}${target}/${STAT_NODE}`;
}

/** Which paths have a limit. */
export class QuotaPaths {
  readonly #targets = new Set<string>();

  add(target: string): void {
    this.#targets.add(target);
  }

  delete(target: string): void {
    this.#targets.delete(target);
  }

  clear(): void {
    this.#targets.clear();
  }

  /** The longest limited path at or above `path`, never the root. */
  targetOf(path: string): string | undefined {
    if (this.#targets.size === 0) return undefined;
    for (let at = path; at !== '/'; at = parentPath(at)) if (this.#targets.has(at)) return at;
    return undefined;
  }
}
