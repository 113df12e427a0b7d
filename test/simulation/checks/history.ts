/**
 * What clients know: which records were sent and acknowledged at which offset, and what was read where. What contradicts itself is a
 * violation, at once; what was promised is compared with the logs at the end (`final-checks.ts`).
 *
 * A record is a number: its lane (a producer's way to a partition) and its place in it.
 */
import type { ProducerSpec } from '../schedule.ts';
import type { World } from '../world/world.ts';

const RECORDS_PER_LANE = 1_000_000;
const MAX_RECORDS = 20_000;
/** All that is needed to see what went wrong; a run that goes wrong does so often. */
const MAX_VIOLATIONS = 20;

export interface Lane {
  readonly index: number;
  readonly name: string;
  readonly topic: string;
  readonly partition: number;
  readonly spec: ProducerSpec;
  /** Records made so far. */
  made: number;
  /** By place: the offset told by the broker, -2 for acknowledged without one (a duplicate), undefined for not acknowledged. */
  readonly acked: (number | undefined)[];
}

export const ACKED_WITHOUT_OFFSET = -2;

export class History {
  readonly violations: string[] = [];
  readonly lanes: Lane[] = [];
  readonly #world: World;
  /** By topic id and partition: the record at each offset that any consumer read. */
  readonly #read = new Map<string, (number | undefined)[]>();
  /** Topics in which committed records may be lost: unclean elections, deletions. */
  readonly #looseTopics = new Set<string>();
  /** By topic and partition: below it records may have been deleted on request. */
  readonly #deletedTo = new Map<string, number>();
  /** Of these records are removed when their key has a later one. */
  readonly compactedTopics = new Set<string>();
  /** Nothing fails and nobody changes anything in this run. */
  readonly isCalm: boolean;
  readCount = 0;
  madeCount = 0;
  ackedCount = 0;

  constructor(world: World, { isCalm = false } = {}) {
    this.#world = world;
    this.isCalm = isCalm;
  }

  /** Enough records were made for one run. */
  get isFull(): boolean {
    return this.madeCount >= MAX_RECORDS;
  }

  violate(text: string): void {
    if (this.violations.length >= MAX_VIOLATIONS) return;
    this.violations.push(`${(this.#world.nowMs / 1000).toFixed(3)} s  ${text}`);
    this.#world.note('check', `VIOLATION: ${text}`);
  }

  addLane(topic: string, partition: number, producer: number, spec: ProducerSpec): Lane {
    const index = this.lanes.length;
    const lane = { index, name: `producer${producer}/${topic}-${partition}`, topic, partition, spec, made: 0, acked: [] };
    this.lanes.push(lane);
    return lane;
  }

  expectLoss(topic: string): void {
    this.#looseTopics.add(topic);
  }

  isLoose(topic: string): boolean {
    return this.#looseTopics.has(topic);
  }

  /** An administrator asks for the deletion of all records below `offset`; Infinity when retention may delete any. */
  expectDeletion(topic: string, partition: number, offset: number): void {
    this.#deletedTo.set(`${topic}-${partition}`, Math.max(offset, this.deletedTo(topic, partition)));
  }

  deletedTo(topic: string, partition: number): number {
    return this.#deletedTo.get(`${topic}-${partition}`) ?? 0;
  }

  onAcked(lane: Lane, from: number, count: number, baseOffset: number): void {
    this.ackedCount += count;
    for (let place = from; place < from + count; place++)
      lane.acked[place] = baseOffset >= 0 ? baseOffset + place - from : ACKED_WITHOUT_OFFSET;
  }

  onRead(reader: string, where: { topic: string; topicId: string; partition: number; offset: number }, record: number): void {
    this.readCount++;
    const { topic, topicId, partition, offset } = where;
    const key = `${topicId}:${partition}`;
    let known = this.#read.get(key);
    if (known === undefined) {
      known = [];
      this.#read.set(key, known);
    }
    const before = known[offset];
    known[offset] = record;
    if (before === undefined || before === record || this.isLoose(topic)) return;
    this.violate(`${reader} reads ${this.nameOf(record)} at ${topic}-${partition} offset ${offset}, where ${this.nameOf(before)} was read`);
  }

  /** What was read of a partition, by offset. */
  readOf(topicId: string, partition: number): readonly (number | undefined)[] {
    return this.#read.get(`${topicId}:${partition}`) ?? [];
  }

  nameOf(record: number): string {
    const lane = this.lanes[Math.floor(record / RECORDS_PER_LANE)];
    return lane === undefined ? `an unknown record ${record}` : `${lane.name} #${record % RECORDS_PER_LANE}`;
  }

  laneOf(record: number): Lane | undefined {
    return this.lanes[Math.floor(record / RECORDS_PER_LANE)];
  }
}

export function recordOf(lane: Lane, place: number): number {
  return lane.index * RECORDS_PER_LANE + place;
}

/** By key only so many values are kept in a compacted topic. */
export function keyOf({ keys }: ProducerSpec, place: number): string | undefined {
  return keys === undefined ? undefined : String(place % keys);
}

export function placeOf(record: number): number {
  return record % RECORDS_PER_LANE;
}

/** A record's value: its number, and something to fill it. */
export function encodeValue(record: number, fillBytes: number): Buffer {
  return Buffer.from(`${record}|${'x'.repeat(fillBytes)}`);
}

/** The record's number; undefined for what no lane wrote. */
export function decodeValue(value: Buffer | null): number | undefined {
  const bar = value?.indexOf(0x7c) ?? -1;
  if (value === null || bar <= 0) return undefined;
  const record = Number(value.toString('latin1', 0, bar));
  return Number.isInteger(record) ? record : undefined;
}
