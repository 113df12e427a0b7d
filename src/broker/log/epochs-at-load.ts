/**
 * The leader epochs that a log begins with when it is opened: of their file, and of the batches where that is missing, damaged or, after an unclean end,
 * may know less than they. What recovery scans is compared with them afterwards. Source: Kafka's LogLoader, LeaderEpochFileCache.
 */
import { baseOffsetAt, lastOffsetAt, leaderEpochAt } from '../../log-format/batch-fields.ts';
import { decodeEpochCheckpoint } from '../../log-format/checkpoint.ts';
import type { EpochEntry } from '../../log-format/checkpoint.ts';
import { LEADER_EPOCH_CHECKPOINT } from '../../log-format/file-names.ts';
import { LogFormatError } from '../../log-format/log-format-error.ts';
import { LeaderEpochFileCache } from './leader-epoch-file-cache.ts';
import type { LogContext } from './log-context.ts';
import type { LogSegments } from './log-segments.ts';

export interface EpochsAtLoad {
  readonly directory: string;
  /** Of the files in it. */
  readonly names: ReadonlySet<string>;
  readonly segments: LogSegments;
  readonly hadCleanShutdown: boolean;
  readonly logStartOffset: number;
}

/** `isDirty`: the file says something else. */
export function loadEpochs(
  context: LogContext,
  options: EpochsAtLoad,
): { readonly entries: readonly EpochEntry[]; readonly isDirty: boolean } {
  const entries = readEpochs(context, options);
  if (entries === undefined) return { entries: epochsOfBatches(options.segments), isDirty: true };
  const earlier = options.hadCleanShutdown ? [] : earlierEpochs(options, entries);
  if (earlier.length === 0) return { entries, isDirty: false };
  return { entries: [...earlier, ...entries.filter(({ epoch }) => epoch > (earlier.at(-1)?.epoch ?? -1))], isDirty: true };
}

/** Undefined when the file is damaged or, after an unclean end, missing: the batches tell. */
function readEpochs(context: LogContext, { directory, names, hadCleanShutdown }: EpochsAtLoad): EpochEntry[] | undefined {
  if (!names.has(LEADER_EPOCH_CHECKPOINT)) return hadCleanShutdown ? [] : undefined;
  const path = `${directory}/${LEADER_EPOCH_CHECKPOINT}`;
  try {
    return decodeEpochCheckpoint(context.disk.readFile(path).toString('utf8'));
  } catch (error) {
    if (!(error instanceof LogFormatError)) throw error;
    context.logger.warn({ err: error }, `${path} can't be read: the leader epochs are taken from the batches`);
    return undefined;
  }
}

/** Records were let go and the checkpoint of that was lost: the file may know only the epochs behind them. */
function earlierEpochs({ segments, logStartOffset }: EpochsAtLoad, entries: readonly EpochEntry[]): EpochEntry[] {
  const earliest = entries[0];
  const start = Math.max(logStartOffset, segments.first?.baseOffset ?? 0);
  const earlier: EpochEntry[] = [];
  if (earliest === undefined || earliest.startOffset <= start) return earlier;
  for (const segment of segments.between(start, earliest.startOffset)) {
    const scanner = segment.scan({ bodies: false });
    for (let batch = scanner.next(); batch !== undefined; batch = scanner.next()) {
      if (lastOffsetAt(batch.buffer, batch.at) < start) continue;
      const epoch = leaderEpochAt(batch.buffer, batch.at);
      const startOffset = Math.max(start, baseOffsetAt(batch.buffer, batch.at));
      if (startOffset >= earliest.startOffset || epoch > earliest.epoch) break;
      if (epoch > (earlier.at(-1)?.epoch ?? -1)) earlier.push({ epoch, startOffset });
    }
  }
  return earlier;
}

function epochsOfBatches(segments: LogSegments): readonly EpochEntry[] {
  const epochs = new LeaderEpochFileCache([], () => {});
  for (const segment of segments.all) {
    const scanner = segment.scan({ bodies: false });
    for (let batch = scanner.next(); batch !== undefined; batch = scanner.next()) {
      const epoch = leaderEpochAt(batch.buffer, batch.at);
      const baseOffset = baseOffsetAt(batch.buffer, batch.at);
      if (epoch > (epochs.latestEpoch ?? -1) && baseOffset >= 0 && Number.isSafeInteger(baseOffset)) epochs.assign(epoch, baseOffset);
    }
  }
  return epochs.entries;
}
