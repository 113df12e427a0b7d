import { defineConfig } from 'vitest/config';

/** Unit tests: beside the source, pure and fast. Others: vitest.<kind>.config.ts. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
    environment: 'node',
    pool: 'threads',
    testTimeout: 20_000,
  },
});
