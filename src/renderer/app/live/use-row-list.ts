/**
 * Ties a RowList to the page that shows it: loads it, patches it with what changes name, asks for dear columns of what is on
 * screen, and, above MAX_ROWS, sends filter and sort behind the contract.
 */
import { onScopeDispose, watch } from 'vue';
import type { Change, ChangeKind } from '../../../console/contract/live.ts';
import type { GridFilter, GridSort } from '../../ui/grid/grid-model.ts';
import { onRefresh } from '../keys/refresh.ts';
import { useConnection } from '../rpc/use-console.ts';
import { useClusterChanges } from './changes.store.ts';
import { coalesce } from './coalesce.ts';
import type { RowList } from './row-list.ts';

const TYPING_PAUSE_MS = 150;
const RATES_MS = 3000;

export function useRowList<Row, Details, Query>(options: {
  readonly clusterId: () => string;
  readonly list: RowList<Row, Details, Query>;
  /** What is asked for when the whole list fits; and with filter and sort when it does not. */
  readonly query: (behind: boolean) => Query;
  readonly filter: () => GridFilter;
  readonly sort: () => GridSort | null;
  /** Anything else that asks for another list (internal topics or not). */
  readonly scope?: () => unknown;
  readonly rowKinds: readonly ChangeKind[];
  readonly detailKinds: readonly ChangeKind[];
  /** Kinds that name other things than these rows, and touch dear columns all the same: what is on screen is asked for again. */
  readonly visibleKinds?: readonly ChangeKind[];
  /** Whether a sort is by a dear column: then all are needed. */
  readonly isDear: (by: string) => boolean;
}): { readonly visible: (keys: readonly string[]) => void; readonly reload: () => void } {
  const { list } = options;
  const { generation } = useConnection();
  let stale: Set<string> | 'all' = new Set();
  let staleDetails: Set<string> | 'all' = new Set();

  const load = async (): Promise<void> => {
    const behind = list.isCapped.value;
    await list.load(options.query(behind));
    // Found to be too long only now: ask again with filter and sort.
    if (!behind && list.isCapped.value && (options.filter().text !== '' || options.sort() !== null)) await list.load(options.query(true));
  };
  const patching = coalesce(async () => {
    const keys = stale;
    stale = new Set();
    await (keys === 'all' ? load() : list.patch([...keys]));
    if (list.failure.value?.retriable !== true) return;
    stale = keys === 'all' ? 'all' : merged(stale, [...keys]);
    patching.retry();
  }, 250);
  const detailing = coalesce(() => {
    const keys = staleDetails;
    staleDetails = new Set();
    list.refreshDetails(keys === 'all' ? null : [...keys]);
    return Promise.resolve();
  }, 700);
  const refreshing = coalesce(() => {
    list.refreshVisible();
    return Promise.resolve();
  }, 700);

  useClusterChanges(options.clusterId, (changes: readonly Change[]) => {
    for (const { kind, ids } of changes) {
      if (options.rowKinds.includes(kind)) {
        stale = merged(stale, ids);
        patching.poke();
      }
      if (options.detailKinds.includes(kind)) {
        staleDetails = merged(staleDetails, ids);
        detailing.poke();
      }
      if (options.visibleKinds?.includes(kind) === true) refreshing.poke();
    }
  });
  const reload = (): void => {
    stale = 'all';
    patching.poke();
    staleDetails = 'all';
    detailing.poke();
  };
  watch(generation, (_, before) => {
    if (before > 0) reload();
  });
  onRefresh(reload);

  // Through the same gate as patches, so that a change that comes meanwhile is asked for after it.
  stale = 'all';
  patching.poke();
  let typing: ReturnType<typeof setTimeout> | undefined;
  watch([options.filter, options.sort], () => {
    const sort = options.sort();
    if (sort !== null && options.isDear(sort.by)) list.wantAll();
    if (!list.isCapped.value) return;
    clearTimeout(typing);
    typing = setTimeout(() => void load(), TYPING_PAUSE_MS);
  });
  if (options.scope !== undefined) watch(options.scope, () => void load());
  // Rows that came while sorted by a dear column need theirs too.
  watch(list.rows, () => {
    const sort = options.sort();
    if (sort !== null && options.isDear(sort.by)) list.wantAll();
  });
  // A rate falls to nothing without any change: what is on screen is asked for again now and then.
  const ticking = setInterval(() => {
    if (document.visibilityState === 'visible') list.refreshVisible();
  }, RATES_MS);
  onScopeDispose(() => {
    clearInterval(ticking);
    list.leave();
    patching.stop();
    detailing.stop();
    refreshing.stop();
    clearTimeout(typing);
  });
  return { visible: (keys) => list.want(keys), reload };
}

function merged(into: Set<string> | 'all', ids: readonly string[] | null): Set<string> | 'all' {
  if (into === 'all' || ids === null) return 'all';
  for (const id of ids) into.add(id);
  return into;
}
