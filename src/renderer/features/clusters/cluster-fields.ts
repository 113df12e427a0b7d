/** What is typed of a local cluster's make-up, checked: the same for a new one and for a change. Pure. */
export const MAX_BROKERS = 32;
export const MAX_LOG_DIRS = 8;
export const MAX_PORT = 65_535;

export interface ZooKeeperDraft {
  readonly zookeeper: 'embedded' | 'external';
  /** Empty: any free one. */
  readonly zookeeperPort: string;
  readonly connect: string;
}

export type ZooKeeperChoice =
  | { readonly kind: 'embedded'; readonly port: number | null }
  | { readonly kind: 'external'; readonly connect: string };

/** Null when `text` is no whole number from 1 to `max`. */
export function wholeNumber(text: string, max: number): number | null {
  const value = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  return value >= 1 && value <= max ? value : null;
}

/** The choice, or the field that is wrong. What doesn't count for the choice is not looked at. */
export function readZooKeeper(draft: ZooKeeperDraft): ZooKeeperChoice | 'zookeeperPort' | 'connect' {
  const connect = draft.connect.trim();
  if (draft.zookeeper === 'external') return isConnectString(connect) ? { kind: 'external', connect } : 'connect';
  if (draft.zookeeperPort.trim() === '') return { kind: 'embedded', port: null };
  const port = wholeNumber(draft.zookeeperPort, MAX_PORT);
  return port === null ? 'zookeeperPort' : { kind: 'embedded', port };
}

export function isConnectString(text: string): boolean {
  return /^[^\s,/]+(?:,[^\s,/]+)*(?:\/\S*)?$/.test(text);
}
