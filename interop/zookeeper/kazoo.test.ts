/** kazoo against our server, where Debian's packages are installed. */
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

const run = promisify(execFile);
const PYTHON = '/usr/bin/python3';
const KAZOO = '/usr/lib/python3/dist-packages/kazoo';

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
      const { stdout } = await run(PYTHON, [script, String(server.port)], { timeout: 240_000 });
      expect(stdout).toContain('kazoo is content');
    },
  );
});
