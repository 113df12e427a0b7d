/**
 * A change of what a cluster is made of, after it was made: its name, brokers (more, fewer, other ports), log dirs (more), ZooKeeper, static settings.
 * Pure: what the spec would be after it, checked as a new cluster's is, and what has to be looked at before it may be so (`change-cluster.ts`).
 * What isn't named stays as it is.
 */
import { processIdOf } from './child-config.ts';
import { checkClusterSpec, DEFAULT_ZOOKEEPER_PORT, MAX_BROKERS, withLogDirs } from './cluster-spec.ts';
import type { BrokerSpec, ClusterSpec, ZooKeeperSpec } from './cluster-spec.ts';
import { integerAt, objectAt, SpecError, textAt } from './spec-values.ts';

export interface ClusterChange {
  readonly name?: string;
  /**
   * All brokers there shall be; one that isn't named is removed. A new one has no id, and gets the next. Without a port a broker keeps
   * its own, and a new one gets one behind the others, or the next that is free.
   */
  readonly brokers?: readonly { readonly id: number | null; readonly port: number | null }[];
  readonly logDirsPerBroker?: number;
  /** The embedded one without a port: where it is, else any free one from 2181 on. */
  readonly zookeeper?:
    | { readonly kind: 'embedded'; readonly port: number | null }
    | { readonly kind: 'external'; readonly connect: string };
  /** Keys of all brokers; null: back to the default of a local cluster. */
  readonly config?: Readonly<Record<string, string | null>>;
}

export interface PlannedChange {
  readonly spec: ClusterSpec;
  /** Processes that get another port where theirs is taken: nobody asked for that one. */
  readonly movable: ReadonlySet<string>;
  readonly removed: readonly BrokerSpec[];
  /** Whether ZooKeeper listens elsewhere, and whether it is another one, which knows nothing of this cluster. */
  readonly zookeeper: 'same' | 'moved' | 'other';
}

const MAX_CONFIG_CHANGES = 1_000;
const MAX_PORT = 65_535;

/** Throws `SpecError`. */
export function planChange(before: ClusterSpec, change: ClusterChange): PlannedChange {
  const { brokers, added, removed } = brokersAfter(before, change.brokers);
  const config: Record<string, string> = { ...before.config };
  for (const [key, text] of Object.entries(change.config ?? {})) {
    if (text === null) delete config[key];
    else config[key] = text;
  }
  const zookeeper = zookeeperAfter(before.zookeeper, change.zookeeper);
  const changed = {
    ...before,
    ...(change.name === undefined ? {} : { name: change.name }),
    brokers,
    zookeeper,
    config,
  };
  const grown = change.logDirsPerBroker === undefined ? changed : withLogDirs(changed, change.logDirsPerBroker);
  const movable = new Set(added.filter(({ port }) => port === null).map(({ id }) => processIdOf({ id })));
  if (change.zookeeper?.kind === 'embedded' && change.zookeeper.port === null) movable.add('zookeeper');
  return { spec: checkClusterSpec(grown, 'the cluster'), movable, removed, zookeeper: comparedZooKeeper(before.zookeeper, zookeeper) };
}

interface BrokersAfter {
  readonly brokers: readonly BrokerSpec[];
  readonly added: readonly { readonly id: number; readonly port: number | null }[];
  readonly removed: readonly BrokerSpec[];
}

function brokersAfter(before: ClusterSpec, wanted: ClusterChange['brokers']): BrokersAfter {
  if (wanted === undefined) return { brokers: before.brokers, added: [], removed: [] };
  const known = new Map(before.brokers.map((broker) => [broker.id, broker]));
  const stays = wanted.flatMap(({ id, port }): BrokerSpec[] => {
    if (id === null) return [];
    const broker = known.get(id);
    if (broker === undefined)
      throw new SpecError('the cluster: brokers', `has no broker ${id}; ${Array.from(known.keys()).join(', ')} are there`);
    return [{ ...broker, port: port ?? broker.port }];
  });
  let nextId = Math.max(...known.keys()) + 1;
  let nextPort = Math.max(...before.brokers.map(({ port }) => port), ...wanted.map(({ port }) => port ?? 0)) + 1;
  const added = wanted.filter(({ id }) => id === null).map(({ port }) => ({ id: nextId++, port }));
  return {
    brokers: [...stays, ...added.map(({ id, port }) => ({ id, port: port ?? nextPort++ }))],
    added,
    removed: before.brokers.filter(({ id }) => !wanted.some((one) => one.id === id)),
  };
}

function zookeeperAfter(before: ZooKeeperSpec, wanted: ClusterChange['zookeeper']): ZooKeeperSpec {
  if (wanted === undefined) return before;
  if (wanted.kind === 'external') return wanted;
  return { kind: 'embedded', port: wanted.port ?? (before.kind === 'embedded' ? before.port : DEFAULT_ZOOKEEPER_PORT) };
}

function comparedZooKeeper(before: ZooKeeperSpec, after: ZooKeeperSpec): PlannedChange['zookeeper'] {
  if (before.kind === 'embedded' && after.kind === 'embedded') return before.port === after.port ? 'same' : 'moved';
  return before.kind === 'external' && after.kind === 'external' && before.connect === after.connect ? 'same' : 'other';
}

/** `value`, which comes from another process, as a change. Throws `SpecError`. What a spec may be is checked with the spec. */
export function checkClusterChange(value: unknown): ClusterChange {
  const where = 'the change';
  const { name, brokers, logDirsPerBroker, zookeeper, config } = objectAt(value, where, [
    'name',
    'brokers',
    'logDirsPerBroker',
    'zookeeper',
    'config',
  ]);
  return {
    ...(name === undefined ? {} : { name: textAt(name, `${where}.name`) }),
    ...(brokers === undefined ? {} : { brokers: brokersAt(brokers, `${where}.brokers`) }),
    ...(logDirsPerBroker === undefined
      ? {}
      : { logDirsPerBroker: integerAt(logDirsPerBroker, `${where}.logDirsPerBroker`, 0, Number.MAX_SAFE_INTEGER) }),
    ...(zookeeper === undefined ? {} : { zookeeper: zookeeperAt(zookeeper, `${where}.zookeeper`) }),
    ...(config === undefined ? {} : { config: configAt(config, `${where}.config`) }),
  };
}

function brokersAt(value: unknown, where: string): NonNullable<ClusterChange['brokers']> {
  if (!Array.isArray(value) || value.length > MAX_BROKERS) throw new SpecError(where, `must be a list of at most ${MAX_BROKERS}`);
  return value.map((broker: unknown, index) => {
    const place = `${where}[${index}]`;
    const { id, port } = objectAt(broker, place, ['id', 'port']);
    return {
      id: id === null ? null : integerAt(id, `${place}.id`, 0, Number.MAX_SAFE_INTEGER),
      port: portAt(port, `${place}.port`),
    };
  });
}

function zookeeperAt(value: unknown, where: string): NonNullable<ClusterChange['zookeeper']> {
  const { kind, port, connect } = objectAt(value, where, ['kind', 'port', 'connect']);
  if (kind === 'embedded') return { kind, port: portAt(port, `${where}.port`) };
  if (kind === 'external') return { kind, connect: textAt(connect, `${where}.connect`) };
  throw new SpecError(`${where}.kind`, "is neither 'embedded' nor 'external'");
}

function configAt(value: unknown, where: string): Readonly<Record<string, string | null>> {
  const config = objectAt(value, where);
  if (Object.keys(config).length > MAX_CONFIG_CHANGES) throw new SpecError(where, `has more than ${MAX_CONFIG_CHANGES} keys`);
  return Object.fromEntries(
    Object.entries(config).map(([key, text]) => [key, text === null ? null : textAt(text, `${where}['${key}']`, true)]),
  );
}

function portAt(value: unknown, where: string): number | null {
  return value === null ? null : integerAt(value, where, 1, MAX_PORT);
}
