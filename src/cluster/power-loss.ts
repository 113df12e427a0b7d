/**
 * A power loss, played on the files of a broker that has just ended: every `.log` file is cut back to what the broker knew to be on the
 * device (`src/introspection/power-loss.ts`). A real one may spare some of it; it never takes more of these files. What else it
 * could take is left: index entries above the recovery point, which recovery builds anew in any case, and names in folders.
 */
import { join } from 'node:path';
import type { PowerLossNote, UnsyncedLog } from '../introspection/power-loss.ts';
import type { Disk } from '../runtime/disk.ts';
import { ControlError } from './control-contract.ts';
import type { PowerLoss } from './control-contract.ts';

/** Reads the broker's note at `noteFile`, removes it and cuts the files it names. Only in `dataDirs`. Throws `ControlError` before anything is cut. */
export function losePower(disk: Disk, noteFile: string, dataDirs: readonly string[]): PowerLoss {
  if (!disk.exists(noteFile))
    throw new ControlError('failed', 'the broker ended without saying what was on the device: nothing was cut, and nothing is lost');
  const note = JSON.parse(disk.readFile(noteFile).toString('utf8')) as PowerLossNote;
  disk.remove(noteFile);
  for (const { directory, files } of note.logs) {
    const isInside = dataDirs.some((dataDir) => directory.startsWith(`${dataDir}/`)) && !directory.includes('..');
    if (!isInside || files.some(({ name }) => !/^\d{20}\.log$/.test(name)))
      throw new ControlError('failed', `the broker named files outside of ${dataDirs.join(', ')}: nothing was cut`);
  }
  return { brokerId: note.brokerId, atMs: note.atMs, logs: note.logs.map((log) => cutLog(disk, log)) };
}

function cutLog(disk: Disk, log: UnsyncedLog): PowerLoss['logs'][number] {
  const { topic, partition, recoveryPoint, highWatermark, logEndOffset } = log;
  const files = log.files.map(({ name, syncedBytes }) => {
    const file = disk.open(join(log.directory, name), 'read-write');
    try {
      const sizeBytes = file.sizeBytes();
      if (sizeBytes > syncedBytes) file.truncate(syncedBytes);
      return { name, sizeBytes, keptBytes: Math.min(sizeBytes, syncedBytes) };
    } finally {
      file.close();
    }
  });
  const lostBytes = files.reduce((sum, { sizeBytes, keptBytes }) => sum + sizeBytes - keptBytes, 0);
  return { topic, partition, recoveryPoint, highWatermark, logEndOffset, lostBytes, files };
}
