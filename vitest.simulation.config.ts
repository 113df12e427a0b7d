import { defineConfig } from 'vitest/config';

/** A whole cluster in one process on simulated time: seeds, kept schedules, mutations. One file at a time, since runs share what is observed. */
export default defineConfig({
  test: {
    include: ['test/simulation/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
  },
});
