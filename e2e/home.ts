/** A data folder for one test run: empty but for a cluster spec on free ports, so that runs beside each other don't meet. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../interop/support/free-ports.ts';

export interface TestHome {
  readonly path: string;
  /** What the app's processes are to see: that folder, and nothing of the test runner. */
  readonly env: NodeJS.ProcessEnv;
  remove(): void;
}

/**
 * What a test would wait for otherwise: the first rebalance of a group, the first look at logs after a start, the cleaner's rest. And what would come
 * at a moment that no test knows: the next look for old segments.
 */
const SETTINGS = {
  'group.initial.rebalance.delay.ms': '0',
  'log.initial.task.delay.ms': '500',
  'log.cleaner.backoff.ms': '500',
  'log.retention.check.interval.ms': '86400000',
};

export async function makeHome(brokers = 3, logDirsPerBroker = 1): Promise<TestHome> {
  const path = mkdtempSync(join(tmpdir(), 'samsa-e2e-'));
  // None that the system gives to a client: it would sit there when a broker comes back.
  const ports = await freePorts(brokers);
  mkdirSync(join(path, 'cluster'));
  const spec = {
    version: 1,
    brokers: ports.brokers.map((port, index) => ({ id: index + 1, port })),
    zookeeper: { kind: 'embedded', port: ports.zookeeper },
    logDirsPerBroker,
    config: SETTINGS,
  };
  writeFileSync(join(path, 'cluster', 'cluster.json'), JSON.stringify(spec));
  const { NODE_OPTIONS: _ignored, ...env } = process.env;
  return { path, env: { ...env, SAMSA_HOME: path }, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}
