/**
 * Kafka's own dump tool (kafka.tools.DumpLogSegments) over every file of every partition of a log dir: what it finds wrong. The tool stops at
 * nothing and ends with 0 whatever it finds, so its words are searched.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runKafkaTool } from './servers.ts';

/** What the tool prints for files that are wrong; Kafka 3.9's wording. */
const COMPLAINTS = [
  'Mismatches in',
  'Non-consecutive offsets',
  'Found out of order timestamp',
  'Found timestamp mismatch',
  'Found indexed offset',
  'corrupt',
  'Exception',
  'isvalid: false',
  'invalid',
  'Index offset:',
];
const SUFFIXES = ['.log', '.index', '.timeindex', '.txnindex', '.snapshot'];

export interface DumpReport {
  readonly files: number;
  /** Lines that tell of something wrong, with the file before them. */
  readonly complaints: readonly string[];
  readonly output: string;
}

/** Every file that the tool reads, of each partition folder below `logDir`. */
export function logFiles(logDir: string): string[] {
  return readdirSync(logDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.endsWith('-delete'))
    .flatMap(({ name }) => readdirSync(join(logDir, name)).map((file) => join(logDir, name, file)))
    .filter((file) => SUFFIXES.some((suffix) => file.endsWith(suffix)))
    .toSorted();
}

/** Reads `files` in the tool's modes: whole with every record, the indexes against the log, and the indexes' own sanity. */
export async function dumpLogs(files: readonly string[]): Promise<DumpReport> {
  const list = files.join(',');
  const outputs = await Promise.all(
    [['--deep-iteration', '--print-data-log'], ['--index-sanity-check'], ['--verify-index-only']].map((mode) =>
      runKafkaTool('kafka.tools.DumpLogSegments', [...mode, '--files', list], { timeoutMs: 240_000 }),
    ),
  );
  const complaints: string[] = [];
  for (const output of outputs) {
    let file = '';
    for (const line of output.split('\n')) {
      if (line.startsWith('Dumping ')) file = line.slice('Dumping '.length);
      else if (COMPLAINTS.some((complaint) => line.includes(complaint)) && !line.includes('payload:')) complaints.push(`${file}: ${line}`);
    }
  }
  return { files: files.length, complaints, output: outputs.join('\n') };
}
