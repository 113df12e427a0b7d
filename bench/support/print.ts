/** How every benchmark here prints: what ran where, tables, and whether a budget was met. Plain lines that can be pasted into docs/performance.md. */
import { readFileSync } from 'node:fs';
import * as os from 'node:os';

/** A row: what was measured, then a cell for each column. */
export type Row = readonly string[];

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** The benchmark's name, and what it ran on: figures of two machines, or of a busy one, don't compare. */
export function heading(name: string): void {
  const [load] = os.loadavg();
  print(`# ${name}`);
  print(`${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC; ${machine()}; load ${(load ?? 0).toFixed(1)} at the start`);
}

function machine(): string {
  const model = os.cpus()[0]?.model.trim() ?? 'unknown processor';
  const memoryGiB = Math.round(os.totalmem() / 2 ** 30);
  return `${os.availableParallelism()} cores of ${model}, ${memoryGiB} GiB, ${os.type()} ${os.release()}, ${kernelLimits()}Node ${process.versions.node}`;
}

/** A container sees all of the machine's cores and memory, but may get less. */
function kernelLimits(): string {
  try {
    const [quota, period] = readFileSync('/sys/fs/cgroup/cpu.max', 'utf8').trim().split(' ');
    return quota === undefined || quota === 'max' ? '' : `limited to ${(Number(quota) / Number(period)).toFixed(1)} cores, `;
  } catch {
    return '';
  }
}

/** Columns as wide as they need to be; all but the first to the right. */
export function printTable(columns: Row, rows: readonly Row[]): void {
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map((row) => (row[index] ?? '').length)));
  const line = (row: Row): string =>
    `| ${widths.map((width, index) => (index === 0 ? (row[index] ?? '').padEnd(width) : (row[index] ?? '').padStart(width))).join(' | ')} |`;
  print();
  print(line(columns));
  print(`|${widths.map((width, index) => (index === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`);
  for (const row of rows) print(line(row));
  print();
}

/** 'met' or 'MISSED', for what must be at most `budget`. */
export function atMost(value: number, budget: number): string {
  return value <= budget ? 'met' : 'MISSED';
}

export function atLeast(value: number, budget: number): string {
  return value >= budget ? 'met' : 'MISSED';
}

export function milliseconds(value: number): string {
  const digits = value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0;
  return `${value.toFixed(digits)} ms`;
}

/** Of bytes a second. */
export function mebibytesPerSecond(bytesPerSecond: number): string {
  return `${(bytesPerSecond / 2 ** 20).toFixed(0)} MiB/s`;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

export function ratio(value: number, peer: number): string {
  return peer > 0 ? `${(value / peer).toFixed(2)}×` : '–';
}
