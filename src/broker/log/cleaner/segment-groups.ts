/**
 * Puts neighbouring segments together that shall become one: their log files and indexes stay within `segment.bytes` and
 * `segment.index.bytes`, and their offsets within an int32 of the first. Source: Kafka's Cleaner.groupSegmentsBySize.
 */

export interface GroupableSegment {
  readonly baseOffset: number;
  readonly sizeBytes: number;
  readonly offsetIndexBytes: number;
  readonly timeIndexBytes: number;
}

export interface GroupLimits {
  readonly maxBytes: number;
  readonly maxIndexBytes: number;
  /** No offset of the segments is at or above it. */
  readonly firstUncleanableOffset: number;
}

/** Not Kafka's: the files of a group are renamed in one turn of the event loop, which thousands of small segments would hold. */
export const MAX_SEGMENTS_PER_GROUP = 64;
const MAX_RELATIVE_OFFSET = 0x7fff_ffff;

export function groupSegmentsBySize<T extends GroupableSegment>(segments: readonly T[], limits: GroupLimits): T[][] {
  const groups: T[][] = [];
  let group: T[] = [];
  let bytes = 0;
  let offsetIndexBytes = 0;
  let timeIndexBytes = 0;
  for (const [index, segment] of segments.entries()) {
    const lastOffset = (segments[index + 1]?.baseOffset ?? limits.firstUncleanableOffset) - 1;
    const first = group[0];
    const fits =
      first !== undefined &&
      group.length < MAX_SEGMENTS_PER_GROUP &&
      bytes + segment.sizeBytes <= limits.maxBytes &&
      offsetIndexBytes + segment.offsetIndexBytes <= limits.maxIndexBytes &&
      timeIndexBytes + segment.timeIndexBytes <= limits.maxIndexBytes &&
      (segment.sizeBytes === 0 || lastOffset - first.baseOffset <= MAX_RELATIVE_OFFSET);
    if (!fits) {
      group = [];
      groups.push(group);
      bytes = offsetIndexBytes = timeIndexBytes = 0;
    }
    group.push(segment);
    bytes += segment.sizeBytes;
    offsetIndexBytes += segment.offsetIndexBytes;
    timeIndexBytes += segment.timeIndexBytes;
  }
  return groups;
}
