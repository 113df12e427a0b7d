/** A producer that others wrote (librdkafka, through Debian's python3-confluent-kafka), as a process: what it sent, and what was acknowledged when. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PYTHON = '/usr/bin/python3';
const SCRIPT = join(import.meta.dirname, 'steady_producer.py');
const KEPT_ERRORS = 20;
const KEPT_REFUSALS = 6;

export interface SteadyProducerOptions {
  readonly bootstrapServers: string;
  readonly topic: string;
  readonly partition: number;
  /** Of the records: `<name>-0`, `<name>-1`, … */
  readonly name: string;
  readonly everyMs: number;
  /** librdkafka's, as `key=value`. */
  readonly settings: readonly string[];
}

/** A producer that librdkafka gave up for good. */
export interface GaveUp {
  /** librdkafka's name of the error: Kafka's, or one of its own, which begin with an underscore. */
  readonly code: string;
  readonly reason: string;
  /** How the last Produce requests of that producer ended that didn't succeed, in librdkafka's words. */
  readonly refusals: readonly string[];
}

export class SteadyProducer {
  readonly #name: string;
  readonly #child;
  readonly #closed: Promise<unknown>;
  readonly #sentMs: number[] = [];
  /** By number; in the order in which they came. */
  readonly #acknowledgedMs = new Map<number, number>();
  readonly #errors: string[] = [];
  #refusals: string[] = [];
  readonly #gaveUp: GaveUp[] = [];

  constructor({ bootstrapServers, topic, partition, name, everyMs, settings }: SteadyProducerOptions) {
    this.#name = name;
    this.#child = spawn(PYTHON, [SCRIPT, bootstrapServers, topic, String(partition), name, String(everyMs), ...settings], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#closed = once(this.#child, 'close');
    this.#child.stdin.on('error', () => {});
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#onLine(line));
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.#keep(line));
  }

  get acknowledged(): number {
    return this.#acknowledgedMs.size;
  }

  /** Producers that librdkafka gave up for good, after each of which another was made. */
  get gaveUp(): readonly GaveUp[] {
    return this.#gaveUp;
  }

  /** The last things that went wrong, in librdkafka's words. */
  get errors(): string {
    return this.#errors.join('\n');
  }

  /** In the order of sending. */
  acknowledgedValues(): string[] {
    return Array.from(this.#acknowledgedMs.keys())
      .toSorted((a, b) => a - b)
      .map((number) => `${this.#name}-${number}`);
  }

  /** From `sinceMs` (performance.now) to the acknowledgement of a record that was sent after it; undefined while there is none. */
  gapSince(sinceMs: number): number | undefined {
    for (const [number, acknowledgedMs] of this.#acknowledgedMs)
      if ((this.#sentMs[number] ?? 0) >= sinceMs) return acknowledgedMs - sinceMs;
    return undefined;
  }

  /** The longest time without an acknowledgement from `sinceMs` on; it ends with one. */
  longestPauseSince(sinceMs: number): number {
    let longestMs = 0;
    let lastMs = sinceMs;
    for (const acknowledgedMs of this.#acknowledgedMs.values()) {
      if (acknowledgedMs < sinceMs) continue;
      longestMs = Math.max(longestMs, acknowledgedMs - lastMs);
      lastMs = acknowledgedMs;
    }
    return longestMs;
  }

  /** No more records; resolves when the last is acknowledged or given up. */
  async finish(): Promise<void> {
    this.#child.stdin.end();
    await this.#closed;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #onLine(line: string): void {
    const [what = '', argument = ''] = line.split(' ', 2);
    const rest = line.slice(what.length + 1);
    if (what === 'sent') this.#sentMs[Number(argument)] = performance.now();
    else if (what === 'acked') this.#acknowledgedMs.set(Number(argument), performance.now());
    else if (what === 'refused') keepLast(this.#refusals, rest, KEPT_REFUSALS);
    else {
      if (what === 'gave-up') {
        this.#gaveUp.push({ code: argument, reason: rest.slice(argument.length + 1), refusals: this.#refusals });
        this.#refusals = [];
      }
      this.#keep(line);
    }
  }

  #keep(line: string): void {
    keepLast(this.#errors, line, KEPT_ERRORS);
  }
}

function keepLast(lines: string[], line: string, count: number): void {
  lines.push(line);
  if (lines.length > count) lines.shift();
}
