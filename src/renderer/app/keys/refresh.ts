/** F5: whoever shows data of the cluster asks for it again. */
import { onScopeDispose } from 'vue';

const listeners = new Set<() => void>();

export function onRefresh(listener: () => void): void {
  listeners.add(listener);
  onScopeDispose(() => listeners.delete(listener));
}

export function refreshAll(): void {
  for (const listener of listeners) listener();
}
