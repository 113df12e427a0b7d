/** What is typed in the dialog for a new local cluster, checked. Pure. */
import { MAX_BROKERS, MAX_LOG_DIRS, MAX_PORT, readZooKeeper, wholeNumber } from './cluster-fields.ts';
import type { ZooKeeperChoice, ZooKeeperDraft } from './cluster-fields.ts';

export interface NewClusterDraft extends ZooKeeperDraft {
  readonly name: string;
  readonly brokers: string;
  readonly logDirs: string;
  readonly ports: 'free' | 'fixed';
  readonly basePort: string;
}

export type NewClusterField = 'name' | 'brokers' | 'logDirs' | 'port' | 'zookeeperPort' | 'connect';

export interface NewCluster {
  readonly name: string;
  readonly brokers: number;
  readonly basePort: number | null;
  readonly logDirsPerBroker: number;
  readonly zookeeper: ZooKeeperChoice;
}

/** The cluster, or the fields that are wrong. A field that doesn't count (the port of any free ones) is not looked at. */
export function readNewCluster(
  draft: NewClusterDraft,
): { readonly cluster: NewCluster } | { readonly wrong: ReadonlySet<NewClusterField> } {
  const wrong = new Set<NewClusterField>();
  const numberOf = (text: string, max: number, field: NewClusterField): number => {
    const value = wholeNumber(text, max);
    if (value === null) wrong.add(field);
    return value ?? max;
  };
  const name = draft.name.trim();
  // It becomes a folder's name.
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/.test(name)) wrong.add('name');
  const brokers = numberOf(draft.brokers, MAX_BROKERS, 'brokers');
  const logDirsPerBroker = numberOf(draft.logDirs, MAX_LOG_DIRS, 'logDirs');
  const basePort = draft.ports === 'free' ? null : numberOf(draft.basePort, MAX_PORT - Math.max(0, brokers - 1), 'port');
  const zookeeper = readZooKeeper(draft);
  if (typeof zookeeper === 'string') return { wrong: wrong.add(zookeeper) };
  return wrong.size > 0 ? { wrong } : { cluster: { name, brokers, basePort, logDirsPerBroker, zookeeper } };
}
