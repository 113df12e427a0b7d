/** Records per second, from end offsets sampled by the watcher over a sliding window. Unknown (null) until there are two samples. */

const WINDOW_MS = 6_000;
/** Two samples closer than this tell more about the sampling than about the rate. */
const MIN_SPAN_MS = 500;

interface Sample {
  readonly atMs: number;
  readonly endOffset: number;
}

export class Rates {
  readonly #topics = new Map<string, Sample[]>();

  /** The sum of a topic's end offsets at `atMs` (monotonic). A sum that went back (deleted and created again) starts anew. */
  sample(topic: string, endOffset: number, atMs: number): void {
    const samples = this.#topics.get(topic) ?? [];
    const last = samples.at(-1);
    const kept = last !== undefined && endOffset < last.endOffset ? [] : samples.filter((sample) => atMs - sample.atMs <= WINDOW_MS);
    kept.push({ atMs, endOffset });
    this.#topics.set(topic, kept);
  }

  /** Forgets what is not among `topics`: deleted, or not looked at any more. */
  keepOnly(topics: ReadonlySet<string>): void {
    for (const topic of this.#topics.keys()) if (!topics.has(topic)) this.#topics.delete(topic);
  }

  clear(): void {
    this.#topics.clear();
  }

  ofTopic(topic: string): number | null {
    const samples = this.#topics.get(topic);
    const [first, last] = [samples?.[0], samples?.at(-1)];
    if (first === undefined || last === undefined || last.atMs - first.atMs < MIN_SPAN_MS) return null;
    return ((last.endOffset - first.endOffset) * 1000) / (last.atMs - first.atMs);
  }

  /** Over all topics that are sampled; null when none is known. */
  total(): number | null {
    let total: number | null = null;
    for (const topic of this.#topics.keys()) {
      const rate = this.ofTopic(topic);
      if (rate !== null) total = (total ?? 0) + rate;
    }
    return total;
  }
}
