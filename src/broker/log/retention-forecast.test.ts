import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogConfig } from '../config/log-config.ts';
import { deletableByRetention, segmentsBelow } from './log-retention.ts';
import type { RetentionView } from './log-retention.ts';
import type { LogSegment } from './log-segment.ts';
import { forecastRetention } from './retention-forecast.ts';

const segment = (baseOffset: number, sizeBytes: number, largestTimestamp: number): LogSegment =>
  ({ baseOffset, sizeBytes, largestTimestamp }) as LogSegment;
const view = (segments: readonly LogSegment[], of: Partial<RetentionView> = {}): RetentionView => ({
  segments,
  logStartOffset: 0,
  highWatermark: 1_000,
  logEndOffset: 1_000,
  ...of,
});
const THREE = [segment(0, 100, 1_000), segment(10, 100, 5_000), segment(20, 50, 3_000)];

describe('what retention will do', () => {
  test('by time: when, and that a younger one before it is waited for', () => {
    const config = LogConfig.fromDefaults({ 'retention.ms': '10000' });
    expect(forecastRetention(view(THREE), config, 12_000)).toMatchObject([
      { baseOffset: 0, endOffset: 10, dueBy: 'retention.ms', expiresAtMs: 11_001, waitsForBaseOffset: null, bytesUntilSize: null },
      { baseOffset: 10, dueBy: null, expiresAtMs: 15_001, waitsForBaseOffset: null },
      { baseOffset: 20, dueBy: null, expiresAtMs: 15_001, waitsForBaseOffset: 10, isActive: true, endOffset: 1_000 },
    ]);
  });

  test('by size: at how many more bytes', () => {
    const config = LogConfig.fromDefaults({ 'retention.ms': '-1', 'retention.bytes': '120' });
    expect(forecastRetention(view(THREE), config, 0).map(({ bytesUntilSize, dueBy }) => [bytesUntilSize, dueBy])).toEqual([
      [0, 'retention.bytes'],
      [70, null],
      [120, null],
    ]);
  });

  test('keeps what is not committed, and the empty active segment', () => {
    const config = LogConfig.fromDefaults({ 'retention.ms': '0' });
    expect(forecastRetention(view(THREE, { highWatermark: 15 }), config, 1e9).map(({ dueBy, heldBy }) => [dueBy, heldBy])).toEqual([
      ['retention.ms', null],
      [null, 'highWatermark'],
      [null, 'highWatermark'],
    ]);
    expect(forecastRetention(view([segment(7, 0, 0)]), config, 1e9)).toMatchObject([{ dueBy: null, heldBy: 'emptyActive' }]);
  });

  test('only compacted: nothing but the log start offset lets a segment go', () => {
    const config = LogConfig.fromDefaults({ 'cleanup.policy': 'compact', 'retention.ms': '1', 'retention.bytes': '1' });
    expect(
      forecastRetention(view(THREE, { logStartOffset: 10 }), config, 1e9).map(({ dueBy, expiresAtMs }) => [dueBy, expiresAtMs]),
    ).toEqual([
      ['logStartOffset', null],
      [null, null],
      [null, null],
    ]);
  });

  test('says of every log what the rules themselves would delete', () => {
    const sizes = fc.array(fc.record({ sizeBytes: fc.nat(50), timestamp: fc.nat(100) }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        sizes,
        fc.record({
          start: fc.nat(70),
          committed: fc.nat(70),
          nowMs: fc.nat(200),
          retentionMs: fc.integer({ min: -1, max: 100 }),
          retentionBytes: fc.integer({ min: -1, max: 200 }),
          policy: fc.constantFrom('delete', 'compact', 'compact,delete'),
        }),
        (made, { start, committed, nowMs, retentionMs, retentionBytes, policy }) => {
          const segments = made.map(({ sizeBytes, timestamp }, index) => segment(index * 10, sizeBytes, timestamp));
          const given = view(segments, { logStartOffset: start, highWatermark: committed, logEndOffset: made.length * 10 });
          const config = LogConfig.fromDefaults({
            'retention.ms': String(retentionMs),
            'retention.bytes': String(retentionBytes),
            'cleanup.policy': policy,
          });
          const deleted = new Set([...segmentsBelow(given), ...deletableByRetention(given, config, nowMs).flatMap((one) => one.segments)]);
          const foretold = forecastRetention(given, config, nowMs).filter(({ dueBy }) => dueBy !== null);
          expect(foretold.map(({ baseOffset }) => baseOffset)).toEqual(
            [...deleted].map(({ baseOffset }) => baseOffset).toSorted((a, b) => a - b),
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
