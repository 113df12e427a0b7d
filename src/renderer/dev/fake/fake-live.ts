/** What changes, as it changes. */
import type { Change, ChangeEvent } from '../../../console/contract/live.ts';
import { os } from './fake-world.ts';
import type { FakeWorld } from './fake-world.ts';

export function fakeLive(world: FakeWorld) {
  const { cluster, listeners } = world;
  return {
    changes: os.live.changes.handler(async function* ({ signal }) {
      const queue: Change[] = [{ kind: 'cluster', ids: ['local'] }];
      let wake = Promise.withResolvers<void>();
      const hear = (changes: readonly Change[]): void => {
        queue.push(...changes);
        wake.resolve();
      };
      listeners.add(hear);
      signal?.addEventListener('abort', () => wake.resolve());
      try {
        for (;;) {
          if (signal?.aborted === true) return;
          if (queue.length > 0) yield { atMs: Date.now(), changes: queue.splice(0) } satisfies ChangeEvent;
          wake = Promise.withResolvers();
          if (queue.length === 0) await wake.promise;
        }
      } finally {
        listeners.delete(hear);
      }
    }),
    timeline: os.live.timeline.handler(({ input }) => ({
      entries: cluster.timeline.filter((entry) => entry.sequence > input.after).slice(-input.max),
      dropped: 0,
    })),
  };
}
