import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { goldenLogFolder } from '../../log-format/testing/log-folder.ts';
import { UsageError } from '../usage-error.ts';
import { dumpLog } from './dump-log.ts';
import { parseDumpOptions } from './dump-options.ts';

const LOG = '00000000000000000000.log';
const INDEX = '00000000000000000000.index';
const TIME_INDEX = '00000000000000000000.timeindex';
let folder: string;
const file = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samsa-dump-log-'));
  for (const [name, content] of goldenLogFolder()) write(name, content);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: Buffer | string): void {
  mkdirSync(dirname(file(name)), { recursive: true });
  writeFileSync(file(name), content);
}

const golden = (name: string): Buffer => Buffer.from(goldenLogFolder().get(name) ?? '');

async function dump(...args: readonly string[]): Promise<{ readonly out: string[]; readonly error: string[]; readonly isWell: boolean }> {
  const options = parseDumpOptions(args);
  if (options === 'help') throw new Error('no help was asked for');
  const streams = { out: new PassThrough(), error: new PassThrough() };
  const read = { out: '', error: '' };
  streams.out.on('data', (chunk: Buffer) => (read.out += chunk.toString()));
  streams.error.on('data', (chunk: Buffer) => (read.error += chunk.toString()));
  const isWell = await dumpLog(options, streams);
  const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
  return { out: lines(read.out), error: lines(read.error).map((line) => line.replaceAll(`${folder}/`, '')), isWell };
}

describe('a segment', () => {
  it("is printed as kafka-dump-log prints it: these lines are Kafka's", async () => {
    const { out, isWell } = await dump(file(LOG), '--deep-iteration');
    expect(out.slice(1, 6)).toEqual([
      'Log starting offset: 0',
      'baseOffset: 0 lastOffset: 2 count: 3 baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1 partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 0 CreateTime: 1700000000002 size: 131 magic: 2 compresscodec: none crc: 4219460577 isvalid: true',
      '| offset: 0 CreateTime: 1700000000000 keySize: -1 valueSize: 8 sequence: -1 headerKeys: []',
      '| offset: 1 CreateTime: 1700000000001 keySize: 5 valueSize: 8 sequence: -1 headerKeys: [trace,empty]',
      '| offset: 2 CreateTime: 1700000000002 keySize: 5 valueSize: 8 sequence: -1 headerKeys: []',
    ]);
    expect(out.find((line) => line.includes('endTxnMarker'))).toMatch(/^\| offset: 47 .* endTxnMarker: ABORT coordinatorEpoch: 7$/);
    expect(isWell).toBe(true);
  });

  it('has its keys and values printed by the decoder that is named', async () => {
    const lines = async (...args: readonly string[]): Promise<string> =>
      (await dump(file(LOG), '--skip-record-metadata', ...args)).out[4] ?? '';
    expect(await lines('--print-data-log')).toBe('| key: key 1 payload: {"n": 1}');
    expect(await lines('--value-decoder-class', 'json')).toBe('| key: key 1 payload: {"n":1}');
    expect(await lines('--value-decoder-class=hex', '--key-decoder-class', 'base64')).toBe('| key: a2V5IDE= payload: 7b226e223a20317d');
    expect(await lines('--value-decoder-class', 'org.apache.kafka.tools.api.LongDecoder')).toBe(
      '| key: key 1 payload: 8872775309156430205',
    );
    expect(await lines('--value-decoder-class', 'kafka.serializer.IntegerDecoder')).toContain('(no integer: 8 bytes, not 4)');
  });

  it('with a wrong checksum, a torn tail or garbage is named with byte and reason, and the rest is printed', async () => {
    const log = golden(LOG);
    log[130] = (log[130] ?? 0) ^ 1;
    write(LOG, log.subarray(0, log.length - 5));
    const { out, error, isWell } = await dump(file(LOG));
    expect(out.filter((line) => line.endsWith('isvalid: false'))).toHaveLength(1);
    expect(out.filter((line) => line.startsWith('baseOffset'))).toHaveLength(13);
    expect(out.at(-1)).toMatch(/^Found \d+ invalid bytes at the end of 00000000000000000000\.log$/);
    expect(error[0]).toMatch(new RegExp(`^samsa: ${LOG}: at byte 0: the batch's checksum is \\d+, its bytes have another$`));
    expect(error[1]).toMatch(/at byte \d+: a batch of \d+ bytes doesn't fit the \d+ that are left/);
    expect(isWell).toBe(false);
    write(LOG, Buffer.alloc(4000, 0x5a));
    expect((await dump(file(LOG))).error.join()).toMatch(/at byte 0: /);
  });

  it('that got its length in advance is well, and its zeros are told', async () => {
    const before = (await dump(file(LOG))).out;
    write(LOG, Buffer.concat([golden(LOG), Buffer.alloc(200_000)]));
    const { out, error, isWell } = await dump(file(LOG));
    expect(out).toEqual([...before, 'Found 200000 zero bytes at the end of 00000000000000000000.log: preallocated, not written yet']);
    expect([error, isWell]).toEqual([[], true]);
  });

  it('of a batch that its codec does not open: the batch is named, the next ones follow', async () => {
    const log = golden(LOG);
    log.fill(0xff, 131 + 61, 131 + 80);
    write(LOG, log);
    const { out, error } = await dump(file(LOG), '--print-data-log');
    expect(error.some((line) => line.includes('at byte 131: records that are not gzip'))).toBe(true);
    expect(out.some((line) => line.startsWith('| offset: 60 '))).toBe(true);
  });

  it('is read up to --max-bytes', async () => {
    expect((await dump(file(LOG), '--max-bytes', '131')).out).toHaveLength(3);
    expect(await dump(file(LOG), '--max-bytes', '130')).toMatchObject({ error: [], isWell: true });
  });
});

describe('an index', () => {
  it('that matches is printed, and only checked with --verify-index-only', async () => {
    const { out, error, isWell } = await dump(file(INDEX), file(TIME_INDEX));
    expect(out).toContain('offset: 12 position: 131');
    expect(out).toContain('timestamp: 1700000000012 offset: 12');
    expect([error, isWell]).toEqual([[], true]);
    expect((await dump('--verify-index-only', '--files', `${file(INDEX)},${file(TIME_INDEX)}`)).out).toHaveLength(2);
  });

  it("that doesn't match is told in Kafka's words", async () => {
    const index = golden(INDEX);
    index.writeInt32BE(13, 0);
    index.writeInt32BE(0x7fff_0000, 12);
    write(INDEX, index);
    const timeIndex = golden(TIME_INDEX);
    timeIndex.writeInt32BE(timeIndex.readInt32BE(4) + 1, 4);
    write(TIME_INDEX, timeIndex);
    const { error, isWell } = await dump(file(INDEX), file(TIME_INDEX));
    expect(error).toEqual([
      `Mismatches in :${INDEX}`,
      '  Index offset: 22, log offset: -1',
      '  Index offset: 13, log offset: 12',
      `Found timestamp mismatch in :${TIME_INDEX}`,
      '  Index timestamp: 1700000000013, log timestamp: 1700000000012',
      // The offset index that it is looked up by is the wrong one above.
      'The following indexed offsets are not found in the log.',
      'Indexed offset: 22, found log offset: -1',
    ]);
    expect(isWell).toBe(false);
  });

  it('that is empty, torn, or preallocated with zeros', async () => {
    expect((await dump(file('00000000000000000061.index'))).out.at(-1)).toMatch(/61\.index is empty\.$/);
    write(INDEX, Buffer.concat([golden(INDEX), Buffer.alloc(8000)]));
    expect(await dump(file(INDEX), '--index-sanity-check')).toMatchObject({ isWell: true });
    expect((await dump(file(INDEX))).error).toEqual([]);
    write(INDEX, golden(INDEX).subarray(0, 21));
    const torn = await dump(file(INDEX), '--index-sanity-check');
    expect([torn.error, torn.isWell]).toEqual([[`samsa: ${INDEX}: at byte 16: 5 bytes are left, an entry has 8`], false]);
  });

  it('without its log says so', async () => {
    rmSync(file(LOG));
    expect((await dump(file(INDEX))).error).toEqual([`samsa: ${INDEX}: its .log file is not there: the entries are not checked`]);
  });
});

it('prints the small files of a folder and of a log dir', async () => {
  const names = [
    '00000000000000000061.snapshot',
    'leader-epoch-checkpoint',
    'partition.metadata',
    'recovery-point-offset-checkpoint',
    'meta.properties',
    '.kafka_cleanshutdown',
  ];
  const { out, isWell } = await dump(...names.map(file));
  expect(out.filter((line) => !line.startsWith('Dumping'))).toEqual([
    'producerId: 4000 producerEpoch: 2 coordinatorEpoch: 7 currentTxnFirstOffset: OptionalLong.empty lastTimestamp: 1700000000049 firstSequence: 4 lastSequence: 5 lastOffset: 49 offsetDelta: 1 timestamp: 1700000000049',
    'producerId: 4001 producerEpoch: 0 coordinatorEpoch: -1 currentTxnFirstOffset: OptionalLong[58] lastTimestamp: 1700000000000 firstSequence: 2147483646 lastSequence: 1 lastOffset: 60 offsetDelta: 3 timestamp: 1700000000000',
    'producerId: 4002 producerEpoch: 0 coordinatorEpoch: 3 currentTxnFirstOffset: OptionalLong.empty lastTimestamp: 1700000000000 ',
    'epoch: 0 startOffset: 0',
    'epoch: 3 startOffset: 3',
    'version: 0 topicId: AAAAAAAAAAAAAAAAAAAAAQ',
    'topic: a-topic partition: 1 offset: 61',
    'version: 0 brokerId: 1 clusterId: AAAAAAAAAAAAAAAAAAAAAQ',
    'brokerEpoch: 12',
  ]);
  expect(isWell).toBe(true);
});

it('names what it cannot read, and goes on with the next file', async () => {
  write('00000000000000000005.snapshot', Buffer.alloc(20));
  write('notes.txt', 'x');
  write('00000000000000000000-0000000000.checkpoint', 'x');
  mkdirSync(file('00000000000000000009.log'));
  const { out, error, isWell } = await dump(
    ...[
      'missing.log',
      '00000000000000000007.log',
      '00000000000000000005.snapshot',
      'notes.txt',
      '00000000000000000000-0000000000.checkpoint',
      '00000000000000000009.log',
      'partition.metadata',
    ].map(file),
  );
  expect(error).toEqual([
    'samsa: missing.log: is no file of a log folder, by its name',
    'samsa: 00000000000000000007.log: is not there',
    'samsa: 00000000000000000005.snapshot: producer snapshot has version 0, known is 1',
    'samsa: notes.txt: is no file of a log folder, by its name',
    'samsa: 00000000000000000000-0000000000.checkpoint: is a snapshot of KRaft, which Samsa (Kafka in ZooKeeper mode) does not read',
    'samsa: 00000000000000000009.log: is a folder; name the files in it',
  ]);
  expect(out.at(-1)).toBe('version: 0 topicId: AAAAAAAAAAAAAAAAAAAAAQ');
  expect(isWell).toBe(false);
});

it('says what is wrong with any files, and never fails otherwise', async () => {
  const contents = [...goldenLogFolder()].filter(([, content]) => content.length > 0);
  const change = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
  const options = fc.constantFrom(
    [],
    ['--print-data-log'],
    ['--deep-iteration'],
    ['--index-sanity-check'],
    ['--verify-index-only'],
    ['--offsets-decoder'],
    ['--transaction-log-decoder', '--max-message-size', '1'],
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...contents),
      fc.array(change, { maxLength: 6 }),
      fc.nat(4),
      fc.nat(),
      options,
      async ([name, content], changes, cut, at, args) => {
        const bytes = Buffer.from(content);
        for (const { at: position, byte } of changes) bytes[position % bytes.length] = byte;
        write(name, cut === 0 ? bytes.subarray(0, at % (bytes.length + 1)) : bytes);
        // The indexes are checked against a log that may be damaged.
        const { isWell, error } = await dump(file(name), file(INDEX), file(TIME_INDEX), ...args);
        // Whatever fails the command is told.
        if (!isWell) expect(error).not.toEqual([]);
        write(name, content);
      },
    ),
    { numRuns: 150 },
  );
});

describe('the options', () => {
  it('are refused with what is allowed', () => {
    for (const [args, message] of [
      [[], /at least one file/],
      [['--print'], /has no option --print; it has --files, --print-data-log/],
      [['x.log', '--max-bytes', '0'], /--max-bytes 0: a whole number of bytes from 1/],
      [['x.log', '--value-decoder-class', 'com.acme.Decoder'], /string, json, hex.* are supported, classes can't be loaded/],
      [['x.log', '--cluster-metadata-decoder'], /KRaft/],
      [['x.log', '--remote-log-metadata-decoder'], /tiered storage/],
      [['x.log', '--offsets-decoder', '--transaction-log-decoder'], /exclude each other/],
    ] as const) {
      expect(() => parseDumpOptions(args)).toThrow(UsageError);
      expect(() => parseDumpOptions(args)).toThrow(message);
    }
    expect(parseDumpOptions(['--help'])).toBe('help');
  });
});

describe('the command', () => {
  const entry = fileURLToPath(new URL('../main.ts', import.meta.url));

  it('ends with 1 when something is wrong and with 2 when the command line makes no sense', async () => {
    const code = (...args: readonly string[]): Promise<unknown> =>
      new Promise((resolve) => execFile(process.execPath, [entry, 'dump-log', ...args], (error) => resolve(error?.code ?? 0)));
    expect(await Promise.all([code(file(LOG)), code(file('nothing.log')), code('--what')])).toEqual([0, 1, 2]);
  });

  it('ends without a word when its reader goes', async () => {
    const log = golden(LOG);
    write(LOG, Buffer.concat(Array.from({ length: 2000 }, () => log)));
    const child = spawn(process.execPath, [entry, 'dump-log', '--print-data-log', file(LOG)], { stdio: ['ignore', 'pipe', 'pipe'] });
    let error = '';
    child.stderr.on('data', (chunk: Buffer) => (error += chunk.toString()));
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, error]).toEqual([0, '']);
  });
});
