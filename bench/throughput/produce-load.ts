/** Producers that keep a fixed number of requests on their way on each connection, or send at a fixed pace. */
import type { ProduceFrame } from '../support/batches.ts';
import { errorByCode } from '../../src/protocol/errors.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { summarize } from '../support/statistics.ts';
import type { Summary } from '../support/statistics.ts';

/** One connection to one leader; its frames are sent in turn. */
export interface Lane {
  readonly port: number;
  readonly frames: readonly ProduceFrame[];
}

export interface LoadOptions {
  readonly lanes: readonly Lane[];
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Requests without an answer per connection. */
  readonly inFlight: number;
  /** Requests a second over all lanes instead of as many as can be; latency then counts from when a request should have gone. */
  readonly requestsPerSecond?: number;
  /** Ends earlier when this much was sent while measuring. */
  readonly maxBytes?: number;
}

export interface ProduceResult {
  readonly bytesPerSecond: number;
  readonly recordsPerSecond: number;
  readonly requestsPerSecond: number;
  readonly latency: Summary;
  /** With the warm-up. */
  readonly totalBytes: number;
}

const MAX_LATENCIES = 4_000_000;

export async function runProduceLoad(options: LoadOptions): Promise<ProduceResult> {
  const connections = await Promise.all(options.lanes.map(({ port }) => RawConnection.open(port)));
  try {
    return await new ProduceLoad(options, connections).run();
  } finally {
    for (const connection of connections) connection.close();
  }
}

class ProduceLoad {
  readonly #options: LoadOptions;
  readonly #connections: readonly RawConnection[];
  readonly #latencies: number[] = [];
  #bytes = 0;
  #records = 0;
  #requests = 0;
  #totalBytes = 0;
  #measureFromMs = 0;
  #measureToMs = 0;
  #endedAtMs = 0;
  #ended = false;
  #failure: Error | undefined;
  #onIdle: () => void = () => {};

  constructor(options: LoadOptions, connections: readonly RawConnection[]) {
    this.#options = options;
    this.#connections = connections;
  }

  async run(): Promise<ProduceResult> {
    const { warmUpMs, measureMs, lanes, inFlight, requestsPerSecond } = this.#options;
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    for (const connection of this.#connections) connection.onFailure((error) => this.#fail(error));
    this.#measureFromMs = performance.now() + warmUpMs;
    this.#measureToMs = this.#measureFromMs + measureMs;
    if (requestsPerSecond === undefined) {
      for (const [index, lane] of lanes.entries()) {
        for (let request = 0; request < inFlight; request++)
          this.#keepSending(this.#connections[index]!, lane, request % lane.frames.length);
      }
    } else this.#sendAtPace(requestsPerSecond);
    await idle;
    if (this.#failure !== undefined) throw this.#failure;
    const seconds = (this.#endedAtMs - this.#measureFromMs) / 1000;
    return {
      bytesPerSecond: this.#bytes / seconds,
      recordsPerSecond: this.#records / seconds,
      requestsPerSecond: this.#requests / seconds,
      latency: summarize(this.#latencies),
      totalBytes: this.#totalBytes,
    };
  }

  #keepSending(connection: RawConnection, lane: Lane, turn: number): void {
    const produced = lane.frames[turn]!;
    const sentAtMs = performance.now();
    connection.send(produced.frame, (answer) => {
      const nowMs = performance.now();
      this.#answered(answer, produced, sentAtMs, nowMs);
      if (this.#isOver(nowMs)) this.#maybeEnd();
      else this.#keepSending(connection, lane, (turn + 1) % lane.frames.length);
    });
  }

  #sendAtPace(requestsPerSecond: number): void {
    const { lanes } = this.#options;
    const startMs = performance.now();
    let sent = 0;
    const tick = (): void => {
      const nowMs = performance.now();
      if (this.#isOver(nowMs)) {
        this.#maybeEnd();
        return;
      }
      // The first is due at the start.
      const due = Math.floor(((nowMs - startMs) / 1000) * requestsPerSecond) + 1;
      for (; sent < due; sent++) {
        const lane = lanes[sent % lanes.length]!;
        const produced = lane.frames[Math.floor(sent / lanes.length) % lane.frames.length]!;
        const dueAtMs = startMs + (sent / requestsPerSecond) * 1000;
        this.#connections[sent % lanes.length]!.send(produced.frame, (answer) => {
          const answeredMs = performance.now();
          this.#answered(answer, produced, dueAtMs, answeredMs);
          if (this.#isOver(answeredMs)) this.#maybeEnd();
        });
      }
      // A timer may come a millisecond late, and spinning takes a core from the brokers.
      const nextDueInMs = startMs + (sent / requestsPerSecond) * 1000 - performance.now();
      if (nextDueInMs > 2) setTimeout(tick, nextDueInMs - 2);
      else setImmediate(tick);
    };
    tick();
  }

  #answered(answer: Buffer, produced: ProduceFrame, sentAtMs: number, nowMs: number): void {
    const error = errorOf(answer);
    if (error !== 0) this.#fail(new Error(`produce was answered with ${errorByCode(error).name}`));
    this.#totalBytes += produced.bytes;
    if (nowMs < this.#measureFromMs || this.#ended) return;
    this.#bytes += produced.bytes;
    this.#records += produced.records;
    this.#requests++;
    if (this.#latencies.length < MAX_LATENCIES) this.#latencies.push(nowMs - sentAtMs);
  }

  #isOver(nowMs: number): boolean {
    if (this.#ended) return true;
    if (nowMs < this.#measureToMs && this.#failure === undefined && this.#bytes < (this.#options.maxBytes ?? Infinity)) return false;
    this.#ended = true;
    this.#endedAtMs = nowMs;
    return true;
  }

  #maybeEnd(): void {
    if (this.#connections.every(({ inFlight }) => inFlight === 0)) this.#onIdle();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#onIdle();
  }
}

/** The error of the one partition in an answer to Produce 9: correlation id, tags, topic count, name, partition count, index, error. */
function errorOf(answer: Buffer): number {
  const nameAt = 4 + 1 + 1;
  return answer.readInt16BE(nameAt + (answer[nameAt] ?? 0) + 1 + 4);
}
