/**
 * The ISR of a partition as its leader sees it: what the controller has committed, and at most one change under way.
 * While a change is pending the maximal ISR counts for the high watermark: the union of both, so that no record is
 * called committed before every replica that might be elected has it. Source: Kafka's `PartitionState`, KIP-497.
 */
export type IsrState =
  | { readonly kind: 'committed'; readonly isr: ReadonlySet<number> }
  | {
      readonly kind: 'pending-expand' | 'pending-shrink';
      /** The last committed ISR. */
      readonly isr: ReadonlySet<number>;
      /** What was asked of the controller. */
      readonly proposedIsr: ReadonlySet<number>;
      /** The union of both. */
      readonly maximalIsr: ReadonlySet<number>;
    };

export function committedIsr(isr: Iterable<number>): IsrState {
  return { kind: 'committed', isr: new Set(isr) };
}

export function pendingExpand(committed: ReadonlySet<number>, replicaId: number): IsrState {
  const proposedIsr = new Set([...committed, replicaId]);
  return { kind: 'pending-expand', isr: committed, proposedIsr, maximalIsr: proposedIsr };
}

export function pendingShrink(committed: ReadonlySet<number>, outOfSync: ReadonlySet<number>): IsrState {
  const proposedIsr = new Set([...committed].filter((id) => !outOfSync.has(id)));
  return { kind: 'pending-shrink', isr: committed, proposedIsr, maximalIsr: committed };
}

export function maximalIsr(state: IsrState): ReadonlySet<number> {
  return state.kind === 'committed' ? state.isr : state.maximalIsr;
}
