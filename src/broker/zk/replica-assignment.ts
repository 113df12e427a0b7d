/**
 * The replicas of a partition, and those being added and removed while it is reassigned.
 *
 * `replicas` is the full list: during a reassignment the target replicas come first, in their order, then the ones that will go.
 * `replicas[0]` is the preferred leader. Source: kafka.controller.ReplicaAssignment, KIP-455.
 */
export interface ReplicaAssignment {
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}

const NONE: readonly number[] = [];

export const EMPTY_REPLICA_ASSIGNMENT: ReplicaAssignment = { replicas: NONE, addingReplicas: NONE, removingReplicas: NONE };

export function replicaAssignmentOf(replicas: readonly number[]): ReplicaAssignment {
  return { replicas, addingReplicas: NONE, removingReplicas: NONE };
}

export function isBeingReassigned(assignment: ReplicaAssignment): boolean {
  return assignment.addingReplicas.length > 0 || assignment.removingReplicas.length > 0;
}

/** The replicas once the reassignment is through. */
export function targetReplicas(assignment: ReplicaAssignment): readonly number[] {
  if (assignment.removingReplicas.length === 0) return assignment.replicas;
  return assignment.replicas.filter((replica) => !assignment.removingReplicas.includes(replica));
}

/** The replicas from before the reassignment. */
export function originReplicas(assignment: ReplicaAssignment): readonly number[] {
  if (assignment.addingReplicas.length === 0) return assignment.replicas;
  return assignment.replicas.filter((replica) => !assignment.addingReplicas.includes(replica));
}

/** The assignment on the way from the origin of `assignment` to `target`; an unfinished reassignment is given up for it. */
export function reassignTo(assignment: ReplicaAssignment, target: readonly number[]): ReplicaAssignment {
  const origin = originReplicas(assignment);
  const fullReplicas = [...new Set([...target, ...origin])];
  return {
    replicas: fullReplicas,
    addingReplicas: fullReplicas.filter((replica) => !origin.includes(replica)),
    removingReplicas: fullReplicas.filter((replica) => !target.includes(replica)),
  };
}

/** Whether both name the same replicas, in the same order, in every part. */
export function sameAssignment(a: ReplicaAssignment, b: ReplicaAssignment): boolean {
  const same = (x: readonly number[], y: readonly number[]): boolean => x.length === y.length && x.every((replica, i) => replica === y[i]);
  return same(a.replicas, b.replicas) && same(a.addingReplicas, b.addingReplicas) && same(a.removingReplicas, b.removingReplicas);
}

export function removeReplica(assignment: ReplicaAssignment, replica: number): ReplicaAssignment {
  const others = (replicas: readonly number[]): readonly number[] => replicas.filter((other) => other !== replica);
  return {
    replicas: others(assignment.replicas),
    addingReplicas: others(assignment.addingReplicas),
    removingReplicas: others(assignment.removingReplicas),
  };
}
