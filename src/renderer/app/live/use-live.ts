/**
 * One answer of the contract, kept fresh: cached by key (Pinia Colada), asked for again when a change of the cluster touches
 * it, when the connection is back, and on F5. After a failure the last answer stays, with the time it is of.
 */
import { useQuery } from '@pinia/colada';
import { computed, onScopeDispose, watch } from 'vue';
import type { ComputedRef } from 'vue';
import type { Failure } from '../../../console/contract/failure.ts';
import type { Change } from '../../../console/contract/live.ts';
import { failureOf } from '../../../console/transport/failure-of.ts';
import { onRefresh } from '../keys/refresh.ts';
import { useConnection } from '../rpc/use-console.ts';
import { useClusterChanges } from './changes.store.ts';
import { coalesce } from './coalesce.ts';

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
  readonly enabled?: () => boolean;
}

export function useLive<T>(options: LiveOptions<T>): Live<T> {
  const { generation } = useConnection();
  const { state, asyncStatus, refetch } = useQuery({
    key: () => [options.clusterId(), ...options.key()],
    query: async () => ({ value: await options.query(), asOfMs: Date.now() }),
    staleTime: 0,
    gcTime: 5 * 60_000,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    enabled: () => options.enabled?.() ?? true,
  });
  const again = coalesce(() => refetch(), options.minIntervalMs ?? 300);
  const poke = (): void => {
    if (options.enabled?.() ?? true) again.poke();
  };
  useClusterChanges(options.clusterId, (changes) => {
    if (options.on(changes)) poke();
  });
  watch(generation, poke);
  onRefresh(poke);
  onScopeDispose(() => again.stop());
  return {
    data: computed(() => state.value.data?.value),
    failure: computed(() => (state.value.status === 'error' ? failureOf(state.value.error) : null)),
    asOfMs: computed(() => state.value.data?.asOfMs ?? null),
    isFetching: computed(() => asyncStatus.value === 'loading'),
    refetch: poke,
  };
}
