/**
 * Who becomes leader, for each cause of an election. Pure: from the assignment, the ISR and who is alive to the next state.
 *
 * | strategy            | candidates, in the assignment's order        | new ISR                                |
 * |---------------------|-----------------------------------------------|----------------------------------------|
 * | offline             | live and in sync; else, if unclean, any live  | live members; else the new leader only |
 * | reassign            | live and in sync, target replicas first       | unchanged                              |
 * | preferred           | the first replica, if live and in sync        | unchanged                              |
 * | controlled-shutdown | live, in sync and not shutting down           | without those shutting down            |
 *
 * Each result says why, for the state-change log and the timeline.
 * Source: kafka.controller.Election, PartitionLeaderElectionAlgorithms; KIP-704 for the recovering leader.
 */
import { newLeaderAndIsr, newRecoveringLeaderAndIsr, type LeaderAndIsr } from '../zk/leader-and-isr.ts';
import { targetReplicas } from '../zk/replica-assignment.ts';
import type { ControllerContext, ControllerPartition } from './controller-context.ts';

export type ElectionStrategy =
  | { readonly kind: 'offline'; readonly allowUnclean: boolean }
  | { readonly kind: 'reassign' }
  | { readonly kind: 'preferred' }
  | { readonly kind: 'controlled-shutdown' };

export interface ElectionResult {
  readonly partition: ControllerPartition;
  /** The state to write, or undefined when no replica may lead. */
  readonly leaderAndIsr: LeaderAndIsr | undefined;
  /** Who is told. */
  readonly recipients: readonly number[];
  readonly unclean: boolean;
  readonly reason: string;
}

/** `uncleanAllowed` matters to the strategy `offline` only: the topic's unclean.leader.election.enable, or the strategy's allowUnclean. */
export function electLeader(
  context: ControllerContext,
  strategy: ElectionStrategy,
  partition: ControllerPartition,
  current: LeaderAndIsr,
  uncleanAllowed: boolean,
): ElectionResult {
  switch (strategy.kind) {
    case 'offline':
      return leaderForOffline(context, partition, current, uncleanAllowed);
    case 'reassign':
      return leaderForReassign(context, partition, current);
    case 'preferred':
      return leaderForPreferredReplica(context, partition, current);
    default:
      return leaderForControlledShutdown(context, partition, current);
  }
}

function leaderForOffline(
  context: ControllerContext,
  partition: ControllerPartition,
  current: LeaderAndIsr,
  uncleanAllowed: boolean,
): ElectionResult {
  const replicas = partition.assignment.replicas;
  const live = replicas.filter((replica) => context.isReplicaOnline(replica, partition));
  const inSync = live.find((replica) => current.isr.includes(replica));
  if (inSync !== undefined) {
    const isr = current.isr.filter((replica) => context.isReplicaOnline(replica, partition));
    const reason = `${lossOf(current)}; ${inSync} is the first live in-sync replica of [${replicas.join(', ')}]`;
    return { partition, leaderAndIsr: newLeaderAndIsr(current, inSync, isr), recipients: live, unclean: false, reason };
  }
  const anyLive = live[0];
  if (uncleanAllowed && anyLive !== undefined) {
    const reason = `${lossOf(current)} and no replica of the ISR [${current.isr.join(', ')}] is live; unclean election of ${anyLive} is allowed: records may be lost`;
    return { partition, leaderAndIsr: newRecoveringLeaderAndIsr(current, anyLive, [anyLive]), recipients: live, unclean: true, reason };
  }
  const reason =
    anyLive === undefined
      ? `${lossOf(current)} and no replica of [${replicas.join(', ')}] is live`
      : `${lossOf(current)} and no replica of the ISR [${current.isr.join(', ')}] is live; unclean election of [${live.join(', ')}] is not allowed`;
  return { partition, leaderAndIsr: undefined, recipients: live, unclean: false, reason };
}

function lossOf(current: LeaderAndIsr): string {
  return current.leader < 0 ? 'there was no leader' : `leader ${current.leader} went offline`;
}

function leaderForReassign(context: ControllerContext, partition: ControllerPartition, current: LeaderAndIsr): ElectionResult {
  const target = targetReplicas(partition.assignment);
  // The others count while the target is still catching up: a leader that the assignment has no more must go all the same.
  const candidates = [...new Set([...target, ...partition.assignment.replicas])];
  const leader = candidates.find((replica) => context.isReplicaOnline(replica, partition) && current.isr.includes(replica));
  const reason =
    leader === undefined
      ? `no replica of [${candidates.join(', ')}] is live and in sync`
      : `leader ${current.leader} is not among the live target replicas [${target.join(', ')}]; ${leader} is the first in sync`;
  const leaderAndIsr = leader === undefined ? undefined : newLeaderAndIsr(current, leader, current.isr);
  return { partition, leaderAndIsr, recipients: candidates, unclean: false, reason };
}

function leaderForPreferredReplica(context: ControllerContext, partition: ControllerPartition, current: LeaderAndIsr): ElectionResult {
  const { replicas } = partition.assignment;
  const preferred = replicas[0];
  const eligible = preferred !== undefined && context.isReplicaOnline(preferred, partition) && current.isr.includes(preferred);
  const reason = eligible
    ? `${preferred} is the preferred replica of [${replicas.join(', ')}]`
    : `the preferred replica ${preferred ?? 'none'} is not live and in sync`;
  const leaderAndIsr = eligible ? newLeaderAndIsr(current, preferred, current.isr) : undefined;
  return { partition, leaderAndIsr, recipients: replicas, unclean: false, reason };
}

function leaderForControlledShutdown(context: ControllerContext, partition: ControllerPartition, current: LeaderAndIsr): ElectionResult {
  const { replicas } = partition.assignment;
  const leaving = context.shuttingDownBrokerIds;
  const recipients = replicas.filter((replica) => context.isReplicaOnline(replica, partition, true));
  const leader = recipients.find((replica) => current.isr.includes(replica) && !leaving.has(replica));
  if (leader === undefined) {
    const reason = `no live in-sync replica of [${replicas.join(', ')}] would stay: shutting down [${[...leaving].join(', ')}]`;
    return { partition, leaderAndIsr: undefined, recipients, unclean: false, reason };
  }
  const isr = current.isr.filter((replica) => !leaving.has(replica));
  const reason = `leader ${current.leader} is shutting down; ${leader} is the first live in-sync replica of [${replicas.join(', ')}]`;
  return { partition, leaderAndIsr: newLeaderAndIsr(current, leader, isr), recipients, unclean: false, reason };
}
