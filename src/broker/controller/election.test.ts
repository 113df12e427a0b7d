import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { initialLeaderAndIsr, LeaderRecoveryState, type LeaderAndIsr } from '../zk/leader-and-isr.ts';
import { reassignTo, replicaAssignmentOf } from '../zk/replica-assignment.ts';
import { ControllerContext, type ControllerPartition } from './controller-context.ts';
import { electLeader } from './election.ts';
import { brokerInfoOf } from './testing/controller-cluster.ts';

function contextWith(live: readonly number[], shuttingDown: readonly number[] = []): ControllerContext {
  const context = new ControllerContext();
  context.setLiveBrokers([...live, ...shuttingDown].map((id) => ({ broker: brokerInfoOf(id), brokerEpoch: id })));
  for (const id of shuttingDown) context.shuttingDownBrokerIds.add(id);
  context.addTopic('t', undefined);
  return context;
}

function partitionOf(context: ControllerContext, replicas: readonly number[]): ControllerPartition {
  const partition = context.getOrCreatePartition('t', 0);
  partition.assignment = replicaAssignmentOf(replicas);
  return partition;
}

const state = (leader: number, isr: readonly number[]): LeaderAndIsr => ({
  ...initialLeaderAndIsr(leader, isr),
  leaderEpoch: 4,
  partitionEpoch: 9,
});

describe('offline', () => {
  it('follows the order of the assignment, not of the ISR', () => {
    const context = contextWith([2, 3]);
    const result = electLeader(
      context,
      { kind: 'offline', allowUnclean: false },
      partitionOf(context, [1, 3, 2]),
      state(1, [1, 2, 3]),
      false,
    );
    expect(result.leaderAndIsr).toMatchObject({ leader: 3, isr: [2, 3], leaderEpoch: 5, partitionEpoch: 9 });
    expect(result.recipients).toEqual([3, 2]);
  });

  it('keeps a recovering partition recovering when its leader changes inside the ISR', () => {
    const context = contextWith([2]);
    const recovering = { ...state(1, [1, 2]), leaderRecoveryState: LeaderRecoveryState.RECOVERING };
    const result = electLeader(context, { kind: 'offline', allowUnclean: false }, partitionOf(context, [1, 2]), recovering, false);
    expect(result.leaderAndIsr?.leaderRecoveryState).toBe(LeaderRecoveryState.RECOVERING);
  });

  it('elects outside the ISR only when that is allowed, alone in the new ISR and recovering', () => {
    const context = contextWith([3]);
    const partition = partitionOf(context, [1, 2, 3]);
    const strategy = { kind: 'offline', allowUnclean: false } as const;
    expect(electLeader(context, strategy, partition, state(1, [1, 2]), false).leaderAndIsr).toBeUndefined();
    const unclean = electLeader(context, strategy, partition, state(1, [1, 2]), true);
    expect(unclean).toMatchObject({
      unclean: true,
      leaderAndIsr: { leader: 3, isr: [3], leaderRecoveryState: LeaderRecoveryState.RECOVERING },
    });
  });
});

it('preferred: only the first replica, only when live and in sync, and the ISR stays', () => {
  const context = contextWith([1, 2]);
  const partition = partitionOf(context, [1, 2]);
  expect(electLeader(context, { kind: 'preferred' }, partition, state(2, [2, 1]), false).leaderAndIsr).toMatchObject({
    leader: 1,
    isr: [2, 1],
  });
  expect(electLeader(context, { kind: 'preferred' }, partition, state(2, [2]), false).leaderAndIsr).toBeUndefined();
});

it('reassign: only target replicas', () => {
  const context = contextWith([1, 2, 3]);
  const partition = partitionOf(context, [1, 2]);
  partition.assignment = reassignTo(partition.assignment, [3, 2]);
  expect(partition.assignment).toEqual({ replicas: [3, 2, 1], addingReplicas: [3], removingReplicas: [1] });
  expect(electLeader(context, { kind: 'reassign' }, partition, state(1, [1, 2]), false).leaderAndIsr).toMatchObject({
    leader: 2,
    isr: [1, 2],
  });
});

it('controlled shutdown: not to one that is leaving, and those leave the ISR', () => {
  const context = contextWith([2, 3], [1]);
  const partition = partitionOf(context, [1, 2, 3]);
  const result = electLeader(context, { kind: 'controlled-shutdown' }, partition, state(1, [1, 2, 3]), false);
  expect(result.leaderAndIsr).toMatchObject({ leader: 2, isr: [2, 3] });
  // The one that leaves is told too: it must stop leading.
  expect(result.recipients).toEqual([1, 2, 3]);
  expect(electLeader(context, { kind: 'controlled-shutdown' }, partition, state(1, [1]), false).leaderAndIsr).toBeUndefined();
});

it('no clean election ever gives a leader that is dead or was not in the ISR, or loses every member of it', () => {
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      ids,
      fc.subarray([1, 2, 3, 4, 5, 6]),
      fc.subarray([1, 2, 3, 4, 5, 6]),
      fc.constantFrom('offline', 'preferred', 'controlled-shutdown'),
      (replicas, live, leaving, kind) => {
        const context = contextWith(
          live.filter((id) => !leaving.includes(id)),
          live.filter((id) => leaving.includes(id)),
        );
        const isr = replicas.filter((_, index) => index % 2 === 0);
        const strategy = kind === 'offline' ? ({ kind, allowUnclean: false } as const) : { kind };
        const { leaderAndIsr } = electLeader(context, strategy, partitionOf(context, replicas), state(isr[0]!, isr), false);
        if (leaderAndIsr === undefined) return;
        expect(isr).toContain(leaderAndIsr.leader);
        expect(context.isLiveBroker(leaderAndIsr.leader)).toBe(true);
        expect(leaderAndIsr.isr).toContain(leaderAndIsr.leader);
        for (const member of leaderAndIsr.isr) expect(isr).toContain(member);
        expect(leaderAndIsr.leaderEpoch).toBe(5);
      },
    ),
  );
});
