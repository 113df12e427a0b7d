/**
 * What a leader knows of one follower: how far it has fetched, and when it last had everything.
 * A follower is caught up while its log end offset equals the leader's, or did so within `replica.lag.time.max.ms`.
 * Source: Kafka's `Replica`.
 */
export interface FetchState {
  /** The follower's log end offset: the offset it fetched from. */
  readonly followerLogEndOffset: number;
  readonly followerLogStartOffset: number;
  /** The leader's log end offset when it answered that fetch. */
  readonly leaderLogEndOffset: number;
  readonly fetchedAtMs: number;
  /** The follower's broker epoch as sent in the fetch; -1 when it sent none. */
  readonly brokerEpoch: number;
}

const UNKNOWN_OFFSET = -1;
const NO_BROKER_EPOCH = -1;
/** Longer ago than any lag time: the monotonic clock may have begun a moment ago. */
const NEVER_MS = Number.NEGATIVE_INFINITY;

export class Replica {
  readonly brokerId: number;
  logEndOffset = UNKNOWN_OFFSET;
  logStartOffset = UNKNOWN_OFFSET;
  lastCaughtUpTimeMs = NEVER_MS;
  brokerEpoch = NO_BROKER_EPOCH;
  #lastFetchTimeMs = NEVER_MS;
  #lastFetchLeaderLogEndOffset = UNKNOWN_OFFSET;

  /** Negative infinity before its first fetch from this leader. */
  get lastFetchTimeMs(): number {
    return this.#lastFetchTimeMs;
  }

  constructor(brokerId: number) {
    this.brokerId = brokerId;
  }

  /** Notes a fetch. The follower was caught up at this fetch if it reached the leader's end, or at the one before if it reaches that one's. */
  updateFetchState(state: FetchState): void {
    if (state.followerLogEndOffset >= state.leaderLogEndOffset) {
      this.lastCaughtUpTimeMs = Math.max(this.lastCaughtUpTimeMs, state.fetchedAtMs);
    } else if (state.followerLogEndOffset >= this.#lastFetchLeaderLogEndOffset) {
      this.lastCaughtUpTimeMs = Math.max(this.lastCaughtUpTimeMs, this.#lastFetchTimeMs);
    }
    this.logStartOffset = state.followerLogStartOffset;
    this.logEndOffset = state.followerLogEndOffset;
    this.brokerEpoch = state.brokerEpoch;
    this.#lastFetchTimeMs = state.fetchedAtMs;
    this.#lastFetchLeaderLogEndOffset = state.leaderLogEndOffset;
  }

  /**
   * Starts over at a change of leadership. A member of the ISR is taken to be caught up now, so that a new leader
   * doesn't shrink its ISR before the followers have had time to fetch; anyone else is not, so that it holds back no high
   * watermark before it has fetched. What a new leader's predecessors knew of offsets is forgotten.
   */
  reset(options: { leaderLogEndOffset: number; nowMs: number; isNewLeader: boolean; isFollowerInSync: boolean }): void {
    const { leaderLogEndOffset, nowMs, isNewLeader, isFollowerInSync } = options;
    this.lastCaughtUpTimeMs = isFollowerInSync ? nowMs : NEVER_MS;
    this.#lastFetchTimeMs = isFollowerInSync && !isNewLeader ? nowMs : NEVER_MS;
    this.#lastFetchLeaderLogEndOffset = isNewLeader ? UNKNOWN_OFFSET : leaderLogEndOffset;
    if (!isNewLeader) return;
    this.logEndOffset = UNKNOWN_OFFSET;
    this.logStartOffset = UNKNOWN_OFFSET;
    this.brokerEpoch = NO_BROKER_EPOCH;
  }

  isCaughtUp(leaderLogEndOffset: number, nowMs: number, replicaLagTimeMaxMs: number): boolean {
    return this.logEndOffset === leaderLogEndOffset || nowMs - this.lastCaughtUpTimeMs <= replicaLagTimeMaxMs;
  }
}
