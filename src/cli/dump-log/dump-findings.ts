/**
 * What doesn't match, gathered while files are dumped and printed at the end, in kafka-dump-log's words. Only offsets that don't follow each other
 * are no fault (compaction leaves such gaps); everything else makes the command fail. Of each kind the last ones are kept.
 */
const MAX_KEPT = 10_000;

type Pair = readonly [number, number];

class PairsByFile {
  readonly #title: (file: string) => string;
  readonly #line: (pair: Pair) => string;
  /** Kafka prints some lists from their end. */
  readonly #newestFirst: boolean;
  readonly #byFile = new Map<string, { pairs: Pair[]; dropped: number }>();

  constructor(title: (file: string) => string, line: (pair: Pair) => string, newestFirst: boolean) {
    this.#title = title;
    this.#line = line;
    this.#newestFirst = newestFirst;
  }

  get isEmpty(): boolean {
    return this.#byFile.size === 0;
  }

  add(file: string, first: number, second: number): void {
    const found = this.#byFile.get(file) ?? { pairs: [], dropped: 0 };
    this.#byFile.set(file, found);
    found.pairs.push([first, second]);
    if (found.pairs.length <= MAX_KEPT) return;
    found.pairs.shift();
    found.dropped++;
  }

  *lines(): Generator<string, void, undefined> {
    for (const [file, { pairs, dropped }] of this.#byFile) {
      yield this.#title(file);
      for (const pair of this.#newestFirst ? pairs.toReversed() : pairs) yield this.#line(pair);
      if (dropped > 0) yield `  … and ${dropped} more`;
    }
  }
}

export class DumpFindings {
  readonly indexMismatches = new PairsByFile(
    (file) => `Mismatches in :${file}`,
    ([index, log]) => `  Index offset: ${index}, log offset: ${log}`,
    true,
  );
  readonly timestampMismatches = new PairsByFile(
    (file) => `Found timestamp mismatch in :${file}`,
    ([index, log]) => `  Index timestamp: ${index}, log timestamp: ${log}`,
    false,
  );
  readonly outOfOrderTimestamps = new PairsByFile(
    (file) => `Found out of order timestamp in :${file}`,
    ([timestamp, previous]) => `  Index timestamp: ${timestamp}, Previously indexed timestamp: ${previous}`,
    false,
  );
  readonly offsetsNotFound = new PairsByFile(
    () => 'The following indexed offsets are not found in the log.',
    ([index, log]) => `Indexed offset: ${index}, found log offset: ${log}`,
    false,
  );
  readonly nonConsecutive = new PairsByFile(
    (file) => `Non-consecutive offsets in ${file}`,
    ([first, second]) => `  ${first} is followed by ${second}`,
    true,
  );
  /** What can't be read, said where it is met. */
  readonly faults: string[] = [];
  #hasFault = false;

  get failed(): boolean {
    const mismatches = [this.indexMismatches, this.timestampMismatches, this.outOfOrderTimestamps, this.offsetsNotFound];
    return this.#hasFault || mismatches.some(({ isEmpty }) => !isEmpty);
  }

  /** @param position of the byte at fault, where there is one. */
  fault(file: string, reason: string, position?: number): void {
    this.#hasFault = true;
    this.faults.push(position === undefined ? `${file}: ${reason}` : `${file}: at byte ${position}: ${reason}`);
  }

  /** The faults since the last call. */
  takeFaults(): string[] {
    return this.faults.splice(0);
  }

  /** What is printed when all files are through. */
  *summary(): Generator<string, void, undefined> {
    yield* this.indexMismatches.lines();
    yield* this.timestampMismatches.lines();
    yield* this.outOfOrderTimestamps.lines();
    yield* this.offsetsNotFound.lines();
    yield* this.nonConsecutive.lines();
  }
}
