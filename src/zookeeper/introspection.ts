/** What this ZooKeeper answers when the console asks about its inside: one line a query (declared in src/introspection/queries.ts). */
import type { ZooKeeperInfo } from '../introspection/answers/zookeeper-info.ts';
import type { ZooKeeperQueries } from '../introspection/queries.ts';
import { QueryError } from '../introspection/queries.ts';
import type { QueryHandlers } from '../introspection/query-responder.ts';

export interface ZooKeeperQueriesOptions {
  /** Undefined while it doesn't run. */
  readonly info: () => ZooKeeperInfo | undefined;
}

export function zooKeeperQueryHandlers({ info }: ZooKeeperQueriesOptions): QueryHandlers<ZooKeeperQueries> {
  return {
    'zookeeper.info': () => {
      const described = info();
      if (described === undefined) throw new QueryError('not-ready', 'ZooKeeper is still starting');
      return described;
    },
  };
}
