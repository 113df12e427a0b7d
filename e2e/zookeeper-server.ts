/** A ZooKeeper that belongs to no cluster of the app: our own program on any free port, in a folder of its own. */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../out/main/zookeeper.js', import.meta.url));

export interface OtherZooKeeper {
  /** `127.0.0.1:port`. */
  readonly address: string;
  stop(): Promise<void>;
}

export async function startZooKeeper(): Promise<OtherZooKeeper> {
  const folder = mkdtempSync(join(tmpdir(), 'samsa-e2e-zk-'));
  const config = join(folder, 'config.json');
  const logFile = join(folder, 'zookeeper.log');
  const settings = {
    dataDir: join(folder, 'data'),
    hosts: ['127.0.0.1'],
    clientPort: 0,
    tickTimeMs: 500,
    juteMaxBufferBytes: 4_194_304,
    logFile,
  };
  writeFileSync(config, JSON.stringify(settings));
  const child = fork(ENTRY, [config], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    child.on('message', (message) => {
      const { type, port: told } = message as { type?: string; port?: number };
      if (type === 'ready' && told !== undefined) resolve(told);
      else if (type === 'failed') reject(new Error(JSON.stringify(message)));
    });
    child.once('exit', () => reject(new Error('ZooKeeper ended before it was ready')));
  });
  return {
    address: `127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
