/**
 * Log dirs that Apache Kafka 3.9 wrote (`interop/apache-kafka/make-golden-folders.ts`), stopped in order and killed, with what Kafka said of them.
 * This keeps the claim that we open them on machines without Java; `interop/apache-kafka` makes new ones.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { baseOffsetAt, lastOffsetAt, sizeAt } from '../../log-format/batch-fields.ts';
import { decodeEpochCheckpoint } from '../../log-format/checkpoint.ts';
import { decodeMetaProperties } from '../../log-format/meta-properties.ts';
import type { Logger } from '../../runtime/logger.ts';
import { createNodeRuntime } from '../../runtime/node/node-runtime.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { LogConfig } from '../config/log-config.ts';
import { LogManager } from './log-manager.ts';
import { batchOf, readBatches } from './testing/log-fixture.ts';
import type { UnifiedLog } from './unified-log.ts';

interface Golden {
  readonly madeAtMs: number;
  /** By topic, each with one partition. */
  readonly expected: Readonly<Record<string, GoldenLog>>;
  /** Path below the log dir, and content in Base64. */
  readonly files: Readonly<Record<string, string>>;
}

interface GoldenLog {
  readonly start: number;
  readonly end: number;
  readonly lastStableOffset: number;
  readonly digest: string;
  readonly batches: readonly string[];
  readonly abortedTransactions: readonly { readonly producerId: number; readonly firstOffset: number }[];
  readonly offsetsByTime: readonly number[];
  readonly producers: readonly {
    readonly producerId: number;
    readonly producerEpoch: number;
    readonly coordinatorEpoch: number;
    readonly lastSequence: number;
    readonly currentTxnFirstOffset: number;
  }[];
}

const EARLY_MS = 1_000_000_000_000;
let root = '';
const running: LogManager[] = [];

afterEach(async () => {
  for (const manager of running.splice(0)) await manager.shutdown();
  rmSync(root, { recursive: true, force: true });
});

function unpack(name: string): Golden {
  // Made by the program named above.
  const golden = JSON.parse(
    gunzipSync(readFileSync(join(import.meta.dirname, 'fixtures', `kafka-3.9-${name}.json.gz`))).toString(),
  ) as Golden;
  root = mkdtempSync(join(tmpdir(), 'samsa-kafka-folders-'));
  for (const [path, content] of Object.entries(golden.files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), Buffer.from(content, 'base64'));
  }
  return golden;
}

async function open(golden: Golden, warnings: string[]): Promise<LogManager> {
  const runtime = createNodeRuntime(warningsOf(warnings));
  const { clusterId } = decodeMetaProperties(readFileSync(join(root, 'meta.properties'), 'utf8'));
  const manager = new LogManager({
    // Producers expire by their records' time.
    runtime: { ...runtime, clock: { wallMs: () => golden.madeAtMs, monotonicMs: () => runtime.clock.monotonicMs() } },
    config: () => ({
      brokerId: 1,
      logDirs: [root],
      logFlushSchedulerIntervalMs: 2 ** 63,
      logFlushOffsetCheckpointIntervalMs: 60_000,
      logFlushStartOffsetCheckpointIntervalMs: 60_000,
      logRetentionCheckIntervalMs: 300_000,
      logInitialTaskDelayMs: 30_000,
      producerIdExpirationMs: 86_400_000,
      numRecoveryThreadsPerDataDir: 1,
      producerIdExpirationCheckIntervalMs: 600_000,
      logCleanerEnable: true,
      logCleanerThreads: 1,
      logCleanerDedupeBufferSize: 134_217_728,
      logCleanerIoBufferSize: 524_288,
      logCleanerIoBufferLoadFactor: 0.9,
      logCleanerIoMaxBytesPerSecond: Number.MAX_VALUE,
      logCleanerBackoffMs: 15_000,
    }),
    clusterId: clusterId ?? '',
    topicConfig: () => LogConfig.fromDefaults({}),
    pid: 4242,
    socketDirectory: tmpdir(),
  });
  await manager.startup();
  running.push(manager);
  for (const log of manager.allLogs) log.updateHighWatermark(log.logEndOffset);
  return manager;
}

/** A logger that keeps what is warned of. */
function warningsOf(warnings: string[]): Logger {
  const keep = (first: unknown, second?: unknown): void => void warnings.push(String(typeof first === 'string' ? first : second));
  const logger: Logger = { ...silentLogger, warn: keep, error: keep, fatal: keep, child: () => logger };
  return logger;
}

function logOf(manager: LogManager, topic: string): UnifiedLog {
  const log = manager.getLog({ topic, partition: 0 });
  if (log === undefined) throw new Error(`${topic}-0 was not opened`);
  return log;
}

function contentOf(log: UnifiedLog): Pick<GoldenLog, 'batches' | 'digest'> {
  const hash = createHash('sha256');
  const batches: string[] = [];
  for (const batch of readBatches(log, { maxBytes: 1 << 20 })) {
    hash.update(batch);
    batches.push(`${baseOffsetAt(batch, 0)}..${lastOffsetAt(batch, 0)} ${sizeAt(batch, 0)} B`);
  }
  return { batches, digest: hash.digest('hex') };
}

describe.each(['stopped', 'killed'])('a log dir of Apache Kafka 3.9 that was %s', (name) => {
  it('opens with the same offsets, bytes, transactions, producers and leader epochs', async () => {
    const golden = unpack(name);
    const warnings: string[] = [];
    const epochs = new Map(
      Object.keys(golden.expected).map((topic) => [
        topic,
        decodeEpochCheckpoint(readFileSync(join(root, `${topic}-0`, 'leader-epoch-checkpoint'), 'utf8')),
      ]),
    );
    const manager = await open(golden, warnings);
    expect(Object.keys(golden.expected)).toHaveLength(7);
    for (const [topic, expected] of Object.entries(golden.expected)) {
      const log = logOf(manager, topic);
      expect([log.logStartOffset, log.logEndOffset, log.lastStableOffset], topic).toEqual([
        expected.start,
        expected.end,
        expected.lastStableOffset,
      ]);
      expect(contentOf(log), topic).toEqual({ batches: expected.batches, digest: expected.digest });
      const { abortedTransactions = [] } = log.read(expected.start, {
        maxBytes: 1 << 20,
        maxOffset: expected.end,
        includeAbortedTransactions: true,
      });
      expect(
        abortedTransactions.map(({ producerId, firstOffset }) => ({ producerId, firstOffset })),
        topic,
      ).toEqual(expected.abortedTransactions);
      const producers = [...log.activeProducers.values()].map((entry) => ({
        producerId: entry.producerId,
        producerEpoch: entry.producerEpoch,
        coordinatorEpoch: entry.coordinatorEpoch,
        lastSequence: entry.lastSequence,
        lastTimestamp: entry.lastTimestamp,
        currentTxnFirstOffset: entry.currentTxnFirstOffset,
      }));
      expect(producers, topic).toEqual(expected.producers);
      expect(log.epochEntries, topic).toEqual(epochs.get(topic));
      expect(log.fetchOffsetByTimestamp(EARLY_MS)?.offset ?? -1, topic).toBe(expected.offsetsByTime[0]);
    }
    expect(warnings).toEqual([]);
  });

  it('takes appends, and is the same after we have closed it and opened it again', async () => {
    const golden = unpack(name);
    const first = await open(golden, []);
    const topics = Object.keys(golden.expected);
    for (const topic of topics) {
      const log = logOf(first, topic);
      expect(log.appendAsLeader(batchOf(['ours']), { leaderEpoch: 9 }).ok, topic).toBe(true);
      await log.settled();
      log.updateHighWatermark(log.logEndOffset);
    }
    const before = new Map(topics.map((topic) => [topic, { ...contentOf(logOf(first, topic)), epochs: logOf(first, topic).epochEntries }]));
    await first.shutdown();
    running.splice(0);
    const warnings: string[] = [];
    const second = await open(golden, warnings);
    for (const topic of topics) {
      const log = logOf(second, topic);
      expect({ ...contentOf(log), epochs: log.epochEntries }, topic).toEqual(before.get(topic));
      expect(log.logEndOffset, topic).toBe((golden.expected[topic]?.end ?? 0) + 1);
    }
    expect(warnings).toEqual([]);
  });
});
