/** The segments of one log in order of their base offsets. Source: Kafka's LogSegments. */
import type { LogSegment } from './log-segment.ts';

export class LogSegments {
  /** Ascending. */
  readonly #segments: LogSegment[] = [];

  get count(): number {
    return this.#segments.length;
  }

  get all(): readonly LogSegment[] {
    return this.#segments;
  }

  get first(): LogSegment | undefined {
    return this.#segments[0];
  }

  /** The active segment: the only one that is appended to. */
  get last(): LogSegment | undefined {
    return this.#segments.at(-1);
  }

  get sizeBytes(): number {
    let total = 0;
    for (const segment of this.#segments) total += segment.sizeBytes;
    return total;
  }

  add(segment: LogSegment): void {
    const index = this.#indexAbove(segment.baseOffset);
    if (this.#segments[index - 1]?.baseOffset === segment.baseOffset) this.#segments[index - 1] = segment;
    else this.#segments.splice(index, 0, segment);
  }

  remove(segment: LogSegment): void {
    const index = this.#segments.indexOf(segment);
    if (index >= 0) this.#segments.splice(index, 1);
  }

  clear(): void {
    this.#segments.length = 0;
  }

  /** The segment that would hold `offset`: the last whose base offset is at or below it. */
  floor(offset: number): LogSegment | undefined {
    // The active one is asked for most.
    const last = this.#segments.at(-1);
    if (last !== undefined && last.baseOffset <= offset) return last;
    return this.#segments[this.#indexAbove(offset) - 1];
  }

  /** The first segment whose base offset is above `offset`. */
  higher(offset: number): LogSegment | undefined {
    return this.#segments[this.#indexAbove(offset)];
  }

  lower(offset: number): LogSegment | undefined {
    return this.#segments[this.#indexAbove(offset - 1) - 1];
  }

  has(baseOffset: number): boolean {
    return this.#segments[this.#indexAbove(baseOffset) - 1]?.baseOffset === baseOffset;
  }

  /** The segments that may hold offsets from `from` (inclusive) to `to` (exclusive). */
  between(from: number, to: number): LogSegment[] {
    const floor = this.#indexAbove(from) - 1;
    return this.#segments.slice(Math.max(0, floor)).filter((segment) => segment.baseOffset < to);
  }

  #indexAbove(offset: number): number {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#segments[middle] as LogSegment).baseOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
