/** Who started this process, and who started that one: to notice that one of them is gone when nobody tells. */
import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 500;

/** Our parent and, where /proc tells, its parent: npm, by way of a shell. */
function ancestry() {
  const parent = process.ppid;
  try {
    // The fields behind the name, which stands in parentheses and may hold anything: state, parent, …
    const fields = readFileSync(`/proc/${parent}/stat`, 'utf8')
      .replace(/^.*\) /su, '')
      .split(' ');
    return `${parent} ${fields[1]}`;
  } catch {
    return String(parent);
  }
}

/** Calls `onChange` once, when the ancestors are no longer those of now. Returns what ends the looking. */
export function watchAncestors(onChange, look = ancestry) {
  const ancestors = look();
  const watch = setInterval(() => {
    if (look() === ancestors) return;
    clearInterval(watch);
    onChange();
  }, LOOK_EVERY_MS);
  return () => clearInterval(watch);
}
