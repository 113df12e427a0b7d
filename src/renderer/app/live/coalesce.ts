/**
 * Runs `task` when poked, at most once per `minIntervalMs` and never twice at a time; a poke meanwhile runs it once more
 * afterwards. So a busy cluster's stream of changes becomes a steady, bounded number of questions.
 */
export interface Coalesced {
  poke(): void;
  /** Pokes after `RETRY_MS`, unless there is a poke before: what failed may be mended, and no change need come that would ask again. */
  retry(): void;
  stop(): void;
}

export const RETRY_MS = 2000;

export function coalesce(task: () => Promise<unknown>, minIntervalMs: number): Coalesced {
  let running = false;
  let again = false;
  let stopped = false;
  let lastEndMs = -Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let retrying: ReturnType<typeof setTimeout> | undefined;

  const run = async (): Promise<void> => {
    running = true;
    clearTimeout(retrying);
    again = false;
    try {
      await task();
    } catch {
      // The task shows its own failures.
    }
    running = false;
    lastEndMs = Date.now();
    if (again) schedule();
  };
  const schedule = (): void => {
    if (stopped || timer !== undefined) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        if (!stopped) void run();
      },
      Math.max(0, lastEndMs + minIntervalMs - Date.now()),
    );
  };
  const poke = (): void => {
    if (running) again = true;
    else schedule();
  };
  return {
    poke,
    retry: () => {
      clearTimeout(retrying);
      if (!stopped) retrying = setTimeout(poke, RETRY_MS);
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      clearTimeout(retrying);
    },
  };
}
