import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ConsoleClient } from '../../../console/contract/contract.ts';
import { ChannelClosedError } from '../../../console/transport/channel.ts';
import { connectWithRetry, retryDelayMs } from './connection.ts';
import type { ConsolePeer } from './connection.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function peer(version: string): ConsolePeer & { end: (reason: string) => void } {
  const closed = Promise.withResolvers<string | undefined>();
  const hello = { product: 'samsa', version, host: 'browser', serverTimeMs: 0 };
  // Of the whole contract only what these tests call.
  const client = { session: { hello: () => Promise.resolve(hello) } } as unknown as ConsoleClient;
  return { client, closed: closed.promise, close: () => undefined, end: closed.resolve };
}

it('lets calls wait for the first connection', async () => {
  const first = Promise.withResolvers<ConsolePeer>();
  const connection = connectWithRetry(() => first.promise);
  const answer = connection.client.session.hello();
  first.resolve(peer('1'));
  await expect(answer).resolves.toMatchObject({ version: '1' });
  expect(connection.generation.value).toBe(1);
});

it('fails calls at once while it is lost, connects again by itself, and counts generations', async () => {
  const a = peer('a');
  const b = peer('b');
  const answers = [Promise.resolve(a), Promise.reject(new Error('refused')), Promise.resolve(b)];
  answers[1]?.catch(() => undefined);
  const connection = connectWithRetry(() => answers.shift() ?? Promise.reject(new Error('none left')));
  await connection.client.session.hello();

  a.end('the server went away');
  await vi.advanceTimersByTimeAsync(0);
  expect(connection.state.value).toMatchObject({ kind: 'lost', reason: 'the server went away' });
  await expect(connection.client.session.hello()).rejects.toBeInstanceOf(ChannelClosedError);

  await vi.advanceTimersByTimeAsync(retryDelayMs(1) + retryDelayMs(2));
  expect(connection.state.value.kind).toBe('connected');
  expect(connection.generation.value).toBe(2);
  await expect(connection.client.session.hello()).resolves.toMatchObject({ version: 'b' });
});

it('does not wait for the backoff when told to try now', async () => {
  const connect = vi.fn(() => Promise.reject<ConsolePeer>(new Error('refused')));
  const connection = connectWithRetry(connect);
  await vi.advanceTimersByTimeAsync(0);
  expect(connect).toHaveBeenCalledTimes(1);
  connection.retryNow();
  await vi.advanceTimersByTimeAsync(0);
  expect(connect).toHaveBeenCalledTimes(2);
});

it('backs off from 250 ms to 5 s', () => {
  expect([1, 2, 3, 5, 6, 100].map(retryDelayMs)).toEqual([250, 500, 1000, 4000, 5000, 5000]);
});
