/**
 * The one dialog before anything destructive: it names each object, shows what it touches, runs, and reports per item.
 * `ask` resolves when the dialog is closed, with the items that were done.
 */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import type { Failure, ItemResult } from '../../../console/contract/failure.ts';
import { failureOf } from '../../../console/transport/failure-of.ts';

export interface Impact {
  readonly name: string;
  /** Short facts: "1,204 records", "3.1 MiB". */
  readonly facts: readonly string[];
  /** What should make one stop and think: "2 active groups: billing, audit". */
  readonly warning: string | null;
}

export interface ConfirmRequest {
  readonly title: string;
  /** One sentence on what will happen and whether it can be undone. */
  readonly explanation: string;
  /** The button: "Delete 3 topics". */
  readonly verb: string;
  readonly names: readonly string[];
  readonly impact?: () => Promise<readonly Impact[]>;
  /** What must be typed first (on Prod); null or missing: nothing. */
  readonly typed?: string | null;
  readonly run: () => Promise<readonly ItemResult[]>;
}

export type ConfirmStage = 'asking' | 'running' | 'report';

export const useConfirm = defineStore('confirm', () => {
  const request = shallowRef<ConfirmRequest | null>(null);
  const stage = ref<ConfirmStage>('asking');
  const impact = shallowRef<readonly Impact[] | null>(null);
  const impactFailure = shallowRef<Failure | null>(null);
  const results = shallowRef<readonly ItemResult[]>([]);
  const typed = ref('');
  let settle: (done: readonly string[]) => void = () => undefined;

  const isOpen = computed(() => request.value !== null);
  const canRun = computed(() => {
    const wanted = request.value?.typed ?? null;
    return stage.value === 'asking' && (wanted === null || typed.value === wanted);
  });

  async function ask(asked: ConfirmRequest): Promise<readonly string[]> {
    if (request.value !== null) return [];
    request.value = asked;
    stage.value = 'asking';
    impact.value = null;
    impactFailure.value = null;
    results.value = [];
    typed.value = '';
    void loadImpact(asked);
    return new Promise((resolve) => (settle = resolve));
  }

  async function loadImpact(asked: ConfirmRequest): Promise<void> {
    if (asked.impact === undefined) return;
    try {
      const found = await asked.impact();
      if (request.value === asked) impact.value = found;
    } catch (error) {
      if (request.value === asked) impactFailure.value = failureOf(error);
    }
  }

  /** Runs it. All done: closes. Else stays with the report, the failed ones first. */
  async function run(): Promise<void> {
    const asked = request.value;
    if (asked === null || !canRun.value) return;
    stage.value = 'running';
    try {
      results.value = await asked.run();
    } catch (error) {
      const failure = failureOf(error);
      results.value = asked.names.map((name) => ({ name, failure }));
    }
    if (results.value.every((result) => result.failure === null)) finish();
    else stage.value = 'report';
  }

  /** Not while it runs: its outcome would be lost. */
  function close(): void {
    if (stage.value !== 'running') finish();
  }

  function finish(): void {
    const done = results.value.filter((result) => result.failure === null).map((result) => result.name);
    request.value = null;
    settle(done);
  }

  return { request, stage, impact, impactFailure, results, typed, isOpen, canRun, ask, run, close };
});
