/**
 * Deletes containers that had children and have none, and TTL nodes without children that weren't written for their TTL
 * (ContainerManager). Each deletion is a transaction that checks again.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Cancellable, Scheduler } from '../runtime/scheduler.ts';
import type { DataTree } from './tree/data-tree.ts';
import { ttlOfOwner } from './tree/ephemeral-type.ts';

/** Deletions begun at one check. */
const MAX_PER_CHECK = 10_000;

export function startContainerManager(
  { clock, scheduler }: { readonly clock: Clock; readonly scheduler: Scheduler },
  tree: DataTree,
  checkIntervalMs: number,
  deleteContainer: (path: string) => void,
): Cancellable {
  return scheduler.every(checkIntervalMs, () => {
    let begun = 0;
    for (const path of candidates(tree, clock.wallMs())) {
      if (begun++ === MAX_PER_CHECK) return;
      deleteContainer(path);
    }
  });
}

/** The nodes that are due at `nowMs`. A container that never had a child waits for its first. */
export function candidates(tree: DataTree, nowMs: number): string[] {
  const due: string[] = [];
  for (const path of tree.containers) {
    const node = tree.getNode(path);
    if (node !== undefined && node.cversion > 0 && node.childCount === 0) due.push(path);
  }
  for (const path of tree.ttlNodes) {
    const node = tree.getNode(path);
    if (node !== undefined && node.childCount === 0 && nowMs - node.mtime > ttlOfOwner(node.ephemeralOwner)) due.push(path);
  }
  return due;
}
