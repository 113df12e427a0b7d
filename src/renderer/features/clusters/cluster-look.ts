/** How a cluster looks: the contract names colours of a palette, here they become classes (whole names, for Tailwind's scan). */
import type { ClusterState, ClusterSummary, Environment } from '../../../console/contract/clusters.ts';

const colours: Readonly<Record<string, string>> = {
  teal: 'bg-teal-500',
  green: 'bg-green-500',
  blue: 'bg-blue-500',
  amber: 'bg-amber-500',
  orange: 'bg-orange-500',
  red: 'bg-red-500',
  pink: 'bg-pink-500',
  violet: 'bg-violet-500',
  gray: 'bg-neutral-500',
};

export function clusterColour(cluster: Pick<ClusterSummary, 'color'>): string {
  return colours[cluster.color] ?? 'bg-neutral-500';
}

const environments: Readonly<Record<Environment | 'readOnly', string>> = {
  local: 'text-teal-700 bg-teal-500/15 dark:text-teal-300',
  dev: 'text-blue-700 bg-blue-500/15 dark:text-blue-300',
  test: 'text-amber-700 bg-amber-500/20 dark:text-amber-300',
  prod: 'text-red-700 bg-red-500/15 dark:text-red-300',
  readOnly: 'text-violet-700 bg-violet-500/15 dark:text-violet-300',
};

export function environmentOf(cluster: Pick<ClusterSummary, 'environment' | 'readOnly'>): Environment | 'readOnly' {
  return cluster.readOnly ? 'readOnly' : cluster.environment;
}

export function environmentLook(cluster: Pick<ClusterSummary, 'environment' | 'readOnly'>): string {
  return environments[environmentOf(cluster)];
}

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'off';

const tones: Readonly<Record<ClusterState, Tone>> = {
  running: 'good',
  starting: 'busy',
  stopping: 'busy',
  degraded: 'warn',
  unreachable: 'bad',
  stopped: 'off',
};

export function clusterTone(state: ClusterState): Tone {
  return tones[state];
}
