/**
 * The segments of a replica as blocks on an axis of offsets, with the marks that tell how far it is safe, visible and kept. Pure.
 * Widths follow the offsets; neighbours are drawn as one where there are more than can be told apart.
 */
import type { ReplicaMarks, SegmentRow } from '../../../console/contract/segments.ts';

/** Units of the axis. */
export const MAP_WIDTH = 1000;
const MAX_BLOCKS = 160;
/** An empty segment is still something to point at. */
const MIN_WIDTH = 6;

export interface MapBlock {
  readonly x: number;
  readonly width: number;
  readonly segments: readonly SegmentRow[];
  readonly active: boolean;
}

export const markNames = ['logStartOffset', 'recoveryPoint', 'highWatermark', 'logEndOffset'] as const;
export type MarkName = (typeof markNames)[number];

export interface MapMark {
  readonly name: MarkName;
  readonly offset: number;
  readonly x: number;
}

export interface SegmentMapModel {
  readonly firstOffset: number;
  readonly endOffset: number;
  readonly blocks: readonly MapBlock[];
  readonly marks: readonly MapMark[];
}

/** Null: there is no segment. `segments` are in order of base offset. */
export function segmentMap(segments: readonly SegmentRow[], marks: ReplicaMarks): SegmentMapModel | null {
  const first = segments[0];
  const last = segments.at(-1);
  if (first === undefined || last === undefined) return null;
  const firstOffset = first.baseOffset;
  const endOffset = last.lastOffset === null ? last.baseOffset : last.lastOffset + 1;
  const span = Math.max(1, endOffset - firstOffset);
  const at = (offset: number): number => Math.min(1, Math.max(0, (offset - firstOffset) / span)) * (MAP_WIDTH - MIN_WIDTH);
  const perBlock = Math.ceil(segments.length / MAX_BLOCKS);
  const blocks: MapBlock[] = [];
  for (let index = 0; index < segments.length; index += perBlock) {
    const members = segments.slice(index, index + perBlock);
    const x = at(members[0]?.baseOffset ?? 0);
    const next = segments[index + perBlock];
    const end = next === undefined ? MAP_WIDTH : at(next.baseOffset);
    blocks.push({ x, width: Math.max(1, end - x), segments: members, active: members.some(({ active }) => active) });
  }
  const offsets: Readonly<Record<MarkName, number | null>> = {
    logStartOffset: marks.logStartOffset,
    recoveryPoint: marks.recoveryPoint,
    highWatermark: marks.highWatermark,
    logEndOffset: endOffset,
  };
  return {
    firstOffset,
    endOffset,
    blocks,
    marks: markNames.flatMap((name) => {
      const offset = offsets[name];
      return offset === null ? [] : [{ name, offset, x: at(offset) }];
    }),
  };
}
