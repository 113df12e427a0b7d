/** A LogManager on two log dirs of a disk in memory, without a cleaner unless asked for, on time that moves when told. */
import type { Disk } from '../../../runtime/disk.ts';
import { MetricsRegistry } from '../../../runtime/metrics.ts';
import { silentLogger } from '../../../runtime/node/node-logger.ts';
import type { ManualTime } from '../../../runtime/testing/manual-time.ts';
import type { Offload } from '../../../runtime/offload.ts';
import { SeededRandom } from '../../../runtime/testing/seeded-random.ts';
import type { KafkaConfig } from '../../config/kafka-config.ts';
import { LogConfig } from '../../config/log-config.ts';
import { LogManager } from '../log-manager.ts';
import type { LogManagerOptions } from '../log-manager.ts';
import { ALL_IN_WORKERS, ClonedOffload } from './cloned-offload.ts';

export const DIRS = ['/data/a', '/data/b'];

const SMALL_BROKER = {
  brokerId: 1,
  logCleanerEnable: false,
  logCleanerThreads: 1,
  logCleanerDedupeBufferSize: 1_048_576,
  logCleanerIoBufferSize: 65_536,
  logCleanerIoBufferLoadFactor: 0.9,
  logCleanerIoMaxBytesPerSecond: Number.MAX_VALUE,
  logCleanerBackoffMs: 15_000,
  logFlushSchedulerIntervalMs: 2 ** 63,
  logFlushOffsetCheckpointIntervalMs: 60_000,
  logFlushStartOffsetCheckpointIntervalMs: 60_000,
  logRetentionCheckIntervalMs: 300_000,
  logInitialTaskDelayMs: 30_000,
  producerIdExpirationMs: 86_400_000,
  numRecoveryThreadsPerDataDir: 1,
  producerIdExpirationCheckIntervalMs: 600_000,
};

export interface MemoryLogManagerOptions extends Pick<LogManagerOptions, 'onLogDirFailure' | 'onEvent'> {
  readonly disk: Disk;
  readonly time: ManualTime;
  /** Of all topics. */
  readonly topic: Readonly<Record<string, string>>;
  /** Of the broker. */
  readonly config?: Partial<ReturnType<LogManagerOptions['config']>>;
  /** Asked each time, and under `config`: a whole broker's. */
  readonly brokerConfig?: () => KafkaConfig;
  readonly offload?: LogManagerOptions['runtime']['offload'];
  /** Whatever recovery scans is scanned as by workers. */
  readonly scansInWorkers?: boolean;
}

export function memoryLogManager(options: MemoryLogManagerOptions): LogManager {
  const { disk, time, topic, config = {}, onLogDirFailure, onEvent, scansInWorkers = false } = options;
  const noWorkers: Offload = { run: () => Promise.reject(new Error('not in this test')), close: () => Promise.resolve() };
  return new LogManager({
    runtime: {
      disk,
      clock: time,
      scheduler: time,
      random: new SeededRandom(3),
      logger: silentLogger,
      metrics: new MetricsRegistry(),
      offload: options.offload ?? (scansInWorkers ? new ClonedOffload(disk) : noWorkers),
      net: {
        listen: async () => ({ address: { path: '/socket' }, close: async () => {} }) as never,
        connect: (_target, handler) => {
          time.after(0, () => (handler as { onClose: () => void }).onClose());
          return { destroy: () => {} } as never;
        },
      },
    },
    config: () => ({
      ...SMALL_BROKER,
      ...options.brokerConfig?.(),
      logDirs: DIRS,
      ...config,
    }),
    clusterId: 'vPeOCWypqUOSepEvx0cbog',
    topicConfig: () => (options.brokerConfig === undefined ? LogConfig.fromDefaults(topic) : LogConfig.from(options.brokerConfig(), topic)),
    pid: 4242,
    socketDirectory: '/tmp',
    ...(scansInWorkers ? { recoveryBounds: ALL_IN_WORKERS } : {}),
    ...(onLogDirFailure === undefined ? {} : { onLogDirFailure }),
    ...(onEvent === undefined ? {} : { onEvent }),
  });
}

/** Moves time on until `work` is done. @throws when it doesn't end. */
export async function whileTimeGoesOn<T>(time: ManualTime, work: Promise<T>): Promise<T> {
  const state = { isDone: false };
  const ended = work.finally(() => {
    state.isDone = true;
  });
  ended.catch(() => {});
  for (let round = 0; round < 2000 && !state.isDone; round++) await time.advance(1);
  if (!state.isDone) throw new Error('it hangs');
  return ended;
}
