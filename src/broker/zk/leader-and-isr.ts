/**
 * What `/brokers/topics/T/partitions/P/state` says about a partition: its leader, in-sync replicas and epochs.
 *
 * The `partitionEpoch` is the znode's version (Stat.version): every accepted change moves it by one, and a change is
 * accepted only against the version it was made from. The `leaderEpoch` moves with each change that the controller makes.
 * Values are immutable; the functions here give the next value.
 *
 * Source: kafka.api.LeaderAndIsr, kafka.controller.LeaderIsrAndControllerEpoch, LeaderRecoveryState (KIP-704).
 */

/** No leader: all in-sync replicas are offline. */
export const NO_LEADER = -1;
/** Leader in UpdateMetadata for partitions whose topic is being deleted. */
export const LEADER_DURING_DELETE = -2;
export const INITIAL_LEADER_EPOCH = 0;
export const INITIAL_PARTITION_EPOCH = 0;
export const NO_EPOCH = -1;
/** Leader epoch in StopReplica for a topic that is being deleted: it fences whatever the replica knows. */
export const EPOCH_DURING_DELETE = -2;

/** Whether the leader was elected from outside the ISR and has not yet repaired its log (KIP-704). */
export const LeaderRecoveryState = { RECOVERED: 0, RECOVERING: 1 } as const;
export type LeaderRecoveryState = (typeof LeaderRecoveryState)[keyof typeof LeaderRecoveryState];

export interface LeaderAndIsr {
  /** Broker id, or NO_LEADER. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  readonly leaderRecoveryState: LeaderRecoveryState;
  /** Version of the state znode. */
  readonly partitionEpoch: number;
}

export interface LeaderIsrAndControllerEpoch {
  readonly leaderAndIsr: LeaderAndIsr;
  /** Epoch of the controller that wrote it. */
  readonly controllerEpoch: number;
  /** ZooKeeper's transaction that wrote it; only of a state that was read. */
  readonly mzxid?: number;
}

/** The first state of a new partition. */
export function initialLeaderAndIsr(leader: number, isr: readonly number[]): LeaderAndIsr {
  return {
    leader,
    leaderEpoch: INITIAL_LEADER_EPOCH,
    isr,
    leaderRecoveryState: LeaderRecoveryState.RECOVERED,
    partitionEpoch: INITIAL_PARTITION_EPOCH,
  };
}

/** `leader` and `isr` under the next leader epoch; the partition epoch stays the one to compare with. */
export function newLeaderAndIsr(previous: LeaderAndIsr, leader: number, isr: readonly number[]): LeaderAndIsr {
  return { ...previous, leader, isr, leaderEpoch: previous.leaderEpoch + 1 };
}

/** As `newLeaderAndIsr`, for a leader elected from outside the ISR. */
export function newRecoveringLeaderAndIsr(previous: LeaderAndIsr, leader: number, isr: readonly number[]): LeaderAndIsr {
  return { ...newLeaderAndIsr(previous, leader, isr), leaderRecoveryState: LeaderRecoveryState.RECOVERING };
}

/** Whether both name the same leader, epoch, recovery state and ISR (in any order); partition epochs may differ. */
export function equalsAllowStalePartitionEpoch(a: LeaderAndIsr, b: LeaderAndIsr): boolean {
  return (
    a.leader === b.leader &&
    a.leaderEpoch === b.leaderEpoch &&
    a.leaderRecoveryState === b.leaderRecoveryState &&
    a.isr.length === b.isr.length &&
    a.isr.every((replica) => b.isr.includes(replica)) &&
    a.partitionEpoch <= b.partitionEpoch
  );
}

export function describeLeaderAndIsr(state: LeaderAndIsr): string {
  const recovering = state.leaderRecoveryState === LeaderRecoveryState.RECOVERING ? ', recovering' : '';
  return `leader ${state.leader}, ISR [${state.isr.join(',')}], leader epoch ${state.leaderEpoch}, partition epoch ${state.partitionEpoch}${recovering}`;
}
