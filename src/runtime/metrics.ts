/**
 * A registry of named numbers, in the shape of Kafka's metrics: a name, and tags that tell instances apart.
 * Counters, gauges and histograms are cheap enough for the hot path (no allocation per event).
 */
export type MetricTags = Readonly<Record<string, string>>;

export class Counter {
  #count = 0;
  add(amount = 1): void {
    this.#count += amount;
  }
  get count(): number {
    return this.#count;
  }
}

/** Buckets per power of two: relative error of a quantile is at most 1/8. */
const SUB_BUCKETS = 8;
const BUCKETS = 64 * SUB_BUCKETS;

/** Counts values from 0 to 2^63 in logarithmic buckets; quantiles are right within 12.5 %. */
export class Histogram {
  readonly #buckets = new Float64Array(BUCKETS);
  #count = 0;
  #sum = 0;
  #max = 0;

  record(value: number): void {
    const v = value > 0 ? value : 0;
    this.#count++;
    this.#sum += v;
    if (v > this.#max) this.#max = v;
    const index = bucketOf(v);
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
  }

  get count(): number {
    return this.#count;
  }
  get sum(): number {
    return this.#sum;
  }
  get max(): number {
    return this.#max;
  }
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** The value below which a share `q` (0 to 1) of the recorded values lies; 0 when there are none. */
  quantile(q: number): number {
    if (this.#count === 0) return 0;
    const rank = q * this.#count;
    let seen = 0;
    for (let index = 0; index < BUCKETS; index++) {
      seen += this.#buckets[index] ?? 0;
      if (seen >= rank) return Math.min(upperBoundOf(index), this.#max);
    }
    return this.#max;
  }

  reset(): void {
    this.#buckets.fill(0);
    this.#count = 0;
    this.#sum = 0;
    this.#max = 0;
  }
}

/** Values are kept in thousandths, so that latencies in milliseconds have a useful resolution below 1. */
const SCALE = 1000;

function bucketOf(value: number): number {
  const scaled = value * SCALE;
  if (scaled < SUB_BUCKETS) return Math.floor(scaled);
  // Nearly all values: without logarithm and power, and of the bits behind the highest the next three say the same.
  if (scaled < 2 ** 31) {
    const whole = Math.floor(scaled);
    const exponent = 31 - Math.clz32(whole);
    return (exponent - 2) * SUB_BUCKETS + ((whole >>> (exponent - 3)) & (SUB_BUCKETS - 1));
  }
  const exponent = Math.floor(Math.log2(scaled));
  const fraction = scaled / 2 ** exponent - 1;
  return Math.min(BUCKETS - 1, (exponent - 2) * SUB_BUCKETS + Math.floor(fraction * SUB_BUCKETS));
}

function upperBoundOf(index: number): number {
  if (index < SUB_BUCKETS) return (index + 1) / SCALE;
  const exponent = Math.floor(index / SUB_BUCKETS) + 2;
  const fraction = (index % SUB_BUCKETS) + 1;
  return (2 ** exponent * (1 + fraction / SUB_BUCKETS)) / SCALE;
}

export interface MetricSample {
  readonly name: string;
  readonly tags: MetricTags;
  readonly value:
    | number
    | {
        readonly count: number;
        readonly mean: number;
        readonly p50: number;
        readonly p99: number;
        readonly p999: number;
        readonly max: number;
      };
}

type Instrument = Counter | Histogram | (() => number);

export class MetricsRegistry {
  readonly #instruments = new Map<string, { name: string; tags: MetricTags; instrument: Instrument }>();

  /** The counter of that name and tags, made when new. */
  counter(name: string, tags: MetricTags = {}): Counter {
    return this.#getOrCreate(name, tags, Counter, () => new Counter());
  }

  histogram(name: string, tags: MetricTags = {}): Histogram {
    return this.#getOrCreate(name, tags, Histogram, () => new Histogram());
  }

  /** Registers `read`, asked at each snapshot; replaces a gauge of the same name and tags. */
  gauge(name: string, read: () => number, tags: MetricTags = {}): void {
    this.#instruments.set(keyOf(name, tags), { name, tags, instrument: read });
  }

  remove(name: string, tags: MetricTags = {}): void {
    this.#instruments.delete(keyOf(name, tags));
  }

  snapshot(): MetricSample[] {
    return Array.from(this.#instruments.values(), ({ name, tags, instrument }) => ({ name, tags, value: sampleOf(instrument) }));
  }

  #getOrCreate<T extends Counter | Histogram>(name: string, tags: MetricTags, kind: new () => T, make: () => T): T {
    const key = keyOf(name, tags);
    const found = this.#instruments.get(key)?.instrument;
    if (found instanceof kind) return found;
    if (found !== undefined) throw new Error(`metric ${key} exists with another type`);
    const instrument = make();
    this.#instruments.set(key, { name, tags, instrument });
    return instrument;
  }
}

function sampleOf(instrument: Instrument): MetricSample['value'] {
  if (instrument instanceof Counter) return instrument.count;
  if (instrument instanceof Histogram) {
    return {
      count: instrument.count,
      mean: instrument.mean,
      p50: instrument.quantile(0.5),
      p99: instrument.quantile(0.99),
      p999: instrument.quantile(0.999),
      max: instrument.max,
    };
  }
  return instrument();
}

function keyOf(name: string, tags: MetricTags): string {
  const parts = Object.entries(tags).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return parts.length === 0 ? name : `${name},${parts.map(([k, v]) => `${k}=${v}`).join(',')}`;
}
