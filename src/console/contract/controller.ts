/** Who controls the cluster and what it does: of every cluster who it is; of a local one its events, what waits, reassignments and deletions. */
import type { ControllerAnswer } from '../../introspection/answers/controller.ts';
import type { Failure } from './failure.ts';
import { clusterInput } from './inputs.ts';
import { bulk, read } from './procedure.ts';

export type { ControllerAnswer, ControllerTimes } from '../../introspection/answers/controller.ts';

/** How far the new replicas of a partition have come, by its leader. */
export interface ReassignmentProgress {
  readonly topic: string;
  readonly partition: number;
  readonly sizeBytes: number;
  /** Records that the replica furthest behind of those that are added still lacks. */
  readonly lag: number;
  /** 0 to 1, of the records that the added replicas need. */
  readonly done: number;
}

export interface ControllerState {
  /** By the brokers' metadata; -1 while there is none. */
  readonly controllerId: number;
  readonly atMs: number;
  /** What the controller says of itself; null on a remote cluster, and while it doesn't answer (`failure`). */
  readonly inside: ControllerAnswer | null;
  readonly failure: Failure | null;
  readonly progress: readonly ReassignmentProgress[];
}

export const controller = {
  get: read.input(clusterInput).output(bulk<ControllerState>()),
};
