/** Brokers: what Metadata says of each, merged with the processes of a local cluster, so that one that is down has its row too. */
import { ConfigResourceType, configResourceKey } from '../../client/admin/configs.ts';
import { KafkaError } from '../../protocol/errors.ts';
import type { BrokerDetail, BrokerPartition, BrokerRow, BrokerSize, LogDir } from '../contract/brokers.ts';
import type { ConfigChange, ConfigEntry } from '../contract/configs.ts';
import type { Failure } from '../contract/failure.ts';
import type { ProcessStatus } from '../contract/processes.ts';
import type { ClusterSession } from './cluster-session.ts';
import type { ClusterView } from './cluster-view.ts';
import { configEntries } from './config-entries.ts';
import { FailureError, orThrow, refuse, toFailure } from './failures.ts';
import { alterConfigs } from './topic-changes.ts';

const VIEW_MAX_AGE_MS = 250;
const LOG_DIRS_MAX_AGE_MS = 500;
const CALL_MS = 5_000;

/** Rows of all brokers, by id. For a local cluster also when none answers; for a remote one that is an error. */
export async function listBrokers(session: ClusterSession): Promise<BrokerRow[]> {
  const [view, processes] = await Promise.all([viewOrLast(session), brokerProcesses(session)]);
  return brokerRows(view, processes);
}

export function brokerRows(view: ClusterView | undefined, processes: ReadonlyMap<number, ProcessStatus>): BrokerRow[] {
  const counts = view === undefined ? undefined : countReplicas(view);
  const ids = new Set([...(view?.brokers.keys() ?? []), ...processes.keys()]);
  return Array.from(ids)
    .toSorted((a, b) => a - b)
    .map((brokerId) => {
      const [node, process, own] = [view?.brokers.get(brokerId), processes.get(brokerId) ?? null, counts?.byBroker.get(brokerId)];
      return {
        brokerId,
        host: node?.host ?? process?.host ?? '',
        port: node?.port ?? process?.port ?? 0,
        rack: node?.rack ?? null,
        isController: view?.controllerId === brokerId,
        online: node !== undefined,
        leaders: counts === undefined ? null : (own?.leaders ?? 0),
        replicas: counts === undefined ? null : (own?.replicas ?? 0),
        outOfSync: counts === undefined ? null : (own?.outOfSync ?? 0),
        leaderSkewPercent:
          counts === undefined || node === undefined ? null : skew(own?.leaders ?? 0, counts.leaders, view?.brokers.size ?? 0),
        process,
      };
    });
}

export async function brokerSizes(session: ClusterSession): Promise<BrokerSize[]> {
  const { value } = await session.logDirs.getCheaply(LOG_DIRS_MAX_AGE_MS).catch((error: unknown) => {
    throw new FailureError(toFailure(error, { api: 'DescribeLogDirs' }));
  });
  return Array.from(value, ([id, dirs]) => {
    const brokerId = Number(id);
    if (dirs instanceof KafkaError) return { brokerId, sizeBytes: null, failure: toFailure(dirs, { api: 'DescribeLogDirs', brokerId }) };
    let sizeBytes = 0;
    for (const dir of dirs.values()) if (!(dir instanceof KafkaError)) for (const replica of dir.replicas) sizeBytes += replica.sizeBytes;
    return { brokerId, sizeBytes, failure: null };
  });
}

export async function getBroker(session: ClusterSession, brokerId: number): Promise<BrokerDetail> {
  const broker = (await listBrokers(session)).find((row) => row.brokerId === brokerId);
  if (broker === undefined) throw refuse('notFound', `There is no broker ${brokerId}`);
  if (!broker.online) return { broker, apiVersions: null, logDirs: null, failures: [] };
  const down = whyNoAnswer(broker, 'ApiVersions');
  if (down !== undefined) return { broker, apiVersions: null, logDirs: null, failures: [down.failure] };
  const failures: Failure[] = [];
  const [versions, dirs] = await Promise.all([
    session.admin.apiVersions(brokerId, { timeoutMs: CALL_MS }).catch((error: unknown) => {
      failures.push(toFailure(error, { api: 'ApiVersions', brokerId, timeoutMs: CALL_MS }));
    }),
    session.admin.describeLogDirs([brokerId], { timeoutMs: CALL_MS }).then((results) => results.get(String(brokerId))),
  ]);
  if (dirs instanceof KafkaError) failures.push(toFailure(dirs, { api: 'DescribeLogDirs', brokerId, timeoutMs: CALL_MS }));
  const apiVersions = versions?.map(({ apiKey, name, minVersion, maxVersion }) => ({
    key: apiKey,
    name: name ?? `API ${apiKey}`,
    min: minVersion,
    max: maxVersion,
  }));
  const logDirs =
    dirs === undefined || dirs instanceof KafkaError ? null : Array.from(dirs, ([path, dir]) => logDirOf(path, dir, brokerId));
  return { broker, apiVersions: apiVersions ?? null, logDirs, failures };
}

export async function brokerPartitions(session: ClusterSession, brokerId: number): Promise<BrokerPartition[]> {
  const view = await viewOrLast(session);
  const partitions: BrokerPartition[] = [];
  for (const { name, partitions: own } of view?.topics.values() ?? []) {
    for (const { partition, leaderId, replicas, isr } of own) {
      if (!replicas.includes(brokerId)) continue;
      partitions.push({ topic: name, partition, role: leaderId === brokerId ? 'leader' : 'follower', inSync: isr.includes(brokerId) });
    }
  }
  return partitions;
}

export async function brokerConfigs(session: ClusterSession, brokerId: number): Promise<ConfigEntry[]> {
  const broker = (await listBrokers(session)).find((row) => row.brokerId === brokerId);
  const down = broker === undefined ? undefined : whyNoAnswer(broker, 'DescribeConfigs');
  if (down !== undefined) throw down;
  const resource = { type: ConfigResourceType.BROKER, name: String(brokerId) };
  const results = await session.admin.describeConfigs([resource], { includeSynonyms: true, includeDocumentation: true });
  return configEntries(orThrow(results.get(configResourceKey(resource)), { api: 'DescribeConfigs', brokerId }), () => undefined);
}

export async function alterBrokerConfigs(
  session: ClusterSession,
  brokerId: number,
  changes: readonly ConfigChange[],
  validateOnly: boolean,
): Promise<null> {
  await alterConfigs(session, { type: ConfigResourceType.BROKER, name: String(brokerId) }, changes, validateOnly);
  if (!validateOnly) session.changed([{ kind: 'configs', ids: [`broker:${brokerId}`] }]);
  return null;
}

/** Known before it is asked: a broker whose process is frozen or gone, or that isn't registered, would only be waited for. */
export function whyNoAnswer({ brokerId, online, process }: BrokerRow, api: string): FailureError | undefined {
  const state = process?.state;
  if (state !== undefined && state !== 'running' && state !== 'starting')
    return refuse('unreachable', `Broker ${brokerId} is ${state === 'backoff' ? 'waiting to be started again' : state}`, { api, brokerId });
  return online ? undefined : refuse('unreachable', `Broker ${brokerId} is not registered`, { api, brokerId, retriable: true });
}

/** A local cluster's brokers have rows whatever answers; so the last look will do when there is no new one. */
async function viewOrLast(session: ClusterSession): Promise<ClusterView | undefined> {
  try {
    return (await session.view.get(VIEW_MAX_AGE_MS)).value;
  } catch (error) {
    if (!session.isLocal) throw new FailureError(toFailure(error, { api: 'Metadata' }));
    const last = session.view.last?.value;
    // Nobody answers: what is known of topics still stands, but no broker is online.
    return last === undefined ? undefined : { ...last, brokers: new Map(), controllerId: null };
  }
}

async function brokerProcesses(session: ClusterSession): Promise<ReadonlyMap<number, ProcessStatus>> {
  const processes = (await session.control?.status())?.processes ?? [];
  return new Map(processes.flatMap((process) => (process.brokerId === null ? [] : [[process.brokerId, process] as const])));
}

interface ReplicaCounts {
  leaders: number;
  replicas: number;
  outOfSync: number;
}

function countReplicas(view: ClusterView): { readonly byBroker: ReadonlyMap<number, ReplicaCounts>; readonly leaders: number } {
  const byBroker = new Map<number, ReplicaCounts>();
  const of = (id: number): ReplicaCounts => {
    const found = byBroker.get(id) ?? { leaders: 0, replicas: 0, outOfSync: 0 };
    byBroker.set(id, found);
    return found;
  };
  let leaders = 0;
  for (const { partitions } of view.topics.values()) {
    for (const { leaderId, replicas, isr } of partitions) {
      if (leaderId >= 0) {
        of(leaderId).leaders++;
        leaders++;
      }
      for (const id of replicas) {
        of(id).replicas++;
        if (!isr.includes(id)) of(id).outOfSync++;
      }
    }
  }
  return { byBroker, leaders };
}

function skew(leaders: number, all: number, brokers: number): number | null {
  if (all === 0 || brokers === 0) return null;
  const share = all / brokers;
  return Math.round(((leaders - share) / share) * 100);
}

export function logDirOf(
  path: string,
  dir:
    | {
        readonly replicas: readonly { sizeBytes: number }[];
        readonly totalBytes: number | undefined;
        readonly usableBytes: number | undefined;
      }
    | KafkaError,
  brokerId: number,
): LogDir {
  if (dir instanceof KafkaError) {
    return {
      path,
      sizeBytes: null,
      replicas: 0,
      totalBytes: null,
      usableBytes: null,
      failure: toFailure(dir, { api: 'DescribeLogDirs', brokerId }),
    };
  }
  const sizeBytes = dir.replicas.reduce((sum, replica) => sum + replica.sizeBytes, 0);
  return {
    path,
    sizeBytes,
    replicas: dir.replicas.length,
    totalBytes: dir.totalBytes ?? null,
    usableBytes: dir.usableBytes ?? null,
    failure: null,
  };
}
