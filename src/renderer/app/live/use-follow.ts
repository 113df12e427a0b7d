/** What is looked at again and again only while there is something to follow: moves under way, a load, … */
import { onScopeDispose, watch } from 'vue';
import type { Live } from './use-live.ts';

const FOLLOW_MS = 1000;

/** Asks again a second after each answer, as long as `isGoing` says so of it. */
export function useFollow(live: Pick<Live<unknown>, 'asOfMs' | 'refetch'>, isGoing: () => boolean): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  watch(live.asOfMs, () => {
    clearTimeout(timer);
    if (isGoing()) timer = setTimeout(live.refetch, FOLLOW_MS);
  });
  onScopeDispose(() => clearTimeout(timer));
}
