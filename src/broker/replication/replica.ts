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

export class Replica {
  readonly brokerId: number;
  logEndOffset = UNKNOWN_OFFSET;
  logStartOffset = UNKNOWN_OFFSET;
  lastCaughtUpTimeMs = 0;
  brokerEpoch = -1;
  #lastFetchTimeMs = 0;
  #lastFetchLeaderLogEndOffset = 0;

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
   * doesn't shrink its ISR before the followers have had time to fetch; anyone else is not.
   */
  reset(options: { leaderLogEndOffset: number; nowMs: number; isNewLeader: boolean; isFollowerInSync: boolean }): void {
    const { leaderLogEndOffset, nowMs, isNewLeader, isFollowerInSync } = options;
    this.lastCaughtUpTimeMs = isFollowerInSync ? nowMs : 0;
    if (!isNewLeader) return;
    this.logEndOffset = UNKNOWN_OFFSET;
    this.logStartOffset = UNKNOWN_OFFSET;
    this.#lastFetchTimeMs = isFollowerInSync ? nowMs : 0;
    this.#lastFetchLeaderLogEndOffset = isFollowerInSync ? leaderLogEndOffset : 0;
  }

  isCaughtUp(leaderLogEndOffset: number, nowMs: number, replicaLagTimeMaxMs: number): boolean {
    return this.logEndOffset === leaderLogEndOffset || nowMs - this.lastCaughtUpTimeMs <= replicaLagTimeMaxMs;
  }
}
