/** What all logs of a broker share: the outside world, bounded caches, and where failures are told. */
import type { Clock } from '../../runtime/clock.ts';
import type { Disk } from '../../runtime/disk.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { MetricsRegistry } from '../../runtime/metrics.ts';
import type { Random } from '../../runtime/random.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Scheduler } from '../../runtime/scheduler.ts';
import { BufferPool, READ_BUFFERS, TAIL_BUFFERS } from './buffer-pool.ts';
import { EndOfTurn } from './end-of-turn.ts';
import { FilePool } from './file-pool.ts';
import { IndexCache } from './index-cache.ts';
import type { LogEvent } from './log-events.ts';
import { LogStats } from './log-stats.ts';
import { TailBudget } from './tail-cache.ts';
import { TurnClock } from './turn-clock.ts';
import type { UnifiedLog } from './unified-log.ts';

export interface LogContext {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  readonly files: FilePool;
  readonly indexes: IndexCache;
  readonly tail: TailBudget;
  readonly readBuffers: BufferPool;
  /** Small batches written together, which then make up tails. */
  readonly tailBuffers: BufferPool;
  readonly endOfTurn: EndOfTurn;
  readonly turnClock: TurnClock;
  readonly stats: LogStats;
  readonly producerIdExpirationMs: () => number;
  /** A log's recovery point goes back: resolves when the checkpoint file says so. */
  readonly onRecoveryPointLowered: (log: UnifiedLog) => Promise<void>;
  /** Segments below a log's start are about to go: set while the checkpoint doesn't say where it starts, resolves when it does. Never rejects. */
  readonly beforeSegmentsGo: (log: UnifiedLog) => Promise<void> | undefined;
  /** Ends a cleaning of a log and lets none begin; undefined when there is no cleaner. */
  readonly pauseCleaning: (log: UnifiedLog) => CleaningPause | undefined;
  /** Something happened to a log that is worth telling. */
  readonly onEvent: (event: LogEvent) => void;
  /** An input or output error in `logDirectory`: the whole of it goes offline. */
  readonly onFailure: (logDirectory: string, message: string, error: unknown) => void;
}

export interface CleaningPause {
  /** Set while a cleaning is under way: resolves when it has ended. */
  readonly settled: Promise<void> | undefined;
  /** The log may be cleaned again. To be called once. */
  resume(): void;
}

export interface LogLimits {
  /** File handles kept open. */
  readonly maxOpenFiles: number;
  /** Bytes of indexes kept in memory. */
  readonly maxIndexBytes: number;
  /** Bytes of recent records kept in memory, over all logs. */
  readonly maxTailBytes: number;
}

export const DEFAULT_LOG_LIMITS: LogLimits = { maxOpenFiles: 512, maxIndexBytes: 32 * 1024 * 1024, maxTailBytes: 16 * 1024 * 1024 };

/** `producer.id.expiration.ms` */
const PRODUCER_ID_EXPIRATION_MS = 86_400_000;

export function createLogContext(
  runtime: Pick<Runtime, 'disk' | 'clock' | 'scheduler' | 'random' | 'logger' | 'metrics'>,
  options: {
    readonly onFailure: LogContext['onFailure'];
    readonly onRecoveryPointLowered: LogContext['onRecoveryPointLowered'];
    readonly beforeSegmentsGo?: LogContext['beforeSegmentsGo'];
    readonly pauseCleaning?: LogContext['pauseCleaning'];
    readonly onEvent?: LogContext['onEvent'];
    readonly limits?: Partial<LogLimits>;
    readonly producerIdExpirationMs?: () => number;
  },
): LogContext {
  const limits = { ...DEFAULT_LOG_LIMITS, ...options.limits };
  const { disk, clock, scheduler, random, metrics } = runtime;
  const tailBuffers = new BufferPool(TAIL_BUFFERS);
  const endOfTurn = new EndOfTurn(scheduler);
  return {
    disk,
    clock,
    scheduler,
    random,
    metrics,
    logger: runtime.logger,
    files: new FilePool(disk, limits.maxOpenFiles),
    indexes: new IndexCache(limits.maxIndexBytes),
    tail: new TailBudget(limits.maxTailBytes),
    readBuffers: new BufferPool(READ_BUFFERS),
    tailBuffers,
    endOfTurn,
    turnClock: new TurnClock(clock, endOfTurn),
    stats: new LogStats(metrics),
    producerIdExpirationMs: options.producerIdExpirationMs ?? (() => PRODUCER_ID_EXPIRATION_MS),
    onFailure: options.onFailure,
    onEvent: options.onEvent ?? (() => {}),
    beforeSegmentsGo: options.beforeSegmentsGo ?? (() => undefined),
    pauseCleaning: options.pauseCleaning ?? (() => undefined),
    onRecoveryPointLowered: options.onRecoveryPointLowered,
  };
}
