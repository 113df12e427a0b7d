/** The overview: what can be had at once, with the reasons for what cannot. It never fails as a whole. */
import { KafkaError } from '../../protocol/errors.ts';
import type { Failure } from '../contract/failure.ts';
import type { Overview } from '../contract/overview.ts';
import { listBrokers } from './brokers-service.ts';
import { countPartitions } from './cluster-session.ts';
import type { ClusterSession } from './cluster-session.ts';
import { toFailure } from './failures.ts';
import { brokersThatTold, isTold, isUnderReplicated } from './topics-service.ts';
import { within } from './within.ts';

const VIEW_MAX_AGE_MS = 250;
const DEAR_MAX_AGE_MS = 500;
/** The page is not to wait for its dear numbers longer than this: they come with the next pull. */
const DEAR_WAIT_MS = 1_500;

export async function getOverview(session: ClusterSession): Promise<Overview> {
  const failures: Failure[] = [];
  const note =
    (api: string) =>
    (error: unknown): undefined => {
      failures.push(toFailure(error, { api }));
      return undefined;
    };
  const [view, brokers, groups, size] = await Promise.all([
    session.view.get(VIEW_MAX_AGE_MS).then(({ value }) => value, note('Metadata')),
    listBrokers(session).catch(note('Metadata')),
    within(
      session.runtime.scheduler,
      DEAR_WAIT_MS,
      session.groupListings.getCheaply(DEAR_MAX_AGE_MS).then(({ value }) => (value.errors.size > 0 ? undefined : value.groups.length)),
    ).catch(note('ListGroups')),
    within(session.runtime.scheduler, DEAR_WAIT_MS, totalSize(session)).catch(note('DescribeLogDirs')),
  ]);
  const topics = view === undefined ? undefined : Array.from(view.topics.values());
  const internal = topics?.filter(({ isInternal }) => isInternal).length;
  return {
    status: session.status(),
    kafkaClusterId: view?.clusterId ?? null,
    controllerId: view?.controllerId ?? null,
    brokers: (brokers ?? []).map(({ brokerId, host, port, isController, online, process }) => ({
      brokerId,
      host,
      port,
      isController,
      online,
      processId: process?.id ?? null,
    })),
    topics: topics === undefined ? null : topics.length - (internal ?? 0),
    internalTopics: internal ?? null,
    partitions: topics?.reduce((sum, { partitions }) => sum + partitions.length, 0) ?? null,
    underReplicatedPartitions: view === undefined ? null : countPartitions(view, isUnderReplicated),
    offlinePartitions: view === undefined ? null : countPartitions(view, ({ leaderId }) => leaderId < 0),
    groups: groups ?? null,
    // The last samples are of when somebody answered.
    recordsPerSecond: view === undefined ? null : topics?.length === internal ? 0 : session.rates.total(),
    sizeBytes: size?.bytes ?? null,
    sizeIsPartial: size !== undefined && topics !== undefined && !topics.every(({ partitions }) => isTold(partitions, size.told)),
    // One reason is enough where everything has the same one.
    failures: failures.filter((failure, at) => failures.findIndex(({ message }) => message === failure.message) === at),
  };
}

async function totalSize(session: ClusterSession): Promise<{ readonly bytes: number | undefined; readonly told: ReadonlySet<number> }> {
  const { value } = await session.logDirs.getCheaply(DEAR_MAX_AGE_MS);
  let total: number | undefined;
  for (const dirs of value.values()) {
    if (dirs instanceof KafkaError) continue;
    for (const dir of dirs.values())
      if (!(dir instanceof KafkaError)) total = dir.replicas.reduce((sum, { sizeBytes }) => sum + sizeBytes, total ?? 0);
  }
  return { bytes: total, told: brokersThatTold(value) };
}
