/** The two servers: ours as it is built, Apache's with the flags of its own start script. Each a process of its own, each syncing every write. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { builtEntries } from '../support/build.ts';
import { freePorts } from '../../interop/support/free-ports.ts';

const JAR = '/usr/share/java/zookeeper.jar';
const START_MS = 30_000;
/** Of both: what Samsa's clusters use. */
const TICK_TIME_MS = 2000;

export interface MeasuredServer {
  readonly name: string;
  readonly port: number;
  memoryBytes(): number;
  close(): Promise<void>;
}

export async function ownServer(dataDir: string): Promise<MeasuredServer> {
  const { zookeeper: port } = await freePorts(0);
  const config = {
    dataDir,
    hosts: ['127.0.0.1'],
    clientPort: port,
    tickTimeMs: TICK_TIME_MS,
    maxSessionTimeoutMs: 60_000,
    logLevel: 'silent',
  };
  const child = fork(builtEntries.zookeeper, [JSON.stringify(config)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await listening(child, port);
  return measured('Samsa', child, port);
}

/** Undefined where it isn't installed. */
export async function apacheServer(dataDir: string): Promise<MeasuredServer | undefined> {
  if (!fs.existsSync(JAR)) return undefined;
  const { zookeeper: port } = await freePorts(0);
  fs.mkdirSync(dataDir, { recursive: true });
  const configuration = path.join(dataDir, 'zoo.cfg');
  fs.writeFileSync(
    configuration,
    `tickTime=${TICK_TIME_MS}\ndataDir=${dataDir}\nclientPort=${port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\nmaxClientCnxns=0\nmaxSessionTimeout=60000\n`,
  );
  const classPath = `${JAR}:/usr/share/java/slf4j-nop.jar`;
  const child = spawn('java', ['-Xmx1000m', '-cp', classPath, 'org.apache.zookeeper.server.ZooKeeperServerMain', configuration], {
    stdio: 'ignore',
  });
  await listening(child, port);
  return measured('Apache ZooKeeper 3.8', child, port);
}

function measured(name: string, child: ChildProcess, port: number): MeasuredServer {
  return {
    name,
    port,
    memoryBytes() {
      const kib = /^Pss:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${child.pid}/smaps_rollup`, 'utf8'))?.[1];
      return Number(kib) * 1024;
    },
    async close() {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  const endMs = performance.now() + START_MS;
  while (performance.now() < endMs) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    if (await answers(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error(`the server doesn't answer on port ${port} after ${START_MS} ms`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('srvr'));
    socket.on('data', (chunk: Buffer) => {
      resolve(chunk.toString().includes('Zookeeper version'));
      socket.destroy();
    });
    socket.setTimeout(500, () => socket.destroy());
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });
}
