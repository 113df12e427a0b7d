/**
 * Brings the producer state to an offset: from the newest snapshot at or below it, then the batches between.
 * Source: Kafka's UnifiedLog.rebuildProducerState, ProducerStateManager.truncateAndReload.
 */
import { attributesAt, lastOffsetAt, producerIdAt } from '../../log-format/batch-fields.ts';
import { CONTROL_FLAG, NO_PRODUCER_ID } from '../../protocol/records/record-batch.ts';
import type { LogSegment } from './log-segment.ts';
import type { LogSegments } from './log-segments.ts';
import type { ProducerSnapshots } from './producer-snapshots.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';

export interface RebuildOptions {
  readonly state: ProducerStateManager;
  readonly snapshots: ProducerSnapshots;
  readonly segments: LogSegments;
  readonly logStartOffset: number;
  readonly endOffset: number;
  readonly nowMs: number;
  readonly producerIdExpirationMs: number;
}

/** After it, `state` reflects the log below `endOffset`. Snapshots outside of the log are removed. */
export function rebuildProducerState(options: RebuildOptions): void {
  const { state, snapshots, segments, logStartOffset, endOffset, nowMs, producerIdExpirationMs } = options;
  const lastSegmentOffsets = new Set(segments.all.slice(-2).map((segment) => segment.baseOffset));
  // A truncation of a log that knows no producers can't bring one up.
  const wasEmpty = state.isEmpty && state.mapEndOffset >= endOffset && state.mapEndOffset > 0;
  snapshots.removeWhere((offset) => offset > endOffset || offset <= logStartOffset);
  if (endOffset !== state.mapEndOffset) {
    const loaded = snapshots.loadLatest();
    state.load(loaded?.entries ?? [], loaded?.offset ?? logStartOffset, nowMs, producerIdExpirationMs);
  } else state.onLogStartOffsetIncremented(logStartOffset);
  if (endOffset > state.mapEndOffset && !wasEmpty) {
    for (const segment of segments.between(state.mapEndOffset, endOffset)) {
      const startOffset = Math.max(segment.baseOffset, state.mapEndOffset, logStartOffset);
      state.updateMapEndOffset(startOffset);
      if (lastSegmentOffsets.has(segment.baseOffset)) takeSnapshot(state, snapshots, logStartOffset);
      const first = segment.findBatch(startOffset);
      if (first !== undefined) applyBatches(state, segment, { from: first.position, endOffset });
    }
  }
  state.updateMapEndOffset(endOffset);
}

function applyBatches(state: ProducerStateManager, segment: LogSegment, options: { from: number; endOffset: number }): void {
  const scanner = segment.scan({ from: options.from, bodies: false });
  for (let batch = scanner.next(); batch !== undefined; batch = scanner.next()) {
    if (lastOffsetAt(batch.buffer, batch.at) >= options.endOffset) return;
    if (producerIdAt(batch.buffer, batch.at) === NO_PRODUCER_ID) continue;
    // Of a control batch the record is needed too, of all others the header.
    if ((attributesAt(batch.buffer, batch.at) & CONTROL_FLAG) === 0) applyBatch(state, batch.buffer, batch.at);
    else applyBatch(state, segment.read(batch.position, batch.sizeBytes), 0);
  }
}

/** Takes one batch of the log into account. Transactions that end in it are completed. */
export function applyBatch(state: ProducerStateManager, buffer: Buffer, at: number): void {
  if (producerIdAt(buffer, at) === NO_PRODUCER_ID) return;
  const completed = state.update(buffer, at);
  if (completed !== undefined) state.completeTxn(completed);
}

/** Writes a snapshot of the state if none of that offset or above exists, not synced; its path when it did. */
export function takeSnapshot(state: ProducerStateManager, snapshots: ProducerSnapshots, logStartOffset: number): string | undefined {
  if (state.mapEndOffset <= (snapshots.latestOffset ?? logStartOffset)) return undefined;
  snapshots.write(state.mapEndOffset, state.encodeSnapshot());
  return snapshots.pathOf(state.mapEndOffset);
}
