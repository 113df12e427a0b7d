/**
 * Integration tests once more with Apache ZooKeeper in the place of ours, as its own process that the supervisor starts, kills and starts
 * again: what clients do every day, and dead brokers' sessions. The whole suite: `SAMSA_TEST_ZOOKEEPER=apache` (docs/internals/zookeeper.md).
 */
import { describe } from 'vitest';
import { apacheZooKeeperInstalled, SKIPPED_WITHOUT_APACHE } from './apache-zookeeper.ts';

if (apacheZooKeeperInstalled) process.env['SAMSA_TEST_ZOOKEEPER'] = 'apache';
const title = apacheZooKeeperInstalled ? 'on Apache ZooKeeper' : `on Apache ZooKeeper (${SKIPPED_WITHOUT_APACHE})`;

// Imported below the setting, which they read when they are loaded.
describe.skipIf(!apacheZooKeeperInstalled)(title, async () => {
  await import('../../test/integration/cluster-basics.test.ts');
});
describe.skipIf(!apacheZooKeeperInstalled)(title, async () => {
  await import('../../test/integration/cluster-zookeeper.test.ts');
});
