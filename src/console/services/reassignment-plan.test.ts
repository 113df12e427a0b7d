import { describe, expect, test } from 'vitest';
import { planReassignment } from './reassignment-plan.ts';

const topic = (...replicas: number[][]) => replicas.map((own, partition) => ({ partition, replicas: own }));

describe('planReassignment', () => {
  test('moves nothing where everything is well', () => {
    const now = topic([1, 2], [2, 3], [3, 1]);
    expect([...planReassignment(now, [1, 2, 3], 2).values()]).toEqual([
      [1, 2],
      [2, 3],
      [3, 1],
    ]);
  });

  test('empties a broker by moving only what it has', () => {
    const plan = planReassignment(topic([1, 2], [2, 3], [3, 1]), [2, 3, 4], 2);
    expect([...plan.values()].flat()).not.toContain(1);
    expect([plan.get(1)?.toSorted(), plan.get(0)?.includes(2), plan.get(2)?.includes(3)]).toEqual([[2, 3], true, true]);
  });

  test('gives a new broker its share with as few moves as that takes, and spreads the leaders', () => {
    const now = topic([1, 2], [2, 3], [3, 1], [1, 2], [2, 3], [3, 1]);
    const plan = planReassignment(now, [1, 2, 3, 4], 2);
    const count = (id: number): number => [...plan.values()].flat().filter((own) => own === id).length;
    expect([1, 2, 3, 4].map(count)).toEqual([3, 3, 3, 3]);
    const moved = now.reduce(
      (sum, { partition, replicas }) => sum + (plan.get(partition) ?? []).filter((id) => !replicas.includes(id)).length,
      0,
    );
    expect(moved).toBe(3);
    const leaders = [...plan.values()].map(([first]) => first);
    for (const id of [1, 2, 3, 4]) expect(leaders.filter((leader) => leader === id).length).toBeLessThanOrEqual(2);
  });

  test('raises and lowers the replication factor', () => {
    expect(planReassignment(topic([1]), [1, 2, 3], 3).get(0)).toHaveLength(3);
    expect(planReassignment(topic([3, 1, 2]), [1, 2, 3], 1).get(0)).toEqual([3]);
  });
});
