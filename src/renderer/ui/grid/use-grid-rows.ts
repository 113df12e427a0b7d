/** A grid's rows as they are shown: filtered, sorted, with their keys and where each is. The work is grid-model.ts's. */
import { computed } from 'vue';
import type { ComputedRef } from 'vue';
import { compileFilter, filterRows, sortRows } from './grid-model.ts';
import type { GridColumn, GridFilter, GridSort } from './grid-model.ts';

export interface GridRows<Row> {
  readonly rows: ComputedRef<readonly Row[]>;
  readonly keys: ComputedRef<readonly string[]>;
  readonly indexByKey: ComputedRef<ReadonlyMap<string, number>>;
  /** What is wrong with the filter's expression; the rows are not filtered then. */
  readonly filterError: ComputedRef<string | null>;
}

export function useGridRows<Row>(of: {
  readonly rows: () => readonly Row[];
  readonly columns: () => readonly GridColumn<Row>[];
  readonly rowKey: (row: Row) => string;
  readonly filter: () => GridFilter | undefined;
  readonly sort: () => GridSort | null;
  /** Rows come filtered and in order. */
  readonly isArranged: () => boolean;
}): GridRows<Row> {
  const compiled = computed(() => {
    const filter = of.filter();
    return filter === undefined || filter.text === '' || of.isArranged() ? null : compileFilter(filter);
  });
  // Sorted first: filtering keeps the order, so a key press in the filter does not sort again.
  const sorted = computed(() => {
    const sort = of.sort();
    if (sort === null || of.isArranged()) return of.rows();
    return sortRows(
      of.rows(),
      of.columns().find((column) => column.key === sort.by),
      sort.descending,
    );
  });
  const rows = computed(() => {
    const filter = compiled.value;
    return filter === null || 'error' in filter ? sorted.value : filterRows(sorted.value, of.columns(), filter.test);
  });
  const keys = computed(() => rows.value.map((row) => of.rowKey(row)));
  return {
    rows,
    keys,
    indexByKey: computed(() => new Map(keys.value.map((key, index) => [key, index]))),
    filterError: computed(() => (compiled.value !== null && 'error' in compiled.value ? compiled.value.error : null)),
  };
}
