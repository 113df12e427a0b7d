/** What the replication page draws of the brokers' answers: per partition its replicas, each by itself and by its leader. Pure. */
import type { FollowerState, LocalReplica, ReplicationState } from '../../../console/contract/partitions.ts';

export interface ReplicaView {
  readonly brokerId: number;
  readonly isLeader: boolean;
  /** Left over on a broker that has no replica of it any more. */
  readonly isStray: boolean;
  /** Null while no leader answers. */
  readonly inSync: boolean | null;
  /** Its broker answered: the offsets are its own, else those that the leader knows. */
  readonly answered: boolean;
  readonly logStartOffset: number | null;
  readonly highWatermark: number | null;
  readonly logEndOffset: number | null;
  readonly leaderEpoch: number | null;
  readonly following: FollowerState | null;
  /** By the leader; 0 of the leader itself, null while it hasn't fetched from this leader. */
  readonly lag: number | null;
  /** A follower that hasn't fetched from this leader: how far it is, the leader doesn't know. */
  readonly hasNotFetched: boolean;
  /** It says that it leads, in this epoch, which is over: it hasn't heard so yet. */
  readonly leadsInEpoch: number | null;
  readonly msSinceCaughtUp: number | null;
}

export interface PartitionView {
  readonly partition: number;
  readonly leader: number | null;
  readonly leaderEpoch: number | null;
  readonly isr: readonly number[] | null;
  readonly pendingIsr: readonly number[] | null;
  readonly minInsyncReplicas: number | null;
  readonly replicas: readonly ReplicaView[];
  /** What the bars span. */
  readonly from: number;
  readonly to: number;
}

/** Partitions asked for at once: more than a screen shows. */
export const ASKED = 200;
/** What is asked for moves by steps, so that scrolling doesn't ask anew with each line. */
const STEP = 50;

/** From which partition on to ask when `first` is the first that is seen: everything of a small topic. */
export function askFrom(first: number, partitionCount: number): number {
  if (partitionCount <= ASKED) return 0;
  const before = Math.floor(Math.max(0, first - STEP) / STEP) * STEP;
  return Math.max(0, Math.min(before, partitionCount - ASKED));
}

/** Offsets that the bars show at least. */
const MIN_SPAN = 100;
export const LAG_SECONDS = 120;

export function partitionViews({ brokers }: Pick<ReplicationState, 'brokers'>): PartitionView[] {
  const told = brokers.flatMap(({ brokerId, answer }) => answer?.partitions.map((replica) => ({ brokerId, replica })) ?? []);
  const byPartition = Map.groupBy(told, ({ replica }) => replica.partition);
  return Array.from(byPartition)
    .toSorted(([a], [b]) => a - b)
    .map(([partition, own]) => partitionView(partition, own));
}

function partitionView(partition: number, own: readonly { readonly brokerId: number; readonly replica: LocalReplica }[]): PartitionView {
  // Right after an election two may say that they lead: the newer epoch counts.
  const leader = own.filter(({ replica }) => replica.led !== null).toSorted((a, b) => b.replica.leaderEpoch - a.replica.leaderEpoch)[0];
  const led = leader?.replica.led ?? null;
  const ids = new Set([...own.map(({ brokerId }) => brokerId), ...(led?.followers.map(({ brokerId }) => brokerId) ?? [])]);
  const replicas = Array.from(ids)
    .toSorted((a, b) => a - b)
    .map((brokerId): ReplicaView => {
      const self = own.find((candidate) => candidate.brokerId === brokerId)?.replica;
      const known = led?.followers.find((follower) => follower.brokerId === brokerId);
      const isLeader = brokerId === leader?.brokerId;
      const told = known !== undefined && known.logEndOffset >= 0 ? known : undefined;
      return {
        brokerId,
        isLeader,
        isStray: self?.isStray === true,
        inSync: led === null ? null : led.isr.includes(brokerId),
        answered: self !== undefined,
        logStartOffset: self?.logStartOffset ?? told?.logStartOffset ?? null,
        highWatermark: self?.highWatermark ?? null,
        logEndOffset: self?.logEndOffset ?? told?.logEndOffset ?? null,
        leaderEpoch: self?.leaderEpoch ?? null,
        following: self?.following ?? null,
        lag: isLeader ? 0 : (told?.lag ?? null),
        hasNotFetched: known !== undefined && told === undefined,
        leadsInEpoch: isLeader || self === undefined || self.led === null ? null : self.leaderEpoch,
        msSinceCaughtUp: isLeader ? 0 : (told?.msSinceCaughtUp ?? null),
      };
    });
  const ends = replicas.flatMap(({ logEndOffset }) => logEndOffset ?? []);
  const to = Math.max(0, ...ends);
  const behind = to - Math.min(to, ...ends);
  const starts = replicas.flatMap(({ logStartOffset }) => logStartOffset ?? []);
  const from = Math.max(Math.min(to, ...starts), to - Math.max(MIN_SPAN, behind * 2));
  return {
    partition,
    leader: leader?.brokerId ?? null,
    leaderEpoch: leader?.replica.leaderEpoch ?? null,
    isr: led?.isr ?? null,
    pendingIsr: led?.pendingIsr ?? null,
    minInsyncReplicas: led?.minInsyncReplicas ?? null,
    replicas,
    from,
    to,
  };
}

/** Percent of a bar that `offset` is at. */
export function share(offset: number | null, { from, to }: Pick<PartitionView, 'from' | 'to'>): number {
  if (offset === null || to <= from) return 0;
  return Math.min(100, Math.max(0, ((offset - from) / (to - from)) * 100));
}

export interface LagSample {
  readonly atMs: number;
  /** By `partition@broker`. */
  readonly lags: ReadonlyMap<string, number>;
}

export function withLagSample(
  samples: readonly LagSample[],
  { atMs, brokers }: Pick<ReplicationState, 'atMs' | 'brokers'>,
  views: readonly PartitionView[],
): readonly LagSample[] {
  const last = samples.at(-1);
  if (last !== undefined && atMs <= last.atMs) return samples;
  const lags = new Map(
    brokers.flatMap(
      ({ answer }) => answer?.furthestBehind.map(({ partition, brokerId, lag }) => [`${partition}@${brokerId}`, lag] as const) ?? [],
    ),
  );
  for (const { partition, replicas } of views)
    for (const { brokerId, lag, isLeader } of replicas) if (lag !== null && !isLeader) lags.set(`${partition}@${brokerId}`, lag);
  return [...samples.filter((sample) => sample.atMs > atMs - LAG_SECONDS * 1000), { atMs, lags }];
}
