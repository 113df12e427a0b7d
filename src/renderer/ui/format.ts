/**
 * Numbers, sizes, durations and times as text. Pure, and never given a missing value: an unknown number is the caller's to
 * show as "unknown" (the grid and `<Num>` do), so that it can't become a 0 here.
 */
export type TimeDisplay = 'local' | 'utc' | 'epoch';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const oneDecimal = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** 1234567 → "1,234,567". */
export function formatCount(value: number): string {
  return grouped.format(value);
}

/** Under 10 with one decimal, else whole: a rate's third digit is noise. */
export function formatRate(perSecond: number): string {
  return perSecond !== 0 && Math.abs(perSecond) < 10 ? oneDecimal.format(perSecond) : grouped.format(perSecond);
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Binary units, one decimal from KiB on: 1536 → "1.5 KiB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.95 would round to 1024.0 of the unit below.
  while (Math.abs(value) >= 1023.95 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${grouped.format(value)} B` : `${oneDecimal.format(value)} ${BYTE_UNITS[unit]}`;
}

/** A sum that lacks some: "≥ 1.5 KiB". */
export function formatBytesAtLeast(bytes: number, isPartial: boolean): string {
  return `${isPartial ? '≥ ' : ''}${formatBytes(bytes)}`;
}

const DURATION_UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** The two largest units that matter: "3 d 4 h", "12 m 5 s", "8.4 s", "350 ms". */
export function formatDuration(ms: number): string {
  if (ms < 0) return `−${formatDuration(-ms)}`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  // Below 60 s one decimal; 59.96 would read 60.0.
  if (ms < 59_950) return ms % 1000 === 0 ? `${ms / 1000} s` : `${oneDecimal.format(ms / 1000)} s`;
  const rounded = Math.round(ms / 1000) * 1000;
  const first = DURATION_UNITS.findIndex(([, size]) => rounded >= size);
  const [name, size] = DURATION_UNITS[first] ?? ['s', 1000];
  const count = Math.floor(rounded / size);
  const next = DURATION_UNITS[first + 1];
  const rest = next === undefined ? 0 : Math.floor((rounded - count * size) / next[1]);
  return rest === 0 || next === undefined ? `${count} ${name}` : `${count} ${name} ${rest} ${next[0]}`;
}

/** "exact" durations as configuration has them: 604800000 → "7 d", 90000 → "1 m 30 s", 1500 → "1.5 s". */
export function explainConfigValue(value: string, unit: 'ms' | 'bytes' | 'messages' | 'ratio' | null): string | null {
  if (unit === null || unit === 'ratio' || value.trim() === '') return null;
  const number = Number(value);
  if (!Number.isFinite(number)) return null;
  if (number === -1) return 'no limit';
  // Kafka's way to say never: Long.MAX_VALUE, or Integer.MAX_VALUE and above for milliseconds of flush.
  if (number >= 9.2e18) return unit === 'messages' || unit === 'ms' ? 'never' : 'no limit';
  if (unit === 'messages') return null;
  if (unit === 'bytes') return number < 1024 ? null : formatBytes(number);
  return number < 1000 ? null : formatDuration(number);
}

const pad = (value: number, width: number): string => String(value).padStart(width, '0');

/** Wall clock with milliseconds: "2025-11-23 18:05:07.041", with a Z in UTC, or the bare number. */
export function formatTime(ms: number, display: TimeDisplay): string {
  if (display === 'epoch') return String(ms);
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return String(ms);
  if (display === 'utc') return date.toISOString().replace('T', ' ');
  return (
    `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1, 2)}-${pad(date.getDate(), 2)} ` +
    `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}.${pad(date.getMilliseconds(), 3)}`
  );
}

/** The clock part only, for timelines and "as of": "18:05:07.041" (epoch mode gives the number). */
export function formatClock(ms: number, display: TimeDisplay, withMs = true): string {
  if (display === 'epoch') return String(ms);
  const text = formatTime(ms, display).slice(11);
  return withMs ? text : text.replace(/\.\d{3}/, '');
}
