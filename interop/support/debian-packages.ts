/**
 * Real input: the machine's Debian package index, one record for each package, keyed by its name. Over 60,000 records, 50 MB,
 * from 200 bytes to 76 KB, with newlines and every kind of UTF-8 in them.
 */
import { runTool } from './run-tool.ts';

export interface PackageRecord {
  readonly key: string;
  readonly value: Buffer;
}

const FEWEST = 60_000;
const KEY_PREFIX = Buffer.from('Package: ');

/** Rejects with what to do where the machine has no package lists. */
export async function debianPackages(): Promise<PackageRecord[]> {
  let packages = await readIndex();
  if (packages.length < FEWEST && process.getuid?.() === 0) {
    await runTool('apt-get', ['update'], { timeoutMs: 120_000 });
    packages = await readIndex();
  }
  if (packages.length < FEWEST)
    throw new Error(`the machine knows only ${packages.length} Debian packages: run "sudo apt-get update" first`);
  return packages;
}

async function readIndex(): Promise<PackageRecord[]> {
  const { out } = await runTool('apt-cache', ['dumpavail']);
  const packages: PackageRecord[] = [];
  let start = 0;
  while (start < out.length) {
    const end = out.indexOf('\n\n', start);
    const value = out.subarray(start, end < 0 ? out.length : end);
    start = end < 0 ? out.length : end + 2;
    if (value.subarray(0, KEY_PREFIX.length).equals(KEY_PREFIX))
      packages.push({ key: value.toString('utf8', KEY_PREFIX.length, value.indexOf('\n')), value });
  }
  return packages;
}
