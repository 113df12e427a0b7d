/**
 * Follows one leader broker for a set of partitions: fetches, appends what comes, truncates where the leader's history
 * diverges, and passes the leader's high watermark on. Partitions far behind are fetched over a connection of their own.
 *
 * Invariants: one request in flight on each of the two lanes, and a partition is on one; nothing is asked before what came is
 * written; an answer that was asked under an older epoch or offset of a partition is dropped; a partition that fails waits alone.
 * A log without epochs is cut to its high watermark first, any other is reconciled by the leader's diverging epoch (KIP-595, so
 * that OffsetForLeaderEpoch is not needed). Source: Kafka's `AbstractFetcherThread`, `ReplicaFetcherThread`.
 */
import type { FollowerActivity, FollowerState } from '../../introspection/answers/replication.ts';
import { ErrorCode, errorByCode } from '../../protocol/errors.ts';
import { Fetch } from '../../protocol/generated/fetch.ts';
import type { FetchRequestInput, FetchTopicInput, PartitionData } from '../../protocol/generated/fetch.ts';
import { ListOffsets } from '../../protocol/generated/list-offsets.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { UnifiedLog } from '../log/unified-log.ts';
import { FetchLane } from './fetch-lane.ts';
import type { LaneClient } from './fetch-lane.ts';
import type { Partition } from './partition.ts';
import type { ReplicaQuota } from './replication-quota-manager.ts';

export interface BrokerEndpoint {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

export interface ReplicaFetcherConfig {
  readonly brokerId: number;
  readonly fetchWaitMaxMs: number;
  readonly fetchMinBytes: number;
  readonly fetchMaxBytes: number;
  readonly fetchResponseMaxBytes: number;
  readonly fetchBackoffMs: number;
}

export interface ReplicaFetcherOptions {
  readonly leader: BrokerEndpoint;
  readonly config: ReplicaFetcherConfig;
  readonly client: LaneClient;
  /** Another connection, for partitions that are catching up. */
  readonly catchUpClient: LaneClient;
  readonly runtime: Runtime;
  readonly brokerEpoch: () => number;
  /** The throttle of what is fetched. */
  readonly quota: ReplicaQuota;
  /** A follower's log moved: waiting fetches of readers here may be complete. */
  readonly onAppended: (key: string) => void;
}

/** The versions that inter.broker.protocol.version 3.9 fixes between brokers. */
const FETCH_VERSION = 17;
const LIST_OFFSETS_VERSION = 9;
const EARLIEST_TIMESTAMP = -2;
const LATEST_TIMESTAMP = -1;
/**
 * Of answers to partitions that are catching up, whatever `replica.fetch.response.max.bytes` is: each is read by the leader, and appended
 * here, in one turn of the event loop, and ten megabytes would hold others up for ten milliseconds.
 */
const CATCH_UP_RESPONSE_BYTES = 2 * 2 ** 20;
/** Of `replica.fetch.max.bytes`: what is asked for a partition that isn't in sync, while it is unknown how far it is behind. */
const FIRST_FETCH = 1 / 4;
/** Of the same: a partition that an answer brings this much, and that still isn't in sync, is far behind. */
const FAR_BEHIND = 1 / 8;
const FIRST_RETRY_MS = 20;

interface FollowedPartition {
  readonly partition: Partition;
  readonly leaderEpoch: number;
  /** Not fetched before this time of the monotonic clock. */
  delayedUntilMs: number;
  failuresInRow: number;
  /** It had reached the leader's high watermark at its last fetch. */
  isInSync: boolean;
  isTruncating: boolean;
  lane: FetchLane;
  /** Why the last try failed; undefined after one that didn't. */
  problem: string | undefined;
  /** Monotonic time of the leader's last answer without an error. */
  fetchedAtMs: number | undefined;
}

export class ReplicaFetcher {
  readonly #options: ReplicaFetcherOptions;
  readonly #logger: Logger;
  readonly #partitions = new Map<string, FollowedPartition>();
  /** Where every partition begins, and those in sync are. */
  readonly #tail: FetchLane;
  readonly #catchUp: FetchLane;
  #closed = false;
  /** Given up: their log dirs have failed. */
  readonly #failed = new Map<string, string>();

  constructor(options: ReplicaFetcherOptions) {
    this.#options = options;
    const { leader, config, client, catchUpClient, runtime } = options;
    const { clock, scheduler } = runtime;
    const lane = { leaderId: leader.id, clock, scheduler };
    this.#tail = new FetchLane({ ...lane, client, responseMaxBytes: config.fetchResponseMaxBytes });
    const responseMaxBytes = Math.min(CATCH_UP_RESPONSE_BYTES, config.fetchResponseMaxBytes);
    this.#catchUp = new FetchLane({ ...lane, client: catchUpClient, responseMaxBytes });
    this.#logger = runtime.logger.child({ component: 'ReplicaFetcher', leader: leader.id });
  }

  get leader(): BrokerEndpoint {
    return this.#options.leader;
  }

  get partitionCount(): number {
    return this.#partitions.size;
  }

  /** Follows `partition` from its log end under its present leader epoch. */
  add(partition: Partition): void {
    const log = partition.log;
    if (log === undefined) return;
    const key = topicPartitionKey(partition.topicPartition);
    const followed: FollowedPartition = {
      partition,
      leaderEpoch: partition.leaderEpoch,
      delayedUntilMs: Number.POSITIVE_INFINITY,
      failuresInRow: 0,
      isInSync: false,
      isTruncating: false,
      lane: this.#tail,
      problem: undefined,
      fetchedAtMs: undefined,
    };
    this.#failed.delete(key);
    this.#partitions.set(key, followed);
    void this.#prepare(key, followed, log);
    this.#maybeStart(this.#tail);
  }

  #maybeStart(lane: FetchLane): void {
    if (lane.isRunning || this.#closed) return;
    lane.isRunning = true;
    // At the end of the turn: a LeaderAndIsr request adds many at once.
    this.#options.runtime.scheduler.endOfTurn(() => void this.#run(lane));
  }

  /** What was appended under the epoch before is written first; a log without epochs keeps only what was committed. */
  async #prepare(key: string, followed: FollowedPartition, log: UnifiedLog): Promise<void> {
    try {
      await log.settled();
      if (!this.#isFollowing(key, followed)) return;
      if (log.latestEpoch === undefined && log.logEndOffset > log.highWatermark) {
        await log.truncateTo(log.highWatermark, () => this.#isFollowing(key, followed));
      }
      followed.delayedUntilMs = 0;
      followed.lane.wake();
      followed.lane.cutLongPoll();
    } catch (error) {
      this.#giveUp(key, followed, error);
    }
  }

  /** The log's folder has failed: the log manager has said so, and nothing is fetched for it. */
  #giveUp(key: string, followed: FollowedPartition, error: unknown): void {
    this.#logger.error({ err: error }, `${key} can't follow broker ${this.leader.id} any more`);
    if (this.#partitions.get(key) !== followed) return;
    this.#partitions.delete(key);
    this.#failed.set(key, messageOf(error));
  }

  /** False once the partition was removed, or is followed again under another epoch: what was begun for it must not go on. */
  #isFollowing(key: string, followed: FollowedPartition): boolean {
    return this.#partitions.get(key) === followed;
  }

  remove(key: string): boolean {
    this.#failed.delete(key);
    return this.#partitions.delete(key);
  }

  /** What is done for a partition now; undefined for one that isn't followed. */
  stateOf(key: string): FollowerState | undefined {
    const failed = this.#failed.get(key);
    if (failed !== undefined) return { activity: 'failed', problem: failed, failuresInRow: 0, msSinceFetched: null };
    const followed = this.#partitions.get(key);
    if (followed === undefined) return undefined;
    const nowMs = this.#options.runtime.clock.monotonicMs();
    return {
      activity: this.#activityOf(followed, nowMs),
      problem: followed.lane.problem ?? followed.problem ?? null,
      failuresInRow: Math.max(followed.lane.failuresInRow, followed.failuresInRow),
      msSinceFetched: followed.fetchedAtMs === undefined ? null : nowMs - followed.fetchedAtMs,
    };
  }

  #activityOf(followed: FollowedPartition, nowMs: number): FollowerActivity {
    if (followed.isTruncating) return 'truncating';
    if (followed.delayedUntilMs === Number.POSITIVE_INFINITY) return 'preparing';
    if (followed.lane.failuresInRow > 0 || followed.delayedUntilMs > nowMs) return 'waiting';
    return this.#isHeldBack(followed) ? 'throttled' : 'fetching';
  }

  close(): void {
    this.#closed = true;
    this.#partitions.clear();
    this.#tail.wake();
    this.#catchUp.wake();
  }

  async #run(lane: FetchLane): Promise<void> {
    try {
      while (!this.#closed) {
        const nowMs = this.#options.runtime.clock.monotonicMs();
        const due: (readonly [string, FollowedPartition])[] = [];
        let isOver = true;
        for (const entry of this.#partitions) {
          const [, followed] = entry;
          if (followed.lane !== lane) continue;
          isOver = false;
          if (followed.delayedUntilMs <= nowMs && !this.#isHeldBack(followed)) due.push(entry);
        }
        if (isOver) return;
        if (due.length === 0) await lane.pause(Math.min(this.#options.config.fetchBackoffMs, this.#nextDueMs(lane) - nowMs));
        else await this.#fetchOnce(lane, due);
      }
    } catch (error) {
      this.#options.runtime.halt.halt(1, `The replica fetcher for broker ${this.leader.id} broke`, error);
    } finally {
      lane.isRunning = false;
    }
  }

  /** As the leader does: a throttle holds only those up that are not in sync. They are looked at again after the backoff. */
  #isHeldBack({ partition, isInSync }: FollowedPartition): boolean {
    const { quota } = this.#options;
    return quota.isThrottled(partition.topicPartition) && !isInSync && quota.isQuotaExceeded;
  }

  /** When the first of the delayed partitions may be fetched again. */
  #nextDueMs(lane: FetchLane): number {
    const nowMs = this.#options.runtime.clock.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const followed of this.#partitions.values())
      if (followed.lane === lane && followed.delayedUntilMs > nowMs) nextMs = Math.min(nextMs, followed.delayedUntilMs);
    return nextMs;
  }

  /**
   * The partition waits, longer with each failure. Right after an election its leader may hear of its office later than we do, and
   * a producer with acks=all waits for us: Kafka would let both wait for replica.fetch.backoff.ms.
   */
  #delay(followed: FollowedPartition): void {
    followed.delayedUntilMs = this.#options.runtime.clock.monotonicMs() + this.#retryDelayMs(++followed.failuresInRow);
  }

  #retryDelayMs(failuresInRow: number): number {
    return Math.min(this.#options.config.fetchBackoffMs, FIRST_RETRY_MS * 2 ** Math.min(10, failuresInRow - 1));
  }

  async #fetchOnce(lane: FetchLane, due: readonly (readonly [string, FollowedPartition])[]): Promise<void> {
    const asked = new Map<string, AskedPartition>();
    const request = this.#requestOf(lane, due, asked);
    let response;
    try {
      response = await lane.ask(() => lane.client.send(this.leader, Fetch, request, { version: FETCH_VERSION }));
      if (response === undefined) return;
      lane.failuresInRow = 0;
      lane.problem = undefined;
    } catch (error) {
      if (this.#closed) return;
      lane.failuresInRow++;
      lane.problem = messageOf(error);
      if (lane.failuresInRow === 1) this.#logger.warn(`Fetching from broker ${this.leader.id} failed: ${messageOf(error)}`);
      await lane.pause(this.#retryDelayMs(lane.failuresInRow));
      return;
    }
    if (response.errorCode !== ErrorCode.NONE) {
      lane.problem = `broker ${this.leader.id} answered ${errorByCode(response.errorCode).name}`;
      this.#logger.warn(`Broker ${this.leader.id} answered a fetch with ${errorByCode(response.errorCode).name}`);
      await lane.pause(this.#options.config.fetchBackoffMs);
      return;
    }
    const writes: Promise<void>[] = [];
    for (const topic of response.responses) {
      for (const data of topic.partitions) {
        const sent = asked.get(`${topic.topicId}:${data.partitionIndex}`);
        if (sent !== undefined)
          writes.push(this.#process(sent, data).catch((error: unknown) => this.#giveUp(sent.key, sent.followed, error)));
      }
    }
    await Promise.all(writes);
  }

  #requestOf(
    lane: FetchLane,
    due: readonly (readonly [string, FollowedPartition])[],
    asked: Map<string, AskedPartition>,
  ): FetchRequestInput {
    const { config } = this.#options;
    const firstFetchBytes = Math.ceil(config.fetchMaxBytes * FIRST_FETCH);
    const topics = new Map<string, FetchTopicInput & { partitions: FetchTopicInput['partitions'][number][] }>();
    for (const [key, followed] of due) {
      const { log, topicId, topicPartition } = followed.partition;
      if (log === undefined || topicId === undefined) continue;
      let topic = topics.get(topicId);
      if (topic === undefined) {
        topic = { topicId, partitions: [] };
        topics.set(topicId, topic);
      }
      const fetchOffset = log.logEndOffset;
      topic.partitions.push({
        partition: topicPartition.partition,
        currentLeaderEpoch: followed.leaderEpoch,
        fetchOffset,
        lastFetchedEpoch: log.latestEpoch ?? -1,
        logStartOffset: log.logStartOffset,
        partitionMaxBytes: lane === this.#tail && !followed.isInSync ? firstFetchBytes : config.fetchMaxBytes,
      });
      asked.set(`${topicId}:${topicPartition.partition}`, { key, followed, fetchOffset });
    }
    return {
      replicaState: { replicaId: config.brokerId, replicaEpoch: this.#options.brokerEpoch() },
      // A partition that is to be tried again must not wait for the others' next records.
      maxWaitMs: Math.max(
        0,
        Math.floor(Math.min(config.fetchWaitMaxMs, this.#nextDueMs(lane) - this.#options.runtime.clock.monotonicMs())),
      ),
      minBytes: config.fetchMinBytes,
      maxBytes: lane.responseMaxBytes,
      topics: [...topics.values()],
      forgottenTopicsData: [],
    };
  }

  async #process(sent: AskedPartition, data: PartitionData): Promise<void> {
    const { key, followed, fetchOffset } = sent;
    const log = followed.partition.log;
    // Removed, re-added under a new epoch, or truncated while the request was under way.
    if (!this.#isFollowing(key, followed) || log === undefined || log.logEndOffset !== fetchOffset) return;
    if (data.errorCode !== ErrorCode.NONE) {
      await this.#handleError(sent, data.errorCode);
      return;
    }
    if (data.divergingEpoch.epoch >= 0 || data.divergingEpoch.endOffset >= 0) {
      await this.#truncateOnDivergence(sent, data.divergingEpoch);
      return;
    }
    const records = data.records?.[0];
    if (records !== undefined && records.length > 0) {
      const error = await append(log, records);
      if (error !== undefined) {
        followed.problem = error.message;
        this.#logger.error({ err: error }, `Appending to ${key} from offset ${fetchOffset} failed`);
        this.#delay(followed);
        return;
      }
    }
    followed.failuresInRow = 0;
    followed.problem = undefined;
    followed.fetchedAtMs = this.#options.runtime.clock.monotonicMs();
    if (!this.#isFollowing(key, followed)) return;
    followed.isInSync = log.logEndOffset >= data.highWatermark;
    if (records !== undefined && records.length > 0) {
      this.#recordBytes(followed.partition, records.length);
      this.#moveToEnd(key, followed);
    }
    this.#chooseLane(followed, records?.length ?? 0);
    log.updateHighWatermark(Math.min(data.highWatermark, log.logEndOffset));
    if (data.logStartOffset > log.logStartOffset && data.logStartOffset <= log.highWatermark)
      log.maybeIncrementLogStartOffset(data.logStartOffset);
    this.#options.onAppended(key);
  }

  /** Nothing is under way for the partition: the answer that it was asked for on its lane is being dealt with. */
  #chooseLane(followed: FollowedPartition, receivedBytes: number): void {
    const { lane, isInSync } = followed;
    if (lane === this.#tail && (isInSync || receivedBytes < this.#options.config.fetchMaxBytes * FAR_BEHIND)) return;
    if (lane === this.#catchUp && !isInSync) return;
    followed.lane = lane === this.#tail ? this.#catchUp : this.#tail;
    this.#maybeStart(followed.lane);
    followed.lane.wake();
    // Those that are behind are answered at once, and cutting a large answer would waste it.
    if (followed.lane === this.#tail) this.#tail.cutLongPoll();
  }

  #recordBytes(partition: Partition, bytes: number): void {
    const { quota, runtime, config } = this.#options;
    const tags = { type: 'BrokerTopicMetrics' };
    if (quota.isThrottled(partition.topicPartition)) quota.record(bytes);
    runtime.metrics.counter('ReplicationBytesInPerSec', tags).add(bytes);
    if (partition.addingReplicas.includes(config.brokerId)) runtime.metrics.counter('ReassignmentBytesInPerSec', tags).add(bytes);
  }

  /** An answer carries only so much: who got some stands behind the others the next time. */
  #moveToEnd(key: string, followed: FollowedPartition): void {
    this.#partitions.delete(key);
    this.#partitions.set(key, followed);
  }

  /** The leader's history of our last epoch ends earlier than ours: what lies behind was never committed. */
  async #truncateOnDivergence(sent: AskedPartition, diverging: { epoch: number; endOffset: number }): Promise<void> {
    const log = sent.followed.partition.log;
    if (log === undefined) return;
    // Our own end of the largest epoch at or below the leader's may be smaller still.
    const ours = log.endOffsetForEpoch(diverging.epoch);
    const target = ours === undefined ? diverging.endOffset : Math.min(diverging.endOffset, ours.endOffset);
    const offset = Math.max(log.logStartOffset, Math.min(target, log.logEndOffset));
    if (offset < log.highWatermark) {
      this.#logger.warn(
        `${sent.key} is cut to offset ${offset}, below its high watermark ${log.highWatermark}, at the word of leader ${this.leader.id}`,
      );
    }
    this.#logger.info(
      `${sent.key} diverges from leader ${this.leader.id} in epoch ${diverging.epoch}: truncating from ${log.logEndOffset} to ${offset}`,
    );
    await this.#truncating(sent.followed, () => log.truncateTo(offset, () => this.#isFollowing(sent.key, sent.followed)));
  }

  async #truncating(followed: FollowedPartition, work: () => Promise<unknown>): Promise<void> {
    followed.isTruncating = true;
    try {
      await work();
    } finally {
      followed.isTruncating = false;
    }
  }

  async #handleError(sent: AskedPartition, errorCode: number): Promise<void> {
    const { followed, key } = sent;
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      await this.#handleOutOfRange(sent);
      return;
    }
    followed.problem = `broker ${this.leader.id} answered ${errorByCode(errorCode).name}`;
    this.#delay(followed);
    this.#logger.info(`Leader ${this.leader.id} answered ${errorByCode(errorCode).name} for ${key}`);
  }

  /**
   * The leader's log is shorter than ours (an unclean election): cut ours to its end. Or it begins later: start over there.
   */
  async #handleOutOfRange({ followed, key }: AskedPartition): Promise<void> {
    const latest = await this.#leaderOffset(followed, LATEST_TIMESTAMP);
    const earliest = latest === undefined ? undefined : await this.#leaderOffset(followed, EARLIEST_TIMESTAMP);
    const log = followed.partition.log;
    const isWanted = (): boolean => this.#isFollowing(key, followed);
    if (!isWanted() || log === undefined) return;
    if (latest === undefined || earliest === undefined) {
      this.#delay(followed);
      return;
    }
    if (latest < log.logEndOffset) {
      this.#logger.warn(`${key} ends at ${log.logEndOffset}, beyond its leader's ${latest}: truncating`);
      await this.#truncating(followed, () => log.truncateTo(latest, isWanted));
    } else if (earliest > log.logEndOffset) {
      this.#logger.warn(`${key} ends at ${log.logEndOffset}, before its leader's log begins at ${earliest}: starting over there`);
      await this.#truncating(followed, () => log.truncateFullyAndStartAt(earliest, earliest, isWanted));
    } else {
      // Neither: our last epoch is above all of the leader's. It is behind; in time it will not be, or lead no more.
      this.#delay(followed);
    }
  }

  async #leaderOffset(followed: FollowedPartition, timestamp: number): Promise<number | undefined> {
    const { topicPartition } = followed.partition;
    try {
      const response = await this.#options.client.send(
        this.leader,
        ListOffsets,
        {
          replicaId: this.#options.config.brokerId,
          topics: [
            {
              name: topicPartition.topic,
              partitions: [{ partitionIndex: topicPartition.partition, currentLeaderEpoch: followed.leaderEpoch, timestamp }],
            },
          ],
        },
        { version: LIST_OFFSETS_VERSION },
      );
      const answer = response.topics[0]?.partitions[0];
      return answer?.errorCode === ErrorCode.NONE ? answer.offset : undefined;
    } catch {
      return undefined;
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Resolves when the records are written: undefined, or why they are not. */
function append(log: UnifiedLog, records: Buffer): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const result = log.appendAsFollower(records, { onComplete: resolve });
    if (!result.ok) resolve(new Error(result.message));
  });
}

interface AskedPartition {
  readonly key: string;
  readonly followed: FollowedPartition;
  readonly fetchOffset: number;
}
