/** State that lives in the route's query: read as a ref, written with `replace`, so that typing a filter does not fill the history. */
import { computed } from 'vue';
import type { WritableComputedRef } from 'vue';
import { useRoute, useRouter } from 'vue-router';
import type { GridFilter, GridSort } from '../ui/grid/grid-model.ts';

/** One query parameter; its default leaves no trace in the address. */
export function useQueryState(name: string, otherwise = ''): WritableComputedRef<string> {
  const route = useRoute();
  const router = useRouter();
  return computed({
    get: () => {
      const value = route.query[name];
      return typeof value === 'string' ? value : otherwise;
    },
    set: (value) => {
      const { [name]: _, ...rest } = route.query;
      void router.replace({ query: value === otherwise ? rest : { ...rest, [name]: value }, hash: route.hash });
    },
  });
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
