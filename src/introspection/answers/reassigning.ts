/** The answer to `replication.reassigning`: the partitions that this broker leads and that are being moved, and how far their replicas are. */
export interface ReassigningAnswer {
  readonly brokerId: number;
  readonly nowMs: number;
  readonly partitionCount: number;
  /** At most `max`. */
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly logStartOffset: number;
    readonly logEndOffset: number;
    /** Of the leader's log. */
    readonly sizeBytes: number;
    readonly replicas: readonly {
      readonly brokerId: number;
      readonly isAdding: boolean;
      readonly isRemoving: boolean;
      readonly isInSync: boolean;
      /** -1 until it has fetched. */
      readonly logEndOffset: number;
      /** Messages that it lacks. */
      readonly lag: number;
    }[];
  }[];
  /** Throttles of this broker; null without one. Bytes a second. */
  readonly leaderThrottle: number | null;
  readonly followerThrottle: number | null;
  readonly leaderByteRate: number;
  readonly followerByteRate: number;
}
