/** The items of a grid's two context menus: of its rows, and of a column's head. */
import type { ContextMenuItem } from '@nuxt/ui/components/ContextMenu.vue';
import { t } from '../../i18n/i18n.ts';
import { copyText } from '../copy.ts';
import type { GridAction } from './grid-action.ts';
import { rowsAsJson, rowsAsTsv } from './grid-model.ts';
import type { GridColumn } from './grid-model.ts';
import type { ColumnLayoutState } from './use-column-layout.ts';

/** The page's actions in their sections, then copying. An action that can't be done is there, disabled, with the reason below it. */
export function rowMenu<Row>(
  rows: readonly Row[],
  columns: readonly GridColumn<Row>[],
  actions: readonly GridAction[],
  copyCell: () => void,
): ContextMenuItem[][] {
  const sections: ContextMenuItem[][] = [[]];
  for (const action of actions) {
    if (action.section === true && (sections.at(-1)?.length ?? 0) > 0) sections.push([]);
    sections.at(-1)?.push({
      label: action.label,
      icon: action.icon,
      color: action.destructive === true ? 'error' : undefined,
      disabled: typeof action.disabledReason === 'string',
      description: action.disabledReason ?? undefined,
      onSelect: action.run,
    });
  }
  sections.push([
    { label: t('grid.copyCell'), icon: 'i-lucide-copy', onSelect: copyCell },
    { label: t('grid.copyTsv', rows.length), icon: 'i-lucide-table-2', onSelect: () => void copyText(rowsAsTsv(rows, columns)) },
    { label: t('grid.copyJson', rows.length), icon: 'i-lucide-braces', onSelect: () => void copyText(rowsAsJson(rows, columns)) },
  ]);
  return sections.filter((section) => section.length > 0);
}

export function columnMenu<Row>(key: string, columns: readonly GridColumn<Row>[], state: ColumnLayoutState<Row>): ContextMenuItem[][] {
  return [
    [
      { label: t('grid.moveLeft'), icon: 'i-lucide-arrow-left', onSelect: () => state.move(key, -1) },
      { label: t('grid.moveRight'), icon: 'i-lucide-arrow-right', onSelect: () => state.move(key, 1) },
      {
        label: t('grid.hideColumn'),
        icon: 'i-lucide-eye-off',
        disabled: state.shown.value.length === 1,
        onSelect: () => state.toggle(key),
      },
    ],
    columns.map((column) => ({
      label: column.title,
      type: 'checkbox' as const,
      checked: !state.layout.value.hidden.includes(column.key),
      onUpdateChecked: () => state.toggle(column.key),
      // The menu stays open: one ticks several.
      onSelect: (event: Event) => event.preventDefault(),
    })),
    [{ label: t('grid.resetColumns'), icon: 'i-lucide-undo-2', onSelect: () => state.reset() }],
  ];
}
