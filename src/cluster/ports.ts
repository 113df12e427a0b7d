/**
 * Finds the ports that a cluster listens on: those wanted, or where one is taken the next free one, with who has it.
 * A port is taken when it can't be bound on 127.0.0.1 or ::1, or when something answers on it (a listener on all
 * interfaces does not stop a bind to one of them everywhere). Between the look and the child's own bind somebody may be
 * faster: the child then says so and fails to start.
 */
import type { Net } from '../runtime/net.ts';
import type { PortHolder } from '../runtime/processes.ts';
import type { Random } from '../runtime/random.ts';

export interface PortRuntime {
  readonly net: Net;
  readonly random: Random;
}

/** A port that was wanted and is taken. */
export interface MovedPort {
  /** Of the process: `broker-1`, `zookeeper`. */
  readonly processId: string;
  readonly wanted: number;
  readonly used: number;
  /** Undefined where the system doesn't tell. */
  readonly holder: PortHolder | undefined;
}

export interface ChosenPorts {
  readonly ports: ReadonlyMap<string, number>;
  readonly moved: readonly MovedPort[];
}

export const LOOPBACK_HOSTS = ['127.0.0.1', '::1'] as const;

const MAX_PORT = 65_535;
/** How far from the wanted port to look. */
const MAX_STEPS = 1_000;
/**
 * Free ports are drawn from here: below 32,768, where Linux begins to hand out ports for outgoing connections, one of
 * which could otherwise sit on a broker's port while the broker is restarted.
 */
const FREE_FROM = 15_000;
const FREE_COUNT = 17_000;
/** This machine has no IPv6, or not on this address: then nobody can be reached on it either. */
const NO_SUCH_ADDRESS: ReadonlySet<unknown> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']);

/** Raised when no port is free near the one that was wanted. */
export class NoFreePortError extends Error {
  constructor(processId: string, wanted: number) {
    super(`no port from ${wanted} on is free for ${processId}`);
    this.name = 'NoFreePortError';
  }
}

/**
 * A port for each process of `wanted`, none twice; 0 asks for any free one. A process whose port is taken never gets
 * one that another process wants. `holderOf` names who has a port. Throws `NoFreePortError`.
 */
export async function choosePorts(
  runtime: PortRuntime,
  wanted: ReadonlyMap<string, number>,
  holderOf: (port: number) => PortHolder | undefined,
): Promise<ChosenPorts> {
  const reserved = new Set(wanted.values());
  const fixed = Array.from(wanted).filter(([, port]) => port !== 0);
  const free = await Promise.all(fixed.map(([, port]) => isPortFree(runtime.net, port)));
  const ports = new Map<string, number>();
  const moved: MovedPort[] = [];
  for (const [index, [processId, port]] of fixed.entries()) {
    if (free[index] === true) {
      ports.set(processId, port);
      continue;
    }
    const used = await nextFreePort(runtime.net, processId, port, reserved);
    reserved.add(used);
    ports.set(processId, used);
    moved.push({ processId, wanted: port, used, holder: holderOf(port) });
  }
  for (const [processId, port] of wanted) {
    if (port !== 0) continue;
    const used = await anyFreePort(runtime, processId, reserved);
    reserved.add(used);
    ports.set(processId, used);
  }
  return { ports, moved };
}

/** Whether a server of ours could listen on `port` of both loopback addresses. */
export async function isPortFree(net: Net, port: number): Promise<boolean> {
  const checks = LOOPBACK_HOSTS.map(async (host) => (await canBind(net, host, port)) && !(await answers(net, host, port)));
  return (await Promise.all(checks)).every(Boolean);
}

async function nextFreePort(net: Net, processId: string, wanted: number, reserved: ReadonlySet<number>): Promise<number> {
  for (let port = wanted + 1; port <= Math.min(MAX_PORT, wanted + MAX_STEPS); port++) {
    if (!reserved.has(port) && (await isPortFree(net, port))) return port;
  }
  throw new NoFreePortError(processId, wanted);
}

async function anyFreePort(runtime: PortRuntime, processId: string, reserved: ReadonlySet<number>): Promise<number> {
  for (let step = 0; step < MAX_STEPS; step++) {
    const port = FREE_FROM + runtime.random.int(FREE_COUNT);
    if (!reserved.has(port) && (await isPortFree(runtime.net, port))) return port;
  }
  throw new NoFreePortError(processId, FREE_FROM);
}

async function canBind(net: Net, host: string, port: number): Promise<boolean> {
  try {
    const listener = await net.listen({ host, port }, (socket) => socket.destroy(), { ipv6Only: host.includes(':') });
    await listener.close();
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && NO_SUCH_ADDRESS.has(error.code);
  }
}

function answers(net: Net, host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    let answered = false;
    const socket = net.connect(
      { host, port },
      {
        onConnect() {
          // A loopback connect to a port that is free and in the range for outgoing ones can meet itself.
          answered = socket.localPort !== port;
          socket.destroy();
        },
        onData: () => {},
        onClose: () => resolve(answered),
      },
    );
  });
}

/** One line for a person. */
export function describeMovedPort(moved: MovedPort): string {
  return `${describeTakenPort(moved)}; using ${moved.used}`;
}

export function describeTakenPort({ wanted, holder }: MovedPort): string {
  return `port ${wanted} is ${holder === undefined ? 'taken' : `taken by ${holder.command} (pid ${holder.pid})`}`;
}
