/**
 * How long a start takes: from spawning `samsa up` (3 brokers and ZooKeeper) to the first record acknowledged with acks=all and a
 * replication factor of 3; from nothing, after a clean stop, and after SIGKILL of every process, with data from before. Beside it
 * what bare Node costs: one process, and four with a bundle of 1 MB at once.
 * Run: `node bench/start/main.ts [--rounds 7]`.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FindCoordinator } from '../../src/protocol/generated/find-coordinator.ts';
import { OffsetCommit } from '../../src/protocol/generated/offset-commit.ts';
import { produceFrame } from '../support/batches.ts';
import { ensureBuilt } from '../support/build.ts';
import { readFlags } from '../support/command-line.ts';
import { until } from '../support/deadline.ts';
import { acknowledgedRecord, createTopicAtOnce } from '../support/first-record.ts';
import { createTopics, leadersOf, withConnection } from '../support/kafka-calls.ts';
import { atMost, count, heading, milliseconds, print, printTable } from '../support/print.ts';
import { freePorts } from '../../interop/support/free-ports.ts';
import { SamsaProcess } from '../support/samsa-process.ts';
import type { ClusterPorts } from '../../interop/support/free-ports.ts';
import { summarize } from '../support/statistics.ts';

const FIRST_START_BUDGET_MS = 1500;
const RESTART_BUDGET_MS = 1000;
const BROKERS = 3;
const TOPICS = 20;
const PARTITIONS = 3;
const RECORDS = 100_000;
const BUNDLE_BYTES = 1_000_000;

const flags = readFlags(['rounds']);
const rounds = flags.number('rounds', 7);

ensureBuilt();
heading('start');

async function temporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'samsa-bench-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function firstStart(): Promise<number> {
  return temporaryFolder(async (home) => {
    const ports = await freePorts(BROKERS);
    const samsa = new SamsaProcess(home, ports);
    try {
      await createTopicAtOnce(ports.brokers, 'first');
      await acknowledgedRecord(ports.brokers, 'first');
      return samsa.ageMs;
    } finally {
      await samsa.stop();
    }
  });
}

/** 20 topics of 3 partitions, 100,000 records, a committed offset. */
async function fill(ports: ClusterPorts): Promise<void> {
  const [bootstrap = 0] = ports.brokers;
  const names = Array.from({ length: TOPICS }, (_, index) => `topic-${index}`);
  await createTopics(
    bootstrap,
    BROKERS,
    names.map((name) => ({ name, partitions: PARTITIONS, replicas: BROKERS })),
  );
  let left = RECORDS;
  for (let round = 0; left > 0; round++) {
    const topic = names[round % TOPICS] ?? '';
    const leaders = await leadersOf(bootstrap, topic, PARTITIONS, BROKERS);
    for (const [partition, { port }] of leaders.entries()) {
      const { frame, records } = produceFrame(topic, partition, -1, 100);
      await withConnection(
        port,
        (connection) =>
          new Promise<void>((resolve, reject) => {
            connection.onFailure(reject);
            connection.send(frame, () => resolve());
          }),
      );
      left -= records;
    }
  }
  const coordinator = await until('a group coordinator', () =>
    withConnection(bootstrap, async (connection) => {
      const { errorCode, port } = await connection.call(FindCoordinator, 3, { key: 'group', keyType: 0, coordinatorKeys: [] });
      return errorCode === 0 ? port : undefined;
    }),
  );
  const partitions = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
    partitionIndex,
    committedOffset: 1,
    committedMetadata: '',
  }));
  await until('a committed offset', () =>
    withConnection(coordinator, async (connection) => {
      const { topics } = await connection.call(OffsetCommit, 8, {
        groupId: 'group',
        memberId: '',
        topics: [{ name: 'topic-0', partitions }],
      });
      return topics.every((topic) => topic.partitions.every(({ errorCode }) => errorCode === 0)) ? true : undefined;
    }),
  );
}

async function restarts(end: (samsa: SamsaProcess) => Promise<void>): Promise<number[]> {
  return temporaryFolder(async (home) => {
    const ports = await freePorts(BROKERS);
    const times: number[] = [];
    let samsa = new SamsaProcess(home, ports);
    try {
      await samsa.childPids();
      await fill(ports);
      for (let round = 0; round < rounds; round++) {
        await end(samsa);
        samsa = new SamsaProcess(home, ports);
        await acknowledgedRecord(ports.brokers, 'topic-0');
        times.push(samsa.ageMs);
        await samsa.childPids();
      }
    } finally {
      await samsa.stop();
    }
    return times;
  });
}

/** From spawn to the first line on standard output. */
async function nodeReady(args: readonly string[], processes: number): Promise<number> {
  const startedMs = performance.now();
  await Promise.all(
    Array.from(
      { length: processes },
      () =>
        new Promise<void>((resolve, reject) => {
          const child = spawn(process.execPath, [...args], {
            stdio: ['ignore', 'pipe', 'inherit'],
            env: { ...process.env, NODE_COMPILE_CACHE: undefined },
          });
          child.stdout.once('data', () => resolve());
          child.once('error', reject);
        }),
    ),
  );
  return performance.now() - startedMs;
}

async function repeated(measure: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await measure());
  return times;
}

/** A program of about 1 MB of functions, each called once, as a bundle's modules are. */
async function bundle(folder: string): Promise<string> {
  const path = join(folder, 'bundle.mjs');
  let text = '';
  for (let index = 0; text.length < BUNDLE_BYTES; index++) {
    text += `class C${index} { #a = ${index}; get a() { return this.#a; } add(b) { const list = [b, this.#a]; return list.map((x) => x + 1).reduce((x, y) => x + y, 0); } }\nnew C${index}().add(1);\n`;
  }
  await writeFile(path, `${text}console.log('ready');\n`);
  return path;
}

const rows: string[][] = [];
function report(what: string, times: readonly number[], budgetMs?: number): void {
  const { median, max, min } = summarize(times);
  rows.push([
    what,
    milliseconds(median),
    milliseconds(min),
    milliseconds(max),
    budgetMs === undefined ? '' : milliseconds(budgetMs),
    budgetMs === undefined ? '' : atMost(median, budgetMs),
  ]);
  print(`${what}: ${times.map((time) => time.toFixed(0)).join(' ')} ms`);
}

await firstStart(); // Fills the compile cache, as the first start on a machine does.
report('from nothing to the first acks=all record', await repeated(firstStart), FIRST_START_BUDGET_MS);
report('restart after a clean stop', await restarts((samsa) => samsa.stop()), RESTART_BUDGET_MS);
report('restart after SIGKILL of everything', await restarts((samsa) => samsa.killAll()), RESTART_BUDGET_MS);
report('bare Node: ready', await repeated(() => nodeReady(['-e', 'console.log(1)'], 1)));
await temporaryFolder(async (folder) => {
  const program = await bundle(folder);
  report('four bare Nodes with a 1-MB bundle, together', await repeated(() => nodeReady([program], 4)));
});
print(
  `${rounds} rounds each; the restarts with ${TOPICS} topics of ${PARTITIONS} partitions and 3 replicas, ${count(RECORDS)} records of 100 bytes`,
);
printTable(['', 'median', 'min', 'max', 'budget', ''], rows);
process.exit();
