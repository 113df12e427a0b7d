import { defineConfig } from 'vitest/config';

/** Real sockets, real child processes: one file at a time, so that time-outs mean something on two cores. */
export default defineConfig({
  test: {
    include: ['test/integration/**/*.test.ts', 'test/faults/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
