/** A grid's column layout, kept in this browser per grid and cluster (`samsa.grid.<cluster>.<grid>`). */
import { computed, shallowRef, watch } from 'vue';
import type { ComputedRef, ShallowRef } from 'vue';
import { arrangeColumns, gridTemplate, minimumWidth, moveColumn, NO_LAYOUT, parseLayout } from './grid-model.ts';
import type { ColumnLayout, GridColumn } from './grid-model.ts';

export interface ColumnLayoutState<Row> {
  readonly layout: ShallowRef<ColumnLayout>;
  readonly shown: ComputedRef<readonly GridColumn<Row>[]>;
  readonly template: ComputedRef<string>;
  readonly minWidth: ComputedRef<number>;
  resize(key: string, width: number): void;
  resetWidth(key: string): void;
  toggle(key: string): void;
  move(key: string, by: -1 | 1): void;
  reset(): void;
}

export function useColumnLayout<Row>(
  columns: () => readonly GridColumn<Row>[],
  storageKey: () => string,
  leading: () => readonly number[],
): ColumnLayoutState<Row> {
  const initial = (): ColumnLayout => {
    const stored = localStorage.getItem(storageKey());
    if (stored !== null) return parseLayout(stored);
    const hidden = columns().filter((column) => column.hidden === true);
    return hidden.length === 0 ? NO_LAYOUT : { ...NO_LAYOUT, hidden: hidden.map((column) => column.key) };
  };
  const layout = shallowRef(initial());
  watch(storageKey, () => (layout.value = initial()));

  const save = (next: ColumnLayout): void => {
    layout.value = next;
    localStorage.setItem(storageKey(), JSON.stringify(next));
  };
  const shown = computed(() => arrangeColumns(columns(), layout.value));

  return {
    layout,
    shown,
    template: computed(() => gridTemplate(shown.value, layout.value, leading())),
    minWidth: computed(() => minimumWidth(shown.value, layout.value, leading())),
    resize: (key, width) => save({ ...layout.value, widths: { ...layout.value.widths, [key]: width } }),
    resetWidth: (key) => {
      const { [key]: _, ...widths } = layout.value.widths;
      save({ ...layout.value, widths });
    },
    toggle: (key) => {
      const hidden = layout.value.hidden;
      save({ ...layout.value, hidden: hidden.includes(key) ? hidden.filter((name) => name !== key) : [...hidden, key] });
    },
    move: (key, by) => {
      const all = arrangeColumns(columns(), { ...layout.value, hidden: [] }).map((column) => column.key);
      save({ ...layout.value, order: moveColumn(all, key, by) });
    },
    reset: () => {
      localStorage.removeItem(storageKey());
      layout.value = initial();
    },
  };
}
