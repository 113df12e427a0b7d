/**
 * What a local cluster is made of: its brokers with their ports, its ZooKeeper (ours, or one that runs elsewhere), and
 * configuration that differs from the defaults in `resources/cluster`. Kept as `cluster.json` in the data folder;
 * the ports in it are those used last, so that a cluster comes back on the same addresses unless they are taken.
 * A spec is checked as a whole when it is read, and every complaint names the place and what is allowed.
 */
import type { Disk } from '../runtime/disk.ts';
import { writeFileAtomically } from '../runtime/disk.ts';
import { integerAt, noneTwice, objectAt, show, SpecError, textAt } from './spec-values.ts';

export { SpecError };

export interface BrokerSpec {
  readonly id: number;
  readonly port: number;
  readonly rack?: string;
  /** Kafka's keys, over `ClusterSpec.config`. */
  readonly config?: Readonly<Record<string, string>>;
}

export type ZooKeeperSpec =
  | { readonly kind: 'embedded'; readonly port: number }
  /** `host:port,host:port/chroot`, as in `zookeeper.connect`. */
  | { readonly kind: 'external'; readonly connect: string };

export interface ClusterSpec {
  readonly version: 1;
  /** What people call it; where it is left out, the console has a name for it. */
  readonly name?: string;
  readonly brokers: readonly BrokerSpec[];
  readonly zookeeper: ZooKeeperSpec;
  /** 1 when left out: each broker has so many folders in `log.dirs`, as if it had as many disks. */
  readonly logDirsPerBroker?: number;
  /** Kafka's keys for all brokers, over the defaults. */
  readonly config: Readonly<Record<string, string>>;
}

export const DEFAULT_BROKER_COUNT = 3;
export const DEFAULT_BASE_PORT = 9092;
export const DEFAULT_ZOOKEEPER_PORT = 2181;
export const MAX_BROKERS = 32;
export const MAX_LOG_DIRS = 8;
const MAX_NAME_LENGTH = 40;
const MAX_BROKER_ID = 1_000_000;
const MAX_PORT = 65_535;

/** Keys that the cluster sets itself: another value would break it. */
const OWN_KEYS: ReadonlySet<string> = new Set([
  'broker.id',
  'broker.rack',
  'listeners',
  'advertised.listeners',
  'log.dir',
  'log.dirs',
  'zookeeper.connect',
]);

export interface NewSpecOptions {
  readonly brokers?: number;
  /** The first broker's port; the others follow. */
  readonly basePort?: number;
  /** In place of `basePort`: one for each broker. */
  readonly ports?: readonly number[];
  readonly zookeeper?: ZooKeeperSpec;
  readonly logDirsPerBroker?: number;
  readonly config?: Readonly<Record<string, string>>;
}

/** Brokers 1 to `brokers` on consecutive ports. Throws `SpecError`. */
export function newClusterSpec(options: NewSpecOptions = {}): ClusterSpec {
  const { brokers = DEFAULT_BROKER_COUNT, basePort = DEFAULT_BASE_PORT } = options;
  return checkClusterSpec(
    {
      version: 1,
      brokers: Array.from({ length: checkedCount(brokers) }, (_, index) => ({
        id: index + 1,
        port: options.ports?.[index] ?? basePort + index,
      })),
      zookeeper: options.zookeeper ?? { kind: 'embedded', port: DEFAULT_ZOOKEEPER_PORT },
      ...(options.logDirsPerBroker === undefined ? {} : { logDirsPerBroker: options.logDirsPerBroker }),
      config: options.config ?? {},
    },
    'the cluster',
  );
}

/** `spec` with more log dirs, which are empty at first. Fewer is refused: what lies in the others would be gone. Throws `SpecError`. */
export function withLogDirs(spec: ClusterSpec, logDirsPerBroker: number): ClusterSpec {
  const before = spec.logDirsPerBroker ?? 1;
  const count = integerAt(logDirsPerBroker, 'log dirs:', 1, MAX_LOG_DIRS);
  if (count < before)
    throw new SpecError(
      'log dirs:',
      `each broker of this data folder has ${before}; ${count} would leave out partitions that lie in the others`,
    );
  return { ...spec, logDirsPerBroker: count };
}

/**
 * `spec` with as many brokers as asked for: more are added behind the last. Fewer is refused, since the partitions on
 * those left out would go offline. Throws `SpecError`.
 */
export function withBrokerCount(spec: ClusterSpec, brokers: number): ClusterSpec {
  const count = checkedCount(brokers);
  if (count < spec.brokers.length) {
    throw new SpecError(
      'brokers:',
      `this data folder has a cluster of ${spec.brokers.length}; ${count} would leave partitions without their replicas. Use another --home, or --ephemeral`,
    );
  }
  const lastId = Math.max(...spec.brokers.map(({ id }) => id));
  const lastPort = Math.max(...spec.brokers.map(({ port }) => port));
  const added = Array.from({ length: count - spec.brokers.length }, (_, index) => ({ id: lastId + 1 + index, port: lastPort + 1 + index }));
  return { ...spec, brokers: [...spec.brokers, ...added] };
}

/** The spec at `path`; undefined when there is none yet. Throws `SpecError`. */
export function readClusterSpec(disk: Disk, path: string): ClusterSpec | undefined {
  if (!disk.exists(path)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(disk.readFile(path).toString('utf8'));
  } catch (error) {
    throw new SpecError(path, `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  return checkClusterSpec(value, path);
}

export function writeClusterSpec(disk: Disk, path: string, spec: ClusterSpec): void {
  writeFileAtomically(disk, path, `${JSON.stringify(spec, undefined, 2)}\n`);
}

/** `value` as a spec, or `SpecError` with `source` and the place in it. */
export function checkClusterSpec(value: unknown, source: string): ClusterSpec {
  const spec = objectAt(value, source, ['version', 'name', 'brokers', 'zookeeper', 'logDirsPerBroker', 'config']);
  if (spec['version'] !== 1) throw new SpecError(`${source}: version`, `is ${show(spec['version'])}; this program knows 1`);
  const list = spec['brokers'];
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_BROKERS)
    throw new SpecError(`${source}: brokers`, `must be a list of 1 to ${MAX_BROKERS}`);
  const brokers = list.map((broker, index) => brokerAt(broker, `${source}: brokers[${index}]`));
  const zookeeper = zookeeperAt(spec['zookeeper'], `${source}: zookeeper`);
  const ports = zookeeper.kind === 'embedded' ? [...brokers, zookeeper] : brokers;
  noneTwice(
    brokers.map(({ id }) => id),
    `${source}: the broker id`,
  );
  noneTwice(
    ports.map(({ port }) => port),
    `${source}: the port`,
  );
  const { logDirsPerBroker: dirs, name } = spec;
  return {
    version: 1,
    ...(name === undefined ? {} : { name: nameAt(name, `${source}: name`) }),
    brokers,
    zookeeper,
    ...(dirs === undefined ? {} : { logDirsPerBroker: integerAt(dirs, `${source}: logDirsPerBroker`, 1, MAX_LOG_DIRS) }),
    config: configAt(spec['config'] ?? {}, `${source}: config`),
  };
}

function nameAt(value: unknown, where: string): string {
  const name = textAt(value, where);
  if (name.length <= MAX_NAME_LENGTH && name.trim() === name && !/\p{Cc}/u.test(name)) return name;
  throw new SpecError(
    where,
    `is ${show(value)}; at most ${MAX_NAME_LENGTH} characters on one line, without spaces around them, are allowed`,
  );
}

function brokerAt(value: unknown, where: string): BrokerSpec {
  const broker = objectAt(value, where, ['id', 'port', 'rack', 'config']);
  const id = integerAt(broker['id'], `${where}.id`, 0, MAX_BROKER_ID);
  const port = integerAt(broker['port'], `${where}.port`, 1, MAX_PORT);
  const { rack, config } = broker;
  return {
    id,
    port,
    ...(rack === undefined ? {} : { rack: textAt(rack, `${where}.rack`) }),
    ...(config === undefined ? {} : { config: configAt(config, `${where}.config`) }),
  };
}

function zookeeperAt(value: unknown, where: string): ZooKeeperSpec {
  const zookeeper = objectAt(value, where, ['kind', 'port', 'connect']);
  if (zookeeper['kind'] === 'embedded') return { kind: 'embedded', port: integerAt(zookeeper['port'], `${where}.port`, 1, MAX_PORT) };
  if (zookeeper['kind'] !== 'external')
    throw new SpecError(`${where}.kind`, `is ${show(zookeeper['kind'])}; 'embedded' and 'external' are allowed`);
  const connect = textAt(zookeeper['connect'], `${where}.connect`);
  if (!/^[^\s,/]+(?:,[^\s,/]+)*(?:\/\S*)?$/.test(connect))
    throw new SpecError(`${where}.connect`, `is '${connect}'; host:port,host:port/chroot is the form`);
  return { kind: 'external', connect };
}

function configAt(value: unknown, where: string): Readonly<Record<string, string>> {
  const config = objectAt(value, where);
  const checked: Record<string, string> = {};
  for (const [key, entry] of Object.entries(config)) {
    if (OWN_KEYS.has(key)) throw new SpecError(`${where}['${key}']`, 'is set by the cluster itself and can not be changed');
    checked[key] = textAt(entry, `${where}['${key}']`, true);
  }
  return checked;
}

function checkedCount(brokers: number): number {
  return integerAt(brokers, 'brokers:', 1, MAX_BROKERS);
}
