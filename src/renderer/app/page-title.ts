/** The window's title: page, cluster, Samsa. The page that is shown says its name, the frame adds the rest. */
import { onScopeDispose, readonly, shallowRef, watch } from 'vue';

const title = shallowRef('');

export const pageTitle = readonly(title);

export function usePageTitle(of: () => string): void {
  let mine = '';
  watch(of, (now) => (title.value = mine = now), { immediate: true });
  onScopeDispose(() => {
    if (title.value === mine) title.value = '';
  });
}

export function windowTitle(page: string, cluster: string | undefined): string {
  return [page, cluster, 'Samsa'].filter((part) => part !== undefined && part !== '').join(' – ');
}
