/**
 * Opens the folder of a log: finishes or undoes what a crash interrupted, recovers what may be damaged, and brings epochs and producer
 * state to the log's end.
 *
 *   .deleted, .cleaned, .swap …   `interrupted-files.ts`
 *   an index without a log file   thrown away
 *   a log file without a good index, at any time: its segment is scanned
 *   a segment whose offsets overflow its index: split, and all of it begins anew
 *   after an unclean end          every segment from the recovery point on is scanned
 *
 * After a clean end nothing is scanned but the last few batches behind the last index entry. Source: Kafka's LogLoader.
 */
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  segmentFileName,
  TXN_INDEX_SUFFIX,
  PARTITION_METADATA,
  parseSegmentFileName,
  PRODUCER_SNAPSHOT_SUFFIX,
} from '../../log-format/file-names.ts';
import { LogFormatError } from '../../log-format/log-format-error.ts';
import { decodePartitionMetadata } from '../../log-format/partition-metadata.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { LogConfig } from '../config/log-config.ts';
import { loadEpochs } from './epochs-at-load.ts';
import { finishInterrupted } from './interrupted-files.ts';
import { LeaderEpochFileCache } from './leader-epoch-file-cache.ts';
import { LocalLog } from './local-log.ts';
import type { LogContext } from './log-context.ts';
import type { LogRecovered } from './log-events.ts';
import { recoverSegment } from './log-recovery.ts';
import type { RecoveryOutcome } from './log-recovery.ts';
import { LogSegment } from './log-segment.ts';
import { LogSegments } from './log-segments.ts';
import { ProducerSnapshots } from './producer-snapshots.ts';
import { rebuildProducerState, takeSnapshot } from './producer-state-rebuild.ts';
import { ProducerStateManager } from './producer-state-manager.ts';
import type { RecoveryWorkers } from './recovery-workers.ts';
import { isMissingOrCorrupt } from './segment-indexes.ts';
import { SegmentOverflowError, splitOverflowedSegment } from './segment-split.ts';
import { UnifiedLog } from './unified-log.ts';

export interface LoadOptions {
  readonly topicPartition: TopicPartition;
  readonly directory: string;
  readonly config: LogConfig;
  /** From the checkpoint file; 0 when it doesn't name the log. */
  readonly logStartOffset: number;
  readonly recoveryPoint: number;
  readonly hadCleanShutdown: boolean;
  /** A cleaner has been here, whatever the topic's policy is now. */
  readonly wasCleaned?: boolean;
  /** Who may scan segments in its place; undefined when all is done on the event loop. */
  readonly workers?: RecoveryWorkers;
  /** Hears of bytes scanned by recovery. */
  readonly onBytes?: (bytes: number) => void;
  /** Hears what recovery found, when it had something to scan. */
  readonly onRecovered?: (recovered: LogRecovered) => void;
}

/** Opens a log that exists. Throws the disk's errors; damage never fails it. */
export async function loadLog(context: LogContext, options: LoadOptions): Promise<UnifiedLog> {
  for (;;) {
    const loader = new LogLoader(context, options);
    try {
      return await loader.load();
    } catch (error) {
      if (!(error instanceof SegmentOverflowError)) throw error;
      await loader.split(error.segment);
    }
  }
}

class LogLoader {
  readonly #context: LogContext;
  readonly #options: LoadOptions;
  readonly #segments = new LogSegments();
  readonly #snapshots: ProducerSnapshots;
  #epochs: LeaderEpochFileCache;
  #epochsDirty = false;
  readonly #rebuilt: LogSegment[] = [];
  /** What recovery learned of producers by its scan. */
  #recoveredState: ProducerStateManager | undefined;
  #topicId: string | undefined;
  #scannedBytes = 0;
  #truncatedBytes = 0;
  #truncationReason: string | undefined;

  constructor(context: LogContext, options: LoadOptions) {
    this.#context = context;
    this.#options = options;
    this.#snapshots = new ProducerSnapshots(context.disk, options.directory, context.logger);
    this.#epochs = new LeaderEpochFileCache([], () => {});
  }

  async load(): Promise<UnifiedLog> {
    const { topicPartition, directory, config, logStartOffset, hadCleanShutdown } = this.#options;
    const startMs = this.#context.clock.monotonicMs();
    const names = finishInterrupted(this.#context, directory, config);
    this.#topicId = this.#readTopicId(names);
    this.#openSegments(names);
    this.#snapshots.setFrom(names.keys());
    if (!hadCleanShutdown) this.#removeBelowStart();
    this.#loadEpochs(names);
    await this.#checkIndexes(names);
    const { logEndOffset, recoveryPoint } = await this.#recoverLog();
    this.#epochs.truncateFromEnd(logEndOffset);
    const start = Math.max(logStartOffset, this.#segments.first?.baseOffset ?? 0);
    this.#epochs.truncateFromStart(start);
    this.#snapshots.removeStray(new Set(this.#segments.all.map((segment) => segment.baseOffset)));
    const producerState = this.#rebuildState(start, logEndOffset);
    for (const segment of this.#segments.all) if (!this.#rebuilt.includes(segment)) segment.markSynced();
    this.#tellRecovered(logEndOffset, startMs);
    return new UnifiedLog(this.#context, {
      topicPartition,
      config,
      local: new LocalLog(this.#context, directory, {
        segments: this.#segments,
        logEndOffset,
        directoryDirty: !hadCleanShutdown,
        unsyncedLengths: this.#segments.all.filter((segment) => this.#mayHaveUncutEnd(segment)),
      }),
      producerState,
      snapshots: this.#snapshots,
      epochEntries: this.#epochs.entries,
      epochsDirty: this.#epochsDirty,
      topicId: this.#topicId,
      logStartOffset: start,
      recoveryPoint,
      rebuilt: this.#rebuilt.filter((segment) => segment.sizeBytes > 0),
    });
  }

  /** After load found an overflow: the folder is loaded again. */
  async split(segment: LogSegment): Promise<void> {
    await splitOverflowedSegment(this.#context, this.#options.directory, segment, this.#endOf(segment));
    for (const each of this.#segments.all) each.abandon();
  }

  /** Where the next segment begins. */
  #endOf(segment: LogSegment): number {
    return this.#segments.higher(segment.baseOffset)?.baseOffset ?? Infinity;
  }

  /** Only compaction leaves gaps that are right. */
  get #mayHaveGaps(): boolean {
    return this.#options.config.compact || this.#options.wasCleaned === true;
  }

  #tellRecovered(logEndOffset: number, startMs: number): void {
    const { topicPartition, recoveryPoint, onRecovered } = this.#options;
    if (this.#scannedBytes === 0 && this.#truncatedBytes === 0) return;
    onRecovered?.({
      kind: 'log-recovered',
      ...topicPartition,
      truncatedBytes: this.#truncatedBytes,
      logEndOffset,
      recoveryPoint,
      reason: this.#truncationReason ?? 'every batch is whole',
      scannedBytes: this.#scannedBytes,
      tookMs: Math.round(this.#context.clock.monotonicMs() - startMs),
    });
  }

  #openSegments(names: Set<string>): void {
    const { disk } = this.#context;
    const { directory, config } = this.#options;
    const files = [...names].map((name) => ({ name, file: parseSegmentFileName(name) }));
    const logs = new Set<number>();
    for (const { name, file } of files) {
      if (file?.suffix !== LOG_SUFFIX) continue;
      const stat = disk.stat(`${directory}/${name}`);
      logs.add(file.offset);
      this.#segments.add(
        new LogSegment(this.#context, directory, {
          baseOffset: file.offset,
          sizeBytes: stat?.sizeBytes ?? 0,
          modifiedMs: stat?.mtimeMs ?? 0,
          config,
        }),
      );
    }
    for (const { name, file } of files) {
      if (file === undefined || file.suffix === PRODUCER_SNAPSHOT_SUFFIX || logs.has(file.offset)) continue;
      this.#context.logger.warn(`Removing ${directory}/${name}: there is no log file to this index`);
      disk.remove(`${directory}/${name}`);
      names.delete(name);
    }
  }

  /** What was let go: of a deletion that wasn't on the device some may be back, with holes between. */
  #removeBelowStart(): void {
    const { logStartOffset } = this.#options;
    this.#removeSegments(this.#segments.all.filter((segment) => this.#endOf(segment) <= logStartOffset));
  }

  #readTopicId(names: ReadonlySet<string>): string | undefined {
    if (!names.has(PARTITION_METADATA)) return undefined;
    const path = `${this.#options.directory}/${PARTITION_METADATA}`;
    try {
      return decodePartitionMetadata(this.#context.disk.readFile(path).toString('utf8'));
    } catch (error) {
      if (!(error instanceof LogFormatError)) throw error;
      // The controller tells the id again with its next LeaderAndIsr.
      this.#context.logger.warn({ err: error }, `Removing ${path}, which can't be read`);
      this.#context.disk.remove(path);
      return undefined;
    }
  }

  #loadEpochs(names: ReadonlySet<string>): void {
    const { directory, hadCleanShutdown, logStartOffset } = this.#options;
    const segments = this.#segments;
    const { entries, isDirty } = loadEpochs(this.#context, { directory, names, segments, hadCleanShutdown, logStartOffset });
    this.#epochsDirty = isDirty;
    this.#epochs = new LeaderEpochFileCache(entries, () => {
      this.#epochsDirty = true;
    });
  }

  /** Segments that recovery won't look at must have good indexes. After a clean end only the last one's are read now. */
  async #checkIndexes(names: ReadonlySet<string>): Promise<void> {
    const { hadCleanShutdown, recoveryPoint, directory } = this.#options;
    const unflushed = hadCleanShutdown ? [] : this.#segments.between(recoveryPoint, Infinity);
    for (const segment of this.#segments.all) {
      if (unflushed.includes(segment)) continue;
      try {
        if (segment === this.#segments.last || !hadCleanShutdown) segment.indexes.checkFiles();
        else if (!names.has(segmentFileName(segment.baseOffset, OFFSET_INDEX_SUFFIX)))
          throw new LogFormatError('corrupt-index', `segment ${segment.baseOffset} has no offset index`);
        // Reads for read_committed go by it, and nothing else can make it again.
        if (names.has(segmentFileName(segment.baseOffset, TXN_INDEX_SUFFIX))) void segment.indexes.abortedTxns;
        if (this.#mayHaveUncutEnd(segment) && segment !== this.#segments.last)
          segment.cutZeros(this.#mayHaveGaps ? undefined : this.#endOf(segment));
        if (this.#mayOverflow(segment) && !segment.readEnd().isWhole)
          throw new LogFormatError('corrupt-index', `segment ${segment.baseOffset} goes further than its index can say`);
      } catch (error) {
        if (!isMissingOrCorrupt(error)) throw error;
        this.#context.logger.warn({ err: error }, `Building the indexes of segment ${segment.baseOffset} of ${directory} again`);
        await this.#recoverOne(segment, this.#stateUpTo(segment.baseOffset));
      }
    }
  }

  /** Whether there is room for offsets that the index can't have: what a cleaner before Kafka 2.0 left, and an end in order doesn't mend. */
  #mayOverflow(segment: LogSegment): boolean {
    return segment !== this.#segments.last && !segment.canConvertToRelativeOffset(this.#endOf(segment) - 1);
  }

  /** Whether it was cut to its size when the next segment began, or at the end, and nothing was flushed since: the power may take the cut back. */
  #mayHaveUncutEnd(segment: LogSegment): boolean {
    return this.#endOf(segment) >= this.#options.recoveryPoint;
  }

  /** Returns the log's end and how far it is known to be on the device. */
  async #recoverLog(): Promise<{ logEndOffset: number; recoveryPoint: number }> {
    const { hadCleanShutdown, recoveryPoint, logStartOffset } = this.#options;
    if (!hadCleanShutdown) await this.#recoverUnflushed(this.#segments.between(recoveryPoint, Infinity));
    const last = this.#segments.last;
    let logEndOffset = logStartOffset;
    if (last !== undefined) {
      const { nextOffset, isWhole } = last.readEnd();
      // Nothing that is appended behind damage could be found.
      logEndOffset = isWhole ? nextOffset : (await this.#recoverOne(last, this.#stateUpTo(last.baseOffset))).nextOffset;
    }
    if (last !== undefined && logEndOffset < logStartOffset) {
      this.#context.logger.warn(
        `${this.#options.directory} ends at ${logEndOffset}, below its log start offset ${logStartOffset}: it begins anew there`,
      );
      this.#removeSegments([...this.#segments.all]);
      this.#epochs.clear();
    }
    if (this.#segments.last === undefined) {
      this.#segments.add(LogSegment.create(this.#context, this.#options.directory, logStartOffset, this.#options.config));
      return { logEndOffset: logStartOffset, recoveryPoint: Math.min(recoveryPoint, logStartOffset) };
    }
    return { logEndOffset, recoveryPoint: hadCleanShutdown ? logEndOffset : Math.min(recoveryPoint, logEndOffset) };
  }

  async #recoverUnflushed(unflushed: readonly LogSegment[]): Promise<void> {
    const first = unflushed[0];
    if (first === undefined) return;
    const state = this.#stateUpTo(first.baseOffset);
    this.#recoveredState = state;
    let nextOffset = first.baseOffset;
    let endsInZeros = false;
    for (const [index, segment] of unflushed.entries()) {
      // The end of the segment before was lost (what ends in zeros was never cleaned, so that no gap is right), or what should have replaced this one.
      const isMisplaced: boolean =
        segment.baseOffset < nextOffset || (segment.baseOffset > nextOffset && (!this.#mayHaveGaps || endsInZeros));
      if (isMisplaced) {
        this.#truncationReason ??= `segment ${segment.baseOffset} doesn't follow offset ${nextOffset}`;
        this.#context.logger.warn(
          `Removing ${this.#options.directory} from segment ${segment.baseOffset} on: the one before ends at offset ${nextOffset}`,
        );
      }
      const outcome: RecoveryOutcome | undefined = isMisplaced ? undefined : await this.#recoverOne(segment, state);
      if (outcome !== undefined && (outcome.truncatedBytes === 0 || outcome.endsInZeros)) {
        nextOffset = outcome.nextOffset;
        endsInZeros = outcome.endsInZeros;
        continue;
      }
      const behind = unflushed.slice(isMisplaced ? index : index + 1);
      for (const { sizeBytes } of behind) this.#truncatedBytes += sizeBytes;
      this.#removeSegments(behind);
      await this.#context.disk.syncDirectoryAsync(this.#options.directory);
      return;
    }
  }

  async #recoverOne(segment: LogSegment, state: ProducerStateManager): Promise<RecoveryOutcome> {
    const { onBytes, directory, logStartOffset, workers, config } = this.#options;
    this.#rebuilt.push(segment);
    const outcome = await recoverSegment({
      segment,
      logDir: directory.slice(0, directory.lastIndexOf('/')),
      workers,
      producerState: state,
      epochs: this.#epochs,
      buffers: this.#context.readBuffers,
      nowMs: this.#context.clock.wallMs(),
      endOffset: this.#endOf(segment),
      mayHaveGaps: this.#mayHaveGaps,
      onBytes: (bytes) => {
        this.#scannedBytes += bytes;
        onBytes?.(bytes);
      },
    });
    // With preallocate every file that was appended to ends so, and nothing is lost with it.
    if (outcome.truncatedBytes > 0 && !(outcome.endsInZeros && config.preallocate)) {
      this.#truncatedBytes += outcome.truncatedBytes;
      this.#truncationReason ??= outcome.reason;
      this.#context.logger.warn(
        { directory, baseOffset: segment.baseOffset, truncatedBytes: outcome.truncatedBytes },
        `Cut ${outcome.truncatedBytes} bytes off segment ${segment.baseOffset} of ${directory} at offset ${outcome.nextOffset}: ${outcome.reason}`,
      );
    }
    this.#snapshots.removeWhere((offset) => offset > segment.baseOffset && offset < outcome.nextOffset);
    // Without producers there is nothing to keep, and a file for each of many logs makes a start slow.
    if (!state.isEmpty || this.#snapshots.latestOffset !== undefined) takeSnapshot(state, this.#snapshots, logStartOffset);
    return outcome;
  }

  /** The producer state where a segment begins. */
  #stateUpTo(offset: number): ProducerStateManager {
    const state = new ProducerStateManager();
    this.#rebuild(state, this.#options.logStartOffset, offset);
    return state;
  }

  #rebuildState(logStartOffset: number, logEndOffset: number): ProducerStateManager {
    // The scan saw the last batches of each producer, of which a snapshot holds one: a producer that waited for several answers when the
    // broker died sends them all again.
    const state = this.#recoveredState ?? new ProducerStateManager();
    // A clean end without any snapshot: there were no producers (or another version of Kafka wrote the log). Nothing is scanned.
    if (this.#options.hadCleanShutdown && this.#snapshots.latestOffset === undefined) state.updateMapEndOffset(logEndOffset);
    else this.#rebuild(state, logStartOffset, logEndOffset);
    return state;
  }

  #rebuild(state: ProducerStateManager, logStartOffset: number, endOffset: number): void {
    rebuildProducerState({
      state,
      snapshots: this.#snapshots,
      segments: this.#segments,
      logStartOffset,
      endOffset,
      nowMs: this.#context.clock.wallMs(),
      producerIdExpirationMs: this.#context.producerIdExpirationMs(),
    });
  }

  #removeSegments(segments: readonly LogSegment[]): void {
    const { disk } = this.#context;
    for (const segment of segments) {
      this.#segments.remove(segment);
      segment.abandon();
      for (const path of segment.paths()) if (disk.exists(path)) disk.remove(path);
      this.#snapshots.remove(segment.baseOffset);
    }
  }
}
