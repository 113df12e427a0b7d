/**
 * ZooKeeper operations a second, ours beside Apache ZooKeeper 3.8 (Debian's package), both with every write synced to the same disk, in turns
 * within one run; then the memory of each. Requests are encoded before and sent on raw sockets, so that no client library is measured.
 * Run: `node bench/zookeeper/main.ts [--seconds 1.5] [--rounds 2] [--only TEXT]`.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { CreateMode, OpCode } from '../../src/zookeeper/jute/constants.ts';
import { finishFrame, type JuteWriter } from '../../src/zookeeper/jute/jute-writer.ts';
import { OPEN_ACL_UNSAFE, writeAcls } from '../../src/zookeeper/jute/records.ts';
import { writeMulti } from '../../src/zookeeper/jute/requests.ts';
import { requestFrame } from '../../src/zookeeper/jute/session-records.ts';
import { readFlags } from '../support/command-line.ts';
import { ensureBuilt } from '../support/build.ts';
import { count, heading, milliseconds, print, printTable, ratio } from '../support/print.ts';
import { median } from '../support/statistics.ts';
import { ZooKeeperLoad } from './load.ts';
import { type MeasuredServer, apacheServer, ownServer } from './servers.ts';

const flags = readFlags(['seconds', 'rounds', 'only']);
const seconds = flags.number('seconds', 1.5);
const rounds = flags.number('rounds', 2);
const only = flags.text('only');

const DATA = Buffer.alloc(100, 0x61);

function frame(type: number, write: (body: JuteWriter) => void): Buffer {
  const writer = requestFrame(1, type, 512);
  write(writer);
  return finishFrame(writer);
}

/** The same bytes again and again: the xid doesn't matter to a server. */
const OPERATIONS: Readonly<Record<string, Buffer>> = {
  'create (sequential, 100 B)': frame(OpCode.create, (body) => {
    writeAcls(body.string('/bench/n-').buffer(DATA), OPEN_ACL_UNSAFE);
    body.int(CreateMode.PERSISTENT_SEQUENTIAL);
  }),
  'setData (100 B)': frame(OpCode.setData, (body) => void body.string('/bench/data').buffer(DATA).int(-1)),
  'multi (10 × setData)': frame(OpCode.multi, (body) =>
    writeMulti(
      body,
      Array.from({ length: 10 }, () => ({ type: OpCode.setData, path: '/bench/data', data: DATA, version: -1 })),
    ),
  ),
  'getData (100 B)': frame(OpCode.getData, (body) => void body.string('/bench/data').bool(false)),
  exists: frame(OpCode.exists, (body) => void body.string('/bench/data').bool(false)),
};

const SHAPES = [
  { connections: 1, pipelined: 1 },
  { connections: 1, pipelined: 64 },
  { connections: 16, pipelined: 1 },
  { connections: 16, pipelined: 64 },
];

async function prepare(server: MeasuredServer): Promise<void> {
  const load = await ZooKeeperLoad.connect(server.port, 1);
  for (const node of ['/bench', '/bench/data']) {
    const request = frame(OpCode.create, (body) => {
      writeAcls(body.string(node).buffer(DATA), OPEN_ACL_UNSAFE);
      body.int(CreateMode.PERSISTENT);
    });
    await load.run(request, 1, 0);
  }
  load.close();
}

async function main(): Promise<void> {
  ensureBuilt();
  heading('ZooKeeper: operations a second');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-bench-zk-'));
  const servers: MeasuredServer[] = [];
  try {
    servers.push(await ownServer(path.join(folder, 'ours')));
    const apache = await apacheServer(path.join(folder, 'apache'));
    if (apache === undefined) print('No Apache ZooKeeper here (apt install zookeeper default-jre-headless): ours alone.');
    else servers.push(apache);
    for (const server of servers) await prepare(server);
    // A JVM compiles what runs often: it gets its time before anything counts.
    for (const server of servers) for (const request of Object.values(OPERATIONS)) await measure(server, request, 16, 16, 1);
    const rows: string[][] = [];
    for (const [name, request] of Object.entries(OPERATIONS)) {
      if (only !== undefined && !name.includes(only)) continue;
      for (const { connections, pipelined } of SHAPES) rows.push(await compare(name, request, servers, connections, pipelined));
    }
    const columns = ['operation', 'connections × in flight', 'Samsa /s', 'Apache /s', 'ratio', 'Samsa median', 'Apache median'];
    printTable(columns, rows);
    printTable(
      ['memory (PSS)', ...servers.map(({ name }) => name)],
      [['after the load', ...servers.map((server) => `${(server.memoryBytes() / 2 ** 20).toFixed(0)} MiB`)]],
    );
  } finally {
    for (const server of servers) await server.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(
  name: string,
  request: Buffer,
  servers: readonly MeasuredServer[],
  connections: number,
  pipelined: number,
): Promise<string[]> {
  const results = servers.map(() => ({ rates: [] as number[], medians: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, server] of servers.entries()) {
      const { rate, medianMs } = await measure(server, request, connections, pipelined, seconds);
      results[index]?.rates.push(rate);
      results[index]?.medians.push(medianMs);
    }
  }
  const [ours, apache] = results.map(({ rates, medians }) => ({ rate: median(rates), ms: median(medians) }));
  if (ours === undefined) throw new Error('nothing was measured');
  return [
    name,
    `${connections} × ${pipelined}`,
    count(ours.rate),
    apache === undefined ? '–' : count(apache.rate),
    apache === undefined ? '–' : ratio(ours.rate, apache.rate),
    milliseconds(ours.ms),
    apache === undefined ? '–' : milliseconds(apache.ms),
  ];
}

async function measure(
  server: MeasuredServer,
  request: Buffer,
  connections: number,
  pipelined: number,
  forSeconds: number,
): Promise<{ rate: number; medianMs: number }> {
  const load = await ZooKeeperLoad.connect(server.port, connections);
  try {
    return await load.run(request, pipelined, forSeconds);
  } finally {
    load.close();
  }
}

await main();
