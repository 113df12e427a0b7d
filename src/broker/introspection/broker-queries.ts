/**
 * What this broker answers when the console asks about its inside: one line a query (declared in src/introspection/queries.ts), each
 * answered by a function that reads the parts as they are. Nothing here is called unless somebody asks.
 */
import type { BrokerQueries } from '../../introspection/queries.ts';
import { QueryError } from '../../introspection/queries.ts';
import type { QueryHandlers } from '../../introspection/query-responder.ts';
import type { BrokerParts } from '../broker-parts.ts';
import { describeBroker } from './describe-broker.ts';
import { describeReassigning } from './describe-reassigning.ts';
import { describeReplication } from './describe-replication.ts';
import type { ProcessUsage } from './describe-broker.ts';
import { describeFlush } from './describe-flush.ts';
import { describeRetention } from './describe-retention.ts';

/** Things of a kind that one answer tells of. */
const MAX_TOLD = 1_000;
const MAX_REPLICAS = 500;
const MAX_WORST = 100;

export interface BrokerQueriesOptions {
  /** Undefined until the broker is put together. */
  readonly parts: () => BrokerParts | undefined;
  readonly usage: () => ProcessUsage;
}

export function brokerQueryHandlers({ parts, usage }: BrokerQueriesOptions): QueryHandlers<BrokerQueries> {
  const ready = (): BrokerParts => {
    const made = parts();
    if (made === undefined) throw new QueryError('not-ready', 'the broker is starting or stopping');
    return made;
  };
  return {
    'broker.info': () => describeBroker(ready(), usage()),
    'controller.describe': (input) => ready().controller.describe(input.integer('max', 1, MAX_TOLD)),
    'replication.reassigning': (input) => describeReassigning(ready(), input.integer('max', 1, MAX_TOLD)),
    'log.retention': (input) => describeRetention(ready(), input.text('topic'), input.integer('partition')),
    'replication.describe': (input) =>
      describeReplication(ready(), {
        topic: input.text('topic'),
        from: input.integer('from'),
        max: input.integer('max', 1, MAX_REPLICAS),
        worst: input.integer('worst', 0, MAX_WORST),
      }),
    'log.flush': (input) => describeFlush(ready(), input.text('topic'), input.integer('max', 1, MAX_TOLD)),
  };
}
