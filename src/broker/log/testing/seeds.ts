/** Runs `run` with `count` seeds; SAMSA_SEEDS says another count, SAMSA_SEED=n runs that one alone. @throws naming the seed that failed. */
export async function forEachSeed(count: number, run: (seed: number) => Promise<void>): Promise<void> {
  const only = process.env['SAMSA_SEED'];
  const from = Number(only ?? 0);
  const to = only === undefined ? Number(process.env['SAMSA_SEEDS'] ?? count) : from + 1;
  if (!(to > from)) throw new Error(`SAMSA_SEEDS ${process.env['SAMSA_SEEDS']} is no count of seeds above 0`);
  for (let seed = from; seed < to; seed++) {
    try {
      await run(seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}
