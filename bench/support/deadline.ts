/** Waiting, but never without end. */

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });

/** Asks again and again, `everyMs` apart, until something is found; rejects after `withinMs`. A failing question counts as nothing found. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  withinMs = 20_000,
  everyMs = 2,
): Promise<T> {
  const endMs = performance.now() + withinMs;
  let failure: unknown;
  while (performance.now() < endMs) {
    try {
      const found = await ask();
      if (found !== undefined) return found;
    } catch (error) {
      failure = error;
    }
    await sleep(everyMs);
  }
  throw new Error(`${what}: not within ${withinMs} ms`, { cause: failure });
}
