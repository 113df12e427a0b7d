/**
 * Asks a broker or the ZooKeeper of a local cluster about its inside, typed by src/introspection/queries.ts. Rejects with a FailureError:
 * `refused` on a remote cluster, `unreachable` while the process is down, frozen or starting, `timeout` when it doesn't answer.
 */
import type { BrokerQueries, SupervisorQueries, ZooKeeperQueries } from '../../introspection/queries.ts';
import type { ClusterSession } from './cluster-session.ts';
import { FailureError, refuse } from './failures.ts';

export interface AskOptions {
  /** Default `QUERY_TIMEOUT_MS`. */
  readonly timeoutMs?: number;
}

export async function askBroker<Name extends keyof BrokerQueries>(
  session: ClusterSession,
  brokerId: number,
  name: Name,
  input: BrokerQueries[Name]['input'],
  options: AskOptions = {},
): Promise<BrokerQueries[Name]['answer']> {
  try {
    return (await ask(session, `broker-${brokerId}`, name, input, options)) as BrokerQueries[Name]['answer'];
  } catch (error) {
    if (error instanceof FailureError) throw new FailureError({ ...error.failure, brokerId });
    throw error;
  }
}

export async function askZooKeeper<Name extends keyof ZooKeeperQueries>(
  session: ClusterSession,
  name: Name,
  input: ZooKeeperQueries[Name]['input'],
  options: AskOptions = {},
): Promise<ZooKeeperQueries[Name]['answer']> {
  return (await ask(session, 'zookeeper', name, input, options)) as ZooKeeperQueries[Name]['answer'];
}

export async function askSupervisor<Name extends keyof SupervisorQueries>(
  session: ClusterSession,
  name: Name,
  input: SupervisorQueries[Name]['input'],
  options: AskOptions = {},
): Promise<SupervisorQueries[Name]['answer']> {
  return (await ask(session, 'supervisor', name, input, options)) as SupervisorQueries[Name]['answer'];
}

function ask(session: ClusterSession, processId: string, name: string, input: unknown, options: AskOptions): Promise<unknown> {
  const { control } = session;
  if (control === undefined) throw refuse('refused', 'Only a local cluster tells what goes on inside its processes', { api: name });
  return control.query(processId, name, input, options.timeoutMs);
}
