import { defineConfig } from 'vitest/config';

/** Unit tests: beside the source, pure and fast. Others: vitest.<kind>.config.ts. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
    environment: 'node',
    pool: 'threads',
    // Nothing here is about speed: a busy machine may take its time.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
