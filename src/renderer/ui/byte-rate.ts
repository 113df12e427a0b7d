/** Bytes a second as they are typed. Pure. */
const UNITS: Readonly<Record<string, number>> = { k: 1000, m: 1000 ** 2, g: 1000 ** 3, ki: 1024, mi: 1024 ** 2, gi: 1024 ** 3 };

/** "1000000", "1 MB/s", "512KiB"; null when it can't be read or is nothing. */
export function parseByteRate(text: string): number | null {
  const [, number, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([kmg]i?)?b?(?:\/s)?\s*$/i.exec(text) ?? [];
  if (number === undefined) return null;
  const bytes = Math.round(Number(number) * (UNITS[unit.toLowerCase()] ?? 1));
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : null;
}
