/**
 * What `deletableByRetention` and `segmentsBelow` will let go, told before it happens: for each segment which rule, when, at how many more
 * bytes, and what it waits for. Held to those functions by a test that lets time and bytes pass.
 */
import type { RetentionSegment } from '../../introspection/answers/log-retention.ts';
import type { LogConfig } from '../config/log-config.ts';
import type { RetentionView } from './log-retention.ts';

/** One entry a segment, oldest first. Rules are met from the oldest on: where one segment is kept, all behind it are. */
export function forecastRetention(view: RetentionView, config: LogConfig, nowMs: number): RetentionSegment[] {
  const total = view.segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const rules = {
    logStartOffset: true,
    'retention.bytes': config.delete && config.retentionBytes >= 0,
    'retention.ms': config.delete && config.retentionMs >= 0,
  };
  let before = 0;
  let latest: { readonly baseOffset: number; readonly timestamp: number } | undefined;
  return view.segments.map((segment, index): RetentionSegment => {
    const next = view.segments[index + 1];
    const endOffset = next?.baseOffset ?? view.logEndOffset;
    before += segment.sizeBytes;
    const timestamp = segment.largestTimestamp;
    const waitsFor = latest !== undefined && latest.timestamp > timestamp ? latest : undefined;
    latest = waitsFor ?? { baseOffset: segment.baseOffset, timestamp };
    const isTimed = config.delete && config.retentionMs >= 0;
    // At the very millisecond it is kept still.
    const expiresAtMs = isTimed ? latest.timestamp + config.retentionMs + 1 : null;
    const bytesUntilSize = config.delete && config.retentionBytes >= 0 ? Math.max(0, config.retentionBytes - (total - before)) : null;
    const heldBy = next === undefined && segment.sizeBytes === 0 ? 'emptyActive' : view.highWatermark < endOffset ? 'highWatermark' : null;
    rules.logStartOffset &&= heldBy === null && next !== undefined && next.baseOffset <= view.logStartOffset;
    rules['retention.bytes'] &&= heldBy === null && bytesUntilSize === 0;
    rules['retention.ms'] &&= heldBy === null && expiresAtMs !== null && expiresAtMs <= nowMs;
    return {
      baseOffset: segment.baseOffset,
      endOffset,
      sizeBytes: segment.sizeBytes,
      largestTimestampMs: timestamp,
      isActive: next === undefined,
      dueBy: rules.logStartOffset
        ? 'logStartOffset'
        : rules['retention.bytes']
          ? 'retention.bytes'
          : rules['retention.ms']
            ? 'retention.ms'
            : null,
      expiresAtMs,
      waitsForBaseOffset: isTimed ? (waitsFor?.baseOffset ?? null) : null,
      bytesUntilSize,
      heldBy,
    };
  });
}
