/** What was committed before the power went is there after it came back, whatever the disk made of what wasn't synced. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import type { Disk, DiskFile, OpenMode } from '../../runtime/disk.ts';
import type { Scheduler } from '../../runtime/scheduler.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { MemoryDisk } from '../../runtime/testing/memory-disk.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import { OpCode } from '../jute/constants.ts';
import { OPEN_ACL_UNSAFE } from '../jute/records.ts';
import { openDatabase } from '../persistence/database.ts';
import { purgeOldFiles } from '../persistence/datadir-cleanup.ts';
import { FileTxnLog } from '../persistence/file-txn-log.ts';
import { SessionTracker } from '../session-tracker.ts';
import type { TxnLogEntry } from '../txn.ts';
import { RequestPreparer } from './prepare.ts';
import { TxnCommitter } from './txn-committer.ts';

const SESSION = '0100000000000001';

/** A process that does nothing any more once it is dead: its syncs never return, its turns never end. */
class Life {
  dead = false;
  /** Not while a folder is being opened. */
  slow = false;

  /** An fsync takes up to 3 ms, and what is written before it returns is as unsure as before it began. */
  disk(disk: Disk, time: ManualTime, random: SeededRandom): Disk {
    const open = (path: string, mode: OpenMode): DiskFile => {
      const file = disk.open(path, mode);
      const syncAsync = async (): Promise<void> => {
        if (this.slow) await new Promise<void>((resolve) => void time.after(random.int(4), resolve));
        if (!this.dead) await file.syncAsync();
        if (this.dead) await new Promise(() => undefined);
      };
      return new Proxy(file, { get: (target, key) => (key === 'syncAsync' ? syncAsync : bound(target, key)) });
    };
    return new Proxy(disk, { get: (target, key) => (key === 'open' ? open : bound(target, key)) });
  }

  scheduler(time: ManualTime): Scheduler {
    const alive = (callback: () => void) => (): void => {
      if (!this.dead) callback();
    };
    return {
      after: (delayMs, callback) => time.after(delayMs, alive(callback)),
      every: (periodMs, callback) => time.every(periodMs, alive(callback)),
      endOfTurn: (callback) => time.endOfTurn(alive(callback)),
    };
  }
}

function bound(target: object, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key, target);
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
}

async function start(disk: MemoryDisk, random: SeededRandom) {
  const time = new ManualTime();
  const life = new Life();
  const runtime = {
    disk: life.disk(disk, time, random),
    clock: time,
    scheduler: life.scheduler(time),
    random,
    logger: silentLogger,
    halt: {
      halt: (_exitCode: number, reason: string): never => {
        throw new Error(`halted: ${reason}`);
      },
    },
  };
  const { directory, tree, sessions, replayedTxns, digestMismatches } = await openWith(runtime, time);
  // What is replayed over a snapshot is the tree that was there when each transaction was prepared.
  expect(digestMismatches).toBe(0);
  life.slow = true;
  const tracker = new SessionTracker(runtime, { tickTimeMs: 1000, restored: sessions, onExpired: () => undefined });
  tracker.track(SESSION, 6000);
  const preparer = new RequestPreparer(tree, tracker, time, { extendedTypesEnabled: false, enforceQuota: false });
  const log = new FileTxnLog(runtime.disk, directory, 4096);
  const acknowledged = new Map<string, string>();
  const committer = new TxnCommitter<TxnLogEntry>(
    runtime,
    log,
    { directory, snapCount: 20, txnsSinceSnapshot: replayedTxns, snapshotSource: { tree, sessions } },
    (group) => {
      for (const { header, txn } of group) {
        tree.processTxn(header, txn);
        preparer.changes.applied(header.zxid);
        if (txn.type === OpCode.create) acknowledged.set(txn.path, '');
        if (txn.type === OpCode.setData) acknowledged.set(txn.path, txn.data?.toString() ?? '');
        if (txn.type === OpCode.delete) acknowledged.delete(txn.path);
      }
    },
  );
  const purge = (): unknown => purgeOldFiles(runtime.disk, directory, 2);
  return { life, time, tree, preparer, committer, acknowledged, purge };
}

/** Opening may wait for timers (a first snapshot gives the loop back). */
async function openWith(runtime: Parameters<typeof openDatabase>[0], time: ManualTime): ReturnType<typeof openDatabase> {
  const opened = openDatabase(runtime, { dataDir: '/zk', extendedTypesEnabled: false });
  await time.advance(10);
  return opened;
}

describe('group commit', () => {
  it('keeps every acknowledged write over crashes, and brings back no acknowledged deletion', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = new SeededRandom(seed);
        const disk = new MemoryDisk();
        disk.makeDirectory('/zk');
        disk.syncDirectory('/');
        let acknowledged = new Map<string, string>();
        let lastZxid = 0;
        for (let life = 0; life < 4; life++) {
          const server = await start(disk, random);
          // The tree has at least what was acknowledged; what was in flight may be there too.
          for (const [path, data] of acknowledged) {
            const node = server.tree.getNode(path);
            if (node === undefined && !inFlight.has(path)) throw new Error(`seed ${seed}: ${path} is lost`);
            if (node !== undefined && !inFlight.has(path)) expect(node.data?.toString() ?? '').toBe(data);
          }
          for (const path of deleted) if (!inFlight.has(path)) expect(server.tree.getNode(path), path).toBeUndefined();
          expect(server.tree.lastProcessedZxid).toBeGreaterThanOrEqual(lastZxid);
          for (const name of server.tree.getNode('/')?.children ?? []) {
            const node = server.tree.getNode(`/${name}`);
            if (name !== 'zookeeper') server.acknowledged.set(`/${name}`, node?.data?.toString() ?? '');
          }
          inFlight.clear();
          deleted.clear();
          const steps = 5 + random.int(60);
          for (let step = 0; step < steps; step++) {
            const path = `/n${random.int(12)}`;
            const requester = { sessionId: SESSION, xid: step, authInfo: [] };
            const exists = server.preparer.changes.get(path) !== undefined;
            const kind = random.int(3);
            const data = Buffer.from(`${life}-${step}-${'x'.repeat(random.int(900))}`);
            const request = !exists
              ? ({ type: OpCode.create, path, data: null, acl: OPEN_ACL_UNSAFE, mode: 0, ttl: -1 } as const)
              : kind === 0
                ? ({ type: OpCode.delete, path, version: -1 } as const)
                : ({ type: OpCode.setData, path, data, version: -1 } as const);
            server.committer.submit(server.preparer.prepare(request, requester));
            if (request.type === OpCode.delete) deleted.add(path);
            else deleted.delete(path);
            inFlight.set(path, server.preparer.lastZxid);
            if (random.int(3) === 0) await server.time.advance(random.int(3));
            if (random.int(8) === 0) server.purge();
            for (const [busy, zxid] of inFlight) if (zxid <= server.tree.lastProcessedZxid) inFlight.delete(busy);
          }
          acknowledged = server.acknowledged;
          lastZxid = server.tree.lastProcessedZxid;
          for (const [busy, zxid] of inFlight) if (zxid <= lastZxid) inFlight.delete(busy);
          server.life.dead = true;
          disk.crash(random);
          await server.time.settle();
        }
      }),
      { numRuns: 60 },
    );
  });

  const inFlight = new Map<string, number>();
  const deleted = new Set<string>();
});
