/** The answer to `zookeeper.info`. */
export interface ZooKeeperInfo {
  /** In hexadecimal. */
  readonly zxid: string;
  readonly nodes: number;
  readonly ephemerals: number;
  readonly watches: number;
  readonly connections: number;
  readonly sessions: number;
  /** Wall clock of the process. */
  readonly nowMs: number;
  readonly uptimeMs: number;
}
