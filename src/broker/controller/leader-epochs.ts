/**
 * The next leader epoch for partitions whose leader and ISR stay: a reassignment's changes of the replica set must fence what was
 * sent before. Source: KafkaController.updateLeaderEpoch.
 */
import type { LeaderAndIsr } from '../zk/leader-and-isr.ts';
import { newLeaderAndIsr } from '../zk/leader-and-isr.ts';
import { ControllerMovedError } from '../zk/zk-errors.ts';
import type { ControllerPartition } from './controller-context.ts';
import type { ControllerParts } from './controller-parts.ts';

/** Epochs lost to a concurrent write of the state are tried again so often. */
const MAX_ATTEMPTS = 100;

/** Resolves with the partitions whose epoch moved, in ZooKeeper and memory; the others have a line in the state-change log. */
export async function incrementLeaderEpochs(
  parts: ControllerParts,
  partitions: readonly ControllerPartition[],
): Promise<readonly ControllerPartition[]> {
  const { context, zk, stateChangeLogger } = parts;
  const moved: ControllerPartition[] = [];
  const fail = (partition: ControllerPartition, why: string): void =>
    stateChangeLogger.log.error(`the leader epoch of ${partition.name} could not be moved on: ${why}`);
  let remaining = partitions;
  for (let attempt = 1; remaining.length > 0; attempt++) {
    if (attempt > MAX_ATTEMPTS) {
      for (const partition of remaining) fail(partition, `its state was changed by others ${MAX_ATTEMPTS} times`);
      break;
    }
    const changes = new Map<ControllerPartition, LeaderAndIsr>();
    for (const [partition, state] of await zk.topics.getPartitionStates(remaining)) {
      if (state === undefined) fail(partition, 'it has no state in ZooKeeper');
      else if (state instanceof Error) fail(partition, state.message);
      else if (state.controllerEpoch > context.epoch) fail(partition, `the controller of epoch ${state.controllerEpoch} wrote its state`);
      else changes.set(partition, newLeaderAndIsr(state.leaderAndIsr, state.leaderAndIsr.leader, state.leaderAndIsr.isr));
    }
    const { finished, retry } = await zk.topics.updateLeaderAndIsr(changes, context.epoch, context.epochZkVersion);
    for (const [partition, outcome] of finished) {
      if (outcome instanceof ControllerMovedError) throw outcome;
      if (outcome instanceof Error) {
        fail(partition, outcome.message);
        continue;
      }
      partition.leadership = { leaderAndIsr: outcome, controllerEpoch: context.epoch };
      moved.push(partition);
    }
    remaining = retry;
  }
  return moved;
}
