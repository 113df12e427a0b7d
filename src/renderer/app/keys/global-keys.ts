/**
 * Keys that work everywhere. A key without modifier is left alone while one types, and while a dialog or menu is open.
 * `shortcuts` is also what the `?` panel lists. Pages add their own with `useKey`.
 */
import { onBeforeUnmount, onMounted, onScopeDispose } from 'vue';
import { mainGrid } from '../../ui/grid/grid-registry.ts';
import { useOpenPanels } from '../open-panels.store.ts';
import { useSettings } from '../settings.store.ts';
import { refreshAll } from './refresh.ts';

/** Keys as they are drawn, and the message that says what they do. */
export const shortcuts: readonly { readonly keys: readonly string[]; readonly text: string; readonly group: 'everywhere' | 'lists' }[] = [
  { keys: ['Ctrl', 'K'], text: 'keys.palette', group: 'everywhere' },
  { keys: ['Ctrl', 'P'], text: 'keys.quickOpen', group: 'everywhere' },
  { keys: ['/'], text: 'keys.filter', group: 'everywhere' },
  { keys: ['F5'], text: 'keys.refresh', group: 'everywhere' },
  { keys: ['Ctrl', 'B'], text: 'keys.rail', group: 'everywhere' },
  { keys: ['c'], text: 'keys.create', group: 'everywhere' },
  { keys: ['?'], text: 'keys.help', group: 'everywhere' },
  { keys: ['j', 'k'], text: 'keys.move', group: 'lists' },
  { keys: ['Enter'], text: 'keys.open', group: 'lists' },
  { keys: ['Space'], text: 'keys.select', group: 'lists' },
  { keys: ['Shift', '↑ ↓'], text: 'keys.extend', group: 'lists' },
  { keys: ['Ctrl', 'A'], text: 'keys.selectAll', group: 'lists' },
  { keys: ['Ctrl', 'C'], text: 'keys.copy', group: 'lists' },
  { keys: ['Shift', 'F10'], text: 'keys.menu', group: 'lists' },
  { keys: ['Esc'], text: 'keys.escape', group: 'lists' },
];

const pageKeys = new Map<string, () => void>();

/** A key of the page that is shown ("c" creates), gone with it. */
export function useKey(key: string, run: () => void): void {
  pageKeys.set(key, run);
  onScopeDispose(() => {
    if (pageKeys.get(key) === run) pageKeys.delete(key);
  });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input:not([type=checkbox]), textarea, select'));
}

const isOverlayOpen = (): boolean => document.querySelector('[role=dialog], [role=menu], [role=listbox]') !== null;

function focusFilter(): boolean {
  const filter = document.querySelector<HTMLInputElement>('[data-filter]');
  filter?.focus();
  filter?.select();
  return filter !== null;
}

export function useGlobalKeys(): void {
  const panels = useOpenPanels();
  const settings = useSettings();

  const plain: Readonly<Record<string, () => boolean | void>> = {
    '/': focusFilter,
    '?': () => void (panels.help = true),
    j: () => mainGrid()?.move(1),
    k: () => mainGrid()?.move(-1),
    ArrowDown: () => mainGrid()?.move(1),
    ArrowUp: () => mainGrid()?.move(-1),
  };
  const withModifier: Readonly<Record<string, () => void>> = {
    k: () => (panels.palette = !panels.palette),
    p: () => (panels.palette = true),
    b: () => (settings.railFolded = !settings.railFolded),
  };

  const press = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey) return;
    const modifier = event.ctrlKey || event.metaKey;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    let action: (() => boolean | void) | undefined;
    if (key === 'F5' && !modifier) action = refreshAll;
    else if (modifier && !event.shiftKey) action = withModifier[key];
    else if (!modifier && !isTyping(event.target) && !isOverlayOpen()) action = pageKeys.get(key) ?? plain[event.key];
    if (action === undefined || action() === false) return;
    event.preventDefault();
  };
  onMounted(() => window.addEventListener('keydown', press));
  onBeforeUnmount(() => window.removeEventListener('keydown', press));
}
