/** What the console says of a cluster as a whole, and what can be done with it, from what its brokers advertise. */
import type { Capability, ClusterDetail, ClusterSummary, Feature } from '../contract/clusters.ts';
import { features, LOCAL_CLUSTER_ID } from '../contract/clusters.ts';
import type { ClusterSession } from './cluster-session.ts';
import { toFailure } from './failures.ts';

/** The API that a feature stands on. */
const NEEDED_API: Partial<Record<Feature, { readonly key: number; readonly name: string }>> = {
  'topics.create': { key: 19, name: 'CreateTopics' },
  'topics.delete': { key: 20, name: 'DeleteTopics' },
  'topics.createPartitions': { key: 37, name: 'CreatePartitions' },
  'topics.alterConfigs': { key: 44, name: 'IncrementalAlterConfigs' },
  'partitions.elect': { key: 43, name: 'ElectLeaders' },
  'partitions.reassign': { key: 45, name: 'AlterPartitionReassignments' },
  'brokers.alterConfigs': { key: 44, name: 'IncrementalAlterConfigs' },
  'brokers.moveReplicas': { key: 34, name: 'AlterReplicaLogDirs' },
  'groups.delete': { key: 42, name: 'DeleteGroups' },
  logDirs: { key: 35, name: 'DescribeLogDirs' },
};
const LOCAL_ONLY: ReadonlySet<Feature> = new Set(['processes', 'segments', 'flushLab', 'replication', 'internals']);
const NOT_BUILT: ReadonlySet<Feature> = new Set(['groups.alterOffsets', 'acls', 'users', 'quotas']);
const VERSIONS_MS = 2_000;

export function clusterSummary(session: ClusterSession): ClusterSummary {
  const { environment, readOnly, color } = session.options;
  return {
    id: session.id,
    name: session.name,
    kind: session.isLocal ? 'local' : 'remote',
    environment,
    readOnly,
    color,
    bootstrapServers: session.bootstrapServers,
    status: session.status(),
  };
}

export async function clusterDetail(session: ClusterSession): Promise<ClusterDetail> {
  const [control, view, capabilities] = await Promise.all([
    session.control?.status().catch(() => session.control?.lastStatus),
    session.view.get(1_000).catch(() => session.view.last),
    clusterCapabilities(session),
  ]);
  return {
    ...clusterSummary(session),
    kafkaClusterId: view?.value.clusterId ?? null,
    capabilities,
    local: session.isLocal
      ? {
          dataFolder: control?.dataFolder ?? null,
          zookeeperConnect: control?.zookeeperConnect ?? null,
          ephemeral: control?.ephemeral ?? false,
          supervisorPid: control?.supervisorPid ?? null,
          isOwn: session.id === LOCAL_CLUSTER_ID,
        }
      : null,
  };
}

async function clusterCapabilities(session: ClusterSession): Promise<Capability[]> {
  let unknown: string | undefined;
  const advertised = new Set<number>();
  try {
    for (const { apiKey } of await session.admin.apiVersions(undefined, { timeoutMs: VERSIONS_MS })) advertised.add(apiKey);
  } catch (error) {
    unknown = `No broker has told what it can do: ${toFailure(error).message}`;
  }
  return features.map((feature) => {
    const reason = reasonAgainst(feature, session.isLocal, advertised, unknown);
    return { feature, supported: reason === null, reason };
  });
}

function reasonAgainst(feature: Feature, isLocal: boolean, advertised: ReadonlySet<number>, unknown: string | undefined): string | null {
  if (NOT_BUILT.has(feature)) return 'Not built yet in this version of Samsa';
  if (LOCAL_ONLY.has(feature)) return isLocal ? null : 'Only possible on a local cluster, whose processes and files are on this machine';
  const needed = NEEDED_API[feature];
  if (needed === undefined) return null;
  if (unknown !== undefined) return unknown;
  return advertised.has(needed.key) ? null : `The brokers do not offer ${needed.name} (API ${needed.key})`;
}
