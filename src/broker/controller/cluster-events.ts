/**
 * What the controller does to the cluster, as structured events with the reason: the timeline's source. They also become lines of
 * the state-change log (`StateChangeLogger`). An event is told after it is in ZooKeeper.
 */
interface PartitionEventFields {
  readonly topic: string;
  readonly partition: number;
}

export type ClusterEvent = { readonly reason: string } & (
  | { readonly kind: 'controller-elected'; readonly brokerId: number; readonly controllerEpoch: number }
  | { readonly kind: 'controller-resigned'; readonly brokerId: number; readonly controllerEpoch: number }
  | { readonly kind: 'broker-started'; readonly brokerId: number; readonly brokerEpoch: number }
  | { readonly kind: 'broker-bounced'; readonly brokerId: number; readonly brokerEpoch: number; readonly previousBrokerEpoch: number }
  | { readonly kind: 'broker-failed'; readonly brokerId: number; readonly brokerEpoch: number }
  | { readonly kind: 'broker-shutting-down'; readonly brokerId: number; readonly brokerEpoch: number }
  | { readonly kind: 'broker-updated'; readonly brokerId: number; readonly brokerEpoch: number }
  | { readonly kind: 'topic-created'; readonly topic: string; readonly topicId: string | undefined; readonly partitionCount: number }
  | { readonly kind: 'partitions-added'; readonly topic: string; readonly partitions: readonly number[] }
  | { readonly kind: 'topic-deletion-started'; readonly topic: string }
  | { readonly kind: 'topic-deletion-halted'; readonly topic: string }
  | { readonly kind: 'topic-deleted'; readonly topic: string }
  | ({
      readonly kind: 'leader-elected';
      readonly leader: number;
      /** -1 when there was none. */
      readonly previousLeader: number;
      readonly leaderEpoch: number;
      readonly isr: readonly number[];
      readonly strategy: 'new' | 'offline' | 'reassign' | 'preferred' | 'controlled-shutdown';
      readonly unclean: boolean;
    } & PartitionEventFields)
  | ({
      readonly kind: 'reassignment-started' | 'reassignment-cancelled';
      /** The target. */
      readonly replicas: readonly number[];
      readonly addingReplicas: readonly number[];
      readonly removingReplicas: readonly number[];
    } & PartitionEventFields)
  | ({ readonly kind: 'reassignment-completed'; readonly replicas: readonly number[] } & PartitionEventFields)
  | ({ readonly kind: 'leader-election-failed'; readonly strategy: string } & PartitionEventFields)
  | ({
      readonly kind: 'isr-changed';
      readonly leader: number;
      readonly leaderEpoch: number;
      readonly isr: readonly number[];
      readonly previousIsr: readonly number[];
      /** The leader asked for it, and tells of it with how far behind whom was (`LeaderIsrEvent`). */
      readonly askedByLeader?: true;
    } & PartitionEventFields)
);

/** An ISR change that the controller made at this broker's word, which leads the partition and knows why. */
export interface LeaderIsrEvent extends PartitionEventFields {
  readonly kind: 'isr-changed';
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  readonly previousIsr: readonly number[];
  readonly reason: string;
  readonly timestampMs: number;
}

/** An event with when it happened and under which controller. */
export type TimedClusterEvent = ClusterEvent & {
  /** Wall clock. */
  readonly timestampMs: number;
  readonly controllerId: number;
  readonly controllerEpoch: number;
};

export interface ClusterEventSink {
  emit(event: TimedClusterEvent): void;
}
