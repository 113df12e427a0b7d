/** One piece of work at a time behind a dialog's or a page's buttons: which is under way, and what the last one failed with. */
import { ref } from 'vue';
import type { Ref } from 'vue';
import type { Failure } from '../../../console/contract/failure.ts';
import { failureOf } from '../../../console/transport/failure-of.ts';

export interface Work<What extends string> {
  readonly busy: Readonly<Ref<What | null>>;
  readonly failure: Readonly<Ref<Failure | null>>;
  /** What failed is of something else by now. */
  readonly forget: () => void;
  /** Does nothing while another is under way. Never rejects. */
  readonly run: (what: What, work: () => Promise<void>) => Promise<void>;
}

/** `onFailure`: tells it in place of `failure`. */
export function useWork<What extends string>(onFailure?: (failure: Failure, what: What) => void): Work<What> {
  const busy = ref<What | null>(null) as Ref<What | null>;
  const failure = ref<Failure | null>(null);
  async function run(what: What, work: () => Promise<void>): Promise<void> {
    if (busy.value !== null) return;
    busy.value = what;
    failure.value = null;
    try {
      await work();
    } catch (error) {
      const now = failureOf(error);
      if (onFailure === undefined) failure.value = now;
      else onFailure(now, what);
    } finally {
      busy.value = null;
    }
  }
  return { busy, failure, run, forget: () => (failure.value = null) };
}
