import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { nodeNet } from '../runtime/node/node-net.ts';
import { nodeProcesses } from '../runtime/node/node-processes.ts';
import { nodeRandom } from '../runtime/node/node-random.ts';
import { choosePorts, isPortFree } from './ports.ts';

const runtime = { net: nodeNet, random: nodeRandom };
const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function occupy(host: string): Promise<number> {
  const server = createServer();
  servers.push(server);
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('looking for ports', () => {
  it.each(['127.0.0.1', '0.0.0.0', '::'])('sees that a port is taken by a listener on %s', async (host) => {
    expect(await isPortFree(nodeNet, await occupy(host))).toBe(false);
  });

  it('takes the next free one, but none that another process of the cluster wants, and names the holder', async () => {
    const taken = await occupy('127.0.0.1');
    const wanted = new Map([
      ['broker-1', taken],
      ['broker-2', taken + 1],
    ]);
    const { ports, moved } = await choosePorts(runtime, wanted, (port) => nodeProcesses.portHolder(port));
    expect(ports.get('broker-1')).toBeGreaterThan(taken + 1);
    expect(new Set(ports.values()).size).toBe(2);
    const own = moved.find(({ processId }) => processId === 'broker-1');
    expect(own).toMatchObject({ wanted: taken, used: ports.get('broker-1'), holder: { pid: process.pid } });
  });

  it('gives a different free port to each that asks for any, outside the range for outgoing connections', async () => {
    const wanted = new Map(Array.from({ length: 8 }, (_, index) => [`broker-${index}`, 0] as const));
    const { ports, moved } = await choosePorts(runtime, wanted, () => undefined);
    const chosen = Array.from(ports.values());
    expect(new Set(chosen).size).toBe(8);
    expect(chosen.every((port) => port >= 1_024 && port < 32_768)).toBe(true);
    expect(moved).toEqual([]);
  });
});
