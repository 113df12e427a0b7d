/**
 * Names in `version-2`: `log.<hex zxid of its first transaction>`, `snapshot.<hex zxid it is good for>`.
 * A snapshot that is being written ends with `.tmp`.
 */
import type { Disk } from '../../runtime/disk.ts';

export const LOG_PREFIX = 'log';
export const SNAPSHOT_PREFIX = 'snapshot';
export const TEMPORARY_SUFFIX = '.tmp';

export interface ZxidFile {
  readonly name: string;
  readonly path: string;
  readonly zxid: number;
}

export function logName(zxid: number): string {
  return `${LOG_PREFIX}.${zxid.toString(16)}`;
}

export function snapshotName(zxid: number): string {
  return `${SNAPSHOT_PREFIX}.${zxid.toString(16)}`;
}

/** The files of that prefix, by ascending zxid; anything else in the folder is left alone. */
export function listZxidFiles(disk: Disk, directory: string, prefix: string): ZxidFile[] {
  const files: ZxidFile[] = [];
  for (const entry of disk.list(directory)) {
    const match = /^([a-z]+)\.([0-9a-f]{1,16})$/.exec(entry.name);
    if (entry.isDirectory || match?.[1] !== prefix || match[2] === undefined) continue;
    const zxid = Number.parseInt(match[2], 16);
    if (Number.isSafeInteger(zxid)) files.push({ name: entry.name, path: `${directory}/${entry.name}`, zxid });
  }
  return files.toSorted((a, b) => a.zxid - b.zxid);
}
