/** A broker's network is cut off from others, on one side or on both. */
import type { ProcessStatus } from '../contract/processes.ts';
import type { ClusterControl } from './cluster-control.ts';

/**
 * With `mutual` the other brokers in `from` are cut off from `processId` too, and those that are not in it any more are mended. Rejects with the
 * first that can't be (a broker that isn't running has no network to cut), after the others were told.
 */
export async function cutOffProcess(
  control: ClusterControl,
  { processId, from, mutual }: { readonly processId: string; readonly from: readonly string[]; readonly mutual: boolean },
): Promise<ProcessStatus> {
  const status = await control.cutOff(processId, from);
  if (!mutual) return status;
  const { processes } = await control.status();
  const others = processes.filter(({ id, role, state }) => role === 'broker' && id !== processId && state === 'running');
  const outcomes = await Promise.allSettled(
    others.map(async ({ id, cutOffFrom }) => {
      const rest = cutOffFrom.filter((name) => name !== processId);
      const wanted = from.includes(id) ? [...rest, processId] : rest;
      if (wanted.length !== cutOffFrom.length) await control.cutOff(id, wanted);
    }),
  );
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return status;
}
