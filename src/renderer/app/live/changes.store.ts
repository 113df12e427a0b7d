/**
 * One `changes` stream per cluster that someone on the page listens to. After a break (the connection, or the stream alone)
 * it is opened again, and listeners hear that everything may have changed: what was missed cannot be known.
 */
import { defineStore } from 'pinia';
import { onScopeDispose, watch } from 'vue';
import type { Change } from '../../../console/contract/live.ts';
import { changeKinds } from '../../../console/contract/live.ts';
import { useConnection } from '../rpc/use-console.ts';

export type ChangeListener = (changes: readonly Change[]) => void;

/** Everything may have changed. */
export const EVERYTHING: readonly Change[] = changeKinds.map((kind) => ({ kind, ids: null }));

const REOPEN_MS = 500;

interface Stream {
  readonly listeners: Set<ChangeListener>;
  readonly abort: AbortController;
}

export const useChanges = defineStore('changes', () => {
  const connection = useConnection();
  const streams = new Map<string, Stream>();

  const connected = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const stop = watch(
        connection.state,
        (state) => {
          if (state.kind !== 'connected' && !signal.aborted) return;
          resolve();
          queueMicrotask(() => stop());
        },
        { immediate: true },
      );
      signal.addEventListener('abort', () => resolve(), { once: true });
    });

  const run = async (clusterId: string, stream: Stream): Promise<void> => {
    const { signal } = stream.abort;
    const tell = (changes: readonly Change[]): void => {
      for (const listener of stream.listeners) listener(changes);
    };
    let isFirst = true;
    while (!signal.aborted) {
      try {
        await connected(signal);
        const events = await connection.client.live.changes({ clusterId }, { signal });
        if (!isFirst) tell(EVERYTHING);
        isFirst = false;
        for await (const event of events) tell(event.changes);
      } catch {
        // Why it ended shows in the connection's state, or in the pages' own failures.
      }
      isFirst = false;
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, REOPEN_MS));
    }
  };

  /** Hears of changes until the function that is returned is called. */
  function subscribe(clusterId: string, listener: ChangeListener): () => void {
    let stream = streams.get(clusterId);
    if (stream === undefined) {
      stream = { listeners: new Set(), abort: new AbortController() };
      streams.set(clusterId, stream);
      void run(clusterId, stream);
    }
    const { listeners, abort } = stream;
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      abort.abort();
      if (streams.get(clusterId)?.listeners === listeners) streams.delete(clusterId);
    };
  }
  return { subscribe };
});

/** In a component: hears of the changes of the cluster that is shown, follows when that changes. */
export function useClusterChanges(clusterId: () => string, listener: ChangeListener): void {
  const changes = useChanges();
  let unsubscribe: (() => void) | undefined;
  watch(
    clusterId,
    (id) => {
      unsubscribe?.();
      unsubscribe = changes.subscribe(id, listener);
    },
    { immediate: true },
  );
  onScopeDispose(() => unsubscribe?.());
}

/** Whether any change is of one of `kinds` and names `id` (or names nothing, or no id is wanted). */
export function touches(changes: readonly Change[], kinds: readonly Change['kind'][], id?: string): boolean {
  return changes.some((change) => kinds.includes(change.kind) && (id === undefined || change.ids === null || change.ids.includes(id)));
}
