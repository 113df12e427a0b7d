/**
 * The answer to `replication.describe`: the replicas of a topic that this broker holds, each as it is itself, and, where it leads, every
 * replica as its leader knows it. The two views of a follower differ by what is on its way between them.
 */
export interface ReplicationAnswer {
  readonly brokerId: number;
  /** Wall clock of the broker. */
  readonly nowMs: number;
  readonly replicaLagTimeMaxMs: number;
  /** Those that were asked for. */
  readonly partitions: readonly LocalReplica[];
  /** Of all followers of the topic that this broker leads, those furthest behind, the first most. */
  readonly furthestBehind: readonly LaggingReplica[];
}

export interface LaggingReplica {
  readonly partition: number;
  readonly brokerId: number;
  /** Messages that it lacks. */
  readonly lag: number;
}

export interface LocalReplica {
  readonly partition: number;
  /** As this broker was told; -1 for none. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isLeader: boolean;
  /** The controller's metadata has no replica on this broker: the log is left over from one that was moved away. */
  readonly isStray: boolean;
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;
  /** What it does to follow its leader; null when it leads or has no leader. */
  readonly following: FollowerState | null;
  /** Null unless it leads. */
  readonly led: LeaderView | null;
}

export type FollowerActivity =
  /** What was there at the change of leader is written, or cut to the high watermark, before anything is fetched. */
  | 'preparing'
  | 'fetching'
  /** The leader's history ends before ours: what lies behind is being cut off. */
  | 'truncating'
  /** The last try failed; the next follows after a backoff. */
  | 'waiting'
  /** The throttle of a reassignment holds it back. */
  | 'throttled'
  /** Nothing is fetched for it any more. */
  | 'failed';

export interface FollowerState {
  readonly activity: FollowerActivity;
  /** The last thing that went wrong since it last fetched; null when nothing did. */
  readonly problem: string | null;
  readonly failuresInRow: number;
  /** Since the leader's last answer for it; null before the first. */
  readonly msSinceFetched: number | null;
}

export interface LeaderView {
  readonly isr: readonly number[];
  /** The ISR that the leader has asked the controller for and that isn't made yet. */
  readonly pendingIsr: readonly number[] | null;
  readonly minInsyncReplicas: number;
  /** Where this leader's epoch begins. */
  readonly epochStartOffset: number | null;
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
  /** The followers. */
  readonly followers: readonly FollowerOfLeader[];
}

export interface FollowerOfLeader {
  readonly brokerId: number;
  /** From where it last asked; -1 when it hasn't fetched from this leader. */
  readonly logEndOffset: number;
  readonly logStartOffset: number;
  /** Messages that it lacks. */
  readonly lag: number;
  /** Since it last had everything; 0 while it has, null when it never had under this leader. */
  readonly msSinceCaughtUp: number | null;
  readonly msSinceFetched: number | null;
}
