/** A producer that others wrote (librdkafka, through Debian's python3-confluent-kafka), as a process: what it sent, and what was acknowledged when. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PYTHON = '/usr/bin/python3';
const SCRIPT = join(import.meta.dirname, 'steady_producer.py');
const KEPT_ERRORS = 20;

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

export class SteadyProducer {
  readonly #name: string;
  readonly #child;
  readonly #closed: Promise<unknown>;
  readonly #sentMs: number[] = [];
  /** By number; in the order in which they came. */
  readonly #acknowledgedMs = new Map<number, number>();
  readonly #errors: string[] = [];
  #gaveUp = 0;

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

  /** How often librdkafka gave its producer up for good and another was made. */
  get gaveUp(): number {
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

  /** No more records; resolves when the last is acknowledged or given up. */
  async finish(): Promise<void> {
    this.#child.stdin.end();
    await this.#closed;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #onLine(line: string): void {
    const [what, number] = line.split(' ', 2);
    if (what === 'sent') this.#sentMs[Number(number)] = performance.now();
    else if (what === 'acked') this.#acknowledgedMs.set(Number(number), performance.now());
    else {
      if (what === 'gave-up') this.#gaveUp++;
      this.#keep(line);
    }
  }

  #keep(line: string): void {
    this.#errors.push(line);
    if (this.#errors.length > KEPT_ERRORS) this.#errors.shift();
  }
}
