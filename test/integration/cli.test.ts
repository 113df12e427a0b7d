/** The command line as a user meets it: a process, its output, its exit code, its signals. */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterStatus } from '../../src/cluster/control-contract.ts';
import { dataFolderAt } from '../../src/cluster/data-folder.ts';
import { nodeProcesses } from '../../src/runtime/node/node-processes.ts';

const root = join(import.meta.dirname, '..', '..');
const samsa = join(root, 'bin', 'samsa.mjs');
const fixtures = join(import.meta.dirname, 'fixtures');
const cleanups: (() => unknown)[] = [];
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'samsa-cli-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  rmSync(home, { recursive: true, force: true });
});

const environment = (): NodeJS.ProcessEnv => ({ ...process.env, SAMSA_HOME: home, SAMSA_FROM_SOURCE: '1' });

interface Result {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs `samsa` to its end. */
function run(...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    execFile(process.execPath, [samsa, ...args], { env: environment() }, (error, out, errorOut) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, error: errorOut });
    });
  });
}

interface Up {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<number | null>;
}

/** A program in the foreground, from when it has printed where the data is. */
async function foreground(...args: string[]): Promise<Up> {
  const child = spawn(process.execPath, args, { env: environment(), stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  cleanups.push(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  await expect.poll(() => output).toMatch(/^Data /m);
  return { child, output: () => output, exit };
}

const standIn = join(fixtures, 'fake-child.ts');
const upWithStandIns = (...args: string[]): Promise<Up> =>
  foreground(join(fixtures, 'foreground.ts'), standIn, 'up', '--home', home, '--port', '0', '--brokers', '2', ...args);

async function status(): Promise<ClusterStatus> {
  return JSON.parse((await run('status', '--json', '--home', home)).out) as ClusterStatus;
}

const isAlive = (pid: number): boolean => nodeProcesses.identityOf(pid) !== undefined;

describe('samsa', () => {
  it('says what is wrong with a command line, on standard error, with exit code 2', async () => {
    expect(await run('up', '--brkers', '3')).toEqual({
      code: 2,
      out: '',
      error: "samsa: samsa up has no option --brkers\nTry 'samsa --help'.\n",
    });
  });

  it('has help and a version', async () => {
    expect((await run('--help')).out).toMatch(/samsa up .*\n.*samsa serve/);
    expect((await run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('says that nothing runs', async () => {
    expect(await run('status', '--home', home)).toMatchObject({ code: 1, out: `No cluster runs in ${home}\n` });
    expect(await run('down', '--home', home)).toMatchObject({ code: 0 });
    expect(JSON.parse((await run('status', '--json', '--home', home)).out)).toMatchObject({ state: 'stopped' });
  });

  it('prints a line per process and the addresses, is seen by status, and ended by down', async () => {
    const up = await upWithStandIns();
    expect(up.output()).toMatch(/^zookeeper +localhost:\d+ +running +ready in \d+ ms +pid \d+$/m);
    expect(up.output()).toMatch(/^broker-2 +localhost:\d+ +running/m);
    expect(up.output()).toMatch(/^Kafka +localhost:\d+,localhost:\d+$/m);
    const seen = await status();
    expect(seen.processes.map(({ state }) => state)).toEqual(['running', 'running', 'running']);
    const { out } = await run('status', '--home', home);
    expect(out).toContain(`Kafka      ${seen.bootstrapServers}`);
    // The stand-in is no ZooKeeper: that is what is told of it.
    expect(out).toMatch(/^ {11}embedded: (can't be connected|takes connections|did not answer)/m);
    expect(await run('down', '--home', home)).toMatchObject({ code: 0, out: 'Stopped\n' });
    expect(await up.exit).toBe(0);
    expect(existsSync(dataFolderAt(home).lock)).toBe(false);
  });

  it('shows the cluster that runs when it is started a second time', async () => {
    await upWithStandIns();
    const second = await run('up', '--home', home);
    expect(second.code).toBe(0);
    expect(second.error).toMatch(/a cluster runs in .* already \(supervisor: process \d+\)/);
    expect(second.out).toMatch(/^broker-1 .*running/m);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('stops in order at %s and leaves nothing running', async (signal) => {
    const up = await upWithStandIns();
    const pids = (await status()).processes.map(({ pid }) => pid ?? 0);
    up.child.kill(signal);
    expect(await up.exit).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('stops when its parent is gone', async () => {
    const up = await upWithStandIns();
    up.child.disconnect();
    expect(await up.exit).toBe(0);
  });

  /** A cluster with a broker that doesn't stop when it is told. */
  async function upWithDeafBroker(): Promise<Up> {
    const { run: runFolder } = dataFolderAt(home);
    mkdirSync(runFolder, { recursive: true });
    writeFileSync(join(runFolder, 'broker-1.behaviour'), 'deaf');
    return upWithStandIns();
  }

  it('goes on stopping in order when it is told so again: a terminal that closes does it in several ways', async () => {
    const up = await upWithDeafBroker();
    const deaf = (await status()).processes.find(({ id }) => id === 'broker-1')?.pid ?? 0;
    up.child.kill('SIGHUP');
    await expect.poll(up.output).toContain('stopping');
    up.child.kill('SIGTERM');
    up.child.disconnect();
    // Answered after the signals were heard.
    await status();
    nodeProcesses.signal(deaf, 'SIGTERM');
    expect(await up.exit).toBe(0);
    expect(up.output()).not.toContain('killing it');
  });

  it('kills at the second Ctrl+C', async () => {
    const up = await upWithDeafBroker();
    const pids = (await status()).processes.map(({ pid }) => pid ?? 0);
    up.child.kill('SIGINT');
    await expect.poll(up.output).toContain('Ctrl+C again to kill');
    up.child.kill('SIGINT');
    expect(await up.exit).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
  });
});
