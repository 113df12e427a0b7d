import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { NetworkFaults } from './network-faults.ts';

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const thing of opened.splice(0).toReversed()) thing.close();
});

interface Echo {
  readonly port: number;
  received: string;
}

async function echoServer(): Promise<Echo> {
  const server: Server = createServer((socket) => {
    socket.on('data', (chunk) => {
      echo.received += String(chunk);
      socket.write(chunk);
    });
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push({ close: () => server.close() });
  const echo: Echo = { port: (server.address() as AddressInfo).port, received: '' };
  return echo;
}

interface Client {
  readonly socket: Socket;
  received: string;
}

async function clientTo(port: number): Promise<Client> {
  const socket = connect(port, '127.0.0.1');
  opened.push({ close: () => socket.destroy() });
  const client: Client = { socket, received: '' };
  socket.on('data', (chunk) => (client.received += String(chunk)));
  await once(socket, 'connect');
  return client;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** A message there and back on a link without faults: whatever else was to pass had its chance. */
async function roundTrip(client: Client): Promise<void> {
  const expected = `${client.received}.`;
  client.socket.write('.');
  await until(() => client.received === expected);
}

function faults(): NetworkFaults {
  const made = new NetworkFaults();
  opened.push(made);
  return made;
}

describe('a network fault', () => {
  it('holds what is written to a blocked port, on connections there are and new ones, until it is lifted', async () => {
    const network = faults();
    const [blocked, other] = [await echoServer(), await echoServer()];
    const [before, free] = [await clientTo(blocked.port), await clientTo(other.port)];
    network.set({ blockedPorts: [blocked.port], blockAccepted: false });
    const after = await clientTo(blocked.port);
    before.socket.write('one');
    after.socket.write('two');
    await roundTrip(free);
    expect(blocked.received).toBe('');
    network.set({ blockedPorts: [], blockAccepted: false });
    await until(() => before.received === 'one' && after.received === 'two');
  });

  it('holds what comes back, also when the owner asks to read on', async () => {
    const network = faults();
    const [blocked, other] = [await echoServer(), await echoServer()];
    const [client, free] = [await clientTo(blocked.port), await clientTo(other.port)];
    client.socket.write('one');
    await until(() => blocked.received === 'one');
    network.set({ blockedPorts: [blocked.port], blockAccepted: false });
    const soFar = client.received;
    client.socket.resume();
    await roundTrip(free);
    expect(client.received).toBe(soFar);
    network.set({ blockedPorts: [], blockAccepted: false });
    await until(() => client.received === 'one');
  });

  it('leaves a socket paused that its owner paused meanwhile', async () => {
    const network = faults();
    const blocked = await echoServer();
    const client = await clientTo(blocked.port);
    network.set({ blockedPorts: [blocked.port], blockAccepted: false });
    client.socket.pause();
    network.set({ blockedPorts: [], blockAccepted: false });
    expect(client.socket.isPaused()).toBe(true);
    client.socket.resume();
    await roundTrip(client);
  });

  it('holds the connections that others opened to this process', async () => {
    const network = faults();
    const server = await echoServer();
    const client = await clientTo(server.port);
    await roundTrip(client);
    network.set({ blockedPorts: [], blockAccepted: true });
    client.socket.write('held');
    const another = await clientTo(server.port);
    another.socket.write('too');
    for (let count = 0; count < 20; count++) await turn();
    expect(server.received).toBe('.');
    network.set({ blockedPorts: [], blockAccepted: false });
    await until(() => client.received === '.held' && another.received === 'too');
  });
});
