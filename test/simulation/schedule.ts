/**
 * What a run does, as data: the cluster, the load on it, and the steps (faults and administrators' deeds) with their times. The seed
 * decides what isn't named here: delays, who wins a race, where a write tears. A schedule is made from a seed by `make-schedule.ts`, made
 * shorter by `shrink.ts`, and kept as JSON in `schedules/` when it has found something.
 */
export type MachineName = string;

/** A fault lasts `forMs`, or until all faults end; a process that ends is started again after `forMs`. */
export type Step =
  | { readonly atMs: number; readonly kind: 'kill' | 'stop' | 'pause'; readonly machine: MachineName; readonly forMs: number }
  | {
      readonly atMs: number;
      readonly kind: 'lose-power';
      readonly machine: MachineName;
      readonly forMs: number;
      readonly mode: 'tear' | 'lose';
    }
  | {
      readonly atMs: number;
      readonly kind: 'partition';
      readonly from: readonly MachineName[];
      readonly to: readonly MachineName[];
      readonly isOneWay: boolean;
      readonly forMs: number;
    }
  | {
      readonly atMs: number;
      readonly kind: 'slow-link';
      readonly from: MachineName;
      readonly to: MachineName;
      readonly byMs: number;
      readonly forMs: number;
    }
  | { readonly atMs: number; readonly kind: 'reset-connections'; readonly from: MachineName; readonly to: MachineName }
  | { readonly atMs: number; readonly kind: 'clock-jump'; readonly machine: MachineName; readonly byMs: number }
  | { readonly atMs: number; readonly kind: 'slow-disk'; readonly machine: MachineName; readonly factor: number; readonly forMs: number }
  | { readonly atMs: number; readonly kind: 'disk-full' | 'disk-error'; readonly machine: MachineName; readonly forMs: number }
  /** One of a broker's log dirs fails; it is healed and the broker started again after `forMs`. */
  | {
      readonly atMs: number;
      readonly kind: 'log-dir-error';
      readonly machine: MachineName;
      readonly directory: string;
      readonly forMs: number;
    }
  | { readonly atMs: number; readonly kind: 'end-session'; readonly machine: MachineName }
  | { readonly atMs: number; readonly kind: 'create-topic'; readonly topic: string }
  | { readonly atMs: number; readonly kind: 'delete-topic'; readonly topic: string }
  | { readonly atMs: number; readonly kind: 'add-partitions'; readonly topic: string; readonly count: number }
  | { readonly atMs: number; readonly kind: 'elect-preferred' }
  /** Deletes the records of a partition below a share of its end. */
  | { readonly atMs: number; readonly kind: 'delete-records'; readonly topic: string; readonly partition: number; readonly share: number }
  | {
      readonly atMs: number;
      readonly kind: 'move-log';
      readonly topic: string;
      readonly partition: number;
      readonly machine: MachineName;
      readonly directory: string;
    }
  /** Without replicas a reassignment under way is cancelled. */
  | {
      readonly atMs: number;
      readonly kind: 'reassign';
      readonly topic: string;
      readonly partition: number;
      readonly replicas: readonly number[] | null;
    }
  | { readonly atMs: number; readonly kind: 'alter-config'; readonly topic: string; readonly key: string; readonly value: string };

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

export interface ProducerSpec {
  readonly topic: string;
  readonly acks: -1 | 0 | 1;
  readonly isIdempotent: boolean;
  readonly codec: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  /** Between two sends to a partition, on average. */
  readonly intervalMs: number;
  /** Batches of a partition under way together. */
  readonly pipeline: number;
  /** Records in a batch, at most. */
  readonly maxRecords: number;
  /** `request.timeout.ms` as far as brokers hear of it; a client sends again after it. */
  readonly timeoutMs?: number;
  /** For a compacted topic: how many keys its records have. */
  readonly keys?: number;
  /** Between two batches of those that are under way together, on average; without it they are sent at once. */
  readonly gapMs?: number;
  /** How far it is to the brokers, at most, each way. What was sent before the first is known to be refused comes some time after it. */
  readonly distanceMs?: number;
}

/** A consumer group that reads topics without unclean elections. */
export interface GroupSpec {
  readonly groupId: string;
  readonly members: number;
  readonly topics: readonly string[];
}

export interface Schedule {
  readonly seed: number;
  readonly note?: string;
  readonly brokers: number;
  /** All faults end then, and what was promised must come true within `LIVENESS_MS`. */
  readonly faultsEndMs: number;
  /** Of the brokers, over those that every run has. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Transactions from one of ZooKeeper's snapshots to the next. */
  readonly snapCount?: number;
  readonly topics: readonly TopicSpec[];
  readonly producers: readonly ProducerSpec[];
  readonly consumers: number;
  readonly groups?: readonly GroupSpec[];
  readonly steps: readonly Step[];
}

/** Clients begin then: the cluster has formed. */
export const CLIENTS_START_MS = 1500;
/** After the end of faults everything must be well within so long. */
export const LIVENESS_MS = 15_000;

export function describeStep(step: Step): string {
  const at = `${(step.atMs / 1000).toFixed(3)} s`;
  switch (step.kind) {
    case 'kill':
    case 'stop':
    case 'pause':
      return `${at}  ${step.kind} ${step.machine} for ${step.forMs} ms`;
    case 'lose-power':
      return `${at}  ${step.machine} loses power for ${step.forMs} ms (${step.mode === 'tear' ? 'torn' : 'lost'} writes)`;
    case 'partition':
      return `${at}  cut ${step.from.join(',')} ${step.isOneWay ? '→' : '↔'} ${step.to.join(',')} for ${step.forMs} ms`;
    case 'slow-link':
      return `${at}  slow ${step.from} ↔ ${step.to} by up to ${step.byMs} ms for ${step.forMs} ms`;
    case 'reset-connections':
      return `${at}  reset connections ${step.from} ↔ ${step.to}`;
    case 'clock-jump':
      return `${at}  wall clock of ${step.machine} jumps by ${step.byMs} ms`;
    case 'slow-disk':
      return `${at}  fsync on ${step.machine} takes ${step.factor} times as long, and some writes wait, for ${step.forMs} ms`;
    case 'disk-full':
      return `${at}  disk of ${step.machine} is full for ${step.forMs} ms`;
    case 'disk-error':
      return `${at}  disk of ${step.machine} fails for ${step.forMs} ms`;
    case 'log-dir-error':
      return `${at}  ${step.directory} of ${step.machine} fails; healed and started again after ${step.forMs} ms`;
    case 'end-session':
      return `${at}  ZooKeeper session of ${step.machine} ends`;
    case 'create-topic':
    case 'delete-topic':
      return `${at}  ${step.kind === 'create-topic' ? 'create' : 'delete'} topic ${step.topic}`;
    case 'add-partitions':
      return `${at}  topic ${step.topic} grows to ${step.count} partitions`;
    case 'elect-preferred':
      return `${at}  elect the preferred leaders`;
    case 'delete-records':
      return `${at}  delete the first ${Math.round(step.share * 100)} % of ${step.topic}-${step.partition}`;
    case 'move-log':
      return `${at}  move ${step.topic}-${step.partition} on ${step.machine} to ${step.directory}`;
    case 'reassign':
      return step.replicas === null
        ? `${at}  cancel the reassignment of ${step.topic}-${step.partition}`
        : `${at}  reassign ${step.topic}-${step.partition} to [${step.replicas.join(',')}]`;
    case 'alter-config':
      return `${at}  topic ${step.topic}: ${step.key}=${step.value}`;
  }
}
