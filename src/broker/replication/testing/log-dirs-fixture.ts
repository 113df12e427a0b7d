/** A broker with two log dirs on a disk in memory, its partition, and moves between the two. */
import { MetricsRegistry } from '../../../runtime/metrics.ts';
import { silentLogger } from '../../../runtime/node/node-logger.ts';
import { InPlaceOffload } from '../../../runtime/offload.ts';
import type { Net } from '../../../runtime/net.ts';
import { ManualTime } from '../../../runtime/testing/manual-time.ts';
import { MemoryDisk } from '../../../runtime/testing/memory-disk.ts';
import { SeededRandom } from '../../../runtime/testing/seeded-random.ts';
import { LogConfig } from '../../config/log-config.ts';
import { LogManager } from '../../log/log-manager.ts';
import { batchOf, readAll } from '../../log/testing/log-fixture.ts';
import type { UnifiedLog } from '../../log/unified-log.ts';
import { Partition } from '../partition.ts';
import { ReplicaAlterLogDirs } from '../replica-alter-log-dirs.ts';
import { ReplicationQuotaManager } from '../replication-quota-manager.ts';
import { BROKER, stateOf, TOPIC, TOPIC_ID, TP } from './replication-fixture.ts';

export const [DIR_A, DIR_B, DIR_C] = ['/a', '/b', '/c'];

/** Locks are taken and nobody answers on an old one. */
const net: Net = {
  listen: () =>
    Promise.resolve({ port: 0, stopAccepting: () => {}, close: () => Promise.resolve() } as unknown as Awaited<ReturnType<Net['listen']>>),
  connect: (_, handler) => {
    queueMicrotask(() => handler.onClose());
    return { destroy: () => {} } as unknown as ReturnType<Net['connect']>;
  },
};

export interface LogDirsOptions {
  readonly disk?: MemoryDisk;
  readonly time?: ManualTime;
  readonly topic?: Record<string, string>;
  readonly seed?: number;
  readonly logDirs?: readonly string[];
}

export class LogDirsFixture {
  readonly time: ManualTime;
  readonly disk: MemoryDisk;
  readonly quota: ReplicationQuotaManager;
  readonly logManager: LogManager;
  readonly moves: ReplicaAlterLogDirs;
  readonly failures: string[] = [];
  readonly replaced: string[] = [];
  partition: Partition | undefined;

  private constructor(options: LogDirsOptions) {
    const time = (this.time = options.time ?? new ManualTime());
    this.disk = options.disk ?? new MemoryDisk({ nowMs: () => time.wallMs() });
    const disk = this.disk.process();
    const runtime = {
      disk,
      clock: time,
      scheduler: time,
      random: new SeededRandom(options.seed ?? 1),
      logger: silentLogger,
      metrics: new MetricsRegistry(),
      net,
      offload: new InPlaceOffload(disk),
    };
    this.logManager = new LogManager({
      runtime,
      config: () => ({
        brokerId: BROKER,
        logDirs: options.logDirs ?? [DIR_A, DIR_B],
        numRecoveryThreadsPerDataDir: 1,
        logFlushSchedulerIntervalMs: 2 ** 63,
        logFlushOffsetCheckpointIntervalMs: 60_000,
        logFlushStartOffsetCheckpointIntervalMs: 60_000,
        logRetentionCheckIntervalMs: 300_000,
        logInitialTaskDelayMs: 30_000,
        producerIdExpirationMs: 86_400_000,
        producerIdExpirationCheckIntervalMs: 600_000,
        logCleanerEnable: true,
        logCleanerThreads: 1,
        logCleanerDedupeBufferSize: 1_000_000,
        logCleanerIoBufferSize: 524_288,
        logCleanerIoBufferLoadFactor: 0.9,
        logCleanerIoMaxBytesPerSecond: Number.MAX_VALUE,
        logCleanerBackoffMs: 15_000,
      }),
      clusterId: 'vPeOCWypqUOSepEvx0cbog',
      topicConfig: () => LogConfig.fromDefaults(options.topic ?? {}),
      pid: 1,
      socketDirectory: '/tmp',
      onLogDirFailure: (directory) => {
        this.failures.push(directory);
        if (this.partition?.log?.logDir === directory) this.partition.markOffline();
      },
    });
    this.quota = new ReplicationQuotaManager({ clock: time, windowCount: 11, windowSizeMs: 1000 });
    this.moves = new ReplicaAlterLogDirs({
      runtime,
      logManager: this.logManager,
      quota: this.quota,
      maxConcurrentMoves: 2,
      partitionOf: () => this.partition,
      onReplaced: (key) => this.replaced.push(key),
    });
  }

  static async start(options: LogDirsOptions = {}): Promise<LogDirsFixture> {
    const fixture = new LogDirsFixture(options);
    await fixture.logManager.startup();
    return fixture;
  }

  /** LeaderAndIsr has made this broker the only replica. */
  lead(leaderEpoch = 1): Partition {
    this.partition ??= new Partition({
      topicPartition: TP,
      localBrokerId: BROKER,
      replicaLagTimeMaxMs: () => 30_000,
      clock: this.time,
      logger: silentLogger,
      stateChangeLogger: silentLogger,
      logManager: this.logManager,
      alterPartitionManager: { submit: () => false },
      isBrokerAlive: () => true,
      leadershipDoubt: { mayBeDeposed: false },
      checkpointedHighWatermark: () => undefined,
      onProgress: () => {},
      onIsrChange: () => {},
      onIsrChangeRefused: () => {},
    });
    this.partition.makeLeader(stateOf({ leaderEpoch, isr: [BROKER], replicas: [BROKER] }), TOPIC_ID);
    this.moves.resume(this.partition);
    return this.partition;
  }

  /** Moves time on, in steps: what only waits for the disk needs many turns, not time. */
  async advance(durationMs: number): Promise<void> {
    for (let step = 0; step < 100; step++) await this.time.advance(durationMs / 100);
  }

  get log(): UnifiedLog {
    const log = this.partition?.log;
    if (log === undefined) throw new Error('the partition has no log');
    return log;
  }

  /** Appends `count` batches, written at the end of the turn. */
  append(count: number, text = 'value', options: { producerId?: number; producerEpoch?: number; baseSequence?: number } = {}): void {
    for (let index = 0; index < count; index++) {
      const batch = batchOf([`${text} ${this.log.appendEndOffset}`], index === 0 ? options : {});
      const result = this.partition?.appendRecordsToLeader(batch, { origin: 'client', requiredAcks: 1, onWritten: () => {} });
      if (result?.ok !== true) throw new Error('the append was refused');
    }
    this.time.runTurnEnd();
  }

  values(): string[] {
    return readAll(this.log).map(({ value }) => value ?? '');
  }

  /** Folders of the topic in both log dirs, their unique part left out. */
  folders(): string[] {
    return [DIR_A, DIR_B].flatMap((dir) =>
      this.disk
        .list(dir)
        .filter(({ name }) => name.startsWith(TOPIC))
        .map(({ name }) => `${dir}/${name.replace(/\.[0-9a-f]{32}/, '')}`),
    );
  }
}
