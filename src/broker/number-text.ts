/** Counts and spans of time for people: "1,240", "850 ms", "30 s", "2 min". */
const count = new Intl.NumberFormat('en-US');

export function countText(value: number): string {
  return count.format(value);
}

export function spanText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 120 ? `${Math.round(seconds)} s` : `${countText(Math.round(seconds / 60))} min`;
}
