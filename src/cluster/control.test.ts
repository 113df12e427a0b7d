import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import { silentLogger } from '../runtime/node/node-logger.ts';
import { checkControlRequest, CLIENTS, ControlError, MAX_REQUEST_BYTES } from './control-contract.ts';
import type { ClusterControl, ClusterEvent, ClusterStatus, PowerLoss, ProcessStatus, Reshaped } from './control-contract.ts';
import type { ClusterChange } from './cluster-change.ts';
import { newClusterSpec, SpecError } from './cluster-spec.ts';
import type { ClusterSpec } from './cluster-spec.ts';
import { connectControl } from './control-client.ts';
import { ControlServer } from './control-server.ts';

const runtime = createNodeRuntime(silentLogger);
const cleanups: (() => unknown)[] = [];
let folder: string;
let socketPath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samsa-control-'));
  socketPath = join(folder, 'control.sock');
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  rmSync(folder, { recursive: true, force: true });
});

/** A cluster that only remembers and tells. */
class FakeCluster implements ClusterControl {
  readonly listeners = new Set<(event: ClusterEvent) => void>();
  readonly acts: string[] = [];
  status(): Promise<ClusterStatus> {
    return Promise.resolve({ state: 'running' } as ClusterStatus);
  }
  act(processId: string, action: string): Promise<ProcessStatus> {
    this.acts.push(`${action} ${processId}`);
    if (processId === 'broker-9') return Promise.reject(new ControlError('unknown-process', 'there is no broker-9'));
    return Promise.resolve({ id: processId } as ProcessStatus);
  }
  cutOff(processId: string, from: readonly string[]): Promise<ProcessStatus> {
    this.acts.push(`cut off ${processId} from ${from.join(' ')}`);
    return Promise.resolve({ id: processId } as ProcessStatus);
  }
  losePower(processId: string): Promise<PowerLoss> {
    this.acts.push(`power loss of ${processId}`);
    return Promise.resolve({ brokerId: 1, atMs: 0, logs: [] });
  }
  configure(changes: Readonly<Record<string, string | null>>): Promise<void> {
    this.acts.push(`configure ${JSON.stringify(changes)}`);
    return Promise.resolve();
  }
  readSpec(): Promise<ClusterSpec> {
    return Promise.resolve(newClusterSpec());
  }
  reshape(change: ClusterChange): Promise<Reshaped> {
    this.acts.push(`reshape ${JSON.stringify(change)}`);
    if (change.brokers?.length === 0) return Promise.reject(new SpecError('the cluster: brokers', 'must be a list of 1 to 32'));
    return Promise.resolve({ awaitRestart: ['broker-1'] });
  }
  query(processId: string, name: string, input: unknown, timeoutMs?: number): Promise<string> {
    return Promise.resolve(JSON.stringify({ processId, name, input, timeoutMs }));
  }
  logs() {
    return Promise.resolve({ lines: [{ sequence: 1, atMs: null, level: null, component: null, text: 'ä'.repeat(100_000) }], dropped: 0 });
  }
  stop(): Promise<void> {
    return Promise.resolve();
  }
  onEvent(listener: (event: ClusterEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  emit(event: ClusterEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}

async function serve(): Promise<FakeCluster> {
  const cluster = new FakeCluster();
  const server = new ControlServer(cluster, silentLogger);
  const listener = await runtime.net.listen({ path: socketPath }, (socket) => {
    socket.write([Buffer.from('{"samsa":1,"pid":7}\n')]);
    server.accept(socket);
  });
  cleanups.push(
    () => listener.close(),
    () => server.close(),
  );
  return cluster;
}

async function attach() {
  const client = await connectControl({ runtime, socketPath, timeoutMs: 2_000 });
  cleanups.push(() => client.close());
  return client;
}

describe('the control socket', () => {
  it('answers each request with its own result, errors with their code', async () => {
    const cluster = await serve();
    const client = await attach();
    const [status, act, failed, logs] = await Promise.allSettled([
      client.status(),
      client.act('broker-1', 'kill'),
      client.act('broker-9', 'stop'),
      client.logs('broker-1', { after: 0, max: 10 }),
    ]);
    expect(status).toMatchObject({ value: { state: 'running' } });
    expect(act).toMatchObject({ value: { id: 'broker-1' } });
    expect(failed).toMatchObject({ reason: { code: 'unknown-process', message: 'there is no broker-9' } });
    expect(logs).toMatchObject({ value: { lines: [{ text: 'ä'.repeat(100_000) }] } });
    expect(JSON.parse(await client.query('broker-1', 'broker.info', { n: 1 }, 70))).toEqual({
      processId: 'broker-1',
      name: 'broker.info',
      input: { n: 1 },
      timeoutMs: 70,
    });
    await client.cutOff('broker-1', ['broker-2', CLIENTS]);
    expect(cluster.acts).toEqual(['kill broker-1', 'stop broker-9', 'cut off broker-1 from broker-2 clients']);
  });

  it('carries the spec and its changes, and tells one that makes none in the spec’s words', async () => {
    const cluster = await serve();
    const client = await attach();
    expect(await client.readSpec()).toEqual(newClusterSpec());
    const change = { brokers: [{ id: 1, port: null }], config: { 'a.b': null } };
    expect(await client.reshape(change)).toEqual({ awaitRestart: ['broker-1'] });
    expect(cluster.acts).toEqual([`reshape ${JSON.stringify(change)}`]);
    await expect(client.reshape({ brokers: [] })).rejects.toThrow('the cluster: brokers must be a list of 1 to 32');
    await expect(client.reshape({ brokers: [{ id: 1, port: 0 }] })).rejects.toMatchObject({
      code: 'bad-request',
      message: 'the change.brokers[0].port is 0; a whole number from 1 to 65535 is allowed',
    });
    expect(cluster.acts).toHaveLength(2);
  });

  it('sends events to those that subscribed, until they are gone', async () => {
    const cluster = await serve();
    const client = await attach();
    const seen: ClusterEvent[] = [];
    client.onEvent((event) => seen.push(event));
    await expect.poll(() => cluster.listeners.size).toBe(1);
    cluster.emit({ type: 'cluster', state: 'stopping', atMs: 1 });
    await expect.poll(() => seen).toEqual([{ type: 'cluster', state: 'stopping', atMs: 1 }]);
    client.close();
    await expect.poll(() => cluster.listeners.size).toBe(0);
  });

  it.each([
    ['what is not JSON', Buffer.from('hello\n')],
    ['a line longer than allowed', Buffer.alloc(MAX_REQUEST_BYTES + 1, 0x61)],
  ])('cuts a peer off that sends %s, and serves the others', async (_name, bytes) => {
    await serve();
    const client = await attach();
    const peer = connect({ path: socketPath });
    peer.on('error', () => {});
    peer.resume();
    peer.write(bytes);
    await once(peer, 'close');
    expect(await client.status()).toMatchObject({ state: 'running' });
  });

  it('says what is wrong with a request, and goes on', async () => {
    await serve();
    const peer = connect({ path: socketPath });
    cleanups.push(() => peer.destroy());
    const lines: string[] = [];
    peer.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n').filter(Boolean)));
    peer.write('{"id":4,"verb":"dance"}\n{"id":5,"verb":"status"}\n');
    await expect.poll(() => lines.length).toBe(3);
    expect(lines[1]).toContain('verb \\"dance\\" is unknown');
    expect(JSON.parse(lines[2] ?? '')).toEqual({ id: 5, ok: true, result: { state: 'running' } });
  });

  it('tells a client at once when the supervisor is gone', async () => {
    const silent = createServer((socket) => {
      socket.write('{"samsa":1,"pid":7}\n');
      socket.once('data', () => socket.destroy());
    }).listen(socketPath);
    await once(silent, 'listening');
    cleanups.push(() => silent.close());
    const client = await attach();
    const closed = new Promise<void>((resolve) => client.onClose(resolve));
    await expect(client.status()).rejects.toMatchObject({ code: 'disconnected' });
    await closed;
    await expect(client.status()).rejects.toMatchObject({ code: 'disconnected' });
    // One that is gone has stopped, also when it went before it could say so.
    await client.stop();
  });

  it('does not wait for ever for a supervisor that accepts and says nothing', async () => {
    const mute = createServer(() => {}).listen(socketPath);
    await once(mute, 'listening');
    cleanups.push(() => mute.close());
    await expect(connectControl({ runtime, socketPath, timeoutMs: 50 })).rejects.toMatchObject({ code: 'timeout' });
  });
});

describe('a request on the control socket', () => {
  it('is a request or a ControlError, whatever was sent', () => {
    const near = fc.record({
      id: fc.anything(),
      verb: fc.constantFrom('act', 'logs', 'status', 'x'),
      processId: fc.anything(),
      action: fc.anything(),
      query: fc.anything(),
    });
    fc.assert(
      fc.property(fc.oneof(fc.anything(), near), (value) => {
        try {
          checkControlRequest(value);
        } catch (error) {
          expect(error).toBeInstanceOf(ControlError);
        }
      }),
    );
  });
});
