/** Counts that four-letter words show (ServerStats, ServerCnxn's own). Latencies are milliseconds. */
export class LatencyStats {
  #count = 0;
  #totalMs = 0;
  #minMs = Number.POSITIVE_INFINITY;
  #maxMs = 0;

  record(ms: number): void {
    this.#count++;
    this.#totalMs += ms;
    if (ms < this.#minMs) this.#minMs = ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  get minMs(): number {
    return this.#count === 0 ? 0 : Math.floor(this.#minMs);
  }

  get maxMs(): number {
    return Math.floor(this.#maxMs);
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
  packetsReceived = 0;
  packetsSent = 0;
  authFailed = 0;
  staleSessionsExpired = 0;
  connectionsRejected = 0;

  reset(): void {
    this.latency.reset();
    this.packetsReceived = 0;
    this.packetsSent = 0;
  }
}
