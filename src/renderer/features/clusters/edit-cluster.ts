/**
 * What is typed in the dialog that changes a local cluster's make-up: read into a change that names only what differs, or into what is wrong.
 * What a broker takes as a setting, which ports are free and what lies on a broker, the services know. Pure.
 */
import type { ClusterMakeUp } from '../../../console/contract/clusters.ts';
import { MAX_BROKERS, MAX_LOG_DIRS, MAX_PORT, readZooKeeper, wholeNumber } from './cluster-fields.ts';
import type { ZooKeeperChoice, ZooKeeperDraft } from './cluster-fields.ts';

export interface BrokerDraft {
  /** Null: a new one. */
  readonly id: number | null;
  /** As typed; empty for a new one: any free port. */
  readonly port: string;
}

export interface EditClusterDraft extends ZooKeeperDraft {
  readonly name: string;
  readonly brokers: readonly BrokerDraft[];
  readonly logDirs: string;
  /** A `key=value` a line; lines that are empty or begin with # don't count. */
  readonly config: string;
}

export interface ClusterEdit {
  name?: string;
  brokers?: { id: number | null; port: number | null }[];
  logDirsPerBroker?: number;
  zookeeper?: ZooKeeperChoice;
  config?: Record<string, string | null>;
}

export type EditField = 'name' | 'brokers' | 'logDirs' | 'zookeeperPort' | 'connect' | 'config';

/** By field; of brokers and settings, where in them. */
export type EditProblems = ReadonlyMap<EditField, { readonly at: string }>;

export type ReadEdit = { readonly change: ClusterEdit; readonly removed: readonly number[] } | { readonly wrong: EditProblems };

export function draftOf({ name, brokers, logDirsPerBroker, zookeeper, config }: ClusterMakeUp): EditClusterDraft {
  return {
    name,
    brokers: brokers.map(({ id, port }) => ({ id, port: String(port) })),
    logDirs: String(logDirsPerBroker),
    zookeeper: zookeeper.kind,
    zookeeperPort: zookeeper.kind === 'embedded' ? String(zookeeper.port) : '',
    connect: zookeeper.kind === 'external' ? zookeeper.connect : '',
    config: Object.entries(config)
      .map(([key, value]) => `${key}=${value}`)
      .join('\n'),
  };
}

export function readEdit(draft: EditClusterDraft, before: ClusterMakeUp): ReadEdit {
  const wrong = new Map<EditField, { readonly at: string }>();
  const change: ClusterEdit = {};
  const name = draft.name.trim();
  if (name === '' || name.length > 40) wrong.set('name', { at: '' });
  else if (name !== before.name) change.name = name;

  const badBroker = draft.brokers.findIndex(({ id, port }) => !(id === null && port.trim() === '') && wholeNumber(port, MAX_PORT) === null);
  if (badBroker >= 0 || draft.brokers.length === 0 || draft.brokers.length > MAX_BROKERS)
    wrong.set('brokers', { at: badBroker < 0 ? '' : String(badBroker) });
  const brokers = draft.brokers.map(({ id, port }) => ({ id, port: wholeNumber(port, MAX_PORT) }));
  const isSame =
    brokers.length === before.brokers.length &&
    before.brokers.every(({ id, port }, at) => brokers[at]?.id === id && brokers[at].port === port);
  if (!isSame) change.brokers = brokers;

  const logDirs = wholeNumber(draft.logDirs, MAX_LOG_DIRS);
  if (logDirs === null || logDirs < before.logDirsPerBroker) wrong.set('logDirs', { at: String(before.logDirsPerBroker) });
  else if (logDirs !== before.logDirsPerBroker) change.logDirsPerBroker = logDirs;

  const zookeeper = readZooKeeper(draft);
  if (typeof zookeeper === 'string') wrong.set(zookeeper, { at: '' });
  else if (!isSameZooKeeper(zookeeper, before.zookeeper)) change.zookeeper = zookeeper;

  const settings = readSettings(draft.config);
  if ('line' in settings) wrong.set('config', { at: String(settings.line) });
  else {
    const changed = changedSettings(before.config, settings.config);
    if (Object.keys(changed).length > 0) change.config = changed;
  }
  if (wrong.size > 0) return { wrong };
  const stays = new Set(brokers.map(({ id }) => id));
  return { change, removed: before.brokers.flatMap(({ id }) => (stays.has(id) ? [] : [id])) };
}

/** An embedded one without a port stays where it is. */
function isSameZooKeeper(wanted: ZooKeeperChoice, before: ClusterMakeUp['zookeeper']): boolean {
  if (wanted.kind === 'external') return before.kind === 'external' && before.connect === wanted.connect;
  return before.kind === 'embedded' && (wanted.port === null || wanted.port === before.port);
}

/** The settings, or the number of the first line that is none or names a key again. */
export function readSettings(text: string): { readonly config: Readonly<Record<string, string>> } | { readonly line: number } {
  const config: Record<string, string> = {};
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    const [, key, value] = /^([\w.-]+)\s*=\s*(.*)$/.exec(content) ?? [];
    if (key === undefined || value === undefined || Object.hasOwn(config, key)) return { line: index + 1 };
    config[key] = value;
  }
  return { config };
}

function changedSettings(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): Record<string, string | null> {
  const changed: Record<string, string | null> = {};
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) changed[key] = null;
  for (const [key, value] of Object.entries(after)) if (before[key] !== value) changed[key] = value;
  return changed;
}
