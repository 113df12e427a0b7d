/**
 * The renames that put a cleaned segment in the place of those it was made of. A crash at any point, with any of the unsynced renames done or not,
 * leaves a folder that LogLoader brings to the state before or after:
 *
 *   1  B.*.cleaned → B.*.swap              some still .cleaned: all of it is thrown away; all .swap: finished at start
 *   2  old files → .deleted, logs first    .swap is there: what is left of the old ones is removed at start
 *   3  B.log.swap → B.log                  while B.log.swap is there, every other file of these offsets is an old one;
 *   4  the indexes' .swap → their names      once it isn't, every file is a new one
 *
 * The names are synced after each step (Kafka syncs once, at the end, and trusts the file system to keep their order).
 * Old segments answer reads under their new names meanwhile. Source: Kafka's LocalLog.replaceSegments.
 */
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  segmentFileName,
  SWAP_SUFFIX,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from '../../../log-format/file-names.ts';
import type { SegmentFileSuffix } from '../../../log-format/file-names.ts';
import type { Disk } from '../../../runtime/disk.ts';
import type { LogSegment } from '../log-segment.ts';

export interface SegmentSwap {
  readonly disk: Disk;
  readonly directory: string;
  readonly baseOffset: number;
  readonly old: readonly LogSegment[];
  /** Throws when the log has ended: its folder may be another's by now. */
  readonly check: () => void;
}

const INDEX_SUFFIXES = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX] as const;

export async function swapSegmentFiles(swap: SegmentSwap): Promise<void> {
  const { disk, directory, baseOffset, old } = swap;
  const sync = async (): Promise<void> => {
    await disk.syncDirectoryAsync(directory);
    swap.check();
  };
  const rename = (suffix: SegmentFileSuffix, from: string, to: string): void => {
    const path = `${directory}/${segmentFileName(baseOffset, suffix)}`;
    disk.rename(path + from, path + to);
  };
  for (const suffix of [...INDEX_SUFFIXES, LOG_SUFFIX] as const) rename(suffix, CLEANED_SUFFIX, SWAP_SUFFIX);
  await sync();
  for (const segment of old) {
    for (const path of segment.paths()) if (disk.exists(path)) disk.rename(path, path + DELETED_SUFFIX);
    segment.moved(directory, DELETED_SUFFIX);
  }
  await sync();
  rename(LOG_SUFFIX, SWAP_SUFFIX, '');
  await sync();
  for (const suffix of INDEX_SUFFIXES) rename(suffix, SWAP_SUFFIX, '');
  await sync();
}
