/**
 * One answer of the contract, kept fresh: cached by key (Pinia Colada), asked for again when a change of the cluster touches
 * it, when the connection is back, after a failure that another try may mend, and on F5. After a failure the last answer stays, with the time
 * it is of.
 */
import { useQuery, useQueryCache } from '@pinia/colada';
import { computed, onScopeDispose, watch } from 'vue';
import type { ComputedRef } from 'vue';
import type { Failure } from '../../../console/contract/failure.ts';
import type { Change } from '../../../console/contract/live.ts';
import { failureOf } from '../../../console/transport/failure-of.ts';
import { onRefresh } from '../keys/refresh.ts';
import { useConnection } from '../rpc/use-console.ts';
import { useClusterChanges } from './changes.store.ts';
import { coalesce } from './coalesce.ts';
import type { Coalesced } from './coalesce.ts';

export interface Live<T> {
  readonly data: ComputedRef<T | undefined>;
  readonly failure: ComputedRef<Failure | null>;
  /** When `data` was so; null while there is none. */
  readonly asOfMs: ComputedRef<number | null>;
  readonly isFetching: ComputedRef<boolean>;
  readonly refetch: () => void;
}

export interface LiveOptions<T> {
  readonly clusterId: () => string;
  /** Without the cluster: that is put in front. */
  readonly key: () => readonly (string | number | boolean | null)[];
  readonly query: () => Promise<T>;
  /** Whether these changes touch the answer. */
  readonly on: (changes: readonly Change[]) => boolean;
  readonly minIntervalMs?: number;
  /** Asked for again after this long even without a change, while the window is seen. */
  readonly everyMs?: number;
  readonly enabled?: () => boolean;
}

/** One gate per key, whoever shows it: an event asks once, not once per component. */
const gates = new Map<string, { readonly gate: Coalesced; users: number }>();

export function useLive<T>(options: LiveOptions<T>): Live<T> {
  const { generation } = useConnection();
  const cache = useQueryCache();
  const key = computed(() => [options.clusterId(), ...options.key()]);
  const { state, asyncStatus } = useQuery({
    key,
    query: async () => ({ value: await options.query(), asOfMs: Date.now() }),
    staleTime: 0,
    gcTime: 5 * 60_000,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    enabled: () => options.enabled?.() ?? true,
  });

  let release: () => void = () => undefined;
  let gate: Coalesced | undefined;
  watch(
    () => JSON.stringify(key.value),
    (id) => {
      release();
      const entry = key.value;
      const shared = gates.get(id) ?? {
        users: 0,
        gate: coalesce(async () => {
          const known = cache.get(entry);
          if (known !== undefined) await cache.fetch(known);
        }, options.minIntervalMs ?? 300),
      };
      gates.set(id, shared);
      shared.users++;
      gate = shared.gate;
      release = () => {
        if (--shared.users > 0) return;
        shared.gate.stop();
        gates.delete(id);
      };
    },
    { immediate: true },
  );
  onScopeDispose(() => release());
  const poke = (): void => {
    if (options.enabled?.() ?? true) gate?.poke();
  };
  useClusterChanges(options.clusterId, (changes) => {
    if (options.on(changes)) poke();
  });
  watch(generation, (_, before) => {
    if (before > 0) poke();
  });
  onRefresh(poke);
  watch(
    () => state.value.error,
    (error) => {
      if (error !== null && (options.enabled?.() ?? true) && failureOf(error).retriable) gate?.retry();
    },
    { immediate: true },
  );
  if (options.everyMs !== undefined) {
    const ticking = setInterval(() => {
      if (document.visibilityState === 'visible') poke();
    }, options.everyMs);
    onScopeDispose(() => clearInterval(ticking));
  }
  return {
    data: computed(() => state.value.data?.value),
    failure: computed(() => (state.value.status === 'error' ? failureOf(state.value.error) : null)),
    asOfMs: computed(() => state.value.data?.asOfMs ?? null),
    isFetching: computed(() => asyncStatus.value === 'loading'),
    refetch: poke,
  };
}
