/** kcat, a client that others wrote (librdkafka): to its end, or as a producer that is fed record by record. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const KCAT = 'kcat';

export interface KcatResult {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** Runs kcat to its end; `input` goes to its standard input. */
export async function kcat(args: readonly string[], input = ''): Promise<KcatResult> {
  const child = spawn(KCAT, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let error = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (error += chunk.toString()));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, error };
}

/**
 * The values of a partition from its beginning (or offset `from`) to its end, or the first `count`, one a line. While somebody writes, kcat hardly
 * ever finds the end: then name a count.
 */
export async function consumeValues(
  bootstrapServers: string,
  topic: string,
  options: { partition?: number; count?: number; from?: number } = {},
): Promise<string[]> {
  const { partition = 0, count, from } = options;
  const until = count === undefined ? ['-e'] : ['-c', String(count)];
  const { code, out, error } = await kcat([
    '-C',
    '-b',
    bootstrapServers,
    '-t',
    topic,
    '-p',
    String(partition),
    '-o',
    from === undefined ? 'beginning' : String(from),
    ...until,
    '-q',
    '-f',
    '%s\n',
  ]);
  if (code !== 0) throw new Error(`kcat -C ended with ${code}: ${error}`);
  return out.split('\n').slice(0, -1);
}

interface Sent {
  readonly value: string;
  readonly sentMs: number;
  acknowledgedMs: number | undefined;
}

const EVERY_MS = 4;
/** kcat reads its input in pieces of this size: a smaller line waits for others to fill one. */
const LINE_BYTES = 2_048;

/**
 * Writes `<name>-0-xxx`, `<name>-1-xxx`, … of 2 KiB to partition 0 with acks=all and an idempotent producer, one every few milliseconds,
 * and notes when each was acknowledged: deliveries of an idempotent producer come in the order of sending.
 */
export class SteadyProducer {
  readonly #child;
  readonly #sent: Sent[] = [];
  readonly #closed: Promise<unknown>;
  readonly #timer: NodeJS.Timeout;
  readonly #name: string;
  #acknowledged = 0;
  #errors = '';

  constructor(options: { bootstrapServers: string; topic: string; name?: string; settings?: readonly string[] }) {
    this.#name = options.name ?? 'record';
    const settings = ['acks=all', 'enable.idempotence=true', 'queue.buffering.max.ms=1', ...(options.settings ?? [])];
    const args = [
      '-P',
      '-vv',
      '-b',
      options.bootstrapServers,
      '-t',
      options.topic,
      '-p',
      '0',
      ...settings.flatMap((setting) => ['-X', setting]),
    ];
    this.#child = spawn(KCAT, args, { stdio: ['pipe', 'ignore', 'pipe'] });
    this.#closed = once(this.#child, 'close');
    this.#child.stdin.on('error', () => {});
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.#onLine(line));
    this.#timer = setInterval(() => this.#send(), EVERY_MS);
  }

  /** How many of the first records are acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** What went wrong, in librdkafka's words. */
  get errors(): string {
    return this.#errors;
  }

  acknowledgedValues(): string[] {
    return this.#sent.slice(0, this.#acknowledged).map(({ value }) => value);
  }

  /** From `sinceMs` (performance.now) to the acknowledgement of a record that was sent after it; undefined while there is none. */
  gapSince(sinceMs: number): number | undefined {
    const next = this.#sent.find(({ sentMs, acknowledgedMs }) => sentMs >= sinceMs && acknowledgedMs !== undefined);
    return next?.acknowledgedMs === undefined ? undefined : next.acknowledgedMs - sinceMs;
  }

  /** No more records; resolves when the last is acknowledged or given up. */
  async finish(): Promise<void> {
    clearInterval(this.#timer);
    this.#child.stdin.end();
    await this.#closed;
  }

  kill(): void {
    clearInterval(this.#timer);
    this.#child.kill('SIGKILL');
  }

  #send(): void {
    const value = `${this.#name}-${this.#sent.length}-`.padEnd(LINE_BYTES - 1, 'x');
    this.#sent.push({ value, sentMs: performance.now(), acknowledgedMs: undefined });
    this.#child.stdin.write(`${value}\n`);
  }

  #onLine(line: string): void {
    if (!line.startsWith('% Message delivered')) {
      this.#errors += `${line}\n`;
      return;
    }
    const next = this.#sent[this.#acknowledged];
    if (next === undefined) throw new Error('more deliveries than records');
    next.acknowledgedMs = performance.now();
    this.#acknowledged++;
  }
}
