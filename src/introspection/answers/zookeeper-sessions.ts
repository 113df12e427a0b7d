/** The answers to `zookeeper.sessions`, `zookeeper.session` and `zookeeper.watches`. Session ids are `0x…`, as ZooKeeper prints them. */
export interface ZooKeeperSession {
  readonly id: string;
  /** Where its client is connected from; null while it is away. */
  readonly address: string | null;
  readonly port: number | null;
  readonly timeoutMs: number;
  readonly lastSeenMsAgo: number;
  /** Until the tick at which it expires if nothing is heard of it. */
  readonly expiresInMs: number;
  /** Its end has been decided and is being written. */
  readonly closing: boolean;
  readonly ephemerals: number;
  readonly watches: number;
  /** Of its connection, as are the rest: 0 and null while it has none. */
  readonly outstanding: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly connectedSinceMs: number | null;
  /** `CREA`, `GETD`, …; NA after a write that failed. */
  readonly lastOperation: string | null;
  readonly averageLatencyMs: number | null;
  readonly maxLatencyMs: number | null;
  /** `ip:127.0.0.1`, `digest:alice`; never a password's hash. */
  readonly identities: readonly string[];
}

export interface ZooKeeperSessions {
  /** All there are; `sessions` has the first `max` by id. */
  readonly total: number;
  readonly nowMs: number;
  readonly sessions: readonly ZooKeeperSession[];
}

export interface ZooKeeperWatch {
  readonly path: string;
  readonly kind: 'data' | 'children' | 'persistent' | 'recursive';
}

/** One session with what it owns and waits for, at most `max` of each. */
export interface ZooKeeperSessionDetails extends ZooKeeperSession {
  readonly ephemeralPaths: readonly string[];
  readonly watchedPaths: readonly ZooKeeperWatch[];
}

export interface ZooKeeperWatches {
  /** Watched paths below the prefix; `paths` has the first `max` by name. */
  readonly total: number;
  readonly paths: readonly {
    readonly path: string;
    /** Watches on it; `watchers` has at most 50 of them. */
    readonly count: number;
    readonly watchers: readonly { readonly session: string; readonly kind: ZooKeeperWatch['kind'] }[];
  }[];
}
