/** What is typed in the dialog for a new local cluster, checked. Pure. */
export interface NewClusterDraft {
  readonly name: string;
  readonly brokers: string;
  readonly logDirs: string;
  readonly ports: 'free' | 'fixed';
  readonly basePort: string;
  readonly zookeeper: 'embedded' | 'external';
  readonly zookeeperPort: string;
  readonly connect: string;
}

export type NewClusterField = 'name' | 'brokers' | 'logDirs' | 'port' | 'zookeeperPort' | 'connect';

export interface NewCluster {
  readonly name: string;
  readonly brokers: number;
  readonly basePort: number | null;
  readonly logDirsPerBroker: number;
  readonly zookeeper: { readonly kind: 'embedded'; readonly port: number | null } | { readonly kind: 'external'; readonly connect: string };
}

const MAX_PORT = 65_535;

/** The cluster, or the fields that are wrong. A field that doesn't count (the port of any free ones) is not looked at. */
export function readNewCluster(
  draft: NewClusterDraft,
): { readonly cluster: NewCluster } | { readonly wrong: ReadonlySet<NewClusterField> } {
  const wrong = new Set<NewClusterField>();
  const numberOf = (text: string, max: number, field: NewClusterField): number => {
    const value = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
    if (value < 1 || value > max) wrong.add(field);
    return value;
  };
  const name = draft.name.trim();
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/.test(name)) wrong.add('name');
  const brokers = numberOf(draft.brokers, 32, 'brokers');
  const logDirsPerBroker = numberOf(draft.logDirs, 8, 'logDirs');
  const basePort = draft.ports === 'free' ? null : numberOf(draft.basePort, MAX_PORT - Math.max(0, brokers - 1), 'port');
  const connect = draft.connect.trim();
  const isExternal = draft.zookeeper === 'external';
  if (isExternal && !isConnectString(connect)) wrong.add('connect');
  const port = isExternal || draft.zookeeperPort.trim() === '' ? null : numberOf(draft.zookeeperPort, MAX_PORT, 'zookeeperPort');
  if (wrong.size > 0) return { wrong };
  const zookeeper = isExternal ? { kind: 'external' as const, connect } : { kind: 'embedded' as const, port };
  return { cluster: { name, brokers, basePort, logDirsPerBroker, zookeeper } };
}

export function isConnectString(text: string): boolean {
  return /^[^\s,/]+(?:,[^\s,/]+)*(?:\/\S*)?$/.test(text);
}
