/** What this ZooKeeper answers when the console asks about its inside: one line a query (declared in src/introspection/queries.ts). */
import type { ZooKeeperInfo } from '../introspection/answers/zookeeper-info.ts';
import type { ZooKeeperQueries } from '../introspection/queries.ts';
import { QueryError } from '../introspection/queries.ts';
import type { QueryHandlers } from '../introspection/query-responder.ts';
import { type DescribedServer, describeOneSession, describeSessions, describeWatches } from './describe.ts';

export interface ZooKeeperQueriesOptions {
  /** Undefined while it doesn't run, as is `described`. */
  readonly info: () => ZooKeeperInfo | undefined;
  readonly described: () => DescribedServer | undefined;
}

/** The longest list that a query may ask for: far below `MAX_ANSWER_BYTES` with paths of usual length. */
const MAX_LISTED = 1000;

export function zooKeeperQueryHandlers({ info, described }: ZooKeeperQueriesOptions): QueryHandlers<ZooKeeperQueries> {
  return {
    'zookeeper.info': () => ready(info()),
    'zookeeper.sessions': (input) => describeSessions(ready(described()), input.integer('max', 1, MAX_LISTED)),
    'zookeeper.session': (input) => {
      const id = input.text('id');
      const session = describeOneSession(ready(described()), id, input.integer('max', 1, MAX_LISTED));
      if (session === undefined) throw new QueryError('not-found', `ZooKeeper has no session ${id}`);
      return session;
    },
    'zookeeper.watches': (input) => describeWatches(ready(described()), input.text('prefix'), input.integer('max', 1, MAX_LISTED)),
  };
}

function ready<T>(value: T | undefined): T {
  if (value === undefined) throw new QueryError('not-ready', 'ZooKeeper is still starting');
  return value;
}
