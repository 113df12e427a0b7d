import { afterEach, describe, expect, it } from 'vitest';
import { encodeResponse } from '../protocol/frames.ts';
import { ApiVersions } from '../protocol/generated/api-versions.ts';
import { FindCoordinator } from '../protocol/generated/find-coordinator.ts';
import { Metadata } from '../protocol/generated/metadata.ts';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import { silentLogger } from '../runtime/node/node-logger.ts';
import { ManualTime } from '../runtime/testing/manual-time.ts';
import { ClientClosedError, DisconnectedError, RequestTimeoutError, SendQueueFullError, UnsupportedVersionError } from './errors.ts';
import { NetworkClient } from './network-client.ts';
import type { NetworkClientOptions } from './network-client.ts';
import { DISCONNECT, FakeBroker, metadataOf, SILENCE } from './testing/fake-broker.ts';
import { FakeNet } from './testing/fake-net.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const noTopics = { topics: [] };

async function withBroker(options: Partial<NetworkClientOptions> = {}) {
  const broker = await FakeBroker.start();
  broker.on(Metadata, () => metadataOf(new Map([[1, broker.port]]), 1));
  const client = new NetworkClient({ runtime: createNodeRuntime(silentLogger), clientId: 'test', ...options });
  cleanups.push(
    () => broker.stop(),
    () => client.close(),
  );
  return { broker, client, node: { id: 1, host: '127.0.0.1', port: broker.port } };
}

describe('NetworkClient on a real socket', () => {
  it('negotiates versions once per connection and sends with the highest that both sides have', async () => {
    const { broker, client, node } = await withBroker();
    broker.on(Metadata, () => metadataOf(new Map(), 1), { maxVersion: 7 });
    const response = await client.send(node, Metadata, noTopics);
    await client.send(node, Metadata, noTopics);
    expect(response.clusterId).toBe('fake-cluster');
    expect(broker.asked.map(({ apiKey, apiVersion }) => [apiKey, apiVersion])).toEqual([
      [ApiVersions.key, 3],
      [Metadata.key, 7],
      [Metadata.key, 7],
    ]);
  });

  it('asks for ApiVersions again in the version that the answer of an older broker names', async () => {
    const { broker, client, node } = await withBroker();
    broker.onRaw(ApiVersions.key, ({ apiVersion, correlationId }) => {
      const apiKeys = [
        { apiKey: ApiVersions.key, minVersion: 0, maxVersion: 1 },
        { apiKey: Metadata.key, minVersion: 0, maxVersion: 5 },
      ];
      const [shape, errorCode] = apiVersion > 1 ? [0, 35] : [apiVersion, 0];
      return Buffer.concat(encodeResponse(ApiVersions, shape, correlationId, { errorCode, apiKeys })).subarray(4);
    });
    await client.send(node, Metadata, noTopics);
    expect(broker.asked.map(({ apiVersion }) => apiVersion)).toEqual([3, 1, 5]);
  });

  it('sends without asking for versions when told to', async () => {
    const { broker, client, node } = await withBroker({ skipApiVersions: true });
    await client.send(node, Metadata, noTopics, { version: 4 });
    expect(broker.asked.map(({ apiKey, apiVersion }) => [apiKey, apiVersion])).toEqual([[Metadata.key, 4]]);
  });

  it('makes the body from the negotiated version', async () => {
    const { broker, client, node } = await withBroker();
    broker.on(Metadata, () => metadataOf(new Map(), 1), { maxVersion: 3 });
    const seen: number[] = [];
    await client.send(node, Metadata, (version) => {
      seen.push(version);
      return noTopics;
    });
    expect(seen).toEqual([3]);
  });

  it('rejects an API that the broker lacks, and a version range that does not overlap, without losing the connection', async () => {
    const { broker, client, node } = await withBroker();
    await expect(client.send(node, FindCoordinator, { key: 'g' })).rejects.toBeInstanceOf(UnsupportedVersionError);
    broker.on(Metadata, () => metadataOf(new Map(), 1), { maxVersion: 3 });
    client.closeConnection(1);
    await expect(client.send(node, Metadata, noTopics, { minVersion: 9 })).rejects.toThrow(/9 to \d+, the broker has 0 to 3/);
    await client.send(node, Metadata, noTopics);
    expect(broker.connectionCount).toBe(2);
  });

  it('keeps at most maxInFlightPerNode requests unanswered and answers them in order', async () => {
    const { broker, client, node } = await withBroker({ maxInFlightPerNode: 2 });
    const gate = Promise.withResolvers<void>();
    let unanswered = 0;
    broker.on(Metadata, async () => {
      unanswered++;
      await gate.promise;
      return metadataOf(new Map(), broker.askedFor(Metadata).length);
    });
    const order: number[] = [];
    const all = [1, 2, 3, 4, 5].map((number) => client.send(node, Metadata, noTopics).then(() => order.push(number)));
    await expect.poll(() => unanswered).toBe(1);
    expect(client.pendingCount(1)).toBe(5);
    gate.resolve();
    await Promise.all(all);
    expect(order).toEqual([1, 2, 3, 4, 5]);
    expect(broker.connectionCount).toBe(1);
  });

  it('rejects what is in flight when the broker closes, and connects again for what waits', async () => {
    const { broker, client, node } = await withBroker({ maxInFlightPerNode: 1, reconnectBackoffMs: 1 });
    let count = 0;
    broker.on(Metadata, () => (++count === 1 ? DISCONNECT : metadataOf(new Map(), 7)));
    const first = client.send(node, Metadata, noTopics);
    const second = client.send(node, Metadata, noTopics);
    await expect(first).rejects.toBeInstanceOf(DisconnectedError);
    expect((await second).controllerId).toBe(7);
    expect(broker.connectionCount).toBe(2);
  });

  it('closes the connection on a response with another correlation id', async () => {
    const { broker, client, node } = await withBroker();
    broker.onRaw(Metadata.key, ({ apiVersion, correlationId }) =>
      Buffer.concat(encodeResponse(Metadata, apiVersion, correlationId + 1, metadataOf(new Map(), 1))).subarray(4),
    );
    await expect(client.send(node, Metadata, noTopics)).rejects.toThrow(/correlation id/);
  });

  it.each([
    ['a body that can not be decoded', ({ correlationId }: { correlationId: number }) => int32s(correlationId, 0x7fff_ffff, 1)],
    ['no correlation id', () => Buffer.from([1])],
  ])('counts a response with %s as a lost connection', async (_name, answer) => {
    const { broker, client, node } = await withBroker();
    broker.onRaw(Metadata.key, answer);
    await expect(client.send(node, Metadata, noTopics)).rejects.toBeInstanceOf(DisconnectedError);
  });

  it('refuses a response that is larger than allowed before allocating for it', async () => {
    const { broker, client, node } = await withBroker({ maxResponseBytes: 1_000 });
    broker.onRaw(Metadata.key, () => Buffer.alloc(1_001));
    await expect(client.send(node, Metadata, noTopics)).rejects.toThrow(/1001 bytes was announced; 0 to 1000/);
  });

  it('rejects with the reason when nobody listens, and tells who watches', async () => {
    const { broker, client, node } = await withBroker();
    await broker.stop();
    const lost: number[] = [];
    client.onDisconnected(({ id }) => lost.push(id));
    await expect(client.send(node, Metadata, noTopics)).rejects.toThrow(/ECONNREFUSED/);
    expect(lost).toEqual([1]);
  });

  it('connects anew when a node has moved to another port', async () => {
    const { broker, client, node } = await withBroker();
    const other = await FakeBroker.start();
    cleanups.push(() => other.stop());
    other.on(Metadata, () => metadataOf(new Map(), 42));
    await client.send(node, Metadata, noTopics);
    expect((await client.send({ ...node, port: other.port }, Metadata, noTopics)).controllerId).toBe(42);
    expect(broker.connectionCount).toBe(1);
  });

  it('resolves what has no response once it is written', async () => {
    const { broker, client, node } = await withBroker();
    broker.on(Metadata, () => SILENCE);
    await expect(client.send(node, Metadata, noTopics, { expectsResponse: false })).resolves.toBeUndefined();
    await expect.poll(() => broker.askedFor(Metadata).length).toBe(1);
  });

  it('rejects everything once closed', async () => {
    const { broker, client, node } = await withBroker();
    broker.on(Metadata, () => SILENCE);
    const pending = client.send(node, Metadata, noTopics);
    await expect.poll(() => broker.askedFor(Metadata).length).toBe(1);
    await client.close();
    await expect(pending).rejects.toBeInstanceOf(ClientClosedError);
    await expect(client.send(node, Metadata, noTopics)).rejects.toBeInstanceOf(ClientClosedError);
  });
});

function onManualTime(options: Partial<NetworkClientOptions> = {}) {
  const time = new ManualTime();
  const net = new FakeNet();
  const client = new NetworkClient({
    runtime: { clock: time, scheduler: time, net, logger: silentLogger },
    clientId: 'test',
    skipApiVersions: true,
    ...options,
  });
  const node = { id: 1, host: 'localhost', port: 9092 };
  const send = (timeoutMs?: number) => {
    const outcome = client.send(node, Metadata, noTopics, timeoutMs === undefined ? {} : { timeoutMs }).then(
      (body) => body.controllerId,
      (error: Error) => error,
    );
    return outcome;
  };
  const answer = (correlationId: number, throttleTimeMs = 0) =>
    net.last.receive(
      Buffer.concat(encodeResponse(Metadata, Metadata.maxVersion, correlationId, { ...metadataOf(new Map(), 5), throttleTimeMs })),
    );
  return { time, net, client, node, send, answer };
}

describe('NetworkClient in time', () => {
  it('closes the connection of a request that is not answered in time, and rejects the others as disconnected', async () => {
    const { time, net, send } = onManualTime({ requestTimeoutMs: 1_000 });
    const slow = send();
    const other = send(60_000);
    net.last.accept();
    await time.advance(999);
    expect(net.last.destroyed).toBe(false);
    await time.advance(1);
    expect(await slow).toBeInstanceOf(RequestTimeoutError);
    expect(await other).toBeInstanceOf(DisconnectedError);
    expect(net.last.destroyed).toBe(true);
  });

  it('rejects a request that times out before it could be sent and leaves the connection alone', async () => {
    const { time, net, send, answer } = onManualTime({ maxInFlightPerNode: 1 });
    const first = send(10_000);
    const waiting = send(100);
    net.last.accept();
    await time.advance(100);
    expect(await waiting).toBeInstanceOf(RequestTimeoutError);
    answer(0);
    expect(await first).toBe(5);
    expect(net.last.written).toHaveLength(1);
  });

  it('gives up a connection that is not set up in time', async () => {
    const { time, net, send } = onManualTime({ connectionSetupTimeoutMs: 500, requestTimeoutMs: 30_000 });
    const request = send();
    await time.advance(500);
    expect(await request).toBeInstanceOf(DisconnectedError);
    expect(net.last.destroyed).toBe(true);
  });

  it('waits longer after each failed attempt, up to the maximum, and starts over after a success', async () => {
    const { time, net, client, send } = onManualTime({ reconnectBackoffMs: 50, reconnectBackoffMaxMs: 150 });
    for (const [attempt, delayMs] of [0, 50, 100, 150, 150].entries()) {
      const request = send();
      if (delayMs > 0) {
        expect(client.stateOf(1)).toBe('backing-off');
        await time.advance(delayMs - 1);
        expect(net.sockets).toHaveLength(attempt);
        await time.advance(1);
      }
      expect(net.sockets).toHaveLength(attempt + 1);
      net.last.fail('refused');
      expect(await request).toBeInstanceOf(DisconnectedError);
    }
    await time.advance(150);
    void send();
    net.last.accept();
    net.last.fail('reset');
    await time.settle();
    void send();
    await time.advance(50);
    expect(net.sockets).toHaveLength(7);
  });

  it('closes an idle connection, and not one with a request in flight', async () => {
    const { time, net, send, answer } = onManualTime({ connectionsMaxIdleMs: 1_000, requestTimeoutMs: 10_000 });
    const request = send();
    net.last.accept();
    await time.advance(1_500);
    expect(net.last.destroyed).toBe(false);
    answer(0);
    await request;
    await time.advance(2_000);
    expect(net.last.destroyed).toBe(true);
    void send();
    expect(net.sockets).toHaveLength(2);
  });

  it('lets what is written leave when it is closed, but not for ever', async () => {
    const { time, net, client, send } = onManualTime({ requestTimeoutMs: 60_000 });
    const request = send();
    net.last.accept();
    net.last.bufferedBytes = 100;
    void client.close();
    expect(await request).toBeInstanceOf(ClientClosedError);
    expect([net.last.ended, net.last.destroyed]).toEqual([true, false]);
    await time.advance(5_000);
    expect(net.last.destroyed).toBe(true);
  });

  it('sends nothing while the broker has it throttled', async () => {
    const { time, net, send, answer } = onManualTime();
    const first = send();
    net.last.accept();
    answer(0, 300);
    await first;
    void send();
    await time.advance(299);
    expect(net.last.written).toHaveLength(1);
    await time.advance(1);
    expect(net.last.written).toHaveLength(2);
  });

  it('refuses more requests than may wait', async () => {
    const { send } = onManualTime({ maxQueuedPerNode: 2 });
    void send();
    void send();
    expect(await send()).toBeInstanceOf(SendQueueFullError);
  });

  it('leaves no timer behind when it is closed', async () => {
    const { time, net, client, send } = onManualTime();
    void send();
    net.last.accept();
    void send();
    await client.close();
    expect(time.pendingCount).toBe(0);
  });
});

function int32s(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeInt32BE(value, index * 4);
  return bytes;
}
