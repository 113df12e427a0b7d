/** The wall clock as a ref that ticks once a second while anyone looks: uptimes and countdowns. */
import { onScopeDispose, readonly, ref } from 'vue';
import type { Ref } from 'vue';

const nowMs = ref(Date.now());
let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

export function useNow(): Readonly<Ref<number>> {
  if (watchers++ === 0) {
    nowMs.value = Date.now();
    timer = setInterval(() => (nowMs.value = Date.now()), 1000);
  }
  onScopeDispose(() => {
    if (--watchers === 0) clearInterval(timer);
  });
  return readonly(nowMs);
}
