import { beforeEach, expect, test } from 'vitest';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { LeadershipDoubt } from './leadership-doubt.ts';

const SESSION_MS = 6000;

let time: ManualTime;
let isConnected: boolean;
let answers: (() => void)[];
let doubt: LeadershipDoubt;

beforeEach(() => {
  time = new ManualTime();
  isConnected = true;
  answers = [];
  doubt = new LeadershipDoubt({
    runtime: { clock: time, scheduler: time },
    sessionTimeoutMs: SESSION_MS,
    isConnectedToZooKeeper: () => isConnected,
    askZooKeeper: () => new Promise<void>((resolve) => answers.push(resolve)),
    brokerEpoch: () => 50,
  });
  doubt.startup();
});

test('a broker that runs and is connected has no doubt', async () => {
  for (let second = 0; second < 30; second++) {
    await time.advance(1000);
    expect(doubt.mayBeDeposed).toBe(false);
  }
  expect(answers).toEqual([]);
});

test('it may be deposed while it has no connection to ZooKeeper', () => {
  isConnected = false;
  expect(doubt.mayBeDeposed).toBe(true);
  isConnected = true;
  expect(doubt.mayBeDeposed).toBe(false);
});

test('after the expiry of its session it may be until the controller has spoken to a later registration', () => {
  doubt.onSessionExpired();
  expect(doubt.mayBeDeposed).toBe(true);
  doubt.onLeaderAndIsr(50);
  expect(doubt.mayBeDeposed).toBe(true);
  doubt.onLeaderAndIsr(51);
  expect(doubt.mayBeDeposed).toBe(false);
});

test('held up for so long that its session may have expired, it may be until ZooKeeper has answered', async () => {
  time.leap(SESSION_MS * (2 / 3));
  // No timer has run yet.
  expect(doubt.mayBeDeposed).toBe(true);
  await time.advance(0);
  expect(doubt.mayBeDeposed).toBe(true);
  await time.advance(3 * SESSION_MS);
  expect(doubt.mayBeDeposed).toBe(true);
  expect(answers).toHaveLength(1);
  answers[0]!();
  await time.settle();
  expect(doubt.mayBeDeposed).toBe(false);
});

test('held up again before ZooKeeper has answered, it waits for the later answer', async () => {
  time.leap(SESSION_MS);
  await time.advance(0);
  time.leap(SESSION_MS);
  await time.advance(0);
  expect(answers).toHaveLength(2);
  answers[0]!();
  await time.settle();
  expect(doubt.mayBeDeposed).toBe(true);
  answers[1]!();
  await time.settle();
  expect(doubt.mayBeDeposed).toBe(false);
});

test('held up for a moment, it has no doubt', async () => {
  time.leap(SESSION_MS / 7);
  expect(doubt.mayBeDeposed).toBe(false);
  await time.advance(0);
  expect(doubt.mayBeDeposed).toBe(false);
  expect(answers).toEqual([]);
});

test('when ZooKeeper will not answer any more, what else is known decides', async () => {
  const refused = new LeadershipDoubt({
    runtime: { clock: time, scheduler: time },
    sessionTimeoutMs: SESSION_MS,
    isConnectedToZooKeeper: () => isConnected,
    askZooKeeper: () => Promise.reject(new Error('session expired')),
    brokerEpoch: () => 50,
  });
  refused.startup();
  time.leap(SESSION_MS);
  await time.advance(0);
  expect(refused.mayBeDeposed).toBe(false);
  refused.close();
});
