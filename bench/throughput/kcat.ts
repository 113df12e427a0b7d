/** kcat as a second opinion: librdkafka's own batching, compression off, wall time of the whole program. */
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';

const LIMIT_MS = 120_000;

export function hasKcat(): boolean {
  return spawnSync('kcat', ['-V']).status === 0;
}

export interface KcatResult {
  readonly produceBytesPerSecond: number;
  readonly consumeBytesPerSecond: number;
}

/** Writes `lines` lines of `lineBytes` bytes into one partition with `acks`, and reads them back. */
export async function runKcat(options: {
  readonly port: number;
  readonly topic: string;
  readonly lines: number;
  readonly lineBytes: number;
  readonly acks: string;
}): Promise<KcatResult> {
  const { port, topic, lines, lineBytes, acks } = options;
  const folder = await mkdtemp(join(tmpdir(), 'samsa-bench-kcat-'));
  try {
    const path = join(folder, 'lines');
    await writeLines(path, lines, lineBytes);
    const common = ['-b', `127.0.0.1:${port}`, '-t', topic, '-p', '0', '-q'];
    const bytes = lines * lineBytes;
    const produceMs = await timed([
      '-P',
      ...common,
      '-X',
      `acks=${acks}`,
      '-X',
      'linger.ms=5',
      '-X',
      'batch.size=65536',
      '-X',
      'queue.buffering.max.messages=200000',
      '-l',
      path,
    ]);
    const consumeMs = await timed(['-C', ...common, '-o', 'beginning', '-c', String(lines), '-e']);
    return { produceBytesPerSecond: (bytes / produceMs) * 1000, consumeBytesPerSecond: (bytes / consumeMs) * 1000 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeLines(path: string, lines: number, lineBytes: number): Promise<void> {
  const block = `${'k'.repeat(lineBytes)}\n`.repeat(1000);
  const file = createWriteStream(path);
  for (let written = 0; written < lines; written += 1000) if (!file.write(block)) await once(file, 'drain');
  file.end();
  await once(file, 'close');
}

async function timed(args: readonly string[]): Promise<number> {
  const startMs = performance.now();
  const child = spawn('kcat', [...args], { stdio: ['ignore', 'ignore', 'pipe'], timeout: LIMIT_MS, killSignal: 'SIGKILL' });
  let trouble = '';
  child.stderr.on('data', (text: Buffer) => (trouble += text.toString()));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`kcat ${args.join(' ')}: ${trouble.slice(0, 500)}`);
  return performance.now() - startMs;
}
