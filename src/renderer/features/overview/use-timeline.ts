/** The cluster's timeline, newest first: the newest entries at first, then only what is newer than the last one seen. */
import { onScopeDispose, shallowRef, watch } from 'vue';
import type { ShallowRef } from 'vue';
import type { Failure } from '../../../console/contract/failure.ts';
import type { TimelineEntry } from '../../../console/contract/live.ts';
import { failureOf } from '../../../console/transport/failure-of.ts';
import { touches, useClusterChanges } from '../../app/live/changes.store.ts';
import { coalesce } from '../../app/live/coalesce.ts';
import { useConnection } from '../../app/rpc/use-console.ts';

const KEPT = 500;

/** Newest first, without doubles, bounded. A sequence that went back (the services were started again) begins anew. */
export function mergeTimeline(held: readonly TimelineEntry[], fresh: readonly TimelineEntry[]): readonly TimelineEntry[] {
  const last = held[0]?.sequence ?? 0;
  const newer = fresh.filter((entry) => entry.sequence > last).toReversed();
  return [...newer, ...held].slice(0, KEPT);
}

/** By when things happened: each process tells its own, and what one tells may come after what another told later. */
export function byTime(entries: readonly TimelineEntry[]): readonly TimelineEntry[] {
  return entries.toSorted((a, b) => b.atMs - a.atMs || b.sequence - a.sequence);
}

export interface Timeline {
  readonly entries: ShallowRef<readonly TimelineEntry[]>;
  readonly isLoaded: ShallowRef<boolean>;
  readonly failure: ShallowRef<Failure | null>;
  readonly refetch: () => void;
}

export function useTimeline(clusterId: () => string): Timeline {
  const { client, generation } = useConnection();
  const entries = shallowRef<readonly TimelineEntry[]>([]);
  const isLoaded = shallowRef(false);
  const failure = shallowRef<Failure | null>(null);

  const pull = async (): Promise<void> => {
    try {
      const page = await client.live.timeline({ clusterId: clusterId(), after: entries.value[0]?.sequence ?? 0, max: 200 });
      if (page.entries.length > 0) entries.value = mergeTimeline(entries.value, page.entries);
      isLoaded.value = true;
      failure.value = null;
    } catch (error) {
      failure.value = failureOf(error);
    }
  };
  const pulling = coalesce(pull, 200);
  useClusterChanges(clusterId, (changes) => {
    if (touches(changes, ['timeline'])) pulling.poke();
  });
  watch(generation, (_, before) => {
    if (before === 0) return;
    entries.value = [];
    pulling.poke();
  });
  pulling.poke();
  onScopeDispose(() => pulling.stop());
  return { entries, isLoaded, failure, refetch: () => pulling.poke() };
}
