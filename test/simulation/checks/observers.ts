/**
 * Looks on inside of the brokers: who is told to lead in which epoch, who appends in it, which controller speaks in which epoch. The
 * methods of the real classes are wrapped once for this process of ours; what they do is not changed.
 */
import { Partition } from '../../../src/broker/replication/partition.ts';
import { ReplicaManager } from '../../../src/broker/replication/replica-manager.ts';
import type { LeaderAndIsrRequest } from '../../../src/protocol/generated/leader-and-isr.ts';
import { ZERO_UUID } from '../../../src/protocol/uuid.ts';
import type { World } from '../world/world.ts';
import { wrapMethod } from '../wrap-method.ts';
import type { History } from './history.ts';

interface Observed {
  readonly world: World;
  readonly history: History;
  readonly controllers: Map<number, number>;
  /** By topic id, partition and leader epoch: the leader as the controller says, and who appended. */
  readonly leaders: Map<string, number>;
  readonly appenders: Map<string, string>;
}

let observed: Observed | undefined;
let isInstalled = false;

/** From now on everything is seen on behalf of `world`. */
export function observe(world: World, history: History): void {
  install();
  observed = { world, history, controllers: new Map(), leaders: new Map(), appenders: new Map() };
}

export function stopObserving(): void {
  observed = undefined;
}

function install(): void {
  if (isInstalled) return;
  isInstalled = true;
  wrapMethod(
    ReplicaManager.prototype,
    'becomeLeaderOrFollower',
    (original) =>
      function (this: ReplicaManager, request, onLeadershipChange) {
        onLeaderAndIsr(request);
        return original.call(this, request, onLeadershipChange);
      },
  );
  wrapMethod(
    Partition.prototype,
    'appendRecordsToLeader',
    (original) =>
      function (this: Partition, records, options) {
        const result = original.call(this, records, options);
        if (result.ok) onAppend(this);
        return result;
      },
  );
}

function onLeaderAndIsr({ controllerEpoch, controllerId, topicStates }: LeaderAndIsrRequest): void {
  if (observed === undefined) return;
  onlyOne(observed.controllers, controllerEpoch, controllerId, 'controllers', `controller epoch ${controllerEpoch}`);
  for (const { topicId, topicName, partitionStates } of topicStates) {
    for (const { partitionIndex, leader, leaderEpoch } of partitionStates) {
      if (topicId === ZERO_UUID || leader < 0) continue;
      const what = `${topicName}-${partitionIndex} in leader epoch ${leaderEpoch}`;
      onlyOne(observed.leaders, `${topicId}:${partitionIndex}:${leaderEpoch}`, leader, 'leaders', what);
    }
  }
}

function onAppend({ topicPartition: { topic, partition }, topicId, leaderEpoch }: Partition): void {
  if (observed === undefined) return;
  const broker = observed.world.current?.machine.name ?? 'nobody';
  const what = `${topic}-${partition} in leader epoch ${leaderEpoch}`;
  onlyOne(observed.appenders, `${topicId}:${partition}:${leaderEpoch}`, broker, 'brokers that append', what);
}

function onlyOne<Key, Value>(known: Map<Key, Value>, key: Key, value: Value, who: string, where: string): void {
  const before = known.get(key);
  if (before === undefined) known.set(key, value);
  else if (before !== value) observed?.history.violate(`two ${who} for ${where}: ${String(before)} and ${String(value)}`);
}
