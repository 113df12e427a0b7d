/** The consumer groups of each cluster that was looked at; see topics.store.ts. */
import { defineStore } from 'pinia';
import type { ConsoleClient } from '../../../console/contract/contract.ts';
import type { GroupDetails, GroupRow } from '../../../console/contract/groups.ts';
import { RowList } from '../../app/live/row-list.ts';
import { useClient } from '../../app/rpc/use-console.ts';
import type { GridFilter, GridSort } from '../../ui/grid/grid-model.ts';

export interface GroupQuery {
  readonly filter: GridFilter;
  readonly sort: GridSort | null;
}

export const sortableBehind = ['groupId', 'state', 'protocolType', 'coordinatorId'] as const;
const ALL_GROUPS: GroupQuery = { filter: { text: '', regex: false }, sort: null };

export type GroupList = RowList<GroupRow, GroupDetails, GroupQuery>;

function groupList(client: ConsoleClient, clusterId: string): GroupList {
  return new RowList<GroupRow, GroupDetails, GroupQuery>(
    {
      open: (query, signal) => {
        const by = sortableBehind.find((name) => name === query.sort?.by);
        return client.groups.open(
          {
            clusterId,
            ...(query.filter.text === '' ? {} : { filter: query.filter }),
            ...(by === undefined ? {} : { sort: { by, descending: query.sort?.descending ?? false } }),
          },
          { signal },
        );
      },
      next: (readerId, max) => client.groups.next({ readerId, max }),
      close: (readerId) => client.groups.close({ readerId }),
      rows: (groupIds) => client.groups.rows({ clusterId, groupIds }),
      details: (groupIds) => client.groups.details({ clusterId, groupIds }),
      rowKey: (row) => row.groupId,
      detailsKey: (details) => details.groupId,
      admits: () => true,
    },
    ALL_GROUPS,
  );
}

export const useGroups = defineStore('groups', () => {
  const client = useClient();
  const lists = new Map<string, GroupList>();

  function of(clusterId: string): GroupList {
    let list = lists.get(clusterId);
    if (list === undefined) {
      list = groupList(client, clusterId);
      lists.set(clusterId, list);
    }
    return list;
  }
  return { of };
});
