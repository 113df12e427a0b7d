import { describe, expect, it } from 'vitest';
import { RestartPolicy } from './restart-policy.ts';

describe('RestartPolicy', () => {
  const delayOf = (decision: ReturnType<RestartPolicy['onDeath']>): number | 'never' => (decision.restart ? decision.delayMs : 'never');

  it('waits longer after each death, and stops after too many', () => {
    const policy = new RestartPolicy({ initialDelayMs: 100, maxDelayMs: 300, maxDeaths: 5 });
    expect([1, 2, 3, 4, 5].map((second) => delayOf(policy.onDeath(second * 1_000, undefined)))).toEqual([100, 200, 300, 300, 'never']);
  });

  it('does not count deaths from before the window', () => {
    const policy = new RestartPolicy({ initialDelayMs: 100, maxDeaths: 3, windowMs: 10_000 });
    policy.onDeath(0, undefined);
    policy.onDeath(1_000, undefined);
    expect(delayOf(policy.onDeath(11_000, undefined))).toBe(100);
  });

  it('forgets the record of a process that ran well, however many deaths there were', () => {
    const policy = new RestartPolicy({ initialDelayMs: 100, maxDeaths: 2, windowMs: 1e9, healthyAfterMs: 30_000 });
    policy.onDeath(0, undefined);
    expect(delayOf(policy.onDeath(40_000, 10_000))).toBe(100);
    expect(delayOf(policy.onDeath(50_000, 40_500))).toBe('never');
  });
});
