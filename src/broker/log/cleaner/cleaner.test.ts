import { describe, expect, test } from 'vitest';
import { readBatchHeader } from '../../../protocol/records/record-batch.ts';
import { CompressionCodec } from '../../../protocol/records/compression.ts';
import { buildControlBatch, buildRecordBatch, ControlRecordType } from '../../../protocol/records/record-batch-builder.ts';
import { iterateRecords } from '../../../protocol/records/record-reader.ts';
import { DIRECTORY, inconsistencyOf, openLog, readBatches, until } from '../testing/log-fixture.ts';
import { LogCleaningAbortedError, LogCleaningError } from './log-cleaning-error.ts';
import {
  appendBatch,
  batches,
  clean,
  cleanerFixture,
  COMPACT,
  contents,
  newCleaner,
  put,
  rollAndCommit,
  toCleanOf,
} from './testing/cleaner-fixture.ts';
import type { CleanerFixture } from './testing/cleaner-fixture.ts';

const DAY_MS = 86_400_000;
const producer = (producerId: number, baseSequence: number, isTransactional = false) => ({
  producerId,
  producerEpoch: 0,
  baseSequence,
  isTransactional,
});

function marker(fixture: CleanerFixture, producerId: number, type: ControlRecordType): number {
  return appendBatch(
    fixture,
    buildControlBatch({ type, coordinatorEpoch: 1, producerId, producerEpoch: 0, timestamp: fixture.time.wallMs() }),
  );
}

describe('keys', () => {
  test('of each key the newest record stays, with its offset', async () => {
    const fixture = cleanerFixture();
    put(fixture, [
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
    ]);
    put(fixture, [
      ['c', '1'],
      ['b', '2'],
    ]);
    await rollAndCommit(fixture);
    put(fixture, [['a', '3']]);
    const run = await clean(fixture);
    expect(contents(fixture.log)).toEqual(['2:a=2', '3:c=1', '4:b=2', '5:a=3']);
    expect(run).toMatchObject({
      firstDirtyOffset: 0,
      nextDirtyOffset: 5,
      recordsRead: 5,
      recordsWritten: 3,
      segmentsBefore: 2,
      segmentsAfter: 2,
    });
    expect(inconsistencyOf(fixture.log)).toBeUndefined();
  });

  test('the active segment is neither cleaned nor looked at', async () => {
    const fixture = cleanerFixture();
    put(fixture, [['a', '1']]);
    await rollAndCommit(fixture);
    put(fixture, [['a', '2']]);
    fixture.log.updateHighWatermark(2);
    await clean(fixture);
    expect(contents(fixture.log)).toEqual(['0:a=1', '1:a=2']);
  });

  test('a batch that loses records keeps its header: offsets, epoch, producer, sequence, codec, timestamps', async () => {
    const fixture = cleanerFixture();
    for (const codec of [
      CompressionCodec.NONE,
      CompressionCodec.GZIP,
      CompressionCodec.SNAPPY,
      CompressionCodec.LZ4,
      CompressionCodec.ZSTD,
    ]) {
      put(
        fixture,
        [
          ['x', 'old'],
          ['keep' + codec, 'v'],
          ['x', 'older'],
        ],
        { codec, timestamp: 1000, ...producer(7, codec * 3) },
      );
    }
    put(fixture, [['x', 'new']]);
    await rollAndCommit(fixture);
    await clean(fixture);
    const kept = Array.from(readBatches(fixture.log));
    expect(kept).toHaveLength(6);
    for (const [codec, batch] of kept.slice(0, 5).entries()) {
      expect(readBatchHeader(batch, 0)).toMatchObject({
        baseOffset: codec * 3,
        lastOffset: codec * 3 + 2,
        recordCount: 1,
        codec,
        partitionLeaderEpoch: 3,
        producerId: 7,
        producerEpoch: 0,
        baseSequence: codec * 3,
        baseTimestamp: 1000,
        maxTimestamp: 1001,
      });
      expect([...iterateRecords(batch, 1e6)]).toMatchObject([{ offset: codec * 3 + 1, timestamp: 1001 }]);
    }
  });

  test('a batch that loses nothing is copied byte for byte', async () => {
    const fixture = cleanerFixture();
    put(
      fixture,
      [
        ['a', '1'],
        ['b', '1'],
      ],
      { codec: CompressionCodec.LZ4 },
    );
    put(fixture, [
      ['c', '1'],
      ['d', '1'],
    ]);
    await rollAndCommit(fixture);
    const before = Array.from(readBatches(fixture.log), (batch) => Buffer.from(batch));
    await clean(fixture);
    expect(Array.from(readBatches(fixture.log))).toEqual(before);
  });

  test('record headers stay as they are: doubles, empty keys, without a value, in their order', async () => {
    const fixture = cleanerFixture();
    const headers = [
      { key: 'trace', value: Buffer.from('1') },
      { key: '', value: Buffer.from('empty key') },
      { key: 'trace', value: null },
      { key: 'trace', value: Buffer.alloc(0) },
    ];
    const record = (key: string) => ({ timestamp: fixture.time.wallMs(), key: Buffer.from(key), value: Buffer.from('v'), headers });
    appendBatch(fixture, buildRecordBatch([record('a'), record('b')]));
    put(fixture, [['b', 'newer']]);
    await rollAndCommit(fixture);
    const read = (): unknown[] => Array.from(readBatches(fixture.log), (batch) => [...iterateRecords(batch, 1e6)][0]?.headers);
    expect(read()[0]).toEqual(headers);
    await clean(fixture);
    expect(contents(fixture.log)).toEqual(['0:a=v', '2:b=newer']);
    expect(read()[0]).toEqual(headers);
  });

  test('records without a key go', async () => {
    const fixture = cleanerFixture({ 'cleanup.policy': 'delete' });
    put(fixture, [
      [null, 'x'],
      ['a', '1'],
      [null, 'y'],
    ]);
    await rollAndCommit(fixture);
    const run = await clean(fixture);
    expect(contents(fixture.log)).toEqual(['1:a=1']);
    expect(run.invalidRecords).toBe(2);
  });

  test('a second cleaning reads only what is dirty into the map, and the clean section again for the copy', async () => {
    const fixture = cleanerFixture();
    for (let index = 0; index < 40; index++) put(fixture, [[`k${index % 5}`, `v${index} ${'x'.repeat(60)}`]]);
    await rollAndCommit(fixture);
    await clean(fixture);
    expect(contents(fixture.log)).toHaveLength(5);
    put(fixture, [['k2', 'new']]);
    await rollAndCommit(fixture);
    const run = await clean(fixture);
    expect(run.indexRecordsRead).toBe(1);
    expect(run.recordsRead).toBe(6);
    expect(contents(fixture.log).map((line) => line.split('=')[0])).toEqual(['35:k0', '36:k1', '38:k3', '39:k4', '40:k2']);
  });

  test('when the map gets full the cleaning ends at the offset that it reaches, and the next goes on from there', async () => {
    const fixture = cleanerFixture();
    for (let round = 0; round < 2; round++) for (let key = 0; key < 30; key++) put(fixture, [[`k${key}`, `${round}`]]);
    await rollAndCommit(fixture);
    const limits = { dedupeBufferBytes: 20 * 24, loadFactor: 0.5 };
    let rounds = 0;
    while (fixture.checkpoint < 60) {
      const before = fixture.checkpoint;
      await clean(fixture, limits);
      expect(fixture.checkpoint).toBeGreaterThan(before);
      rounds++;
    }
    expect(rounds).toBeGreaterThan(5);
    expect(contents(fixture.log)).toEqual(Array.from({ length: 30 }, (_, key) => `${30 + key}:k${key}=1`));
  });

  test('a map that can not hold one key is an error that names the setting', async () => {
    const fixture = cleanerFixture();
    put(fixture, [['a', '1']]);
    await rollAndCommit(fixture);
    await expect(clean(fixture, { dedupeBufferBytes: 40 })).rejects.toThrow(/log\.cleaner\.dedupe\.buffer\.size/);
  });

  test('a batch larger than the buffers is read and written whole', async () => {
    const fixture = cleanerFixture({ 'segment.bytes': '1000000' });
    const large = 'L'.repeat(50_000);
    put(fixture, [
      ['a', large],
      ['b', large],
    ]);
    put(fixture, [['a', large]]);
    await rollAndCommit(fixture);
    await clean(fixture, { ioBufferBytes: 100 });
    expect(contents(fixture.log)).toEqual([`1:b=${large}`, `2:a=${large}`]);
  });
});

describe('tombstones', () => {
  test('a tombstone gets a delete horizon with the first cleaning and goes with the first one behind it', async () => {
    const fixture = cleanerFixture({ 'delete.retention.ms': '1000' });
    put(fixture, [
      ['a', '1'],
      ['b', '1'],
    ]);
    put(
      fixture,
      [
        ['c', '1'],
        ['a', null],
        ['d', '1'],
      ],
      { timestamp: 5000 },
    );
    await rollAndCommit(fixture);
    await clean(fixture);
    const horizonMs = fixture.time.wallMs() + 1000;
    expect(contents(fixture.log)).toEqual(['1:b=1', '2:c=1', '3:a=', '4:d=1']);
    expect(batches(fixture.log).map((batch) => batch.horizonMs)).toEqual([undefined, horizonMs]);
    const [, second] = Array.from(readBatches(fixture.log));
    expect([...iterateRecords(second ?? Buffer.alloc(0), 1e6)].map(({ timestamp }) => timestamp)).toEqual([5000, 5001, 5002]);

    await fixture.time.advance(999);
    await clean(fixture);
    expect(contents(fixture.log)).toContain('3:a=');
    expect(batches(fixture.log).at(-1)?.horizonMs).toBe(horizonMs);

    await fixture.time.advance(1);
    await clean(fixture);
    expect(contents(fixture.log)).toEqual(['1:b=1', '2:c=1', '4:d=1']);
    expect(inconsistencyOf(fixture.log)).toBeUndefined();
  });

  test('in a compressed batch too, and with LogAppendTime', async () => {
    const fixture = cleanerFixture({ 'delete.retention.ms': '1000', 'message.timestamp.type': 'LogAppendTime' });
    put(
      fixture,
      [
        ['a', null],
        ['b', '1'],
      ],
      { codec: CompressionCodec.ZSTD },
    );
    const appendTimeMs = fixture.time.wallMs();
    await rollAndCommit(fixture);
    await fixture.time.advance(77);
    await clean(fixture);
    const [batch] = Array.from(readBatches(fixture.log));
    const header = readBatchHeader(batch ?? Buffer.alloc(0), 0);
    expect(header).toMatchObject({
      hasDeleteHorizon: true,
      baseTimestamp: appendTimeMs + 1077,
      maxTimestamp: appendTimeMs,
      codec: CompressionCodec.ZSTD,
    });
    expect([...iterateRecords(batch ?? Buffer.alloc(0), 1e6)].map(({ timestamp }) => timestamp)).toEqual([appendTimeMs, appendTimeMs]);
    await fixture.time.advance(1000);
    await clean(fixture);
    expect(contents(fixture.log)).toEqual(['1:b=1']);
  });
});

describe('producers and transactions', () => {
  test("a producer's last batch stays as an empty one while the producer is known, and goes when it isn't", async () => {
    const fixture = cleanerFixture();
    put(
      fixture,
      [
        ['a', '1'],
        ['b', '1'],
      ],
      producer(9, 0),
    );
    put(fixture, [
      ['a', '2'],
      ['b', '2'],
    ]);
    await rollAndCommit(fixture);
    await clean(fixture);
    expect(
      batches(fixture.log).map(({ baseOffset, lastOffset, records, sizeBytes }) => [baseOffset, lastOffset, records, sizeBytes])[0],
    ).toEqual([0, 1, 0, 61]);
    const [first] = Array.from(readBatches(fixture.log));
    expect(readBatchHeader(first ?? Buffer.alloc(0), 0)).toMatchObject({
      producerId: 9,
      producerEpoch: 0,
      baseSequence: 0,
      baseTimestamp: -1,
    });

    // Its sequence goes on after a restart from the batches alone.
    for (const name of fixture.disk.list(DIRECTORY)) if (name.name.endsWith('.snapshot')) fixture.disk.remove(`${DIRECTORY}/${name.name}`);
    const again = await openLog(fixture, COMPACT);
    expect(again.activeProducers.get(9)?.lastSequence).toBe(1);

    fixture.log.removeExpiredProducers(fixture.time.wallMs() + 2 * DAY_MS);
    await clean(fixture);
    expect(contents(fixture.log)).toEqual(['2:a=2', '3:b=2']);
    expect(batches(fixture.log)).toHaveLength(1);
  });

  test("an aborted transaction's records go at once, its marker after the delete horizon, and the transaction index is written anew", async () => {
    const fixture = cleanerFixture({ 'delete.retention.ms': '1000' });
    put(fixture, [['a', '1']]);
    put(
      fixture,
      [
        ['a', 'aborted'],
        ['b', 'aborted'],
      ],
      producer(5, 0, true),
    );
    marker(fixture, 5, ControlRecordType.ABORT);
    put(fixture, [['c', '1']], producer(5, 2, true));
    marker(fixture, 5, ControlRecordType.COMMIT);
    await rollAndCommit(fixture);
    expect(fixture.log.collectAbortedTransactions(0, 6)).toHaveLength(1);
    await clean(fixture);
    expect(contents(fixture.log)).toEqual(['0:a=1', '3:marker', '4:c=1', '5:marker']);
    // Records were read in this round: readers that began before still need to know.
    expect(fixture.log.segments[0]?.indexes.abortedTxns).toHaveLength(1);
    await clean(fixture);
    expect(fixture.log.segments[0]?.indexes.abortedTxns).toHaveLength(0);
    expect(batches(fixture.log).map(({ horizonMs }) => horizonMs !== undefined)).toEqual([false, true, false, false]);
    await fixture.time.advance(1000);
    await clean(fixture);
    expect(contents(fixture.log)).toEqual(['0:a=1', '4:c=1', '5:marker']);
  });

  test('a commit marker stays until the records of its transaction are gone', async () => {
    const fixture = cleanerFixture({ 'delete.retention.ms': '1000' });
    put(fixture, [['a', '1']], producer(5, 0, true));
    marker(fixture, 5, ControlRecordType.COMMIT);
    put(fixture, [['b', '1']], producer(5, 1, true));
    marker(fixture, 5, ControlRecordType.COMMIT);
    await rollAndCommit(fixture);
    await clean(fixture);
    expect(contents(fixture.log)).toEqual(['0:a=1', '1:marker', '2:b=1', '3:marker']);
    put(fixture, [['a', '2']]);
    await rollAndCommit(fixture);
    await clean(fixture);
    expect(contents(fixture.log)).toEqual(['1:marker', '2:b=1', '3:marker', '4:a=2']);
    await clean(fixture);
    await fixture.time.advance(1000);
    await clean(fixture);
    expect(contents(fixture.log)).toEqual(['2:b=1', '3:marker', '4:a=2']);
  });

  test('an open transaction ends the cleanable section', async () => {
    const fixture = cleanerFixture();
    put(fixture, [['a', '1']]);
    await rollAndCommit(fixture);
    put(fixture, [['a', 'open']], producer(5, 0, true));
    await rollAndCommit(fixture);
    put(fixture, [['a', '2']]);
    await rollAndCommit(fixture);
    expect(toCleanOf(fixture)).toMatchObject({ firstUncleanableOffset: 1 });
    await clean(fixture);
    expect(contents(fixture.log)).toEqual(['0:a=1', '1:a=open', '2:a=2']);
  });

  test('a transaction over several segments and slices is known whole', async () => {
    const fixture = cleanerFixture({ 'segment.bytes': '400', 'segment.index.bytes': '24' });
    for (let index = 0; index < 20; index++) {
      put(fixture, [[`a${index}`, 'aborted ' + 'x'.repeat(50)]], producer(5, index, true));
      put(fixture, [[`c${index}`, 'committed ' + 'x'.repeat(50)]], producer(6, index, true));
    }
    marker(fixture, 5, ControlRecordType.ABORT);
    marker(fixture, 6, ControlRecordType.COMMIT);
    await rollAndCommit(fixture);
    await clean(fixture);
    expect(contents(fixture.log).filter((line) => line.includes('aborted'))).toEqual([]);
    expect(contents(fixture.log).filter((line) => line.includes('committed'))).toHaveLength(20);
    expect(inconsistencyOf(fixture.log)).toBeUndefined();
  });
});

describe('segments', () => {
  test('small segments become one, and the files of the old ones go after file.delete.delay.ms', async () => {
    const fixture = cleanerFixture();
    for (let index = 0; index < 60; index++) put(fixture, [[`k${index % 3}`, `${index} ${'x'.repeat(100)}`]]);
    await rollAndCommit(fixture);
    const before = fixture.log.segments.length;
    expect(before).toBeGreaterThan(4);
    await clean(fixture);
    expect(contents(fixture.log)).toHaveLength(3);
    await clean(fixture);
    expect(fixture.log.segments.length).toBe(2);
    const names = (): string[] => fixture.disk.list(DIRECTORY).map(({ name }) => name);
    expect(names().filter((name) => name.endsWith('.deleted')).length).toBeGreaterThan(4);
    await fixture.time.advance(1000);
    expect(names().filter((name) => /\.(deleted|swap|cleaned)$/.test(name))).toEqual([]);
    expect(contents(await openLog(fixture, COMPACT))).toEqual(contents(fixture.log));
  });

  test('the log reads the same after it is opened again, with indexes that fit', async () => {
    const fixture = cleanerFixture();
    for (let index = 0; index < 200; index++) put(fixture, [[`k${index % 40}`, `${index} ${'x'.repeat(60)}`]]);
    await rollAndCommit(fixture);
    await clean(fixture);
    const again = await openLog(fixture, COMPACT, { hadCleanShutdown: true });
    expect(contents(again)).toEqual(contents(fixture.log));
    expect(inconsistencyOf(again)).toBeUndefined();
    expect(again.segments.slice(0, -1).reduce((count, segment) => count + segment.indexes.offsetIndex.count, 0)).toBeGreaterThan(0);
  });

  test('a read from within a range that is gone begins with the next record behind it', async () => {
    const fixture = cleanerFixture();
    for (let index = 0; index < 30; index++) put(fixture, [['a', `${index} ${'x'.repeat(100)}`]]);
    await rollAndCommit(fixture);
    await clean(fixture);
    const { records } = fixture.log.read(3, { maxBytes: 10_000, maxOffset: fixture.log.logEndOffset, minOneMessage: true });
    expect([...iterateRecords(records[0] ?? Buffer.alloc(0), 1e6)].map(({ offset }) => offset)).toEqual([29]);
  });

  test('a damaged batch is an error that says where; nothing is replaced and nothing left behind', async () => {
    const fixture = cleanerFixture();
    put(fixture, [['a', '1']]);
    put(fixture, [['a', '2']]);
    await rollAndCommit(fixture);
    const path = fixture.log.segments[0]?.path ?? '';
    const file = fixture.disk.open(path, 'read-write');
    file.writeGathered([Buffer.from([0xff])], 65);
    file.close();
    await expect(clean(fixture)).rejects.toThrow(LogCleaningError);
    await expect(clean(fixture)).rejects.toThrow(/00000\.log at 0: a wrong checksum/);
    expect(fixture.disk.list(DIRECTORY).filter(({ name }) => name.endsWith('.cleaned'))).toEqual([]);
    expect(fixture.log.segments).toHaveLength(2);
  });

  test('an abort between two slices leaves the log as it was', async () => {
    const fixture = cleanerFixture();
    put(fixture, [
      ['a', '1'],
      ['a', '2'],
    ]);
    await rollAndCommit(fixture);
    let checks = 0;
    const cleaner = newCleaner(fixture, {}, () => {
      if (++checks > 3) throw new LogCleaningAbortedError('aborted');
    });
    await expect(cleaner.clean(toCleanOf(fixture))).rejects.toThrow(LogCleaningAbortedError);
    expect(contents(fixture.log)).toEqual(['0:a=1', '1:a=2']);
    expect(fixture.disk.list(DIRECTORY).filter(({ name }) => name.endsWith('.cleaned'))).toEqual([]);
  });

  test('a disk that fails takes the folder offline', async () => {
    const fixture = cleanerFixture();
    put(fixture, [
      ['a', '1'],
      ['a', '2'],
    ]);
    await rollAndCommit(fixture);
    fixture.disk.failAfter(25);
    await expect(clean(fixture)).rejects.toThrow(/EIO/);
  });

  test('appends and reads go on while segments are swapped', async () => {
    const fixture = cleanerFixture();
    put(fixture, [
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
    ]);
    await rollAndCommit(fixture);
    const cleaning = clean(fixture);
    for (let index = 0; index < 40; index++) {
      put(fixture, [['z', `${index}`]]);
      expect(contents(fixture.log)).toContain('1:b=1');
      await Promise.resolve();
    }
    await until(fixture, () => fixture.checkpoint > 0);
    await cleaning;
    expect(contents(fixture.log)).toHaveLength(42);
  });
});
