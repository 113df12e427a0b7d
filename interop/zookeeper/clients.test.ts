/** kazoo and Apache's own zkCli against our server, where Debian's packages are installed. */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { ZooKeeperServer } from '../../src/zookeeper/server.ts';
import { SKIPPED_WITHOUT_APACHE, apacheZooKeeperInstalled } from './apache-zookeeper.ts';

const run = promisify(execFile);
const PYTHON = '/usr/bin/python3';
const KAZOO = '/usr/lib/python3/dist-packages/kazoo';
const CLASS_PATH = '/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-nop.jar:/usr/share/java/commons-cli.jar';

describe('our server', () => {
  let server: ZooKeeperServer;
  let folder: string;

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-zk-clients-'));
    server = new ZooKeeperServer({
      runtime: createNodeRuntime(silentLogger),
      dataDir: folder,
      hosts: ['127.0.0.1'],
      clientPort: 0,
      tickTimeMs: 500,
      extendedTypesEnabled: true,
    });
    await server.start();
  });
  afterAll(async () => {
    await server.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const kazooInstalled = fs.existsSync(PYTHON) && fs.existsSync(KAZOO);
  it.skipIf(!kazooInstalled)(
    kazooInstalled ? 'does what kazoo expects' : 'skipped: no kazoo here (apt install python3-kazoo)',
    async () => {
      const script = fileURLToPath(new URL('kazoo_check.py', import.meta.url));
      const { stdout } = await run(PYTHON, [script, String(server.port)], { timeout: 60_000 });
      expect(stdout).toContain('kazoo is content');
    },
  );

  const zkCli = async (...commands: string[]): Promise<string> => {
    const main = ['-cp', CLASS_PATH, 'org.apache.zookeeper.ZooKeeperMain', '-server', `127.0.0.1:${server.port}`];
    const child = run('/usr/bin/java', ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', ...main], { timeout: 60_000 });
    child.child.stdin?.end(`${commands.join('\n')}\nquit\n`);
    const { stdout, stderr } = await child;
    return stdout + stderr;
  };

  it.skipIf(!apacheZooKeeperInstalled)(apacheZooKeeperInstalled ? 'does what zkCli asks' : SKIPPED_WITHOUT_APACHE, async () => {
    const output = await zkCli(
      'create /cli "first"',
      'create -s -e /cli/s- x',
      'create -c /cli/container',
      'create -t 60000 /cli/ttl',
      'get -s /cli',
      'set /cli "second" -v 0',
      'set /cli "third" -v 0',
      'ls -R /cli',
      'getAllChildrenNumber /cli',
      'getEphemerals /cli',
      'addWatch -m PERSISTENT_RECURSIVE /cli',
      'create /cli/watched',
      'stat /cli/watched',
      'whoami',
      'addauth digest user:password',
      'setAcl /cli/watched auth::cdrwa',
      'getAcl /cli/watched',
      'removewatches /cli -a',
      'setquota -n 10 /cli',
      'listquota /cli',
      'deleteall /cli',
      'ls /',
    );
    for (const line of [
      'Created /cli',
      'Created /cli/s-0000000000',
      'Created /cli/container',
      'Created /cli/ttl',
      'first',
      'version No is not valid : /cli',
      '/cli/s-0000000000',
      'ip: 127.0.0.1',
      'NodeCreated path:/cli/watched',
      "'digest,'user:",
      'count=10',
      '[zookeeper]',
    ]) {
      expect(output).toContain(line);
    }
    expect(output).not.toMatch(/Exception|ConnectionLoss/);
  });
});
