import { defineConfig } from 'vitest/config';
import { longFirst } from './vitest.long-first.ts';

/** Clients and tools that others wrote, against a cluster of ours. Two files at a time: most wait for Java to start. */
export default defineConfig({
  test: {
    include: ['interop/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    globalSetup: ['interop/support/apache-kafka/class-archive.ts'],
    maxWorkers: 2,
    sequence: {
      sequencer: longFirst([
        'graduation',
        'mixed-cluster',
        'apache-cluster',
        'golden-folders',
        'folder-exchange',
        'kazoo-suite',
        'dump-log',
        'debian-packages',
      ]),
    },
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
