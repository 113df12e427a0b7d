/** The answer to `supervisor.zookeeper`. */
export interface ZooKeeperServer {
  /** `host:port`. */
  readonly address: string;
  /** Whether it takes connections. */
  readonly reachable: boolean;
  /** `standalone`, `leader`, `follower`, `observer`, as `srvr` tells; null when it doesn't (not allowed there, or not serving). */
  readonly mode: string | null;
  readonly version: string | null;
  /** In hexadecimal. */
  readonly zxid: string | null;
  readonly connections: number | null;
  /** Requests that it has taken and not answered. */
  readonly outstanding: number | null;
  readonly nodes: number | null;
  /** From the connection being asked for to the answer. */
  readonly tookMs: number;
  /** Why it isn't reachable, or what it says in place of its state. */
  readonly problem: string | null;
}

export interface ZooKeeperServers {
  /** Embedded: this cluster's own process. External: it runs elsewhere. */
  readonly kind: 'embedded' | 'external';
  /** `zookeeper.connect`. */
  readonly connect: string;
  readonly servers: readonly ZooKeeperServer[];
}
