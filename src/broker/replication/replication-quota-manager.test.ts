import { describe, expect, it } from 'vitest';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { ReplicationQuotaManager, throttledPartitionsOf } from './replication-quota-manager.ts';

function managerOf(): { time: ManualTime; quota: ReplicationQuotaManager } {
  const time = new ManualTime();
  return { time, quota: new ReplicationQuotaManager({ clock: time, windowCount: 11, windowSizeMs: 1000 }) };
}

describe('a replication throttle', () => {
  it('is exceeded by more than its rate in the first window, and not any more when enough time has passed', async () => {
    const { time, quota } = managerOf();
    quota.updateQuota(1000);
    expect(quota.isQuotaExceeded).toBe(false);
    quota.record(1000);
    expect(quota.isQuotaExceeded).toBe(false);
    quota.record(2000);
    expect(quota.isQuotaExceeded).toBe(true);
    await time.advance(2999);
    expect(quota.isQuotaExceeded).toBe(true);
    await time.advance(1);
    expect(quota.isQuotaExceeded).toBe(false);
    expect(quota.byteRate).toBe(1000);
  });

  it('forgets what is older than its windows', async () => {
    const { time, quota } = managerOf();
    quota.record(50_000);
    await time.advance(11_000);
    expect(quota.byteRate).toBe(0);
  });

  it('lets everything pass without a rate', () => {
    const { quota } = managerOf();
    quota.record(1e12);
    expect(quota.isQuotaExceeded).toBe(false);
    expect(quota.upperBound).toBe(Number.POSITIVE_INFINITY);
  });

  it('holds for the partitions marked, or all of a topic, until they are replaced', () => {
    const { quota } = managerOf();
    quota.markThrottled('t', new Set([1, 3]));
    quota.markThrottled('u', 'all');
    const throttled = (topic: string, partition: number): boolean => quota.isThrottled({ topic, partition });
    expect([throttled('t', 1), throttled('t', 2), throttled('u', 9), throttled('v', 1)]).toEqual([true, false, true, false]);
    quota.markThrottled('t', new Set([2]));
    quota.markThrottled('u', new Set());
    expect([throttled('t', 1), throttled('t', 2), throttled('u', 9)]).toEqual([false, true, false]);
  });
});

it('reads the throttled replicas of one broker', () => {
  expect(throttledPartitionsOf('0:1,1:2, 2:1', 1)).toEqual(new Set([0, 2]));
  expect(throttledPartitionsOf('*', 1)).toBe('all');
  for (const none of [undefined, '', 'none', '1:2']) expect(throttledPartitionsOf(none, 1)).toEqual(new Set());
});
