/** The words of the command line: one line per process, then the addresses. */
import type { ZooKeeperServer, ZooKeeperServers } from '../cluster/zookeeper-servers.ts';
import type { ClusterStatus, ProcessStatus } from '../cluster/control-contract.ts';

export interface Terminal {
  out(line: string): void;
  error(line: string): void;
}

export const terminal: Terminal = {
  out: (line) => void process.stdout.write(`${line}\n`),
  error: (line) => void process.stderr.write(`${line}\n`),
};

/** `broker-1   localhost:9092  running  ready in 410 ms  pid 1234`, and why when there is something to say. */
export function processLine(process: ProcessStatus): string {
  const { id, host, port, state, pid, readyAfterMs, reason } = process;
  const parts = [id.padEnd(10), `${host}:${port ?? '?'}`.padEnd(16), state.padEnd(8)];
  if (state === 'running' && readyAfterMs !== null) parts.push(`ready in ${readyAfterMs} ms`);
  if (pid !== null) parts.push(`pid ${pid}`);
  if (reason !== null) parts.push(reason);
  return parts.join('  ').trimEnd();
}

export function addressLines(status: Pick<ClusterStatus, 'bootstrapServers' | 'zookeeperConnect' | 'home' | 'ephemeral'>): string[] {
  return [
    `Kafka      ${status.bootstrapServers}`,
    `ZooKeeper  ${status.zookeeperConnect}`,
    `Data       ${status.home}${status.ephemeral ? ' (removed at the end)' : ''}`,
  ];
}

/** What ZooKeeper's servers say of themselves, a line each; or why nobody knows. */
export function zooKeeperLines(zookeeper: ZooKeeperServers | { readonly problem: string }): string[] {
  if ('problem' in zookeeper) return [`           state unknown: ${zookeeper.problem}`];
  const { kind, servers } = zookeeper;
  return servers.map((server) => `           ${kind === 'external' ? `external ${server.address}` : 'embedded'}: ${serverText(server)}`);
}

function serverText({ mode, version, connections, outstanding, nodes, zxid, problem, reachable }: ZooKeeperServer): string {
  if (mode === null) return problem ?? (reachable ? 'takes connections and does not tell its state' : 'does not answer');
  const told = [
    version === null ? null : `version ${version}`,
    counted(connections, 'connection'),
    // A supervisor that was started before an update tells none.
    outstanding == null ? null : `${outstanding} outstanding`,
    counted(nodes, 'znode'),
    zxid === null ? null : `zxid 0x${zxid}`,
  ];
  return [mode, ...told.filter((text) => text !== null)].join(', ');
}

function counted(count: number | null, noun: string): string | null {
  return count === null ? null : `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function statusLines(status: ClusterStatus, zookeeper: ZooKeeperServers | { readonly problem: string }): string[] {
  const [kafka = '', address = '', ...rest] = addressLines(status);
  return [
    `The cluster is ${status.state} (supervisor: process ${status.supervisorPid})`,
    ...status.processes.map(processLine),
    kafka,
    address,
    ...zooKeeperLines(zookeeper),
    ...rest,
  ];
}
