/**
 * What a consumer with read_committed sees of a log that is compacted at any moment: of each key the newest committed value, and nothing of
 * aborted or open transactions, also when their markers are gone. The consumer here does what Kafka's does with the aborted transactions it
 * is told of. SAMSA_SEED runs one seed.
 */
import { test } from 'vitest';
import { attributesAt, baseOffsetAt, lastOffsetAt, producerIdAt, sizeAt } from '../../../log-format/batch-fields.ts';
import { buildControlBatch, ControlRecordType } from '../../../protocol/records/record-batch-builder.ts';
import { CONTROL_FLAG, TRANSACTIONAL_FLAG } from '../../../protocol/records/record-batch.ts';
import { iterateRecords } from '../../../protocol/records/record-reader.ts';
import { SeededRandom } from '../../../runtime/testing/seeded-random.ts';
import { appendBatch, clean, cleanerFixture, put, rollAndCommit } from './testing/cleaner-fixture.ts';
import type { CleanerFixture } from './testing/cleaner-fixture.ts';
import { forEachSeed } from '../testing/seeds.ts';

const PRODUCERS = [5, 6, 7];
const KEYS = ['a', 'b', 'c', 'd'];

/** Offset, key and value of what a consumer sees, reading pieces of `maxBytes` up to the last stable offset. */
function consume({ log }: CleanerFixture, maxBytes: number): { offset: number; key: string; value: string | null }[] {
  const seen: { offset: number; key: string; value: string | null }[] = [];
  let position = log.logStartOffset;
  const end = log.lastStableOffset;
  while (position < end) {
    const read = log.read(position, { maxBytes, maxOffset: end, minOneMessage: true, includeAbortedTransactions: true });
    if (read.errorCode !== 0) throw new Error(`error at ${position} of ${end}: ${read.errorMessage}`);
    // The cleaner has taken all from here to the end.
    if (read.records.length === 0) break;
    const toCome = [...(read.abortedTransactions ?? [])].toSorted((a, b) => a.firstOffset - b.firstOffset);
    const aborted = new Set<number>();
    const bytes = Buffer.concat(read.records);
    for (let at = 0; at < bytes.length; at += sizeAt(bytes, at)) {
      const batch = bytes.subarray(at, at + sizeAt(bytes, at));
      position = lastOffsetAt(batch, 0) + 1;
      while (toCome[0] !== undefined && toCome[0].firstOffset <= lastOffsetAt(batch, 0)) aborted.add(toCome.shift()!.producerId);
      const attributes = attributesAt(batch, 0);
      const producerId = producerIdAt(batch, 0);
      if ((attributes & CONTROL_FLAG) !== 0) {
        // An empty batch is a marker whose record the cleaner has taken.
        const [record] = iterateRecords(batch, 1e6);
        if (record?.key?.readInt16BE(2) === ControlRecordType.ABORT) aborted.delete(producerId);
        continue;
      }
      if ((attributes & TRANSACTIONAL_FLAG) !== 0 && aborted.has(producerId)) continue;
      for (const { offset, key, value } of iterateRecords(batch, 1e6)) {
        if (offset >= baseOffsetAt(batch, 0)) seen.push({ offset, key: key?.toString() ?? '', value: value?.toString() ?? null });
      }
    }
  }
  return seen;
}

async function run(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const fixture = cleanerFixture({ 'segment.bytes': '700', 'delete.retention.ms': '500' });
  const committed = new Map<string, { offset: number; value: string | null }>();
  const open = new Map<number, Map<string, { offset: number; value: string | null }>>();
  const sequences = new Map<number, number>();
  const aborted = new Set<string>();
  let serial = 0;
  const take = (records: ReadonlyMap<string, { offset: number; value: string | null }>): void => {
    for (const [key, record] of records) if (record.offset > (committed.get(key)?.offset ?? -1)) committed.set(key, record);
  };
  const write = (): void => {
    const producerId = PRODUCERS[random.int(PRODUCERS.length)] ?? 5;
    const key = KEYS[random.int(KEYS.length)] ?? 'a';
    const value = random.int(8) === 0 ? null : `${serial++} ${'x'.repeat(random.int(60))}`;
    const sequence = sequences.get(producerId) ?? 0;
    const isTransactional = producerId !== 7;
    const offset = put(fixture, [[key, value]], { producerId, producerEpoch: 0, baseSequence: sequence, isTransactional });
    sequences.set(producerId, sequence + 1);
    if (!isTransactional) take(new Map([[key, { offset, value }]]));
    else open.set(producerId, new Map([...(open.get(producerId) ?? []), [key, { offset, value }]]));
  };
  const end = (producerId: number): void => {
    const records = open.get(producerId);
    if (records === undefined) return;
    const type = random.int(2) === 0 ? ControlRecordType.ABORT : ControlRecordType.COMMIT;
    appendBatch(fixture, buildControlBatch({ type, coordinatorEpoch: 1, producerId, producerEpoch: 0, timestamp: fixture.time.wallMs() }));
    open.delete(producerId);
    if (type === ControlRecordType.COMMIT) take(records);
    else for (const { value } of records.values()) if (value !== null) aborted.add(value);
  };
  const check = (): void => {
    for (const maxBytes of [1, 300, 1_000_000]) {
      const seen = consume(fixture, maxBytes);
      const newest = new Map(seen.map(({ key, value }) => [key, value]));
      for (const { offset, key, value } of seen) if (value !== null && aborted.has(value)) throw new Error(`${offset}: ${key} was aborted`);
      const { lastStableOffset } = fixture.log;
      for (const [key, { offset, value }] of committed) {
        if (offset < lastStableOffset && (newest.get(key) ?? null) !== value)
          throw new Error(`${key} is ${newest.get(key)}, not ${value}, in pieces of ${maxBytes} up to ${lastStableOffset}`);
      }
    }
  };
  for (let step = 0; step < 60; step++) {
    const what = random.int(10);
    if (what < 6) write();
    else if (what < 8) end(PRODUCERS[random.int(2)] ?? 5);
    else if (what === 8) await fixture.time.advance(random.int(600));
    else {
      await rollAndCommit(fixture);
      await clean(fixture);
    }
    fixture.log.updateHighWatermark(fixture.log.logEndOffset);
    if (what >= 8) check();
  }
  await rollAndCommit(fixture);
  check();
}

test('compaction changes nothing of what read_committed sees as the newest of each key', () => forEachSeed(60, run), 120_000);
