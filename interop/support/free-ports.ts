/** Free ports for a cluster's processes, outside of those that the system gives away by itself. */
import * as net from 'node:net';

const TRIES = 200;

export interface ClusterPorts {
  readonly brokers: readonly number[];
  readonly zookeeper: number;
}

/** Ports that are free now and in a row. */
export async function freePorts(brokers: number): Promise<ClusterPorts> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const first = 12_000 + Math.floor(Math.random() * 15_000);
    const ports = Array.from({ length: brokers + 1 }, (_, index) => first + index);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return { brokers: ports.slice(0, brokers), zookeeper: first + brokers };
  }
  throw new Error(`${brokers + 1} free ports in a row were not found in ${TRIES} tries`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}
