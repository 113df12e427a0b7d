/**
 * The ZooKeeper of a cluster seen from outside, wherever it runs: whether its servers take connections and what they say of
 * themselves (`srvr`, the one word that a server answers without being told to), and whether brokers can begin with it.
 */
import type { ZooKeeperServer, ZooKeeperServers } from '../introspection/answers/zookeeper-servers.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { connectZooKeeper, createChroot, parseConnectString, ZooKeeperError } from '../zk-client/zookeeper-client.ts';
import { ControlError } from './control-contract.ts';

export type { ZooKeeperServer, ZooKeeperServers };

type ProbeRuntime = Pick<Runtime, 'clock' | 'scheduler' | 'net'>;
type ConnectRuntime = Pick<Runtime, 'clock' | 'scheduler' | 'net' | 'random' | 'logger'>;

const PROBE_TIMEOUT_MS = 1_500;
/** More than this is no answer to `srvr`. */
const MAX_ANSWER_BYTES = 16 * 1024;
/** How long an external ZooKeeper is waited for at the start. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Whether brokers can begin with this ZooKeeper: one of its servers gives a session, and the chroot is there or can be made.
 * Rejects with `ControlError` ('unavailable') that names each address and what is wrong with it.
 */
export async function waitForZooKeeper(runtime: ConnectRuntime, connect: string, timeoutMs = CONNECT_TIMEOUT_MS): Promise<void> {
  const options = { runtime, connectString: connect, sessionTimeoutMs: timeoutMs, connectTimeoutMs: timeoutMs };
  try {
    await createChroot(options);
    await (await connectZooKeeper({ ...options, implementation: 'own' })).close();
  } catch (error) {
    if (!(error instanceof ZooKeeperError)) throw new ControlError('bad-request', error instanceof Error ? error.message : String(error));
    if (error.name !== 'ConnectionLoss')
      throw new ControlError('unavailable', `ZooKeeper at ${connect} does not let the cluster in: ${error.message}`);
    const servers = await probeZooKeeper(runtime, connect);
    const each = servers.map(({ address, problem, mode }) => `${address} ${problem ?? `is there (${mode}) and gives no session`}`);
    throw new ControlError('unavailable', `no ZooKeeper at ${connect} within ${timeoutMs} ms: ${each.join('; ')}`);
  }
}

export async function describeZooKeeper(runtime: ProbeRuntime, kind: ZooKeeperServers['kind'], connect: string): Promise<ZooKeeperServers> {
  return { kind, connect, servers: await probeZooKeeper(runtime, connect) };
}

/** All servers of a connect string, asked at once. */
function probeZooKeeper(runtime: ProbeRuntime, connect: string): Promise<ZooKeeperServer[]> {
  return Promise.all(parseConnectString(connect).endpoints.map((endpoint) => probe(runtime, endpoint)));
}

async function probe(runtime: ProbeRuntime, { host, port }: { host: string; port: number }): Promise<ZooKeeperServer> {
  const startMs = runtime.clock.monotonicMs();
  const { connected, answer, problem } = await askWord(runtime, { host, port }, 'srvr');
  const field = (name: string): string | null => new RegExp(`^${name}: (.*)$`, 'm').exec(answer)?.[1] ?? null;
  const mode = field('Mode');
  const number = (name: string): number | null => {
    const text = field(name);
    return text === null || !/^\d+$/.test(text) ? null : Number(text);
  };
  const silent = connected && problem === null && mode === null;
  return {
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    reachable: connected,
    mode,
    // Debian's build leaves a placeholder of its build tool in it.
    version:
      field('Zookeeper version')
        ?.replace(/,.*/, '')
        .replace(/-\$\{.*/, '') ?? null,
    zxid: field('Zxid')?.replace(/^0x/, '') ?? null,
    connections: number('Connections'),
    outstanding: number('Outstanding'),
    nodes: number('Node count'),
    tookMs: Math.round(runtime.clock.monotonicMs() - startMs),
    problem: silent ? `takes connections and says: ${answer.trim().split('\n')[0]?.slice(0, 200) ?? ''}` : problem,
  };
}

interface WordAnswer {
  readonly connected: boolean;
  readonly answer: string;
  readonly problem: string | null;
}

function askWord(runtime: ProbeRuntime, endpoint: { host: string; port: number }, word: string): Promise<WordAnswer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let connected = false;
    const settle = (problem: string | null): void => {
      timer.cancel();
      resolve({ connected, answer: Buffer.concat(chunks).toString('utf8'), problem });
    };
    const socket = runtime.net.connect(endpoint, {
      onConnect: () => {
        connected = true;
        socket.write([Buffer.from(word)]);
      },
      onData: (chunk) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) socket.destroy();
        else chunks.push(Buffer.from(chunk));
      },
      onClose: (error) => settle(connected ? null : `can't be connected to: ${error?.message ?? 'closed'}`),
    });
    const timer = runtime.scheduler.after(PROBE_TIMEOUT_MS, () => {
      socket.destroy();
      settle(connected ? `takes connections and says nothing for ${PROBE_TIMEOUT_MS} ms` : `did not answer within ${PROBE_TIMEOUT_MS} ms`);
    });
  });
}
