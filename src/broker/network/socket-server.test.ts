import { afterEach, describe, expect, it } from 'vitest';
import { ApiVersions } from '../../protocol/generated/api-versions.ts';
import { Heartbeat, type HeartbeatRequest } from '../../protocol/generated/heartbeat.ts';
import { Produce, type ProduceRequest } from '../../protocol/generated/produce.ts';
import { SyncGroup } from '../../protocol/generated/sync-group.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { route, type Route } from '../api/kafka-apis.ts';
import { parseKafkaConfig } from '../config/kafka-config.ts';
import type { BrokerRequest } from './broker-request.ts';
import { networkSnapshot } from './network-snapshot.ts';
import { RawClient, requestBytes } from './testing/raw-client.ts';
import { startTestServer, type TestServer, until } from './testing/test-server.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(routes: readonly Route[], properties?: Record<string, string>, serve = true): Promise<TestServer> {
  const server = await startTestServer(routes, properties, serve);
  cleanups.push(() => server.close());
  return server;
}

async function connect(port: number, host?: string): Promise<RawClient> {
  const client = await RawClient.connect(port, host);
  cleanups.push(() => client.close());
  return client;
}

const heartbeat = (memberId: string) => ({ groupId: 'g', generationId: 1, memberId });

/** Answers a heartbeat with the number in its member id as error code. */
const echo = route(Heartbeat, (request) => request.respond({ errorCode: Number(request.body.memberId) }));

/** Keeps heartbeats until the test answers them. */
function parking(): { route: Route; parked: BrokerRequest<HeartbeatRequest>[] } {
  const parked: BrokerRequest<HeartbeatRequest>[] = [];
  return { parked, route: route(Heartbeat, (request) => void parked.push(request as BrokerRequest<HeartbeatRequest>)) };
}

/** A handler that holds its slot until `release`. */
function holding(): { route: Route; running: string[]; release: () => void } {
  const running: string[] = [];
  const releases: (() => void)[] = [];
  return {
    running,
    release: () => releases.shift()?.(),
    route: route(Heartbeat, async (request) => {
      running.push(request.body.memberId);
      await new Promise<void>((resolve) => releases.push(resolve));
      request.respond({ errorCode: Number(request.body.memberId) });
    }),
  };
}

describe('serving', () => {
  it('advertises exactly the APIs that have a handler', async () => {
    const { port } = await start([echo]);
    const client = await connect(port);
    const { apiKeys, errorCode } = await client.call(ApiVersions, 3, { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' });
    expect(errorCode).toBe(ErrorCode.NONE);
    expect(apiKeys).toEqual([
      { apiKey: 12, minVersion: 0, maxVersion: 4 },
      { apiKey: 18, minVersion: 0, maxVersion: 4 },
    ]);
  });

  it('answers an ApiVersions request of a future version with v0 and goes on', async () => {
    const { port } = await start([echo]);
    const client = await connect(port);
    const future = requestBytes(ApiVersions, 3, 7, { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' });
    future.writeInt16BE(77, 6);
    client.write(future);
    const frame = await client.nextFrame();
    // Correlation id 7, error 35, one API: 18, versions 0 to 4.
    expect(frame.toString('hex')).toBe('00000007002300000001001200000004');
    expect((await client.call(ApiVersions, 0, {})).errorCode).toBe(ErrorCode.NONE);
  });

  it('refuses a client software name that could spoil a log line or a metric', async () => {
    const { port } = await start([echo]);
    const client = await connect(port);
    const answer = await client.call(ApiVersions, 3, { clientSoftwareName: 'a b\n', clientSoftwareVersion: '1' });
    expect(answer.errorCode).toBe(ErrorCode.INVALID_REQUEST);
  });

  it('remembers what a client said of itself', async () => {
    const { port, server } = await start([echo]);
    const client = await connect(port);
    await client.call(ApiVersions, 3, { clientSoftwareName: 'librdkafka', clientSoftwareVersion: '2.0.2' });
    const [connection] = server.connections();
    expect(connection).toMatchObject({
      clientSoftwareName: 'librdkafka',
      clientSoftwareVersion: '2.0.2',
      clientId: 'raw-client',
      requestCount: 1,
    });
  });

  it('serves localhost on IPv4 and IPv6 with one port', async () => {
    const { port } = await start([echo], { listeners: 'PLAINTEXT://localhost:0' });
    for (const host of ['127.0.0.1', '::1']) {
      const client = await connect(port, host);
      expect((await client.call(Heartbeat, 4, heartbeat('5'))).errorCode).toBe(5);
    }
  });

  it('advertises the port it was given for 0, and a host for all interfaces', async () => {
    const { port, server } = await start([echo], { listeners: 'PLAINTEXT://:0' });
    expect(server.advertisedEndPoints('here.example')).toEqual([
      { listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'here.example', port },
    ]);
    const client = await connect(port);
    expect((await client.call(Heartbeat, 4, heartbeat('5'))).errorCode).toBe(5);
    expect(server.connections()[0]?.remoteAddress).toBe('127.0.0.1');
  });

  it('lets connections wait until request processing is enabled', async () => {
    const { server, port } = await start([], {}, false);
    const client = await connect(port);
    client.send(Heartbeat, 0, heartbeat('9'));
    const { KafkaApis } = await import('../api/kafka-apis.ts');
    const { silentLogger } = await import('../../runtime/node/node-logger.ts');
    server.enableRequestProcessing(new KafkaApis({ routes: [echo], logger: silentLogger }));
    expect((await client.nextFrame()).readInt16BE(4)).toBe(9);
  });

  it('names the port that is taken and leaves nothing bound', async () => {
    const { port } = await start([echo]);
    await expect(
      startTestServer([echo], {
        listeners: `A://127.0.0.1:0,B://127.0.0.1:${port}`,
        'listener.security.protocol.map': 'A:PLAINTEXT,B:PLAINTEXT',
        'inter.broker.listener.name': 'A',
      }),
    ).rejects.toMatchObject({ code: 'EADDRINUSE', port });
  });
});

describe('order and muting', () => {
  it('answers pipelined requests in their order, one at a time', async () => {
    const { route: parkingRoute, parked } = parking();
    const { port } = await start([parkingRoute]);
    const client = await connect(port);
    for (const memberId of ['1', '2', '3']) client.send(Heartbeat, 4, heartbeat(memberId));
    for (const expected of [1, 2, 3]) {
      await until(() => parked.length === 1);
      const request = parked.pop();
      expect(request?.body.memberId).toBe(String(expected));
      request?.respond({ errorCode: expected });
      expect((await client.nextFrame()).readInt32BE(0)).toBe(expected);
    }
  });

  it('handles a thousand requests that arrive in one piece', async () => {
    const { port } = await start([echo]);
    const client = await connect(port);
    client.write(Buffer.concat(Array.from({ length: 1000 }, (_, index) => requestBytes(Heartbeat, 4, index, heartbeat(String(index))))));
    for (let index = 0; index < 1000; index++) expect((await client.nextFrame()).readInt32BE(0)).toBe(index);
  });

  it('gathers a request that comes byte by byte', async () => {
    const { port } = await start([echo]);
    const client = await connect(port);
    for (const byte of requestBytes(Heartbeat, 4, 1, heartbeat('42'))) {
      client.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.nextFrame()).readInt32BE(0)).toBe(1);
  });

  it('goes on after a request that gets no answer', async () => {
    const { port } = await start([echo, route(Produce, (request: BrokerRequest<ProduceRequest>) => request.respondNothing())]);
    const client = await connect(port);
    client.send(Produce, 9, { acks: 0, timeoutMs: 1, topicData: [] });
    expect((await client.call(Heartbeat, 4, heartbeat('6'))).errorCode).toBe(6);
  });

  it('does not let one connection wait for another whose request is parked', async () => {
    const { route: parkingRoute, parked } = parking();
    const { port } = await start([parkingRoute], { 'num.io.threads': '1', 'num.network.threads': '1' });
    const first = await connect(port);
    first.send(Heartbeat, 4, heartbeat('1'));
    await until(() => parked.length === 1);
    const second = await connect(port);
    second.send(Heartbeat, 4, heartbeat('2'));
    await until(() => parked.length === 2);
    for (const request of parked.toReversed()) request.respond({ errorCode: Number(request.body.memberId) });
    expect((await second.nextFrame()).readInt16BE(9)).toBe(2);
    expect((await first.nextFrame()).readInt16BE(9)).toBe(1);
  });
});

describe('back-pressure', () => {
  it('runs no more handlers at once than num.io.threads, and keeps the others in the queue', async () => {
    const { route: holdingRoute, running, release } = holding();
    const { port, server } = await start([holdingRoute], { 'num.io.threads': '2', 'queued.max.requests': '10' });
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(port)));
    for (const [index, client] of clients.entries()) client.send(Heartbeat, 4, heartbeat(String(index)));
    await until(() => server.requestChannel.size === 3);
    expect(running).toHaveLength(2);
    for (let count = 0; count < 5; count++) {
      await until(() => running.length > count);
      release();
    }
    await Promise.all(clients.map((client) => client.nextFrame()));
  });

  it('stops reading sockets when the queue is full, and loses nothing', async () => {
    const { route: holdingRoute, running, release } = holding();
    const { port, server } = await start([holdingRoute], { 'num.io.threads': '1', 'queued.max.requests': '1', 'num.network.threads': '2' });
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(port)));
    for (const [index, client] of clients.entries()) {
      for (let count = 0; count < 3; count++) client.send(Heartbeat, 4, heartbeat(String(index)));
    }
    await until(() => server.processors.every((processor) => processor.isBlocked));
    expect(running).toHaveLength(1);
    expect(server.requestChannel.size).toBe(1);
    for (let count = 0; count < 60; count++) {
      await until(() => running.length > count);
      release();
    }
    for (const client of clients) for (let id = 1; id <= 3; id++) expect((await client.nextFrame()).readInt32BE(0)).toBe(id);
    expect(server.processors.some((processor) => processor.isBlocked)).toBe(false);
  });

  it('does not read the next request of a client that does not read its answers', async () => {
    const assignment = Buffer.alloc(1024 * 1024, 7);
    let handled = 0;
    const { port, server } = await start([
      route(SyncGroup, (request) => {
        handled++;
        request.respond({ errorCode: 0, assignment });
      }),
    ]);
    const client = await connect(port);
    client.socket.pause();
    for (let count = 0; count < 50; count++) client.send(SyncGroup, 0, { groupId: 'g', generationId: 1, memberId: 'm', assignments: [] });
    await until(() => server.connections()[0]?.state === 'sending');
    // The kernel's buffers take some answers; then it stays at one that isn't sent.
    expect(handled).toBeLessThan(50);
    client.socket.resume();
    for (let count = 0; count < 50; count++) expect((await client.nextFrame()).length).toBeGreaterThan(assignment.length);
    expect(handled).toBe(50);
  });

  it('lets requests in again when memory is given back', async () => {
    const { route: parkingRoute, parked } = parking();
    const { port, server } = await start([parkingRoute], { 'queued.max.request.bytes': '100', 'socket.request.max.bytes': '100' });
    const clients = await Promise.all(Array.from({ length: 4 }, () => connect(port)));
    for (const client of clients) client.send(Heartbeat, 4, heartbeat('1'.repeat(40)));
    await until(() => server.memoryPool.waitingCount === 2);
    expect(parked).toHaveLength(2);
    for (let answered = 0; answered < 4; answered++) {
      await until(() => parked.length > answered);
      parked[answered]?.respond({ errorCode: 0 });
    }
    await Promise.all(clients.map((client) => client.nextFrame()));
    expect(server.memoryPool.usedBytes).toBe(0);
  });
});

describe('bad input', () => {
  const cases: Record<string, Buffer> = {
    'a size of 2 GiB': Buffer.from('7fffffff00000000', 'hex'),
    'a negative size': Buffer.from('ffffffff00000000', 'hex'),
    'a size of nothing': Buffer.from('00000000', 'hex'),
    'a header that ends early': Buffer.from('00000003000c00', 'hex'),
    'an unknown API key': Buffer.from('0000000a03e7000000000001ffff', 'hex'),
    'an API that has no handler': Buffer.from('0000000a0003000000000001ffff', 'hex'),
    'a version that does not exist': Buffer.from('0000000a000c006300000001ffff', 'hex'),
    'a body that ends early': Buffer.from('0000000c000c000000000001ffff0005', 'hex'),
    text: Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    TLS: Buffer.from('16030100c8010000c40303', 'hex'),
  };

  for (const [name, bytes] of Object.entries(cases)) {
    it(`closes the connection after ${name}, says so once, and serves the others`, async () => {
      const { port, warnings, server } = await start([echo]);
      const healthy = await connect(port);
      const bad = await connect(port);
      bad.write(bytes);
      await bad.closed();
      expect(warnings).toHaveLength(1);
      expect((await healthy.call(Heartbeat, 4, heartbeat('3'))).errorCode).toBe(3);
      expect(server.connections()).toHaveLength(1);
      expect(server.memoryPool.usedBytes).toBe(0);
    });
  }

  it('survives random bytes on many connections', async () => {
    const { port } = await start([echo]);
    let seed = 12_345;
    const next = (): number => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff);
    for (let round = 0; round < 50; round++) {
      const bad = await connect(port);
      bad.write(Buffer.from(Array.from({ length: 1 + (next() % 200) }, () => next() & 0xff)));
      bad.socket.end();
      await bad.closed();
    }
    const healthy = await connect(port);
    expect((await healthy.call(Heartbeat, 4, heartbeat('3'))).errorCode).toBe(3);
  });

  it('forgets a request whose connection breaks off in the middle', async () => {
    const { port, server } = await start([echo], { 'queued.max.request.bytes': '104857600' });
    const client = await connect(port);
    client.write(Buffer.from('00100000000c', 'hex'));
    await until(() => server.memoryPool.usedBytes === 0x100000);
    client.close();
    await until(() => server.connections().length === 0);
    expect(server.memoryPool.usedBytes).toBe(0);
  });
});

describe('peers that go away', () => {
  it('drops the answer to a connection that is gone, and gives its memory back', async () => {
    const { route: parkingRoute, parked } = parking();
    const { port, server, warnings } = await start([parkingRoute], { 'queued.max.request.bytes': '104857600' });
    const client = await connect(port);
    client.send(Heartbeat, 4, heartbeat('1'));
    await until(() => parked.length === 1);
    client.close();
    await until(() => server.connections().length === 0);
    expect(server.memoryPool.usedBytes).toBeGreaterThan(0);
    parked[0]?.respond({ errorCode: 0 });
    await until(() => server.memoryPool.usedBytes === 0);
    expect(warnings).toEqual([]);
  });

  it('carries out what was written with acks=0 before its client left, in order, and nothing that has an answer', async () => {
    const handled: string[] = [];
    const { route: parkingRoute, parked } = parking();
    const writes: BrokerRequest<ProduceRequest>[] = [];
    const { port, server, warnings } = await start(
      [parkingRoute, route(Produce, (request) => void writes.push(request as BrokerRequest<ProduceRequest>))],
      { 'queued.max.request.bytes': '104857600' },
    );
    const client = await connect(port);
    const produce = (id: number, acks: number) =>
      requestBytes(Produce, 9, id, { acks, timeoutMs: 1, topicData: [{ name: `t${id}`, partitionData: [] }] });
    client.write(
      Buffer.concat([
        requestBytes(Heartbeat, 4, 1, heartbeat('1')),
        produce(2, 0),
        requestBytes(Heartbeat, 4, 3, heartbeat('3')),
        produce(4, 0),
        produce(5, 1),
        produce(6, 0),
        produce(7, 0).subarray(0, 20),
      ]),
    );
    client.socket.end();
    await until(() => parked.length === 1);
    await client.closed();
    parked[0]?.respond({ errorCode: 0 });
    for (let count = 1; count <= 3; count++) {
      await until(() => writes.length === count);
      handled.push(...(writes.at(-1)?.body.topicData.map(({ name }) => name) ?? []));
      writes.at(-1)?.respondNothing();
    }
    await until(() => server.connections().length === 0);
    expect(handled).toEqual(['t2', 't4', 't6']);
    expect([parked.length, server.memoryPool.usedBytes, warnings]).toEqual([1, 0, []]);
  });

  it('forgets the bytes of a request whose handler has released them', async () => {
    const { route: parkingRoute, parked } = parking();
    const { port, server } = await start([parkingRoute], { 'queued.max.request.bytes': '104857600' });
    const client = await connect(port);
    client.send(Heartbeat, 4, heartbeat('1'));
    await until(() => parked.length === 1);
    parked[0]?.releaseBody();
    expect(server.memoryPool.usedBytes).toBe(0);
    expect(() => parked[0]?.body).toThrow(/released/);
    parked[0]?.respond({ errorCode: 3 });
    expect((await client.nextFrame()).readInt16BE(9)).toBe(3);
    expect(server.memoryPool.usedBytes).toBe(0);
  });
});

describe('handlers that fail', () => {
  it('answers with the error of a KafkaError, and UNKNOWN_SERVER_ERROR for anything else', async () => {
    const errors = [new KafkaError(ErrorCode.NOT_COORDINATOR, 'not me'), new TypeError('a bug')];
    const { port } = await start([
      route(Heartbeat, () => {
        throw errors.shift() ?? new Error('no more');
      }),
    ]);
    const client = await connect(port);
    expect((await client.call(Heartbeat, 4, heartbeat('1'))).errorCode).toBe(ErrorCode.NOT_COORDINATOR);
    expect((await client.call(Heartbeat, 4, heartbeat('1'))).errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR);
  });

  it('answers when a promise rejects, and gives the slot back', async () => {
    const { port, server } = await start([route(Heartbeat, () => Promise.reject(new Error('later')))], { 'num.io.threads': '1' });
    const client = await connect(port);
    for (let count = 0; count < 3; count++)
      expect((await client.call(Heartbeat, 4, heartbeat('1'))).errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR);
    expect(server.requestHandlerPool?.active).toBe(0);
  });

  it('closes the connection of a producer that waits for no answer', async () => {
    const { port } = await start([
      route(Produce, () => {
        throw new KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER, 'no');
      }),
    ]);
    const client = await connect(port);
    client.send(Produce, 9, { acks: 0, timeoutMs: 1, topicData: [] });
    await client.closed();
  });

  it('drops a second answer instead of sending it as the answer to the next request', async () => {
    const { port, warnings } = await start([
      route(Heartbeat, (request) => {
        request.respond({ errorCode: 1 });
        request.respond({ errorCode: 2 });
      }),
    ]);
    const client = await connect(port);
    expect((await client.call(Heartbeat, 4, heartbeat('1'))).errorCode).toBe(1);
    expect((await client.call(Heartbeat, 4, heartbeat('1'))).errorCode).toBe(1);
    expect(warnings).toHaveLength(2);
  });
});

describe('connection limits', () => {
  it('closes connections above max.connections.per.ip at once, and lets new ones in when others have gone', async () => {
    const { port, server } = await start([echo], { 'max.connections.per.ip': '3' });
    const clients = await Promise.all(Array.from({ length: 3 }, () => connect(port)));
    await until(() => server.quotas.count === 3);
    const flood = await Promise.all(Array.from({ length: 20 }, () => connect(port)));
    await Promise.all(flood.map((client) => client.closed()));
    expect(server.quotas.count).toBe(3);
    clients[0]?.close();
    await until(() => server.quotas.count === 2);
    const next = await connect(port);
    expect((await next.call(Heartbeat, 4, heartbeat('8'))).errorCode).toBe(8);
  });

  it('lets connections above max.connections wait for a place', async () => {
    const { port, server } = await start([echo], { 'max.connections': '1' });
    const first = await connect(port);
    await first.call(Heartbeat, 4, heartbeat('1'));
    const second = await connect(port);
    second.send(Heartbeat, 4, heartbeat('2'));
    await first.call(Heartbeat, 4, heartbeat('1'));
    expect(second.receivedBytes).toBe(0);
    first.close();
    expect((await second.nextFrame()).readInt16BE(9)).toBe(2);
    expect(server.quotas.count).toBe(1);
  });

  it('takes a new limit while it runs', async () => {
    const { port, server } = await start([echo], { 'max.connections': '1' });
    const first = await connect(port);
    await first.call(Heartbeat, 4, heartbeat('1'));
    const second = await connect(port);
    second.send(Heartbeat, 4, heartbeat('2'));
    const base = { 'zookeeper.connect': 'unused', 'broker.id': '1' };
    server.reconfigure(parseKafkaConfig(base), parseKafkaConfig({ ...base, 'max.connections': '2', 'num.io.threads': '5' }));
    expect((await second.nextFrame()).readInt16BE(9)).toBe(2);
    expect(server.requestHandlerPool?.size).toBe(5);
  });

  it('closes the idlest client for a broker when max.connections is reached', async () => {
    const { server } = await start([echo], {
      listeners: 'CLIENT://127.0.0.1:0,PLAINTEXT://127.0.0.1:0',
      'listener.security.protocol.map': 'CLIENT:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      'max.connections': '2',
    });
    const idlest = await connect(server.boundPort('CLIENT'));
    await idlest.call(Heartbeat, 4, heartbeat('1'));
    const other = await connect(server.boundPort('CLIENT'));
    await other.call(Heartbeat, 4, heartbeat('1'));
    const broker = await connect(server.boundPort('PLAINTEXT'));
    expect((await broker.call(Heartbeat, 4, heartbeat('7'))).errorCode).toBe(7);
    await idlest.closed();
    expect((await other.call(Heartbeat, 4, heartbeat('8'))).errorCode).toBe(8);
  });

  it('deals connections to the processors in turn', async () => {
    const { port, server } = await start([echo], { 'num.network.threads': '3' });
    for (let count = 0; count < 6; count++) await connect(port);
    await until(() => server.quotas.count === 6);
    expect(server.processors.map(({ channels }) => channels.size)).toEqual([2, 2, 2]);
  });

  it('closes a connection that says nothing for connections.max.idle.ms, but not one whose request is in progress', async () => {
    const { route: parkingRoute, parked } = parking();
    const { port } = await start([parkingRoute], { 'connections.max.idle.ms': '120', 'connection.failed.authentication.delay.ms': '0' });
    const idle = await connect(port);
    const busy = await connect(port);
    busy.send(Heartbeat, 4, heartbeat('1'));
    await idle.closed();
    parked[0]?.respond({ errorCode: 4 });
    expect((await busy.nextFrame()).readInt16BE(9)).toBe(4);
  });
});

describe('stopping', () => {
  it('answers what is in progress, then closes; idle connections close at once', async () => {
    const { route: parkingRoute, parked } = parking();
    const { port, server } = await start([parkingRoute]);
    const idle = await connect(port);
    const busy = await connect(port);
    busy.send(Heartbeat, 4, heartbeat('1'));
    await until(() => parked.length === 1);
    await server.stopProcessingRequests();
    await idle.closed();
    parked[0]?.respond({ errorCode: 4 });
    expect((await busy.nextFrame()).readInt16BE(9)).toBe(4);
    await busy.closed();
    await expect(RawClient.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('shows who is connected and what each waits for', async () => {
    const { route: parkingRoute, parked } = parking();
    const { port, server } = await start([parkingRoute], { 'num.network.threads': '1' });
    const busy = await connect(port);
    busy.send(Heartbeat, 4, heartbeat('1'));
    await until(() => parked.length === 1);
    const snapshot = networkSnapshot(server, (parked[0]?.receivedMs ?? 0) + 250);
    expect(snapshot).toMatchObject({ connectionCount: 1, handlers: { active: 0, size: 8 }, requestQueue: { size: 0, capacity: 500 } });
    expect(snapshot.processors[0]?.connections).toMatchObject([
      { clientId: 'raw-client', principal: 'User:ANONYMOUS', request: { api: 'Heartbeat', version: 4, ageMs: 250, isAnswered: false } },
    ]);
  });

  it('measures each station of a request', async () => {
    const { port, metrics } = await start([echo]);
    const client = await connect(port);
    for (let count = 0; count < 3; count++) await client.call(Heartbeat, 4, heartbeat('0'));
    const samples = metrics.snapshot().filter(({ tags }) => tags.request === 'Heartbeat');
    expect(samples.find(({ name }) => name === 'RequestsPerSec')?.value).toBe(3);
    for (const name of ['RequestQueueTimeMs', 'LocalTimeMs', 'RemoteTimeMs', 'ResponseQueueTimeMs', 'ResponseSendTimeMs', 'TotalTimeMs']) {
      expect(samples.find((sample) => sample.name === name)?.value).toMatchObject({ count: 3 });
    }
  });
});
