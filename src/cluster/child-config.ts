/** What the children are told: the defaults in `resources/cluster`, the spec over them, and what the cluster decides itself. */
import { join } from 'node:path';
import type { Disk } from '../runtime/disk.ts';
import type { BrokerSpec, ClusterSpec } from './cluster-spec.ts';
import type { DataFolder } from './data-folder.ts';
import { LOOPBACK_HOSTS } from './ports.ts';
import { projectRoot } from './process-entry.ts';

/** The JSON file that a broker's `main` reads. */
export interface BrokerChildConfig {
  /** Kafka's keys. */
  readonly properties: Readonly<Record<string, string>>;
  /** Where it keeps its ZooKeeper session, readable by the user only, so that the session can be closed when it is dead. */
  readonly sessionFile: string;
  readonly logFile: string;
  readonly clusterDataDir: string;
  /** The broker reads its properties, says whether it takes them, and ends. */
  readonly checkOnly?: true;
}

/** The JSON file that ZooKeeper's `main` reads. */
export interface ZooKeeperChildConfig {
  readonly dataDir: string;
  readonly hosts: readonly string[];
  readonly clientPort: number;
  readonly tickTimeMs: number;
  readonly juteMaxBufferBytes: number;
  readonly snapRetainCount: number;
  readonly purgeIntervalHours: number;
  readonly logFile: string;
}

export function processIdOf(broker: Pick<BrokerSpec, 'id'>): string {
  return `broker-${broker.id}`;
}

/** Where brokers find ZooKeeper. The embedded one by address: a name costs a look-up and may mean ::1 first. */
export function zookeeperConnectOf(spec: ClusterSpec): string {
  return spec.zookeeper.kind === 'external' ? spec.zookeeper.connect : `127.0.0.1:${spec.zookeeper.port}`;
}

export function bootstrapServersOf(spec: ClusterSpec): string {
  return spec.brokers.map(({ port }) => `localhost:${port}`).join(',');
}

export function logDirsOf(spec: ClusterSpec, broker: Pick<BrokerSpec, 'id'>, folder: DataFolder): readonly string[] {
  return folder.logDirs(broker.id, spec.logDirsPerBroker ?? 1);
}

export function brokerConfig(disk: Disk, spec: ClusterSpec, broker: BrokerSpec, folder: DataFolder): BrokerChildConfig {
  const processId = processIdOf(broker);
  // Kafka takes `localhost` for one address; our broker listens on both that it stands for.
  const listener = `PLAINTEXT://localhost:${broker.port}`;
  return {
    properties: {
      ...defaultsIn(disk, 'broker.properties', variablesOf(spec)),
      ...spec.config,
      ...broker.config,
      'broker.id': String(broker.id),
      ...(broker.rack === undefined ? {} : { 'broker.rack': broker.rack }),
      listeners: listener,
      'advertised.listeners': listener,
      'log.dirs': logDirsOf(spec, broker, folder).join(','),
      'zookeeper.connect': zookeeperConnectOf(spec),
    },
    sessionFile: folder.session(processId),
    logFile: folder.log(processId),
    clusterDataDir: folder.cluster,
  };
}

export function zookeeperConfig(disk: Disk, port: number, folder: DataFolder): ZooKeeperChildConfig {
  const settings = defaultsIn(disk, 'zookeeper.properties', {});
  return {
    dataDir: folder.zookeeper,
    hosts: LOOPBACK_HOSTS,
    clientPort: port,
    tickTimeMs: Number(settings['tickTime']),
    juteMaxBufferBytes: Number(settings['jute.maxbuffer']),
    snapRetainCount: Number(settings['autopurge.snapRetainCount']),
    purgeIntervalHours: Number(settings['autopurge.purgeInterval']),
    logFile: folder.log('zookeeper'),
  };
}

function variablesOf(spec: ClusterSpec): Readonly<Record<string, string>> {
  const replicas = Math.min(3, spec.brokers.length);
  return { replicas: String(replicas), 'min.isr': String(Math.min(2, replicas)) };
}

function defaultsIn(disk: Disk, name: string, variables: Readonly<Record<string, string>>): Record<string, string> {
  return parseProperties(disk.readFile(join(projectRoot(), 'resources', 'cluster', name)).toString('utf8'), variables);
}

/** `key=value` lines, # for comments, `${name}` replaced; the part of Java's format that our own files use. */
export function parseProperties(text: string, variables: Readonly<Record<string, string>> = {}): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    const equals = content.indexOf('=');
    if (equals < 1) throw new Error(`'${content}' is no property: key=value is`);
    const value = content
      .slice(equals + 1)
      .trim()
      .replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => {
        const replacement = variables[name];
        if (replacement === undefined) throw new Error(`'${content}' names an unknown variable`);
        return replacement;
      });
    properties[content.slice(0, equals).trim()] = value;
  }
  return properties;
}
