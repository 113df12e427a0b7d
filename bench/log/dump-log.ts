/**
 * `samsa dump-log` beside kafka-dump-log 3.9 (where Maven can get it) on one segment: batches only, and with keys and values. Whole processes from start to
 * end, output to a file, rounds alternating; and whether both printed the same bytes.
 *
 *   node bench/log/dump-log.ts [--mib 256] [--rounds 3]
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import { setBaseOffsetAndLeaderEpoch } from '../../src/protocol/records/record-batch.ts';
import { APACHE_KAFKA_CLASS_PATH, whyNoApacheKafka } from '../../interop/support/apache-kafka/jars.ts';
import { readFlags } from '../support/command-line.ts';
import { heading, print, printTable } from '../support/print.ts';
import { median } from '../support/statistics.ts';

const flags = readFlags(['mib', 'rounds']);
const sizeBytes = flags.number('mib', 256) * 1024 * 1024;
const rounds = flags.number('rounds', 3);
const RECORDS_A_BATCH = 150;

const folder = mkdtempSync(join(tmpdir(), 'samsa-bench-dump-log-'));
const log = join(folder, '00000000000000000000.log');
const samsa = [process.execPath, fileURLToPath(new URL('../../bin/samsa.mjs', import.meta.url)), 'dump-log'];
const apache = ['java', '-cp', APACHE_KAFKA_CLASS_PATH, 'kafka.tools.DumpLogSegments'];

/** 100-byte records in batches of 16 KiB. */
function writeLog(): void {
  const batch = buildRecordBatch(
    Array.from({ length: RECORDS_A_BATCH }, (_, at) => ({
      timestamp: 1_700_000_000_000 + at,
      key: Buffer.from(`k${at}`),
      value: Buffer.alloc(90, 'x'),
    })),
    { partitionLeaderEpoch: 0 },
  );
  const fd = openSync(log, 'w');
  for (let position = 0, offset = 0; position < sizeBytes; position += batch.length, offset += RECORDS_A_BATCH) {
    setBaseOffsetAndLeaderEpoch(batch, 0, offset, 0);
    writeSync(fd, batch);
  }
  closeSync(fd);
}

/** Seconds from start to end. */
function run([command = '', ...args]: readonly string[], output: string): number {
  const fd = openSync(output, 'w');
  const begin = performance.now();
  const { status, stderr } = spawnSync(command, args, { stdio: ['ignore', fd, 'pipe'] });
  const seconds = (performance.now() - begin) / 1000;
  closeSync(fd);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr.toString()}`);
  return seconds;
}

heading('dump-log');
try {
  writeLog();
  const reason = whyNoApacheKafka();
  if (reason !== undefined) print(`Apache Kafka is left out: ${reason}`);
  const rows: string[][] = [];
  for (const [name, options] of [
    ['batches', []],
    ['keys and values', ['--print-data-log']],
  ] as const) {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(run([...samsa, ...options, log], join(folder, 'ours')));
      if (reason === undefined) theirs.push(run([...apache, ...options, '--files', log], join(folder, 'theirs')));
    }
    const same =
      reason === undefined ? (readFileSync(join(folder, 'ours')).equals(readFileSync(join(folder, 'theirs'))) ? 'yes' : 'NO') : '–';
    const seconds = median(ours);
    const peer = reason === undefined ? median(theirs) : Number.NaN;
    rows.push([
      name,
      `${seconds.toFixed(2)} s`,
      Number.isNaN(peer) ? '–' : `${peer.toFixed(2)} s`,
      Number.isNaN(peer) ? '–' : (peer / seconds).toFixed(1),
      same,
    ]);
  }
  printTable(['of one segment', 'samsa', 'Apache Kafka', 'times as fast', 'same output'], rows);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
