/** Debian's Apache ZooKeeper 3.8 as a child process, where it is installed. */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { freePorts } from '../support/free-ports.ts';

const JAR = '/usr/share/java/zookeeper.jar';
export const JAVA = '/usr/bin/java';

/** Nothing here is about speed: a busy machine may take its time. */
const PATIENCE_MS = 120_000;

export const apacheZooKeeperInstalled = fs.existsSync(JAR) && fs.existsSync(JAVA);

/** Why tests that need it are skipped. */
export const SKIPPED_WITHOUT_APACHE = `skipped: no Apache ZooKeeper here (apt install zookeeper default-jre-headless)`;

export interface ApacheZooKeeper {
  readonly port: number;
  /** SIGTERM, and waits for the end. */
  close(): Promise<void>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
}

export interface ApacheZooKeeperOptions {
  /** Its dataDir; `zoo.cfg` and its output are put beside it. */
  readonly dataDir: string;
  readonly tickTimeMs?: number;
  readonly properties?: Record<string, string>;
  readonly port?: number;
}

/** Resolves when it answers `srvr`. Rejects with its output when it ends before. */
export async function startApacheZooKeeper({
  dataDir,
  tickTimeMs = 200,
  properties = {},
  port: wantedPort,
}: ApacheZooKeeperOptions): Promise<ApacheZooKeeper> {
  const port = wantedPort ?? (await freePort());
  const folder = path.dirname(dataDir);
  const configuration = path.join(folder, `zoo-${port}.cfg`);
  writeZooCfg(configuration, { dataDir, tickTimeMs, port, properties });
  const output: string[] = [];
  const child = spawn(JAVA, javaArguments(configuration), { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  await untilServing(child, port, output);
  return { port, close: () => end(child, 'SIGTERM'), kill: () => end(child, 'SIGKILL') };
}

/** A `zoo.cfg` for tests on loopback. */
export function writeZooCfg(
  file: string,
  {
    dataDir,
    tickTimeMs,
    port,
    properties = {},
  }: Required<Pick<ApacheZooKeeperOptions, 'dataDir' | 'tickTimeMs' | 'port'>> & ApacheZooKeeperOptions,
): void {
  const settings = {
    tickTime: tickTimeMs,
    dataDir,
    clientPort: port,
    clientPortAddress: '127.0.0.1',
    'admin.enableServer': false,
    '4lw.commands.whitelist': '*',
    maxClientCnxns: 0,
    ...properties,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  fs.writeFileSync(file, lines.join(''));
}

/** What Java is told to start the server of `configuration`. */
export function javaArguments(configuration: string): string[] {
  return [
    '-Xmx128m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Djute.maxbuffer=4194304',
    '-cp',
    `${JAR}:/usr/share/java/slf4j-simple.jar`,
    // Standalone, unless the configuration lists servers.
    'org.apache.zookeeper.server.quorum.QuorumPeerMain',
    configuration,
  ];
}

/** Servers that elect a leader among themselves. They are started together: none serves without a majority. */
export async function startApacheEnsemble(folder: string, size: number): Promise<ApacheZooKeeper[]> {
  const { brokers: ports } = await freePorts(size * 3);
  const portOf = (index: number, use: number): number => ports[index * 3 + use] ?? 0;
  const members = Array.from({ length: size }, (_, index) => index);
  const servers = Object.fromEntries(
    members.map((index) => [`server.${index + 1}`, `127.0.0.1:${portOf(index, 1)}:${portOf(index, 2)};127.0.0.1:${portOf(index, 0)}`]),
  );
  return Promise.all(
    members.map((index) => {
      const dataDir = path.join(folder, `member-${index + 1}`, 'data');
      fs.mkdirSync(dataDir, { recursive: true });
      fs.writeFileSync(path.join(dataDir, 'myid'), `${index + 1}`);
      return startApacheZooKeeper({ dataDir, port: portOf(index, 0), properties: { initLimit: '20', syncLimit: '10', ...servers } });
    }),
  );
}

async function untilServing(child: ChildProcess, port: number, output: readonly string[]): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`Apache ZooKeeper ended with ${child.exitCode}:\n${output.join('')}`);
    if (await isServing(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await end(child, 'SIGKILL');
  throw new Error(`Apache ZooKeeper didn't come up:\n${output.join('')}`);
}

function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

/** Whether it says that it serves; within a second, since a word that comes while it starts may never be answered. */
export async function isServing(port: number): Promise<boolean> {
  const answer = await fourLetterWord(port, 'srvr', 1000).catch(() => '');
  return answer.includes('Mode: ');
}

/** Sends a four-letter word and gives the whole answer, or what has come of it when nothing has for `timeoutMs`. */
export function fourLetterWord(port: number, word: string, timeoutMs = PATIENCE_MS): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = net.connect(port, '127.0.0.1', () => socket.write(word));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.setTimeout(timeoutMs, () => socket.destroy());
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}

export async function freePort(): Promise<number> {
  return (await freePorts(0)).zookeeper;
}
