/** What a process has used of the processor, which a busy machine changes less than what it has achieved. Linux only. */
import { readFileSync } from 'node:fs';

/** Of /proc/PID/stat: a hundredth of a second on every Linux that Node runs on. */
const TICK_MS = 10;

/** In user and kernel mode, of all threads, in milliseconds; NaN where it can't be told. */
export function cpuMs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return Number.NaN;
  }
}
