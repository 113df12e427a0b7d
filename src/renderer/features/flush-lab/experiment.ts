/** What a kill cost: a replica before it, what was cut off, what recovery found, and what replication has brought back. Pure. */
import type { FlushLabBroker, LogRecovery, PowerLossReport, ReplicaFlush } from '../../../console/contract/flush-lab.ts';

export type KillKind = 'kill' | 'powerLoss';

export interface Experiment {
  readonly brokerId: number;
  readonly kind: KillKind;
  /** By the clock of the machine, which is the brokers' too. */
  readonly atMs: number;
  /** The broker's replicas of the topic at its last word before the kill. */
  readonly before: readonly ReplicaFlush[];
  /** How many replicas a partition has. */
  readonly replicationFactor: number;
  readonly report: PowerLossReport | null;
}

export type Verdict =
  /** The broker hasn't come back yet. */
  | 'waiting'
  /** Nothing is missing. */
  | 'kept'
  /** Some is missing here, and this was the only replica, or is the one that leads. */
  | 'gone'
  /** Missing here, and on its way from the leader. */
  | 'comingBack'
  /** It was missing here, and the leader has given it back. */
  | 'cameBack';

export interface ReplicaOutcome {
  readonly partition: number;
  readonly logEndOffsetBefore: number;
  readonly recoveryPointBefore: number;
  readonly atRiskBefore: number;
  /** Bytes cut off its files; null for a plain kill, which cuts nothing. */
  readonly cutBytes: number | null;
  /** Null until it is back; `nothing` when there was nothing to scan. */
  readonly recovery: LogRecovery | 'nothing' | null;
  readonly logEndOffsetAfter: number | null;
  /** Records that this replica had and, when it was back, had not. */
  readonly gone: number | null;
  readonly logEndOffsetNow: number | null;
  readonly verdict: Verdict;
}

export function outcomesOf(experiment: Experiment, topic: string, broker: FlushLabBroker | undefined): ReplicaOutcome[] {
  const back = broker?.flush != null && broker.flush.startedAtMs > experiment.atMs ? broker.flush : null;
  return experiment.before.map((before): ReplicaOutcome => {
    const noted = experiment.report?.logs.find((log) => log.topic === topic && log.partition === before.partition);
    // What was written between the last look and the kill is known only of a power loss.
    const logEndOffsetBefore = Math.max(before.logEndOffset, noted?.logEndOffset ?? 0);
    const after = back?.replicas.find(({ partition }) => partition === before.partition) ?? null;
    const gone = after === null ? null : Math.max(0, logEndOffsetBefore - after.openedLogEndOffset);
    return {
      partition: before.partition,
      logEndOffsetBefore,
      recoveryPointBefore: noted?.recoveryPoint ?? before.recoveryPoint,
      atRiskBefore: logEndOffsetBefore - (noted?.recoveryPoint ?? before.recoveryPoint),
      cutBytes: experiment.report === null ? null : (noted?.lostBytes ?? 0),
      recovery: after === null ? null : (after.recovery ?? 'nothing'),
      logEndOffsetAfter: after?.openedLogEndOffset ?? null,
      gone,
      logEndOffsetNow: after?.logEndOffset ?? null,
      verdict: verdictOf(experiment, logEndOffsetBefore, gone, after),
    };
  });
}

function verdictOf(experiment: Experiment, logEndOffsetBefore: number, gone: number | null, after: ReplicaFlush | null): Verdict {
  if (gone === null || after === null) return 'waiting';
  if (gone === 0) return 'kept';
  if (experiment.replicationFactor === 1) return 'gone';
  if (after.logEndOffset >= logEndOffsetBefore) return 'cameBack';
  return after.isLeader ? 'gone' : 'comingBack';
}
