import { defineConfig } from 'vitest/config';

/** Clients and tools that others wrote, against a cluster of ours. */
export default defineConfig({
  test: {
    include: ['interop/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
