import { mkdtempSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import { silentLogger } from '../runtime/node/node-logger.ts';
import { nodeProcesses } from '../runtime/node/node-processes.ts';
import type { Processes } from '../runtime/processes.ts';
import { acquireFolderLock, findHolder } from './folder-lock.ts';
import type { LockOptions, LockResult } from './folder-lock.ts';

let folder: string;
const cleanups: (() => unknown)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samsa-lock-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  rmSync(folder, { recursive: true, force: true });
});

const options = (over: Partial<LockOptions> = {}): LockOptions => ({
  runtime: createNodeRuntime(silentLogger),
  processes: nodeProcesses,
  lockFile: join(folder, 'cluster.lock'),
  socketPath: join(folder, 'control.sock'),
  patienceMs: 100,
  ...over,
});

async function take(over?: Partial<LockOptions>): Promise<LockResult> {
  const result = await acquireFolderLock(options(over));
  if (result.outcome === 'acquired') cleanups.push(() => result.lock.release());
  return result;
}

/** Processes of which `identities` live. */
const processesWith = (identities: Readonly<Record<number, string>>): Processes => ({
  ...nodeProcesses,
  identityOf: (pid) => identities[pid],
});

const leave = (pid: number, identity: string): void => writeFileSync(options().lockFile, JSON.stringify({ pid, identity, token: 'old' }));

describe('the lock of a data folder', () => {
  it('is had by one, tells the other who has it, and can be had again after its release', async () => {
    const first = await acquireFolderLock(options());
    expect(await acquireFolderLock(options())).toEqual({ outcome: 'held', pid: process.pid });
    expect(await findHolder(options())).toBe(process.pid);
    if (first.outcome === 'acquired') await first.lock.release();
    expect(existsSync(options().lockFile)).toBe(false);
    expect(await findHolder(options())).toBeUndefined();
    expect(await take()).toMatchObject({ outcome: 'acquired' });
  });

  it('is taken over from a process that is gone', async () => {
    leave(1_234, '77');
    expect(await take({ processes: processesWith({ [process.pid]: 'me' }) })).toMatchObject({ outcome: 'acquired' });
  });

  it('is taken over when the pid now belongs to another process', async () => {
    leave(1_234, '77');
    expect(await take({ processes: processesWith({ 1_234: '99', [process.pid]: 'me' }) })).toMatchObject({ outcome: 'acquired' });
  });

  it('is not taken from a process that lives and does not answer', async () => {
    leave(1_234, '77');
    expect(await take({ processes: processesWith({ 1_234: '77' }) })).toEqual({ outcome: 'unresponsive', pid: 1_234 });
  });

  it('is not taken from a holder that accepts and says nothing, as a stopped one does', async () => {
    leave(1_234, '');
    const mute = createServer(() => {}).listen(options().socketPath);
    await once(mute, 'listening');
    cleanups.push(() => mute.close());
    expect(await take({ processes: processesWith({ 1_234: '' }) })).toEqual({ outcome: 'unresponsive', pid: 1_234 });
  });

  it('is taken over where processes can not be told apart and nobody listens', async () => {
    leave(1_234, '');
    expect(await take({ processes: processesWith({ 1_234: '', [process.pid]: '' }) })).toMatchObject({ outcome: 'acquired' });
  });

  it('is taken over when its file was cut off while it was made', async () => {
    writeFileSync(options().lockFile, '{"pid":12');
    expect(await take()).toMatchObject({ outcome: 'acquired' });
  });

  it('is had by exactly one of many that try at once, also over a stale one', async () => {
    leave(1_234, 'gone');
    const results = await Promise.all(Array.from({ length: 8 }, () => take({ patienceMs: 1_000 })));
    expect(results.filter(({ outcome }) => outcome === 'acquired')).toHaveLength(1);
    expect(results.filter(({ outcome }) => outcome === 'held')).toHaveLength(7);
  });
});
