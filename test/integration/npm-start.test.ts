/** `npm start` as a person runs it: in a terminal, ended by Ctrl+C or by something rougher. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { Cleanups, temporaryHome, until } from './support/clusters.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const START = ['start', '--', '--port', '0', '--zookeeper-port', '0'];
const READY = 'Data ';

const cleanups = new Cleanups();
afterEach(() => cleanups.run());

const environment = (home: string): NodeJS.ProcessEnv => ({ ...process.env, SAMSA_HOME: home, SAMSA_HOST: 'browser', BROWSER: 'true' });

/** What a cluster that ended in order has not left: sessions to close, the lock, the control socket. */
function leftBehind(home: string): string[] {
  const run = join(home, 'cluster', 'run');
  return existsSync(run) ? readdirSync(run).filter((name) => /\.session$|\.lock$|\.sock$/.test(name)) : [];
}

describe('npm start', () => {
  it('says where the console and the brokers are, and Ctrl+C stops everything in order', async () => {
    const home = temporaryHome(cleanups);
    const script = join(root, 'test', 'integration', 'support', 'in-terminal.py');
    const { stdout } = await promisify(execFile)('python3', [script, READY, 'npm', ...START], { cwd: root, env: environment(home) });
    expect(stdout).toMatch(/opening the console in the browser host: /);
    expect(stdout).toMatch(/Console {4}http:\/\/127\.0\.0\.1:\d+\/\?token=/);
    expect(stdout).toMatch(/Kafka {6}localhost:\d+,localhost:\d+,localhost:\d+/);
    expect(stdout).not.toContain('killing');
    await until('nothing is left', () => leftBehind(home).length === 0);
  });

  it('killed by SIGKILL takes the cluster along', async () => {
    const home = temporaryHome(cleanups);
    const child = spawn('npm', START, { cwd: root, env: environment(home), stdio: ['ignore', 'pipe', 'ignore'] });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    await until('the cluster is up', () => printed.includes(READY));
    child.kill('SIGKILL');
    await until('nothing is left', () => leftBehind(home).length === 0);
  });
});
