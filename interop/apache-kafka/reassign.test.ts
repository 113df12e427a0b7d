/**
 * Apache Kafka's own kafka-reassign-partitions and kafka-leader-election (3.9) against four of our brokers: a plan is made, executed under a
 * throttle, followed, ended, and another one given up; leaders go back to where they are preferred.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Admin } from '../../src/client/admin/admin.ts';
import { startCluster } from '../../src/cluster/start-cluster.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { whyNoApacheKafka } from '../support/apache-kafka/jars.ts';
import { runKafkaTool } from '../support/apache-kafka/servers.ts';
import { until, untilInSync, valueOf } from '../support/expectations.ts';
import { runTool } from '../support/run-tool.ts';

const reason = whyNoApacheKafka();
if (reason !== undefined) process.stdout.write(`kafka-reassign-partitions is not tried: ${reason}\n`);

const TOPIC = 'moved';
const REASSIGN = 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand';
const ELECT = 'org.apache.kafka.tools.LeaderElectionCommand';
const BEFORE = [
  [1, 2, 3],
  [2, 3, 1],
];
const AFTER = [
  [4, 2, 3],
  [3, 4, 1],
];

describe.skipIf(reason !== undefined)('kafka-reassign-partitions', () => {
  let cluster: RunningCluster;
  let admin: Admin;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'samsa-reassign-'));
    cluster = await startCluster({ brokers: 4, ephemeral: true, basePort: 0 });
    admin = new Admin({ runtime: createNodeRuntime(silentLogger), bootstrapServers: cluster.bootstrapServers, retryBackoffMs: 20 });
    valueOf((await admin.createTopics([{ name: TOPIC, assignments: BEFORE }])).get(TOPIC));
    const lines = Array.from({ length: 4_000 }, (_, index) => String(index).padEnd(2_047, 'x'));
    await runTool('kcat', ['-P', '-b', cluster.bootstrapServers, '-t', TOPIC, '-p', '0'], { input: `${lines.join('\n')}\n` });
  });

  afterAll(async () => {
    await admin?.close();
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const tool = (mainClass: string, ...args: readonly string[]): Promise<string> =>
    runKafkaTool(mainClass, ['--bootstrap-server', cluster.bootstrapServers, ...args]);

  function plan(assignments: readonly (readonly number[])[]): string[] {
    const path = join(folder, 'plan.json');
    const partitions = assignments.map((replicas, partition) => ({ topic: TOPIC, partition, replicas }));
    writeFileSync(path, JSON.stringify({ version: 1, partitions }));
    return ['--reassignment-json-file', path];
  }

  async function replicas(): Promise<(readonly number[])[]> {
    const { partitions } = valueOf((await admin.describeTopics([TOPIC])).get(TOPIC));
    return partitions.toSorted((a, b) => a.partition - b.partition).map((partition) => partition.replicas);
  }

  it('makes a plan, executes it under a throttle, lists and verifies it, raises the throttle and clears it at the end', async () => {
    const topics = join(folder, 'topics.json');
    writeFileSync(topics, JSON.stringify({ version: 1, topics: [{ topic: TOPIC }] }));
    expect(await tool(REASSIGN, '--generate', '--topics-to-move-json-file', topics, '--broker-list', '1,2,4')).toContain(
      'Proposed partition',
    );
    expect(await tool(REASSIGN, '--execute', ...plan(AFTER), '--throttle', '1000')).toContain(
      `Successfully started partition reassignments for ${TOPIC}-0,${TOPIC}-1`,
    );
    expect(await tool(REASSIGN, '--list')).toContain(`${TOPIC}-0: replicas: 4,2,3,1. adding: 4. removing: 1.`);
    expect(await tool(REASSIGN, '--verify', ...plan(AFTER), '--preserve-throttles')).toContain(`partition ${TOPIC}-0 is still in progress`);
    await tool(REASSIGN, '--execute', ...plan(AFTER), '--throttle', '100000000', '--additional');
    await until('nothing moves any more', async () => (await admin.listPartitionReassignments()).length === 0);
    const verified = await tool(REASSIGN, '--verify', ...plan(AFTER));
    expect(verified).toContain(`Reassignment of partition ${TOPIC}-0 is completed.`);
    expect(verified).toContain('Clearing broker-level throttles on brokers 1,2,3,4');
    expect(verified).toContain(`Clearing topic-level throttles on topic ${TOPIC}`);
    // Whichever broker is asked: some hear of it later than the tool.
    await expect.poll(replicas).toEqual(AFTER);
  });

  it('gives up what is under way', async () => {
    await tool(REASSIGN, '--execute', ...plan(BEFORE), '--throttle', '1000');
    expect(await tool(REASSIGN, '--cancel', ...plan(BEFORE))).toContain(`Successfully cancelled partition reassignment for: ${TOPIC}-0`);
    expect(await admin.listPartitionReassignments()).toEqual([]);
    await expect.poll(async () => (await replicas())[0]?.toSorted((a, b) => a - b)).toEqual([2, 3, 4]);
  });

  it('finds leaders where kafka-leader-election has put them', async () => {
    const path = join(folder, 'elections.json');
    writeFileSync(path, JSON.stringify({ partitions: [0, 1].map((partition) => ({ topic: TOPIC, partition })) }));
    await untilInSync(admin, TOPIC, 3);
    await tool(ELECT, '--election-type', 'preferred', '--path-to-json-file', path);
    await until('each preferred replica leads', async () =>
      valueOf((await admin.describeTopics([TOPIC])).get(TOPIC)).partitions.every(
        ({ leaderId, replicas: [preferred] }) => leaderId === preferred,
      ),
    );
    expect(await tool(ELECT, '--election-type', 'preferred', '--path-to-json-file', path)).toContain(
      'Valid replica already elected for partitions',
    );
  });
});
