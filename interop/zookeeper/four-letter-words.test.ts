/** Four-letter words: our server's text beside Apache's, after the same requests. Addresses, times and sizes may differ,
 * and who expires together: sessions lie in buckets of a tick, connections there in ones of ten seconds. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { CreateMode, OpCode } from '../../src/zookeeper/jute/constants.ts';
import { OPEN_ACL_UNSAFE, writeAcls } from '../../src/zookeeper/jute/records.ts';
import { nodeProcessInfo } from '../../src/zookeeper/node-process-info.ts';
import { ZooKeeperServer } from '../../src/zookeeper/server.ts';
import { RawSession } from '../../src/zookeeper/testing/raw-session.ts';
import { SKIPPED_WITHOUT_APACHE, apacheZooKeeperInstalled, fourLetterWord, startApacheZooKeeper } from './apache-zookeeper.ts';

const WORDS = ['ruok', 'isro', 'srvr', 'stat', 'cons', 'conf', 'dirs', 'dump', 'envi', 'wchs', 'wchc', 'wchp', 'gtmk', 'stmk', 'hash'];

/** Lines in order, with what is a matter of the run replaced. Lines of watches and sessions come in the order of a hash map. */
function shapeOf(word: string, answer: string): string[] {
  const lines = answer
    .replace(/127\.0\.0\.1:\d+/g, 'ADDRESS')
    .replace(/0x1[0-9a-f]{14}/g, 'SESSION')
    .replace(/\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}/g, 'DATE')
    .replace(/^\d+ expire at DATE:\n/gm, '')
    .replace(/(Connections|Session) Sets \(\d+\)/g, '$1 Sets (N)')
    .replace(/Zookeeper version: .*/, 'VERSION')
    .replace(/(est|lresp|llat|minlat|avglat|maxlat)=\d+/g, '$1=N')
    .replace(/Latency min\/avg\/max: \d+\/\d+\.\d+\/\d+/, 'LATENCY')
    .replace(/^(clientPort|dataDir|dataDirSize|dataLogDir|dataLogSize|datadir_size|logdir_size)(=|: ).*$/gm, '$1$2')
    .split('\n');
  if (word === 'envi') return lines.map((line) => line.replace(/=.*/, ''));
  return ['cons', 'stat', 'dump', 'wchc', 'wchp'].includes(word) ? lines.toSorted() : lines;
}

/** Two sessions with nodes and watches, then every word. */
async function answersOf(port: number): Promise<Map<string, string>> {
  const [a, b] = [await RawSession.open({ port, sessionTimeoutMs: 9000 }), await RawSession.open({ port, sessionTimeoutMs: 9000 })];
  let xid = 1;
  const create = (session: RawSession, node: string, mode: number = CreateMode.PERSISTENT): Promise<void> =>
    session.request(xid++, OpCode.create, (body) => {
      writeAcls(body.string(node).buffer(Buffer.from('data')), OPEN_ACL_UNSAFE);
      body.int(mode);
    });
  const watch = (session: RawSession, type: number, node: string): Promise<void> =>
    session.request(xid++, type, (body) => void body.string(node).bool(true));
  await create(a, '/x');
  await create(a, '/x/e', CreateMode.EPHEMERAL);
  await create(b, '/y', CreateMode.EPHEMERAL);
  await create(b, '/y', CreateMode.EPHEMERAL);
  await watch(a, OpCode.getData, '/x');
  await watch(a, OpCode.getChildren, '/x');
  await watch(b, OpCode.exists, '/none');
  const answers = new Map<string, string>();
  for (const word of WORDS) answers.set(word, await fourLetterWord(port, word));
  await create(a, '/x/new');
  answers.set('mntr', await fourLetterWord(port, 'mntr'));
  for (const word of ['crst', 'srst']) answers.set(word, await fourLetterWord(port, word));
  for (const session of [a, b]) session.destroy();
  return answers;
}

/** Numbers that count what both servers do alike. */
const SAME_NUMBERS = [
  'zk_server_state',
  'zk_ephemerals_count',
  'zk_num_alive_connections',
  'zk_znode_count',
  'zk_global_sessions',
  'zk_watch_count',
  'zk_approximate_data_size',
  'zk_connection_request_count',
  'zk_bytes_received_count',
  'zk_packets_received',
  'zk_watch_bytes',
  'zk_outstanding_changes_queued',
  'zk_outstanding_changes_removed',
  'zk_cnt_updatelatency',
  'zk_cnt_readlatency',
  'zk_cnt_propagation_latency',
  'zk_sum_node_children_watch_count',
  'zk_sum_x_write_per_namespace',
  'zk_sum_x_read_per_namespace',
  'zk_sum_y_write_per_namespace',
  'zk_sum_sync_processor_batch_size',
];

describe('four-letter words', () => {
  it.skipIf(!apacheZooKeeperInstalled)(
    apacheZooKeeperInstalled ? 'are answered with Apache’s text, mntr with all its lines' : SKIPPED_WITHOUT_APACHE,
    async () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-zk-4lw-'));
      const ours = new ZooKeeperServer({
        runtime: createNodeRuntime(silentLogger),
        process: nodeProcessInfo(),
        dataDir: path.join(folder, 'ours'),
        hosts: ['127.0.0.1'],
        clientPort: 0,
        tickTimeMs: 500,
      });
      await ours.start();
      const apache = await startApacheZooKeeper({ dataDir: path.join(folder, 'apache'), tickTimeMs: 500 });
      // Its start was waited for with words of its own.
      await fourLetterWord(apache.port, 'srst');
      await fourLetterWord(ours.port, 'srst');
      try {
        const [mine, theirs] = [await answersOf(ours.port), await answersOf(apache.port)];
        for (const [word, answer] of theirs) {
          if (word !== 'mntr') expect(shapeOf(word, mine.get(word) ?? ''), word).toEqual(shapeOf(word, answer));
        }
        const [ownLines, apacheLines] = [mntrOf(mine), mntrOf(theirs)];
        expect(Array.from(ownLines.keys()).toSorted()).toEqual(Array.from(apacheLines.keys()).toSorted());
        for (const name of SAME_NUMBERS) expect(`${name} ${ownLines.get(name)}`).toBe(`${name} ${apacheLines.get(name)}`);
      } finally {
        await apache.kill();
        await ours.close();
        fs.rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

function mntrOf(answers: ReadonlyMap<string, string>): Map<string, string> {
  return new Map(
    (answers.get('mntr') ?? '')
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t') as [string, string]),
  );
}
