/** The words of the command line: one line per process, then the addresses. */
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

export function statusLines(status: ClusterStatus): string[] {
  return [
    `The cluster is ${status.state} (supervisor: process ${status.supervisorPid})`,
    ...status.processes.map(processLine),
    ...addressLines(status),
  ];
}
