import { describe, expect, it } from 'vitest';
import { ManualTime } from '../runtime/testing/manual-time.ts';
import type { LongHex } from './jute/records.ts';
import { sessionPassword } from './session-password.ts';
import { SessionTracker } from './session-tracker.ts';

const TICK_MS = 500;

function start(restored: ReadonlyMap<LongHex, number> = new Map()): { time: ManualTime; tracker: SessionTracker; expired: LongHex[] } {
  const time = new ManualTime();
  const expired: LongHex[] = [];
  const tracker = new SessionTracker(
    { clock: time, scheduler: time },
    { tickTimeMs: TICK_MS, restored, onExpired: (session) => expired.push(session.id) },
  );
  return { time, tracker, expired };
}

describe('SessionTracker', () => {
  it('expires a session after its time-out and within two ticks more', async () => {
    const { time, tracker, expired } = start();
    tracker.track('01', 2000);
    await time.advance(2000);
    expect(expired).toEqual([]);
    await time.advance(2 * TICK_MS);
    expect(expired).toEqual(['01']);
    expect(tracker.get('01')?.closing).toBe(true);
    expect(tracker.touch('01', 2000)).toBe(false);
  });

  it('lets a session live as long as there are signs of life', async () => {
    const { time, tracker, expired } = start();
    tracker.track('01', 2000);
    for (let i = 0; i < 20; i++) {
      await time.advance(1900);
      expect(tracker.touch('01', 2000)).toBe(true);
    }
    expect(expired).toEqual([]);
    await time.advance(2000 + 2 * TICK_MS);
    expect(expired).toEqual(['01']);
  });

  it('does not expire a session early when the sign of life comes between two ticks', async () => {
    const { time, tracker, expired } = start();
    tracker.track('01', 2000);
    await time.advance(TICK_MS - 1);
    tracker.touch('01', 2000);
    await time.advance(2000);
    expect(expired).toEqual([]);
  });

  it('gives restored sessions their whole time-out from the start on', async () => {
    const { time, expired } = start(new Map([['0100000000010000', 3000]]));
    await time.advance(3000);
    expect(expired).toEqual([]);
    await time.advance(2 * TICK_MS);
    expect(expired).toEqual(['0100000000010000']);
  });

  it('expires nobody because the machine was asleep', async () => {
    let nowMs = 0;
    const ticks: (() => void)[] = [];
    const expired: LongHex[] = [];
    const tracker = new SessionTracker(
      {
        clock: { wallMs: () => nowMs, monotonicMs: () => nowMs },
        scheduler: {
          every: (_periodMs, callback) => {
            ticks.push(callback);
            return { cancel: () => undefined };
          },
          after: () => ({ cancel: () => undefined }),
          endOfTurn: () => undefined,
        },
      },
      { tickTimeMs: TICK_MS, restored: new Map(), onExpired: (session) => expired.push(session.id) },
    );
    const tick = (afterMs: number): void => {
      nowMs += afterMs;
      for (const callback of ticks) callback();
    };
    tracker.track('01', 6000);
    tick(TICK_MS);
    tick(3_600_000);
    expect(expired).toEqual([]);
    // The clients are awake too now, and say so.
    expect(tracker.touch('01', 6000)).toBe(true);
    for (let i = 0; i < 12; i++) tick(TICK_MS);
    expect(expired).toEqual([]);
    for (let i = 0; i < 2; i++) tick(TICK_MS);
    expect(expired).toEqual(['01']);
  });

  it('never gives an id twice, also when the clock has gone back', () => {
    const { tracker: first } = start();
    const ids = new Set(Array.from({ length: 70_000 }, () => first.nextId()));
    expect(ids.size).toBe(70_000);
    const { tracker: second } = start(new Map(Array.from(ids, (id) => [id, 1000])));
    const next = second.nextId();
    expect(ids.has(next)).toBe(false);
    expect(next).toMatch(/^01[0-9a-f]{14}$/);
  });

  it('forgets a session that was removed', async () => {
    const { time, tracker, expired } = start();
    tracker.track('01', 1000);
    tracker.remove('01');
    await time.advance(10_000);
    expect(expired).toEqual([]);
    expect(tracker.expiryBuckets()).toEqual([]);
  });
});

describe('a session’s password', () => {
  it('is the one that Apache ZooKeeper makes of the id', () => {
    // java.util.Random(0x10000247e3e0000L ^ 0xB3415C00L).nextBytes(16)
    expect(sessionPassword('010000247e3e0000').toString('hex')).toBe('e071a791ededaf7bbe07283e7e48caea');
  });
});
