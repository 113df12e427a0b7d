import { ServerMetrics } from './server-metrics.ts';

/** Counts that four-letter words show (ServerStats, ServerCnxn's own). Latencies are milliseconds. */
export class LatencyStats {
  #count = 0;
  #totalMs = 0;
  #minMs = Number.POSITIVE_INFINITY;
  #maxMs = 0;

  /** Whole milliseconds count, as on Apache's clock: else an average could be above the largest. */
  record(exactMs: number): void {
    const ms = Math.floor(exactMs);
    this.#count++;
    this.#totalMs += ms;
    if (ms < this.#minMs) this.#minMs = ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  get minMs(): number {
    return this.#count === 0 ? 0 : this.#minMs;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  get averageMs(): number {
    return this.#count === 0 ? 0 : this.#totalMs / this.#count;
  }

  reset(): void {
    this.#count = 0;
    this.#totalMs = 0;
    this.#minMs = Number.POSITIVE_INFINITY;
    this.#maxMs = 0;
  }
}

export class ServerStats {
  readonly latency = new LatencyStats();
  readonly metrics = new ServerMetrics();
  /** Bytes of replies; undefined before the first. */
  replyBytes: { last: number; min: number; max: number } | undefined;
  packetsReceived = 0;
  packetsSent = 0;
  authFailed = 0;

  onReply(bytes: number): void {
    this.metrics.count('response_bytes', bytes);
    const sizes = this.replyBytes;
    if (sizes === undefined) this.replyBytes = { last: bytes, min: bytes, max: bytes };
    else {
      sizes.last = bytes;
      if (bytes < sizes.min) sizes.min = bytes;
      if (bytes > sizes.max) sizes.max = bytes;
    }
  }

  reset(): void {
    this.latency.reset();
    this.metrics.reset();
    this.replyBytes = undefined;
    this.packetsReceived = 0;
    this.packetsSent = 0;
  }
}
