/**
 * Whether a cluster could use a ZooKeeper that runs elsewhere, tried step by step, so that it can be told where it fails: the address is
 * understood, each host is found, takes connections and serves, a session is given, the chroot is there or can be made (nothing is made here),
 * and no other Kafka lives in it.
 */
import type { Runtime } from '../runtime/runtime.ts';
import { connectZooKeeper, parseConnectString, ZooKeeperError } from '../zk-client/zookeeper-client.ts';
import type { ZooKeeperClient } from '../zk-client/zookeeper-client.ts';
import { describeZooKeeper } from './zookeeper-servers.ts';

export interface ZooKeeperCheckStep {
  readonly step: 'address' | 'host' | 'connection' | 'server' | 'session' | 'chroot' | 'kafka';
  /** The server that the step is about; null for the ensemble. */
  readonly address: string | null;
  /** `warning`: it works, and is perhaps not what is wanted. */
  readonly outcome: 'ok' | 'warning' | 'failed';
  readonly detail: string;
}

type CheckRuntime = Pick<Runtime, 'clock' | 'scheduler' | 'net' | 'random' | 'logger'>;

const SESSION_MS = 4_000;
/** What Node says when a name leads to no address. */
const NOT_FOUND = /ENOTFOUND|EAI_AGAIN|getaddrinfo/;

/** The steps up to the first that stops all later ones. Never rejects. */
export async function checkZooKeeper(runtime: CheckRuntime, connect: string): Promise<ZooKeeperCheckStep[]> {
  const steps: ZooKeeperCheckStep[] = [];
  const say = (step: ZooKeeperCheckStep['step'], outcome: ZooKeeperCheckStep['outcome'], detail: string, address: string | null = null) =>
    steps.push({ step, address, outcome, detail });
  let chroot: string;
  try {
    chroot = parseConnectString(connect).chroot;
  } catch (error) {
    say('address', 'failed', messageOf(error));
    return steps;
  }
  const { servers } = await describeZooKeeper(runtime, 'external', connect);
  say('address', 'ok', servers.map(({ address }) => address).join(', ') + (chroot === '' ? '' : `, chroot ${chroot}`));
  for (const { address, reachable, mode, version, problem, tookMs } of servers) {
    const isFound = reachable || !NOT_FOUND.test(problem ?? '');
    if (!isFound) {
      say('host', 'failed', problem ?? 'is not found', address);
      continue;
    }
    if (!reachable) {
      say('connection', 'failed', problem ?? 'takes no connections', address);
      continue;
    }
    say('connection', 'ok', `answers after ${tookMs} ms`, address);
    // Whoever forbids `srvr` may serve all the same: the session decides.
    if (mode === null) say('server', 'warning', problem ?? 'does not say whether it serves', address);
    else say('server', 'ok', `${mode}, ${version === null ? 'version unknown' : `version ${version}`}`, address);
  }
  if (!servers.some(({ reachable }) => reachable)) return steps;
  await checkSession(runtime, connect, chroot, say);
  return steps;
}

async function checkSession(
  runtime: CheckRuntime,
  connect: string,
  chroot: string,
  say: (step: ZooKeeperCheckStep['step'], outcome: ZooKeeperCheckStep['outcome'], detail: string) => void,
): Promise<void> {
  const connectString = chroot === '' ? connect.replace(/\/+$/, '') : connect.slice(0, connect.indexOf('/'));
  let client: ZooKeeperClient;
  try {
    client = await connectZooKeeper({
      runtime,
      connectString,
      sessionTimeoutMs: SESSION_MS,
      connectTimeoutMs: SESSION_MS,
      implementation: 'own',
    });
  } catch (error) {
    say('session', 'failed', messageOf(error));
    return;
  }
  try {
    say('session', 'ok', 'was given, and is closed again');
    if (chroot !== '') {
      const isThere = (await client.exists(chroot)) !== undefined;
      say('chroot', 'ok', isThere ? `${chroot} is there` : `${chroot} will be made`);
      if (!isThere) return;
    }
    await checkKafka(client, chroot, say);
  } catch (error) {
    say(chroot === '' ? 'kafka' : 'chroot', 'failed', messageOf(error));
  } finally {
    await client.close().catch(() => undefined);
  }
}

async function checkKafka(
  client: ZooKeeperClient,
  chroot: string,
  say: (step: 'kafka', outcome: ZooKeeperCheckStep['outcome'], detail: string) => void,
): Promise<void> {
  const idPath = `${chroot}/cluster/id`;
  if ((await client.exists(idPath)) === undefined) {
    say('kafka', 'ok', `no Kafka cluster is in ${chroot === '' ? 'its root' : chroot} yet`);
    return;
  }
  const idsPath = `${chroot}/brokers/ids`;
  const ids = (await client.exists(idsPath)) === undefined ? [] : (await client.getChildren(idsPath)).children;
  const brokers =
    ids.length === 0 ? 'none of its brokers is up' : `brokers ${ids.toSorted((a, b) => Number(a) - Number(b)).join(', ')} are up`;
  say(
    'kafka',
    'warning',
    `a Kafka cluster is in ${chroot === '' ? 'its root' : chroot} already (${brokers}): brokers made here would join it`,
  );
}

function messageOf(error: unknown): string {
  if (error instanceof ZooKeeperError) return `${error.name}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
