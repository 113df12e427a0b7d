/** Names of topics and groups that contain what is typed, the first few, searched behind the contract. A newer search cancels the older. */
import { onScopeDispose, shallowRef, watch } from 'vue';
import type { Ref, ShallowRef } from 'vue';
import { useClient } from '../rpc/use-console.ts';

const SHOWN = 12;
const PAUSE_MS = 80;

export interface NameSearch {
  readonly topics: ShallowRef<readonly string[]>;
  readonly groups: ShallowRef<readonly string[]>;
  readonly isSearching: ShallowRef<boolean>;
}

export function useNameSearch(clusterId: Ref<string>, term: Ref<string>, isOpen: () => boolean): NameSearch {
  const client = useClient();
  const topics = shallowRef<readonly string[]>([]);
  const groups = shallowRef<readonly string[]>([]);
  const isSearching = shallowRef(false);
  let round = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const search = async (): Promise<void> => {
    const mine = ++round;
    const filter = term.value === '' ? undefined : { text: term.value, regex: false };
    const input = { clusterId: clusterId.value, ...(filter === undefined ? {} : { filter }) };
    isSearching.value = true;
    const [foundTopics, foundGroups] = await Promise.allSettled([
      client.topics.open(input).then(async ({ readerId }) => {
        const page = await client.topics.next({ readerId, max: SHOWN });
        void client.topics.close({ readerId }).catch(() => undefined);
        return page.rows.map((row) => row.name);
      }),
      client.groups.open(input).then(async ({ readerId }) => {
        const page = await client.groups.next({ readerId, max: SHOWN });
        void client.groups.close({ readerId }).catch(() => undefined);
        return page.rows.map((row) => row.groupId);
      }),
    ]);
    if (mine !== round) return;
    topics.value = foundTopics.status === 'fulfilled' ? foundTopics.value : [];
    groups.value = foundGroups.status === 'fulfilled' ? foundGroups.value : [];
    isSearching.value = false;
  };
  watch([isOpen, term, clusterId], ([open]) => {
    clearTimeout(timer);
    if (open) timer = setTimeout(() => void search(), PAUSE_MS);
  });
  onScopeDispose(() => clearTimeout(timer));
  return { topics, groups, isSearching };
}
