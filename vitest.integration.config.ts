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
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
