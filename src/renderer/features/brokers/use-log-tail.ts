/** A process's log, followed: only lines newer than the last seen are pulled, at most KEPT are held, and a filter begins anew. */
import { onScopeDispose, shallowRef, watch } from 'vue';
import type { ShallowRef } from 'vue';
import type { Failure } from '../../../console/contract/failure.ts';
import type { LogLine } from '../../../console/contract/processes.ts';
import { failureOf } from '../../../console/transport/failure-of.ts';
import { useConnection } from '../../app/rpc/use-console.ts';

export const KEPT_LINES = 5000;
const PULL_MS = 500;

export interface LogTail {
  readonly lines: ShallowRef<readonly LogLine[]>;
  /** Lines that are no longer there: too old for the ring, or for us. */
  readonly dropped: ShallowRef<number>;
  readonly failure: ShallowRef<Failure | null>;
  readonly isLoaded: ShallowRef<boolean>;
  readonly refetch: () => void;
}

export function useLogTail(options: { clusterId: () => string; processId: () => string | null; text: () => string }): LogTail {
  const { client, generation } = useConnection();
  const lines = shallowRef<readonly LogLine[]>([]);
  const dropped = shallowRef(0);
  const failure = shallowRef<Failure | null>(null);
  const isLoaded = shallowRef(false);
  let round = 0;

  const follow = async (mine: number): Promise<void> => {
    let after = 0;
    for (;;) {
      if (mine !== round) return;
      const processId = options.processId();
      let more = false;
      if (processId !== null && document.visibilityState === 'visible') {
        try {
          const text = options.text();
          const page = await client.processes.logs({
            clusterId: options.clusterId(),
            processId,
            after,
            max: 2000,
            ...(text === '' ? {} : { text }),
          });
          if (mine !== round) return;
          const last = page.lines.at(-1);
          if (last !== undefined) {
            const all = lines.value.concat(page.lines);
            dropped.value += page.dropped + Math.max(0, all.length - KEPT_LINES);
            lines.value = all.slice(-KEPT_LINES);
            after = last.sequence;
            more = page.lines.length === 2000;
          }
          failure.value = null;
          isLoaded.value = true;
        } catch (error) {
          failure.value = failureOf(error);
        }
      }
      if (!more) await new Promise((resolve) => setTimeout(resolve, PULL_MS));
    }
  };
  const begin = (): void => {
    lines.value = [];
    dropped.value = 0;
    isLoaded.value = false;
    void follow(++round);
  };
  watch([options.clusterId, options.processId, options.text], begin, { immediate: true });
  watch(generation, (_, before) => {
    if (before > 0) begin();
  });
  onScopeDispose(() => round++);
  return { lines, dropped, failure, isLoaded, refetch: begin };
}
