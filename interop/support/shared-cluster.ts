/**
 * The cluster that a file's tests share: three brokers and a ZooKeeper in a temporary home on free ports; or, with
 * SAMSA_BOOTSTRAP set, one that runs already (another broker of ours, or Apache Kafka, to see whether a test is right).
 */
import { afterAll, beforeAll } from 'vitest';
import { Admin } from '../../src/client/admin/admin.ts';
import { startCluster } from '../../src/cluster/start-cluster.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';

export interface SharedCluster {
  /** `host:port,…`, once the tests run. */
  readonly bootstrapServers: string;
  readonly brokers: string[];
  /** Asks what is true, apart from the client under test. */
  readonly admin: Admin;
}

/** Call it at the top of a file. */
export function sharedCluster(): SharedCluster {
  let cluster: RunningCluster | undefined;
  let bootstrapServers = process.env['SAMSA_BOOTSTRAP'] ?? '';
  let admin: Admin | undefined;
  beforeAll(async () => {
    if (bootstrapServers === '') {
      cluster = await startCluster({ brokers: 3, ephemeral: true, basePort: 0 });
      bootstrapServers = cluster.bootstrapServers;
    }
    admin = new Admin({ runtime: createNodeRuntime(silentLogger), bootstrapServers, retryBackoffMs: 20 });
  });
  afterAll(async () => {
    await admin?.close();
    await cluster?.stop();
  });
  return {
    get bootstrapServers() {
      return bootstrapServers;
    },
    get brokers() {
      return bootstrapServers.split(',');
    },
    get admin() {
      if (admin === undefined) throw new Error('the cluster is there once the tests run');
      return admin;
    },
  };
}
