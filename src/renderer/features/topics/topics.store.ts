/** The topics of each cluster that was looked at, kept while the window lives so that coming back is instant. */
import { defineStore } from 'pinia';
import type { TopicDetails, TopicRow } from '../../../console/contract/topics.ts';
import type { ConsoleClient } from '../../../console/contract/contract.ts';
import { RowList } from '../../app/live/row-list.ts';
import { useClient } from '../../app/rpc/use-console.ts';
import type { GridFilter, GridSort } from '../../ui/grid/grid-model.ts';

export interface TopicQuery {
  readonly includeInternal: boolean;
  /** Only used when the list is too long to be held whole. */
  readonly filter: GridFilter;
  readonly sort: GridSort | null;
}

/** The columns that sort behind the contract. */
export const sortableBehind = ['name', 'partitions', 'replicationFactor', 'underReplicatedPartitions', 'leaderlessPartitions'] as const;

export const ALL_TOPICS: TopicQuery = { includeInternal: false, filter: { text: '', regex: false }, sort: null };

/** A client's view of the topics of a cluster as a list. */
export function topicList(client: ConsoleClient, clusterId: string): RowList<TopicRow, TopicDetails, TopicQuery> {
  return new RowList<TopicRow, TopicDetails, TopicQuery>(
    {
      open: (query, signal) => {
        const by = sortableBehind.find((name) => name === query.sort?.by);
        return client.topics.open(
          {
            clusterId,
            includeInternal: query.includeInternal,
            ...(query.filter.text === '' ? {} : { filter: query.filter }),
            ...(by === undefined ? {} : { sort: { by, descending: query.sort?.descending ?? false } }),
          },
          { signal },
        );
      },
      next: (readerId, max) => client.topics.next({ readerId, max }),
      close: (readerId) => client.topics.close({ readerId }),
      rows: (names) => client.topics.rows({ clusterId, names }),
      details: (names) => client.topics.details({ clusterId, names }),
      rowKey: (row) => row.name,
      detailsKey: (details) => details.name,
      admits: (row, query) => query.includeInternal || !row.internal,
    },
    ALL_TOPICS,
  );
}

export const useTopics = defineStore('topics', () => {
  const client = useClient();
  const lists = new Map<string, RowList<TopicRow, TopicDetails, TopicQuery>>();

  function of(clusterId: string): RowList<TopicRow, TopicDetails, TopicQuery> {
    let list = lists.get(clusterId);
    if (list === undefined) {
      list = topicList(client, clusterId);
      lists.set(clusterId, list);
    }
    return list;
  }
  return { of };
});
