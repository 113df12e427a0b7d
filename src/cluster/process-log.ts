/**
 * The last lines that a process logged, numbered, so that a reader can ask for what is newer.
 *
 * A child writes its own log file (JSON lines); it is read on when somebody asks, so an unwatched log costs nothing.
 * What comes over its standard output and error (a crash's stack trace) is numbered in between. Bounded: older lines fall out.
 */
import type { Disk } from '../runtime/disk.ts';
import type { LogLevel, LogLine, LogPage, LogQuery } from './control-contract.ts';

const MAX_LINES = 5_000;
/** Read at most so much of a log at once; what is further back is left out. */
const MAX_READ_BYTES = 1 << 20;
const MAX_TEXT_LENGTH = 8_192;
/** Of one page: six times this, if every character is escaped, still fits a line of the control socket. */
const MAX_PAGE_LENGTH = 1 << 19;
const LEVELS: Readonly<Record<number, LogLevel>> = { 10: 'debug', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };
/** Of pino's line, what has a place of its own or says nothing new. */
const KNOWN_FIELDS: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'component', 'brokerId', 'pid', 'hostname']);

export class ProcessLog {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #wallMs: () => number;
  #lines: LogLine[] = [];
  #sequence = 0;
  #position: number;
  #partial = '';

  /** Begins at the end of what is in the file now. */
  constructor(disk: Disk, path: string, wallMs: () => number) {
    this.#disk = disk;
    this.#path = path;
    this.#wallMs = wallMs;
    this.#position = disk.stat(path)?.sizeBytes ?? 0;
  }

  /** A line of standard output or error. */
  addOutput(line: string): void {
    this.#readOn();
    if (line.trim() !== '') this.#add({ atMs: this.#wallMs(), level: null, component: null, text: line });
  }

  /** Lines after `after`, oldest first, at most `max`; with `text`, those that contain it, whatever the case. */
  page({ after, max, text }: LogQuery): LogPage {
    this.#readOn();
    const first = this.#lines[0]?.sequence ?? this.#sequence + 1;
    const needle = text?.toLowerCase();
    const lines: LogLine[] = [];
    let length = 0;
    for (const line of this.#lines) {
      if (lines.length >= max || length >= MAX_PAGE_LENGTH) break;
      if (line.sequence <= after || (needle !== undefined && !line.text.toLowerCase().includes(needle))) continue;
      lines.push(line);
      length += line.text.length;
    }
    return { lines, dropped: Math.max(0, first - 1 - after) };
  }

  #readOn(): void {
    const sizeBytes = this.#disk.stat(this.#path)?.sizeBytes ?? 0;
    // Shorter than before: somebody emptied or replaced it.
    if (sizeBytes < this.#position) [this.#position, this.#partial] = [0, ''];
    if (sizeBytes === this.#position) return;
    const from = Math.max(this.#position, sizeBytes - MAX_READ_BYTES);
    const buffer = Buffer.alloc(sizeBytes - from);
    const file = this.#disk.open(this.#path, 'read');
    const length = file.read(buffer, 0, buffer.length, from);
    file.close();
    const text = (from === this.#position ? this.#partial : '') + buffer.toString('utf8', 0, length);
    this.#position = from + length;
    const lines = text.split('\n');
    this.#partial = (lines.pop() ?? '').slice(0, MAX_TEXT_LENGTH);
    for (const line of lines) if (line.trim() !== '') this.#add(lineOf(line));
  }

  #add(line: Omit<LogLine, 'sequence'>): void {
    this.#lines.push({ ...line, text: line.text.slice(0, MAX_TEXT_LENGTH), sequence: ++this.#sequence });
    if (this.#lines.length > MAX_LINES) this.#lines = this.#lines.slice(-MAX_LINES / 2);
  }
}

/** One of pino's lines for a person; any other line as it is. */
function lineOf(line: string): Omit<LogLine, 'sequence'> {
  const fields = parse(line);
  if (fields === undefined || typeof fields['msg'] !== 'string') return { atMs: null, level: null, component: null, text: line };
  const rest = Object.entries(fields).filter(([key]) => !KNOWN_FIELDS.has(key));
  const details = rest.map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`).join(' ');
  const atMs = Date.parse(String(fields['time']));
  return {
    atMs: Number.isNaN(atMs) ? null : atMs,
    level: LEVELS[Number(fields['level'])] ?? null,
    component: typeof fields['component'] === 'string' ? fields['component'] : null,
    text: details === '' ? fields['msg'] : `${fields['msg']} (${details})`,
  };
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
