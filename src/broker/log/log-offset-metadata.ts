/**
 * An offset with where it lies: the segment and the byte position in it. What waits for a number of bytes compares two of them
 * without reading the log. The position is -1 where only the offset is known. Source: Kafka's LogOffsetMetadata.
 */
export interface LogOffsetMetadata {
  readonly messageOffset: number;
  readonly segmentBaseOffset: number;
  readonly relativePositionInSegment: number;
}

export function offsetOnly(messageOffset: number): LogOffsetMetadata {
  return { messageOffset, segmentBaseOffset: -1, relativePositionInSegment: -1 };
}

export const isOffsetOnly = (metadata: LogOffsetMetadata): boolean => metadata.relativePositionInSegment < 0;
