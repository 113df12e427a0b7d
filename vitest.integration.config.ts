import { defineConfig } from 'vitest/config';
import { longFirst } from './vitest.long-first.ts';

/** Real sockets, real child processes. They wait more than they work: two files at a time, on two cores. */
export default defineConfig({
  test: {
    include: ['test/integration/**/*.test.ts', 'test/faults/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: longFirst(['faults.test', 'leader-failover', 'flush-lab', 'kill-everything', 'compaction', 'reassignment']) },
    // Nothing here is about speed: a busy machine may take its time.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
