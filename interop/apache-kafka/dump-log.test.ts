/**
 * `samsa dump-log` beside kafka-dump-log 3.9 on the same folders: the lines are the same, mismatches too. One folder has a file of each kind made by
 * the encoders' tests, one was written by a running cluster with a consumer group on it.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoApacheKafka } from '../support/apache-kafka/jars.ts';
import { runKafka } from '../support/apache-kafka/servers.ts';
import { dumpLog } from '../../src/cli/dump-log/dump-log.ts';
import { parseDumpOptions } from '../../src/cli/dump-log/dump-options.ts';
import { startCluster } from '../../src/cluster/start-cluster.ts';
import { goldenLogFolder } from '../../src/log-format/testing/log-folder.ts';
import { kcatProduce } from '../support/kcat.ts';
import { KcatGroupMember } from '../support/kcat-group-member.ts';
import { until } from '../support/expectations.ts';

const reason = whyNoApacheKafka();
if (reason !== undefined) process.stdout.write(`dump-log is not compared with Apache Kafka's: ${reason}\n`);

interface Dump {
  readonly out: string[];
  readonly error: string[];
}

async function theirs(args: readonly string[]): Promise<Dump> {
  const { out, error } = await runKafka('kafka.tools.DumpLogSegments', args);
  return { out: linesOf(out.toString()), error: linesOf(error).filter((line) => !/^(?:SLF4J|log4j):/.test(line)) };
}

async function ours(args: readonly string[]): Promise<Dump> {
  const options = parseDumpOptions(args);
  if (options === 'help') throw new Error('no help was asked for');
  const streams = { out: new PassThrough(), error: new PassThrough() };
  const read = { out: '', error: '' };
  streams.out.on('data', (chunk: Buffer) => (read.out += chunk.toString()));
  streams.error.on('data', (chunk: Buffer) => (read.error += chunk.toString()));
  await dumpLog(options, streams);
  return { out: linesOf(read.out), error: linesOf(read.error) };
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

async function expectSame(args: readonly string[]): Promise<Dump> {
  const [our, their] = await Promise.all([ours(args), theirs(args)]);
  expect(our.out).toEqual(their.out);
  expect(our.error).toEqual(their.error);
  return our;
}

describe.skipIf(reason !== undefined)('a folder with a file of each kind', () => {
  let folder: string;
  const file = (name: string): string => join(folder, name);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'samsa-dump-log-'));
    for (const [name, content] of goldenLogFolder()) {
      mkdirSync(dirname(file(name)), { recursive: true });
      writeFileSync(file(name), content);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const segment = ['log', 'index', 'timeindex', 'txnindex'].map((suffix) => `00000000000000000000.${suffix}`);
  it.each([
    ['all of a segment', []],
    ['each record', ['--deep-iteration']],
    ['keys and values', ['--print-data-log']],
    ['keys and values only', ['--print-data-log', '--skip-record-metadata']],
    ['its begin', ['--max-bytes', '300']],
    ['whether it matches', ['--verify-index-only']],
  ])('%s is printed the same', async (_name, options) => {
    const files = [...segment, '00000000000000000061.snapshot', '00000000000000000061.log', '00000000000000000061.index']
      .map(file)
      .join(',');
    const { out } = await expectSame([...options, '--files', files]);
    expect(out.length).toBeGreaterThan(10);
  });

  it('what a broker checks at its start is printed the same', async () => {
    await expectSame(['--index-sanity-check', '--files', [file(segment[1] ?? ''), file(segment[2] ?? '')].join(',')]);
  });

  it('messages of the formats 0 and 1, compressed or not, are printed the same', async () => {
    const folders = [...goldenLogFolder().keys()].filter((name) => /^v\d/.test(name));
    expect(folders).toHaveLength(8);
    for (const name of folders) await expectSame(['--print-data-log', '--files', file(name)]);
  });

  it('committed offsets and groups are decoded the same', async () => {
    const { out } = await expectSame(['--offsets-decoder', '--files', file('offsets/00000000000000000000.log')]);
    expect(out.join('\n')).toContain('"topics":["t"]');
  });

  it('transactions are decoded the same', async () => {
    await expectSame(['--transaction-log-decoder', '--files', file('transactions/00000000000000000000.log')]);
  });

  it('an index that does not match its log is told the same', async () => {
    const wrong = file('wrong');
    mkdirSync(wrong);
    const golden = goldenLogFolder();
    const index = Buffer.from(golden.get('00000000000000000000.index') as Buffer);
    index.writeInt32BE(index.readInt32BE(8) + 1, 8);
    index.writeInt32BE(index.readInt32BE(24) + 1, 24);
    const timeIndex = Buffer.from(golden.get('00000000000000000000.timeindex') as Buffer);
    timeIndex.writeInt32BE(timeIndex.readInt32BE(4) + 1, 4);
    timeIndex.writeInt32BE(timeIndex.readInt32BE(12 + 8) - 1, 12 + 8);
    timeIndex.writeInt32BE(timeIndex.readInt32BE(36 + 4) - 5000, 36 + 4);
    writeFileSync(join(wrong, '00000000000000000000.log'), golden.get('00000000000000000000.log') ?? '');
    writeFileSync(join(wrong, '00000000000000000000.index'), index);
    writeFileSync(join(wrong, '00000000000000000000.timeindex'), timeIndex);
    const { error } = await expectSame(['--files', join(wrong, '00000000000000000000.index')]);
    expect(error).toHaveLength(3);
    expect((await expectSame(['--files', join(wrong, '00000000000000000000.timeindex')])).error.length).toBeGreaterThan(3);
  });

  it('a torn tail is told the same, and named', async () => {
    const torn = file('torn');
    mkdirSync(torn);
    const log = goldenLogFolder().get('00000000000000000000.log') as Buffer;
    writeFileSync(join(torn, '00000000000000000000.log'), log.subarray(0, log.length - 7));
    const args = ['--files', join(torn, '00000000000000000000.log')];
    const [our, their] = [await ours(args), await theirs(args)];
    expect(our.out).toEqual(their.out);
    expect(our.error.join('\n')).toMatch(/at byte \d+: a batch of \d+ bytes doesn't fit/);
  });
});

describe.skipIf(reason !== undefined)('the folders of a running cluster', () => {
  it('are printed the same', async () => {
    const cluster = await startCluster({ brokers: 1, ephemeral: true, basePort: 0 });
    try {
      const records = Array.from({ length: 3000 }, (_, at) => ({ key: `k${at}`, value: Buffer.from(`value ${at} `.padEnd(200, 'x')) }));
      for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)
        await kcatProduce(cluster.bootstrapServers, 'dumped', records, { 'compression.codec': codec, acks: 'all' });
      const member = new KcatGroupMember(cluster.bootstrapServers, 'dumpers', 'dumped');
      await until('all records are read and committed', () => member.values.length === 5 * records.length);
      await member.stop();
      // In order, so that what is in memory is in the files.
      const { home } = await cluster.status();
      const folders = foldersUnder(home).filter((path) => /(dumped|__consumer_offsets)-\d+$/.test(path));
      const logs = folders.filter((path) => statSync(join(path, '00000000000000000000.log')).size > 0);
      expect(logs.some((path) => path.includes('__consumer_offsets'))).toBe(true);
      expect(logs.length).toBeGreaterThan(1);
      for (const folder of logs) {
        const files = readdirSync(folder).filter((name) => /\.(log|index|timeindex|snapshot)$/.test(name));
        const decoder = folder.includes('__consumer_offsets') ? '--offsets-decoder' : '--print-data-log';
        await expectSame([decoder, '--files', files.map((name) => join(folder, name)).join(',')]);
      }
    } finally {
      await cluster.stop();
    }
  });
});

function foldersUnder(home: string): string[] {
  return readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}
