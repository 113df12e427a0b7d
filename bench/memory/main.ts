/**
 * What the four processes hold when they have been idle for 30 s after light use: PSS (each shared page divided by those who
 * share it) is what the cluster costs the machine; RSS counts Node's own code once for each process.
 * Light use: 3 topics, 10,000 records of 1 KiB with acks=all, read back, a group with committed offsets.
 * Run: `node bench/memory/main.ts [--idle-seconds 30] [--rounds 1]`. Linux only: it reads /proc/PID/smaps_rollup.
 * SAMSA_NODE_FLAGS adds flags of Node to the children (src/cluster/process-entry.ts).
 */
import { readFileSync } from 'node:fs';
import { FindCoordinator } from '../../src/protocol/generated/find-coordinator.ts';
import { OffsetCommit } from '../../src/protocol/generated/offset-commit.ts';
import { produceFrame } from '../support/batches.ts';
import { ensureBuilt } from '../support/build.ts';
import { withCluster } from '../support/cluster.ts';
import { fail, readFlags } from '../support/command-line.ts';
import { cpuMs } from '../support/cpu-time.ts';
import { sleep, until } from '../support/deadline.ts';
import { createTopics, leadersOf, withConnection } from '../support/kafka-calls.ts';
import { atMost, count, heading, print, printTable } from '../support/print.ts';
import { readPartition } from '../support/read-partition.ts';
import { summarize } from '../support/statistics.ts';

const PSS_BUDGET_MB = 300;
const RSS_BUDGET_MB = 450;
const TOPICS = ['orders', 'payments', 'clicks'];
const PARTITIONS = 3;
const RECORDS = 10_000;

interface Memory {
  readonly name: string;
  readonly pssMb: number;
  readonly rssMb: number;
  readonly privateMb: number;
}

const flags = readFlags(['idle-seconds', 'rounds']);
const idleSeconds = flags.number('idle-seconds', 30);
const rounds = flags.number('rounds', 1);
if (process.platform !== 'linux') fail('memory is measured on Linux only: PSS is in /proc');

ensureBuilt();
heading('memory');

async function useLightly(bootstrap: number): Promise<void> {
  await createTopics(
    bootstrap,
    3,
    TOPICS.map((name) => ({ name, partitions: PARTITIONS, replicas: 3 })),
  );
  for (const topic of TOPICS) {
    const leaders = await leadersOf(bootstrap, topic, PARTITIONS, 3);
    for (const [partition, { port }] of leaders.entries()) {
      const { frame, records } = produceFrame(topic, partition, -1, 1024);
      await withConnection(port, async (connection) => {
        for (let sent = 0; sent < RECORDS / TOPICS.length / PARTITIONS; sent += records) {
          await new Promise<void>((resolve, reject) => {
            connection.onFailure(reject);
            connection.send(frame, () => resolve());
          });
        }
      });
      await readPartition(port, topic, partition);
    }
  }
  const coordinator = await until('a group coordinator', () =>
    withConnection(bootstrap, async (connection) => {
      const { errorCode, port } = await connection.call(FindCoordinator, 3, { key: 'group', keyType: 0, coordinatorKeys: [] });
      return errorCode === 0 ? port : undefined;
    }),
  );
  await until('committed offsets', () =>
    withConnection(coordinator, async (connection) => {
      const topics = TOPICS.map((name) => ({
        name,
        partitions: Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
          partitionIndex,
          committedOffset: 1,
          committedMetadata: '',
        })),
      }));
      const answer = await connection.call(OffsetCommit, 8, { groupId: 'group', memberId: '', topics });
      return answer.topics.every((topic) => topic.partitions.every(({ errorCode }) => errorCode === 0)) ? true : undefined;
    }),
  );
}

function memoryOf(name: string, pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const megabytes = (field: string): number =>
    (Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) * 1024) / 1e6;
  return { name, pssMb: megabytes('Pss'), rssMb: megabytes('Rss'), privateMb: megabytes('Private_Dirty') };
}

async function measure(): Promise<Memory[]> {
  return withCluster({ brokers: 3 }, async (cluster, { ports }) => {
    await useLightly(ports[0] ?? 0);
    const pids = cluster.processes().map(({ id, pid }) => ({ id, pid: pid ?? 0 }));
    const before = pids.map(({ pid }) => cpuMs(pid));
    await sleep(idleSeconds * 1000);
    print(
      `idle CPU: ${pids.map(({ id, pid }, index) => `${id} ${((cpuMs(pid) - (before[index] ?? 0)) / idleSeconds / 10).toFixed(2)} %`).join(', ')}`,
    );
    return pids.map(({ id, pid }) => memoryOf(id, pid));
  });
}

const sum = (memories: readonly Memory[], of: (memory: Memory) => number): number =>
  memories.reduce((total, memory) => total + of(memory), 0);

const pssSums: number[] = [];
const rssSums: number[] = [];
for (let round = 0; round < rounds; round++) {
  const memories = await measure();
  pssSums.push(sum(memories, ({ pssMb }) => pssMb));
  rssSums.push(sum(memories, ({ rssMb }) => rssMb));
  const row = ({ name, pssMb, privateMb, rssMb }: Memory): string[] => [name, pssMb.toFixed(1), privateMb.toFixed(1), rssMb.toFixed(1)];
  printTable(['MB (1,000,000 bytes)', 'PSS', 'private dirty', 'RSS'], memories.map(row));
}
const pss = summarize(pssSums).median;
const rss = summarize(rssSums).median;
print(
  `after ${idleSeconds} s idle; ${count(RECORDS)} records of 1 KiB, ${TOPICS.length * PARTITIONS} partitions and __consumer_offsets, 3 replicas; median of ${rounds}`,
);
printTable(
  ['four processes together', 'MB', 'budget', ''],
  [
    ['PSS', pss.toFixed(0), String(PSS_BUDGET_MB), atMost(pss, PSS_BUDGET_MB)],
    ['RSS', rss.toFixed(0), String(RSS_BUDGET_MB), atMost(rss, RSS_BUDGET_MB)],
  ],
);
process.exit();
