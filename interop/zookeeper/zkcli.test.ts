/**
 * Apache's zkCli: every command that it has, the same script against our server and Apache's, and the same words on the
 * screen. Session ids, times, ports and stack traces are masked; lines are compared without their order, since
 * notifications come between others as they please.
 */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { ZooKeeperServer } from '../../src/zookeeper/server.ts';
import { SKIPPED_WITHOUT_APACHE, apacheZooKeeperInstalled, startApacheZooKeeper } from './apache-zookeeper.ts';

const run = promisify(execFile);
const CLASS_PATH = '/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-nop.jar:/usr/share/java/commons-cli.jar';

const script = (port: number): string[] => [
  'create /cli "first"',
  'create /cli again',
  'create /none/below x',
  'create -s -e /cli/s- x',
  'create -s /cli/s- y',
  'create -c /cli/container',
  'create -c /cli/container/one',
  'create -t 60000 /cli/ttl data',
  'create -s -t 60000 /cli/ttl- data',
  'create /cli/secret s digest:alice:abc=:cdrwa',
  'ls /',
  'ls -s /cli',
  'ls -R /cli',
  'ls -w /cli',
  'ls /nothing',
  'get /cli',
  'get -s -w /cli',
  'get /nothing',
  'get /cli/secret',
  'getAcl -s /cli/secret',
  'set /cli "second" -v 0',
  'set -v 7 /cli x',
  'set -s -v 0 /cli second',
  'set /nothing x',
  'stat -w /cli',
  'stat /cli/ttl',
  'stat /cli/container',
  'stat /nothing',
  'create /cli/watched by-ls',
  'set /cli third',
  'getAllChildrenNumber /cli',
  'getAllChildrenNumber /',
  'getEphemerals',
  'getEphemerals /cli',
  'getEphemerals /other',
  'addWatch -m PERSISTENT_RECURSIVE /cli',
  'addWatch -m PERSISTENT /cli/watched',
  'addWatch -m NONSENSE /cli',
  'create /cli/watched/below',
  'set /cli/watched again',
  'delete /cli/watched/below',
  'removewatches /cli/watched -d',
  'removewatches /cli -a',
  'removewatches /cli -c',
  'printwatches',
  'printwatches off',
  'printwatches on',
  'whoami',
  'addauth digest user:password',
  'whoami',
  'setAcl /cli/watched auth::cdrwa',
  'setAcl -s /cli world:anyone:cdrwa',
  'setAcl -v 9 /cli world:anyone:r',
  'setAcl /cli nonsense:x:r',
  'getAcl /cli/watched',
  // A deleteall that meets two nodes that it may not read names the first of a hash set.
  'setAcl /cli/watched world:anyone:cdrwa',
  'setAcl -R /cli/container world:anyone:cdrwa',
  'sync /cli',
  'sync /nothing',
  'config',
  'config -s',
  'reconfig -add 2=127.0.0.1:1:2;3',
  'reconfig -members server.1=127.0.0.1:1:2;3',
  'setquota -n 10 /cli',
  'setquota -b 1000 /cli',
  'setquota -N 20 /cli',
  'setquota -B 2000 /cli',
  'setquota -n 5 /cli/container',
  'listquota /cli',
  'listquota /nothing',
  'listquota /cli/container',
  'delquota -n /cli',
  'listquota /cli',
  'delquota /cli',
  'listquota /cli',
  'get /zookeeper/quota',
  'ls /zookeeper/quota',
  'delete /cli',
  'delete -v 9 /cli/watched',
  'delete /nothing',
  'delete /zookeeper',
  'deleteall /cli/container',
  'create nonsense',
  'create /bad/../path',
  'nonsense',
  'version',
  'history',
  'redo 1',
  'close',
  'ls /',
  `connect 127.0.0.1:${port}`,
  'ls /cli',
  'getEphemerals',
  'deleteall /cli -b 3',
  'ls /',
];

async function zkCli(port: number): Promise<string[]> {
  const main = ['-cp', CLASS_PATH, 'org.apache.zookeeper.ZooKeeperMain', '-server', `127.0.0.1:${port}`];
  const child = run('/usr/bin/java', ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', ...main], { timeout: 240_000 });
  child.child.stdin?.end(`${script(port).join('\n')}\nquit\n`);
  const { stdout, stderr } = await child;
  return `${stdout}\n${stderr}`
    .replaceAll(String(port), 'PORT')
    .replaceAll(/0x1[0-9a-f]{14}/g, 'SESSION')
    .replaceAll(/^([cm]time = ).*$/gm, '$1TIME')
    .replaceAll(/zk: .*?PORT/g, 'zk: PORT')
    .split('\n')
    .filter((line) => !/^\s+at |^\s*$/.test(line))
    .map((line) => line.trimEnd())
    .toSorted();
}

describe('zkCli', () => {
  it.skipIf(!apacheZooKeeperInstalled)(
    apacheZooKeeperInstalled ? 'shows the same against our server as against Apache’s, for every command' : SKIPPED_WITHOUT_APACHE,
    async () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-zkcli-'));
      const ours = new ZooKeeperServer({
        runtime: createNodeRuntime(silentLogger),
        dataDir: path.join(folder, 'ours'),
        hosts: ['127.0.0.1'],
        clientPort: 0,
        tickTimeMs: 2000,
        extendedTypesEnabled: true,
      });
      await ours.start();
      const apache = await startApacheZooKeeper({
        dataDir: path.join(folder, 'apache'),
        tickTimeMs: 2000,
        properties: { extendedTypesEnabled: 'true' },
      });
      try {
        const [mine, theirs] = [await zkCli(ours.port), await zkCli(apache.port)];
        expect(theirs.filter((line) => line === 'Not connected')).toHaveLength(1);
        expect(mine).toEqual(theirs);
      } finally {
        await apache.kill();
        await ours.close();
        fs.rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});
