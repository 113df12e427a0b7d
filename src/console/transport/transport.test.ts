import { MessageChannel } from 'node:worker_threads';
import type { AddressInfo } from 'node:net';
import { ORPCError } from '@orpc/client';
import { implement } from '@orpc/server';
import * as fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket as ServerSideSocket, WebSocketServer } from 'ws';
import { oc } from '@orpc/contract';
import { z } from 'zod';
import type { Channel } from './channel.ts';
import { ChannelClosedError, MAX_REQUEST_CHARS, MAX_RESPONSE_CHARS } from './channel.ts';
import { connectConsole } from './client.ts';
import { fromBase64, toBase64 } from './codec.ts';
import { failureOf } from './failure-of.ts';
import { portChannel } from './port-channel.ts';
import { createConsoleHandler, problemWith } from './serve.ts';
import { browserSocketChannel, serverSocketChannel } from './websocket-channel.ts';

/** A small contract of its own: what the transport does must not depend on the real one. */
const contract = {
  echo: oc
    .input(z.object({ text: z.string(), bytes: z.instanceof(Uint8Array).optional() }))
    .output(z.custom<{ text: string; bytes?: Uint8Array }>()),
  large: oc.input(z.object({ chars: z.int() })).output(z.custom<string>()),
  fail: oc.output(z.custom<null>()),
  never: oc.output(z.custom<null>()),
  stream: oc.output(z.custom<AsyncIteratorObject<string, void, void>>()),
};

interface TestClient {
  echo(input: { text: string; bytes?: Uint8Array }): Promise<{ text: string; bytes?: Uint8Array }>;
  large(input: { chars: number }): Promise<string>;
  fail(): Promise<null>;
  never(input?: undefined, options?: { signal: AbortSignal }): Promise<null>;
  stream(): Promise<AsyncIterableIterator<string>>;
}

const seen = { streamsEnded: 0, aborted: 0 };
const CHUNK_CHARS = 64 * 1024;

function makeRouter() {
  const os = implement(contract);
  return os.router({
    echo: os.echo.handler(({ input }) => input as { text: string; bytes?: Uint8Array }),
    large: os.large.handler(({ input }) => 'x'.repeat(input.chars)),
    fail: os.fail.handler(() => {
      throw new Error('a secret path');
    }),
    never: os.never.handler(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => {
            seen.aborted++;
            reject(new Error('aborted'));
          });
        }),
    ),
    stream: os.stream.handler(async function* stream() {
      try {
        for (;;) {
          yield 'x'.repeat(CHUNK_CHARS);
        }
      } finally {
        seen.streamsEnded++;
      }
    }),
  });
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

interface Pair {
  readonly ours: Channel;
  readonly serverErrors: string[];
  /** Sends what no channel of ours would. */
  sendRaw(data: unknown): void;
  readonly serverClosed: () => boolean;
}

function portPair(): Pair {
  const { port1, port2 } = new MessageChannel();
  const serverErrors: string[] = [];
  let closed = false;
  createConsoleHandler(makeRouter())(portChannel(port2, MAX_REQUEST_CHARS), {
    context: {},
    onError: (reason) => serverErrors.push(reason),
    onClose: () => {
      closed = true;
    },
  });
  cleanups.push(() => port1.close());
  return {
    ours: portChannel(port1, MAX_RESPONSE_CHARS),
    serverErrors,
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
    sendRaw: (data) => port1.postMessage(data),
    serverClosed: () => closed,
  };
}

async function socketPair(): Promise<Pair> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: MAX_REQUEST_CHARS });
  await new Promise((resolve) => server.once('listening', resolve));
  cleanups.push(() => server.close());
  const serverErrors: string[] = [];
  let closed = false;
  server.on('connection', (socket) => {
    createConsoleHandler(makeRouter())(serverSocketChannel(socket, MAX_REQUEST_CHARS), {
      context: {},
      onError: (reason) => serverErrors.push(reason),
      onClose: () => {
        closed = true;
      },
    });
  });
  const socket = new ServerSideSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  cleanups.push(() => socket.terminate());
  const ours = browserSocketChannel(socket, MAX_RESPONSE_CHARS);
  await new Promise((resolve) => socket.once('open', resolve));
  return { ours, serverErrors, sendRaw: (data) => socket.send(data as string), serverClosed: () => closed };
}

const kinds: [string, () => Pair | Promise<Pair>][] = [
  ['a message port', portPair],
  ['a WebSocket', socketPair],
];

describe.each(kinds)('the contract over %s', (_, makePair) => {
  const connect = (pair: Pair): { client: TestClient; closed: Promise<string | undefined>; close: () => void } => {
    const { client, closed, close } = connectConsole(pair.ours);
    return { client: client as unknown as TestClient, closed, close };
  };

  test('answers a call, with bytes as bytes', async () => {
    const { client } = connect(await makePair());
    const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => at % 256);
    const answer = await client.echo({ text: 'héllo', bytes });
    expect(answer.text).toBe('héllo');
    expect(answer.bytes).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(answer.bytes ?? []).equals(Buffer.from(bytes))).toBe(true);
  });

  test('a procedure that throws is answered, without its message, and the channel lives', async () => {
    const { client } = connect(await makePair());
    const error: unknown = await client.fail().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ORPCError);
    expect(JSON.stringify(error)).not.toContain('secret');
    expect((await client.echo({ text: 'still here' })).text).toBe('still here');
  });

  test('an input that the schema refuses is an invalid failure that names the field', async () => {
    const { client } = connect(await makePair());
    const error: unknown = await client.echo({ text: 1 as unknown as string }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'BAD_REQUEST', data: { issues: [expect.objectContaining({ path: ['text'] })] } });
  });

  test('an answer over the limit is an error for that call only', async () => {
    const { client } = connect(await makePair());
    const error: unknown = await client.large({ chars: MAX_RESPONSE_CHARS + 1 }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'FAILURE', message: expect.stringContaining('over the limit') });
    expect((await client.large({ chars: 1000 })).length).toBe(1000);
  });

  test.each([
    ['no JSON', 'garbage'],
    ['no id', '{}'],
    ['headers', '{"i":"1","p":{"u":"/echo","h":{"content-type":"multipart/form-data; boundary=x"}}}'],
    ['a client stream', '{"i":"1","t":3,"p":{"e":"message","d":1}}'],
    ['a prototype path', '{"i":"1","p":{"u":"/__proto__/x"}}'],
    ['too long', `"${'x'.repeat(MAX_REQUEST_CHARS)}"`],
  ])('a message with %s closes that channel and nothing else', async (_name, message) => {
    const pair = await makePair();
    const { client, closed } = connect(pair);
    const waiting = client.never().catch((error: unknown) => error);
    pair.sendRaw(message);
    await closed;
    expect(await waiting).toBeInstanceOf(ChannelClosedError);
    await expect.poll(() => pair.serverClosed()).toBe(true);
    await expect(client.echo({ text: 'late' })).rejects.toBeInstanceOf(ChannelClosedError);
  });

  test('what is not text closes the channel', async () => {
    const pair = await makePair();
    const { closed } = connect(pair);
    pair.sendRaw(new Uint8Array([1, 2, 3]));
    await closed;
    await expect.poll(() => pair.serverClosed()).toBe(true);
  });

  test('a stream that its reader leaves ends on the server and frees the channel', async () => {
    const pair = await makePair();
    const { client } = connect(pair);
    const ended = seen.streamsEnded;
    const stream = await client.stream();
    const first = await stream.next();
    expect(first.value).toHaveLength(CHUNK_CHARS);
    await stream.return?.();
    await expect.poll(() => seen.streamsEnded).toBe(ended + 1);
    expect((await client.echo({ text: 'free' })).text).toBe('free');
  });

  test('a closed channel aborts what runs on the server', async () => {
    const pair = await makePair();
    const { client, close } = connect(pair);
    const before = seen.aborted;
    const waiting = client.never().catch((error: unknown) => error);
    await client.echo({ text: 'the call before has arrived' });
    close();
    expect(await waiting).toBeInstanceOf(ChannelClosedError);
    await expect.poll(() => seen.aborted).toBe(before + 1);
  });

  test('an aborted call is rejected and aborted on the server', async () => {
    const pair = await makePair();
    const { client } = connect(pair);
    const before = seen.aborted;
    const controller = new AbortController();
    const waiting = client.never(undefined, { signal: controller.signal }).catch((error: unknown) => error);
    await client.echo({ text: 'arrived' });
    controller.abort(new Error('enough'));
    expect(await waiting).toMatchObject({ message: 'enough' });
    await expect.poll(() => seen.aborted).toBe(before + 1);
  });
});

test('a port holds its sender back while the other side handles nothing', async () => {
  const { port1, port2 } = new MessageChannel();
  cleanups.push(() => port1.close());
  const channel = portChannel(port1, MAX_RESPONSE_CHARS);
  channel.start({ onMessage: () => undefined, onClose: () => undefined });
  let sent = 0;
  const message = 'x'.repeat(CHUNK_CHARS);
  const sending = (async (): Promise<void> => {
    for (let at = 0; at < 200; at++) {
      await channel.send(message);
      sent++;
    }
  })();
  await new Promise((resolve) => setImmediate(resolve));
  const held = sent;
  expect(held * CHUNK_CHARS).toBeLessThanOrEqual(2 * 1024 * 1024 + CHUNK_CHARS);
  portChannel(port2, MAX_RESPONSE_CHARS).start({ onMessage: () => undefined, onClose: () => undefined });
  await sending;
  expect(sent).toBe(200);
});

test('an acknowledgement of more than was sent closes the port', async () => {
  const { port1, port2 } = new MessageChannel();
  const closed = new Promise((resolve) => portChannel(port1, 100).start({ onMessage: () => undefined, onClose: resolve }));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
  port2.postMessage('+5');
  expect(await closed).toBe('an acknowledgement is wrong');
});

test('base64 keeps every byte', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70_000 }), (bytes) => Buffer.from(fromBase64(toBase64(bytes))).equals(Buffer.from(bytes))),
    { numRuns: 50 },
  );
});

test('no JSON value is taken for a message but a request or an abort', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(typeof problemWith(text)).toBe('string');
    }),
    { numRuns: 300 },
  );
  expect(problemWith('{"i":"1","p":{"u":"/topics/open","b":{"json":{}}}}')).toBeUndefined();
  expect(problemWith('{"i":"1","t":4}')).toBeUndefined();
});

describe('a failure for the page', () => {
  test('is the data of a FAILURE, as it is', () => {
    const data = {
      kind: 'kafka',
      api: 'CreateTopics',
      code: 36,
      name: 'TOPIC_ALREADY_EXISTS',
      brokerId: 1,
      message: 'there',
      retriable: false,
      timeoutMs: null,
    };
    expect(failureOf(new ORPCError('FAILURE', { data }))).toEqual(data);
  });

  test('names the field that a schema refuses', () => {
    const error = new ORPCError('BAD_REQUEST', { data: { issues: [{ message: 'too long', path: ['name'] }] } });
    expect(failureOf(error)).toMatchObject({ kind: 'invalid', message: 'name: too long', retriable: false });
  });

  test('of a lost connection is unreachable and worth another try', () => {
    expect(failureOf(new ChannelClosedError('gone'))).toMatchObject({ kind: 'unreachable', retriable: true });
  });

  test('is made of anything that is thrown, also of a FAILURE whose data is not one', () => {
    for (const thrown of [undefined, null, 'text', new Error('boom'), new ORPCError('FAILURE', { data: { kind: 'nonsense' } })]) {
      expect(failureOf(thrown).kind).toBe('internal');
    }
  });
});
