/**
 * What a list or page shows while it has nothing to show, each state apart from the others: loading, empty, filtered to
 * nothing, or failed, where the failure's kind tells not permitted, not supported, timed out and unreachable apart.
 */
import type { Failure } from '../../../console/contract/failure.ts';

export type ViewState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'empty'; readonly title: string; readonly hint?: string; readonly icon?: string }
  /** There are rows, and the filter lets none through. */
  | { readonly kind: 'filtered'; readonly total: number }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly retry?: () => void };

/** The state of something that is asked for: nothing yet, refused, or there and empty. Null: show the data. */
export function viewStateOf(of: {
  readonly loaded: boolean;
  readonly isEmpty: boolean;
  readonly failure: Failure | null;
  readonly retry: () => void;
  readonly empty: { readonly title: string; readonly hint?: string; readonly icon?: string };
}): ViewState | null {
  if (of.loaded) return of.isEmpty ? { kind: 'empty', ...of.empty } : null;
  if (of.failure !== null) return { kind: 'failed', failure: of.failure, retry: of.retry };
  return { kind: 'loading' };
}
