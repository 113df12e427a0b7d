/**
 * The flush lab of a topic on a local cluster: its flush settings in place, what its replicas have on the device and what that costs
 * (measured by the brokers), a bounded load, and a power loss that is played. On a remote cluster each of these fails with `refused`.
 */
import { z } from 'zod';
import type { LogFlushAnswer } from '../../introspection/answers/log-flush.ts';
import type { ConfigSource } from './configs.ts';
import type { Failure } from './failure.ts';
import { brokerId, clusterId, existingTopic, topicInput } from './inputs.ts';
import { bulk, destroy, read, write } from './procedure.ts';
import type { ProcessState } from './processes.ts';

export type { FlushReason, FlushSummary, LogFlushAnswer, LogRecovery, ReplicaFlush } from '../../introspection/answers/log-flush.ts';

export interface FlushLabBroker {
  readonly brokerId: number;
  readonly state: ProcessState | null;
  /** Null while it can't tell: `failure` says why. */
  readonly flush: LogFlushAnswer | null;
  readonly failure: Failure | null;
}

export interface LoadStatus {
  readonly recordsPerSecond: number;
  readonly recordBytes: number;
  readonly acks: 'all' | 'leader';
  readonly startedAtMs: number;
  readonly endsAtMs: number;
  readonly running: boolean;
  readonly acknowledged: number;
  readonly failed: number;
  /** Records that were not sent because the brokers were slower than the rate. */
  readonly heldBack: number;
  /** From send to acknowledgement, of the last hundred batches; null without any. */
  readonly ackMs: { readonly p50: number; readonly p99: number } | null;
  readonly lastFailure: Failure | null;
}

export interface FlushLabState {
  readonly atMs: number;
  /** Those that have a replica of the topic. */
  readonly brokers: readonly FlushLabBroker[];
  readonly load: LoadStatus | null;
}

export const TOPIC_FLUSH_KEYS = ['flush.messages', 'flush.ms'] as const;
/** The last three are read by a broker at its start only. */
export const BROKER_FLUSH_KEYS = [
  'log.flush.interval.messages',
  'log.flush.interval.ms',
  'log.flush.scheduler.interval.ms',
  'log.flush.offset.checkpoint.interval.ms',
  'log.flush.start.offset.checkpoint.interval.ms',
] as const;

export interface FlushSetting {
  readonly scope: 'topic' | 'brokers';
  readonly name: string;
  /** `restart`: a change means that every broker is restarted, one after another. */
  readonly applies: 'atOnce' | 'restart';
  readonly value: string | null;
  readonly source: ConfigSource;
  /** What removing the override gives; null when not known. */
  readonly defaultValue: string | null;
  /** Whether there is something to remove. */
  readonly overridden: boolean;
  readonly unit: 'ms' | 'messages';
  /** Brokers with another value than the one shown. */
  readonly differing: readonly { readonly brokerId: number; readonly value: string | null }[];
}

export interface PowerLossReport {
  readonly brokerId: number;
  readonly atMs: number;
  readonly logs: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly recoveryPoint: number;
    readonly highWatermark: number;
    readonly logEndOffset: number;
    readonly lostBytes: number;
    readonly files: readonly { readonly name: string; readonly sizeBytes: number; readonly keptBytes: number }[];
  }[];
}

/** Both bounds together: a load that is gentle to the machine. */
export const MAX_LOAD_BYTES_PER_SECOND = 4 * 1024 * 1024;

const load = z
  .object({
    clusterId,
    topic: existingTopic,
    recordsPerSecond: z.int().min(1).max(5_000),
    recordBytes: z.int().min(1).max(65_536),
    acks: z.enum(['all', 'leader']),
    seconds: z.int().min(1).max(600),
  })
  .refine(({ recordsPerSecond, recordBytes }) => recordsPerSecond * recordBytes <= MAX_LOAD_BYTES_PER_SECOND, {
    message: `Records per second times their size may be ${MAX_LOAD_BYTES_PER_SECOND} bytes a second at most`,
  });

const setting = z.discriminatedUnion('scope', [
  z.object({ scope: z.literal('topic'), name: z.enum(TOPIC_FLUSH_KEYS), value: z.string().max(20).nullable() }),
  z.object({ scope: z.literal('brokers'), name: z.enum(BROKER_FLUSH_KEYS), value: z.string().max(20).nullable() }),
]);

export const flushLab = {
  state: read.input(topicInput).output(bulk<FlushLabState>()),
  settings: read.input(topicInput).output(bulk<readonly FlushSetting[]>()),
  /** Null takes the override away. Of a key that applies by a restart it answers when every broker runs with it. */
  set: write.input(z.object({ clusterId, topic: existingTopic, setting })).output(bulk<null>()),
  /** SIGKILL, then the broker's log files are cut back to what fsync had confirmed. It stays down. */
  losePower: destroy.input(z.object({ clusterId, brokerId })).output(bulk<PowerLossReport>()),
  /** Ends by itself after `seconds`; one per topic, a new one takes the place of the old. */
  startLoad: write.input(load).output(bulk<LoadStatus>()),
  stopLoad: write.input(topicInput).output(bulk<null>()),
};
