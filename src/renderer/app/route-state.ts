/** State that lives in the route's query: read as a ref, written with `replace`, so that typing a filter does not fill the history. */
import { computed, shallowReactive } from 'vue';
import type { WritableComputedRef } from 'vue';
import { useRoute, useRouter } from 'vue-router';
import type { Router } from 'vue-router';
import type { GridFilter, GridSort } from '../ui/grid/grid-model.ts';

/** Stands in the address for an empty value where the default is not empty (no sort at all). */
const NOTHING = '-';

interface QueryWriter {
  /** Written, not yet in the route: what a getter answers meanwhile. */
  readonly pending: Map<string, string>;
  set(values: Readonly<Record<string, string>>): void;
}

const writers = new WeakMap<Router, QueryWriter>();

/**
 * Gathers what is written in one turn into one `replace`. Until the router has arrived, reads see what was written; what was meant for
 * a page that has been left meanwhile is dropped.
 */
function queryWriter(router: Router): QueryWriter {
  const known = writers.get(router);
  if (known !== undefined) return known;
  const pending = shallowReactive(new Map<string, string>());
  let isScheduled = false;

  const flush = async (path: string): Promise<void> => {
    isScheduled = false;
    const written = new Map(pending);
    const route = router.currentRoute.value;
    if (route.path === path) {
      const query = { ...route.query, ...Object.fromEntries(written) };
      for (const [name, value] of written) if (value === '') delete query[name];
      await router.replace({ path, query, hash: route.hash });
    }
    for (const [name, value] of written) if (pending.get(name) === value) pending.delete(name);
  };
  const writer: QueryWriter = {
    pending,
    set(values) {
      for (const [name, value] of Object.entries(values)) pending.set(name, value);
      if (isScheduled) return;
      isScheduled = true;
      const { path } = router.currentRoute.value;
      queueMicrotask(() => void flush(path));
    },
  };
  writers.set(router, writer);
  return writer;
}

/** One query parameter; its default leaves no trace in the address. An empty value that isn't the default is kept as `-`. */
export function useQueryState(name: string, otherwise = ''): WritableComputedRef<string> {
  const router = useRouter();
  const route = useRoute();
  const writer = queryWriter(router);
  return computed({
    get: () => {
      const value = writer.pending.get(name) ?? route.query[name];
      if (typeof value !== 'string' || value === '') return otherwise;
      return value === NOTHING ? '' : value;
    },
    set: (value) => writer.set({ [name]: value === otherwise ? '' : value === '' ? NOTHING : value }),
  });
}

/** Several parameters at once; empty ones leave the address. */
export function useQueryWriter(): (values: Readonly<Record<string, string>>) => void {
  const writer = queryWriter(useRouter());
  return (values) => writer.set(values);
}

/** `sort=name` ascending, `sort=-name` descending. */
export function parseSort(text: string): GridSort | null {
  if (text === '') return null;
  return text.startsWith('-') ? { by: text.slice(1), descending: true } : { by: text, descending: false };
}

export function useSortState(otherwise = ''): WritableComputedRef<GridSort | null> {
  const text = useQueryState('sort', otherwise);
  return computed({
    get: () => parseSort(text.value),
    set: (sort) => (text.value = sort === null ? '' : `${sort.descending ? '-' : ''}${sort.by}`),
  });
}

/** `filter=text`, or `filter=/expression/`. */
export function parseFilter(text: string): GridFilter {
  const expression = /^\/(.*)\/$/s.exec(text)?.[1];
  return expression === undefined ? { text, regex: false } : { text: expression, regex: true };
}

export function useFilterState(name = 'filter'): WritableComputedRef<GridFilter> {
  const text = useQueryState(name);
  return computed({
    get: () => parseFilter(text.value),
    set: (filter) => (text.value = filter.regex && filter.text !== '' ? `/${filter.text}/` : filter.text),
  });
}
