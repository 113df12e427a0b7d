/**
 * The files of a log's folder once what a crash interrupted is finished or undone.
 *
 *   *.deleted, *.cleaned, *.tmp   thrown away
 *   *.swap                        a finished replacement by the cleaner, or the pieces of a segment that was split: put in place, what it replaces is
 *                                 removed; unless a .cleaned is left at or below it: then it never happened
 *
 * Source: Kafka's LogLoader. Differs: only what each new segment covers is removed.
 */
import { lastOffsetAt } from '../../log-format/batch-fields.ts';
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  LOG_SUFFIX,
  parseSegmentFileName,
  PRODUCER_SNAPSHOT_SUFFIX,
  SWAP_SUFFIX,
} from '../../log-format/file-names.ts';
import type { LogConfig } from '../config/log-config.ts';
import type { LogContext } from './log-context.ts';
import { LogSegment } from './log-segment.ts';

/** Names of the files that are left, once what was under way is finished or undone. */
export function finishInterrupted(context: LogContext, directory: string, config: LogConfig): Set<string> {
  const { disk } = context;
  const names = new Set(
    disk
      .list(directory)
      .filter((entry) => !entry.isDirectory)
      .map((entry) => entry.name),
  );
  const remove = (name: string): void => {
    disk.remove(`${directory}/${name}`);
    names.delete(name);
  };
  let lowestCleaned = Infinity;
  for (const name of names)
    if (name.endsWith(CLEANED_SUFFIX)) lowestCleaned = Math.min(lowestCleaned, parseSegmentFileName(name)?.offset ?? Infinity);
  // A replacement by several segments of which one isn't finished never happened.
  const unfinished = [...names].filter(
    (name) => name.endsWith(SWAP_SUFFIX) && (parseSegmentFileName(name)?.offset ?? Infinity) >= lowestCleaned,
  );
  for (const name of unfinished) remove(name);
  // The .cleaned files are what tells so: they stay until those are gone for certain.
  if (unfinished.length > 0) disk.syncDirectory(directory);
  for (const name of names) if (name.endsWith(DELETED_SUFFIX) || name.endsWith(CLEANED_SUFFIX) || name.endsWith('.tmp')) remove(name);
  finishSwaps(context, { directory, config, names, remove });
  return names;
}

interface Replacing {
  readonly directory: string;
  readonly config: LogConfig;
  readonly names: Set<string>;
  readonly remove: (name: string) => void;
}

function finishSwaps(context: LogContext, { directory, config, names, remove }: Replacing): void {
  const { disk, clock } = context;
  const swaps = [...names].filter((name) => name.endsWith(SWAP_SUFFIX));
  if (swaps.length === 0) return;
  /** Base offset and end of each; several are a segment that was split. Between two of them may lie one that has its name already. */
  const replacements: { from: number; to: number }[] = [];
  for (const name of swaps) {
    const file = parseSegmentFileName(name);
    if (file?.suffix !== LOG_SUFFIX) continue;
    const sizeBytes = disk.stat(`${directory}/${name}`)?.sizeBytes ?? 0;
    const segment = new LogSegment(context, directory, { baseOffset: file.offset, sizeBytes, modifiedMs: clock.wallMs(), config });
    segment.moved(directory, SWAP_SUFFIX);
    replacements.push({ from: file.offset, to: Math.max(file.offset + 1, endOfSwap(segment)) });
    segment.abandon();
  }
  // What it replaced goes, then the log files get their names, then the indexes: synced in between, as by swapSegmentFiles.
  for (const name of names) {
    const file = parseSegmentFileName(name);
    if (file === undefined || file.state !== '' || file.suffix === PRODUCER_SNAPSHOT_SUFFIX) continue;
    if (replacements.some(({ from, to }) => file.offset >= from && file.offset < to)) remove(name);
  }
  const isLog = (name: string): boolean => name.endsWith(LOG_SUFFIX + SWAP_SUFFIX);
  for (const step of [swaps.filter(isLog), swaps.filter((name) => !isLog(name))]) {
    disk.syncDirectory(directory);
    for (const name of step) {
      const target = name.slice(0, -SWAP_SUFFIX.length);
      disk.rename(`${directory}/${name}`, `${directory}/${target}`);
      names.delete(name);
      names.add(target);
    }
  }
  disk.syncDirectory(directory);
  const offsets = replacements.map(({ from, to }) => `${from} to ${to - 1}`).join(', ');
  context.logger.info(`Finished the replacement of segments of ${directory} that was under way: offsets ${offsets}`);
}

function endOfSwap(segment: LogSegment): number {
  let next = segment.baseOffset;
  const scanner = segment.scan({ bodies: false });
  for (let batch = scanner.next(); batch !== undefined; batch = scanner.next()) next = lastOffsetAt(batch.buffer, batch.at) + 1;
  return next;
}
