/**
 * A throttle of replication: for which partitions it holds, how many bytes a second may pass, and how many do. One for the leader's
 * side (what followers are sent) and one for the follower's (what is fetched), so that a move leaves room for clients.
 *
 * All traffic of throttled partitions is counted; held back is only what goes to replicas that are not in sync, so that a throttle
 * never makes an ISR shrink. The rate is what was counted in the last `windowCount` windows over the time they cover, at least one window.
 * Source: Kafka's `ReplicationQuotaManager`, `SimpleRate`.
 */
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { Clock } from '../../runtime/clock.ts';

export interface ReplicaQuota {
  isThrottled(topicPartition: TopicPartition): boolean;
  readonly isQuotaExceeded: boolean;
  record(bytes: number): void;
}

export interface ReplicationQuotaManagerOptions {
  readonly clock: Clock;
  /** replication.quota.window.num */
  readonly windowCount: number;
  /** replication.quota.window.size.seconds */
  readonly windowSizeMs: number;
}

interface Window {
  readonly startMs: number;
  bytes: number;
}

export class ReplicationQuotaManager implements ReplicaQuota {
  readonly #options: ReplicationQuotaManagerOptions;
  /** By topic: its throttled partitions, or all of them. */
  readonly #throttled = new Map<string, ReadonlySet<number> | 'all'>();
  #windows: Window[] = [];
  #bytesPerSecond = Number.POSITIVE_INFINITY;

  constructor(options: ReplicationQuotaManagerOptions) {
    this.#options = options;
  }

  /** What may pass; infinite without a throttle. */
  get upperBound(): number {
    return this.#bytesPerSecond;
  }

  updateQuota(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Replaces the throttled partitions of `topic`; none ends it. */
  markThrottled(topic: string, partitions: ReadonlySet<number> | 'all'): void {
    if (partitions !== 'all' && partitions.size === 0) this.#throttled.delete(topic);
    else this.#throttled.set(topic, partitions);
  }

  isThrottled({ topic, partition }: TopicPartition): boolean {
    if (this.#throttled.size === 0) return false;
    const partitions = this.#throttled.get(topic);
    return partitions !== undefined && (partitions === 'all' || partitions.has(partition));
  }

  get isQuotaExceeded(): boolean {
    return Number.isFinite(this.#bytesPerSecond) && this.byteRate > this.#bytesPerSecond;
  }

  /** Bytes a second over the windows kept. */
  get byteRate(): number {
    const nowMs = this.#options.clock.monotonicMs();
    this.#forgetOld(nowMs);
    let bytes = 0;
    for (const window of this.#windows) bytes += window.bytes;
    const coveredMs = nowMs - (this.#windows[0]?.startMs ?? nowMs);
    return (bytes * 1000) / Math.max(coveredMs, this.#options.windowSizeMs);
  }

  record(bytes: number): void {
    if (bytes <= 0) return;
    const nowMs = this.#options.clock.monotonicMs();
    const current = this.#windows.at(-1);
    if (current !== undefined && nowMs - current.startMs < this.#options.windowSizeMs) current.bytes += bytes;
    else {
      this.#forgetOld(nowMs);
      this.#windows.push({ startMs: nowMs, bytes });
    }
  }

  #forgetOld(nowMs: number): void {
    const { windowCount, windowSizeMs } = this.#options;
    const oldestMs = nowMs - windowCount * windowSizeMs;
    if (this.#windows.length > 0 && this.#windows[0]!.startMs <= oldestMs)
      this.#windows = this.#windows.filter(({ startMs }) => startMs > oldestMs);
  }
}

/**
 * The partitions of which the replica on `brokerId` is throttled, from a topic's `(leader|follower).replication.throttled.replicas`:
 * `*`, or `partition:broker` separated by commas. Entries that can't be read are passed by: they were checked when they were set.
 */
export function throttledPartitionsOf(value: string | undefined, brokerId: number): ReadonlySet<number> | 'all' {
  const text = value?.trim() ?? '';
  if (text === '*') return 'all';
  const partitions = new Set<number>();
  for (const entry of text.split(',')) {
    const match = /^\s*(\d+):(\d+)\s*$/.exec(entry);
    if (match !== null && Number(match[2]) === brokerId) partitions.add(Number(match[1]));
  }
  return partitions;
}
