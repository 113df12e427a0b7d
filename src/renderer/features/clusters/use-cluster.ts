/** The cluster that is shown: its id from the route, its summary, what it supports. */
import { computed } from 'vue';
import type { ComputedRef } from 'vue';
import { useRoute } from 'vue-router';
import { LOCAL_CLUSTER_ID } from '../../../console/contract/clusters.ts';
import type { Capability, ClusterDetail, ClusterSummary, Feature } from '../../../console/contract/clusters.ts';
import type { Overview } from '../../../console/contract/overview.ts';
import type { ProcessStatus } from '../../../console/contract/processes.ts';
import { touches } from '../../app/live/changes.store.ts';
import { useLive } from '../../app/live/use-live.ts';
import type { Live } from '../../app/live/use-live.ts';
import { useClient } from '../../app/rpc/use-console.ts';

export function useClusterId(): ComputedRef<string> {
  const route = useRoute();
  return computed(() => (typeof route.params.clusterId === 'string' ? route.params.clusterId : LOCAL_CLUSTER_ID));
}

export function useClusterList(): Live<readonly ClusterSummary[]> {
  const client = useClient();
  const clusterId = useClusterId();
  return useLive({
    clusterId: () => clusterId.value,
    key: () => ['clusters'],
    query: () => client.clusters.list(),
    on: (changes) => touches(changes, ['cluster', 'brokers', 'processes']),
    // Other clusters than the one that is shown tell of no changes here.
    everyMs: 4_000,
  });
}

/** The processes of a local cluster, told at once; of another one there are none. */
export function useProcesses(enabled?: () => boolean): Live<readonly ProcessStatus[]> {
  const client = useClient();
  const clusterId = useClusterId();
  const clusters = useClusterList();
  return useLive({
    clusterId: () => clusterId.value,
    key: () => ['processes'],
    query: () => client.processes.list({ clusterId: clusterId.value }),
    on: (changes) => touches(changes, ['processes']),
    minIntervalMs: 150,
    enabled: () => clusters.data.value?.find(({ id }) => id === clusterId.value)?.kind === 'local' && enabled?.() !== false,
  });
}

/** `everyMs`: also asked for when nothing changes, as a rate falls to nothing without any change. */
export function useOverview(everyMs?: number): Live<Overview> {
  const client = useClient();
  const clusterId = useClusterId();
  return useLive({
    clusterId: () => clusterId.value,
    key: () => ['overview'],
    query: () => client.overview.get({ clusterId: clusterId.value }),
    on: (changes) => touches(changes, ['cluster', 'brokers', 'processes', 'topics', 'partitions', 'groups', 'offsets']),
    minIntervalMs: 700,
    everyMs,
  });
}

export interface ClusterView {
  readonly clusterId: ComputedRef<string>;
  readonly cluster: ComputedRef<ClusterDetail | undefined>;
  /** Why a feature or action cannot be used here; null: it can. While nothing is known yet, it can. */
  readonly reasonAgainst: (feature: Feature, effect?: 'read' | 'write') => string | null;
  readonly live: Live<ClusterDetail>;
}

export function reasonAgainst(
  cluster: ClusterDetail | undefined,
  feature: Feature,
  effect: 'read' | 'write',
  readOnlyText: string,
): string | null {
  if (cluster === undefined) return null;
  if (effect === 'write' && cluster.readOnly) return readOnlyText;
  const capability: Capability | undefined = cluster.capabilities.find((candidate) => candidate.feature === feature);
  return capability === undefined || capability.supported ? null : (capability.reason ?? feature);
}

export function useCluster(readOnlyText = 'This cluster is read-only'): ClusterView {
  const client = useClient();
  const clusterId = useClusterId();
  const live = useLive({
    clusterId: () => clusterId.value,
    key: () => ['cluster'],
    query: () => client.clusters.get({ clusterId: clusterId.value }),
    on: (changes) => touches(changes, ['cluster', 'brokers']),
  });
  return {
    clusterId,
    cluster: live.data,
    live,
    reasonAgainst: (feature, effect = 'read') => reasonAgainst(live.data.value, feature, effect, readOnlyText),
  };
}
