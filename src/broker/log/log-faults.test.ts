/**
 * The disk fails at every single call of a workload that has all a broker does with its logs: append, roll, flush, truncate, delete
 * records, retention, checkpoints, deletion, close, reopen. EIO for good or once, a full disk with its short writes, in one of two log
 * dirs. Whatever happens: what is read afterwards is what was written, all that was synced is there, the other log dir goes on, and
 * the next start succeeds. SAMSA_FAULTS=all tries every call, SAMSA_FAULT=<name>:<call>:<mode> one.
 */
import { expect, test } from 'vitest';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { MemoryDisk } from '../../runtime/testing/memory-disk.ts';
import type { CrashMode, DiskFault } from '../../runtime/testing/memory-disk.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import { DIRS, LogBroker } from './testing/log-broker.ts';

const FAULTS: readonly (readonly [string, DiskFault])[] = [
  ['EIO', { code: 'EIO' }],
  ['EIO once', { code: 'EIO', times: 1 }],
  ['ENOSPC', { code: 'ENOSPC', shortWrites: true }],
  ['ENOSPC once', { code: 'ENOSPC', shortWrites: true, times: 1 }],
  ['EIO in one log dir', { code: 'EIO', below: '/data/a' }],
  ['ENOSPC in one log dir', { code: 'ENOSPC', shortWrites: true, below: '/data/a' }],
];
const MODES: readonly CrashMode[] = ['keep', 'tear', 'lose'];

interface Run {
  readonly fault: DiskFault;
  /** The call of the workload that fails; undefined for none. */
  readonly call: number | undefined;
  readonly mode: CrashMode;
}

/** Calls that the workload makes, and what went wrong. */
async function run({ fault, call, mode }: Run): Promise<{ calls: number; problem: string | undefined }> {
  const disk = new MemoryDisk();
  disk.makeDirectory('/data');
  disk.syncDirectory('/');
  const broker = new LogBroker(disk, { scansInWorkers: (call ?? 0) % 2 === 0, preallocate: (call ?? 0) % 3 === 0 });
  await broker.start();
  const begin = disk.calls;
  if (call !== undefined) disk.failAfter(call, fault);
  await broker.work();
  const others = fault.below === undefined || call === undefined ? undefined : broker.manager.liveLogDirs;
  if (others !== undefined && !others.includes('/data/b')) return { calls: 0, problem: 'the other log dir went offline too' };
  await broker.stop();
  const calls = disk.calls - begin;
  disk.crash(new SeededRandom(call ?? 0), mode);
  broker.time = new ManualTime(broker.time.wallMs() + 1000);
  await broker.start();
  const problem = broker.fault();
  if (problem !== undefined) return { calls, problem };
  if (broker.manager.liveLogDirs.length !== DIRS.length) return { calls, problem: `only ${broker.manager.liveLogDirs.join()} came back` };
  broker.adopt();
  // And it goes on: appends, ends in order, starts without a scan.
  await broker.work();
  await broker.stop();
  disk.crash(new SeededRandom(call ?? 0), 'lose');
  broker.time = new ManualTime(broker.time.wallMs() + 1000);
  await broker.start();
  const later = broker.fault();
  return { calls, problem: later === undefined ? undefined : `after going on: ${later}` };
}

/** Every n-th call in the usual run: all of them take a minute. */
const STRIDE = process.env['SAMSA_FAULTS'] === 'all' ? 1 : 23;

test.each(FAULTS)(
  '%s at any call costs nothing that was synced and no later start',
  async (name, fault) => {
    const only = process.env['SAMSA_FAULT']?.split(':');
    if (only !== undefined && only[0] !== name) return;
    const { calls, problem } = await run({ fault, call: undefined, mode: 'lose' });
    expect(problem).toBeUndefined();
    let tried = 0;
    for (
      let call = only === undefined ? 1 + (FAULTS.findIndex(([other]) => other === name) % STRIDE) : Number(only[1]);
      call <= calls;
      call += STRIDE
    ) {
      for (const mode of only?.[2] === undefined ? [MODES[tried % MODES.length] ?? 'keep'] : [only[2] as CrashMode]) {
        const outcome = await run({ fault, call, mode });
        if (outcome.problem !== undefined) throw new Error(`SAMSA_FAULT='${name}:${call}:${mode}': ${outcome.problem}`);
      }
      tried++;
      if (only !== undefined) break;
    }
    expect(tried).toBeGreaterThan(0);
  },
  600_000,
);
