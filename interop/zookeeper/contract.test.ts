/** The client's contract, both implementations against Debian's Apache ZooKeeper. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { describe, it } from 'vitest';
import { describeZooKeeperClientContract } from '../../src/zk-client/testing/contract.ts';
import { SKIPPED_WITHOUT_APACHE, apacheZooKeeperInstalled, startApacheZooKeeper } from './apache-zookeeper.ts';

if (apacheZooKeeperInstalled) {
  for (const implementation of ['own', 'library'] as const) {
    describeZooKeeperClientContract({
      serverName: 'Apache ZooKeeper',
      implementation,
      // Longer than a busy machine holds up a process.
      sessionTimeoutMs: 2000,
      async startServer() {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-apache-zk-'));
        const server = await startApacheZooKeeper({ dataDir: path.join(folder, 'data') });
        return {
          port: server.port,
          async close() {
            await server.kill();
            fs.rmSync(folder, { recursive: true, force: true });
          },
        };
      },
    });
  }
} else {
  describe('the clients against Apache ZooKeeper', () => {
    it.skip(SKIPPED_WITHOUT_APACHE);
  });
}
