import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { MemoryDisk } from '../../runtime/testing/memory-disk.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import { OpCode } from '../jute/constants.ts';
import { ANYONE_ID, OPEN_ACL_UNSAFE } from '../jute/records.ts';
import { DataTree } from '../tree/data-tree.ts';
import type { CreateTxn, Txn, TxnHeader, TxnLogEntry } from '../txn.ts';
import { ADLER32_INITIAL, updateAdler32 } from './adler32.ts';
import { DatabaseError, openDatabase } from './database.ts';
import { snapshotChunks, writeSnapshot } from './file-snap-writer.ts';
import { FileTxnLog } from './file-txn-log.ts';
import { readTxnLog } from './txn-log-reader.ts';

const DIRECTORY = '/zk/version-2';
const SESSION = '0100000000000001';

function makeRuntime(disk: MemoryDisk) {
  const time = new ManualTime();
  // Snapshots give the loop back by timers, which nobody advances here.
  const scheduler = {
    after: (_ms: number, callback: () => void) => (callback(), { cancel: () => undefined }),
    every: time.every.bind(time),
    endOfTurn: time.endOfTurn.bind(time),
  };
  return { disk, clock: time, scheduler, logger: silentLogger };
}

async function open(disk: MemoryDisk): Promise<Awaited<ReturnType<typeof openDatabase>>> {
  return await openDatabase(makeRuntime(disk), { dataDir: '/zk', extendedTypesEnabled: false });
}

function entry(zxid: number, txn: Txn): TxnLogEntry {
  const header: TxnHeader = { clientId: SESSION, cxid: zxid, zxid, time: 1000 + zxid, type: txn.type };
  return { header, txn };
}
const createTxn = (path: string, parentCVersion: number, data = Buffer.from(path)): CreateTxn => ({
  type: OpCode.create,
  path,
  data,
  acl: OPEN_ACL_UNSAFE,
  ephemeral: false,
  parentCVersion,
});

/** A fresh folder whose log has a session and nodes /n2 … /n<count>. */
async function folderWith(count: number): Promise<{ disk: MemoryDisk; log: string }> {
  const disk = new MemoryDisk();
  await open(disk);
  const log = new FileTxnLog(disk, DIRECTORY, 0);
  append(log, entry(1, { type: OpCode.createSession, timeOut: 6000 }));
  for (let zxid = 2; zxid <= count; zxid++) append(log, entry(zxid, createTxn(`/n${zxid}`, zxid - 1)));
  log.flush();
  await log.sync();
  log.close();
  return { disk, log: `${DIRECTORY}/log.1` };
}

function append(log: FileTxnLog, { header, txn }: TxnLogEntry): void {
  log.append({ header, txn });
}

function truncate(disk: MemoryDisk, path: string, bytes: number): void {
  const file = disk.open(path, 'read-write');
  file.truncate(bytes);
  file.sync();
  file.close();
}

describe('Adler-32', () => {
  it('is zlib’s', () => {
    expect(updateAdler32(ADLER32_INITIAL, Buffer.from('Wikipedia'))).toBe(0x11e60398);
    expect(updateAdler32(ADLER32_INITIAL, Buffer.alloc(1_000_000, 0xff))).toBe(943972798);
  });

  it('is the same in one piece and in two', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), fc.nat(20_000), (bytes, cut) => {
        const at = Math.min(cut, bytes.length);
        const inTwo = updateAdler32(updateAdler32(ADLER32_INITIAL, bytes, 0, at), bytes, at);
        expect(inTwo).toBe(updateAdler32(ADLER32_INITIAL, bytes));
      }),
      { numRuns: 30 },
    );
  });
});

describe('a first snapshot', () => {
  it('has the bytes of Apache ZooKeeper’s snapshot.0', () => {
    const tree = new DataTree({ extendedTypesEnabled: false });
    const bytes = Buffer.concat(Array.from(snapshotChunks({ tree, sessions: new Map() })));
    const zeros = (count: number): string => '00'.repeat(count);
    const apache = [
      '5a4b534e00000002ffffffffffffffff',
      '00000000',
      '00000001000000000000000100000001 00000001 00000005 776f726c64 00000006 616e796f6e65',
      `00000000 00000000 ffffffffffffffff ${zeros(60)}`,
      `0000000a 2f7a6f6f6b6565706572 00000000 ffffffffffffffff ${zeros(60)}`,
      `00000011 2f7a6f6f6b65657065722f636f6e666967 00000000 0000000000000001 ${zeros(40)} ffffffff ${zeros(16)}`,
      `00000010 2f7a6f6f6b65657065722f71756f7461 00000000 ffffffffffffffff ${zeros(60)}`,
      '00000001 2f 00000000b8a23b49 00000001 2f',
      '0000000000000000 00000002 0000000000000000 0000000095b93d59 00000001 2f',
    ];
    expect(bytes.toString('hex')).toBe(apache.join('').replaceAll(' ', ''));
  });
});

describe('a log', () => {
  it('has Apache’s header, Adler-32, length and end mark', async () => {
    const { disk, log } = await folderWith(1);
    const bytes = disk.readFile(log);
    expect(bytes.subarray(0, 16).toString('hex')).toBe('5a4b4c47000000020000000000000000');
    const length = bytes.readInt32BE(24);
    expect(length).toBe(36);
    expect(bytes.readUInt32BE(20)).toBe(updateAdler32(ADLER32_INITIAL, bytes, 28, 28 + length));
    expect(bytes.subarray(28).toString('hex')).toBe(`${SESSION}00000001000000000000000100000000000003e9fffffff60000177042`);
  });

  it('is preallocated and cut to its entries at the end', async () => {
    const disk = new MemoryDisk();
    await open(disk);
    const log = new FileTxnLog(disk, DIRECTORY, 65_536);
    append(log, entry(1, createTxn('/a', 1)));
    log.flush();
    const path = `${DIRECTORY}/log.1`;
    expect(disk.stat(path)?.sizeBytes).toBe(65_536);
    append(log, entry(2, createTxn('/b', 2, Buffer.alloc(100_000))));
    log.flush();
    expect(disk.stat(path)?.sizeBytes).toBe(131_072);
    const seen: number[] = [];
    expect(readTxnLog(disk, path, ({ header }) => seen.push(header.zxid))).toMatchObject({ entries: 2, torn: undefined });
    expect(seen).toEqual([1, 2]);
    const entries = log.sizeBytes;
    log.close();
    expect(disk.stat(path)?.sizeBytes).toBe(entries);
  });

  it('says when the disk is full', async () => {
    const disk = new MemoryDisk();
    await open(disk);
    disk.setCapacity(2000);
    const log = new FileTxnLog(disk, DIRECTORY, 0);
    append(log, entry(1, createTxn('/a', 1, Buffer.alloc(5000))));
    expect(() => log.flush()).toThrow(/ENOSPC/);
  });
});

describe('opening a folder', () => {
  it('writes snapshot.0 at the first start, and replays the log at the next', async () => {
    const { disk } = await folderWith(4);
    expect(disk.exists(`${DIRECTORY}/snapshot.0`)).toBe(true);
    const { tree, sessions, replayedTxns } = await open(disk);
    expect([tree.lastProcessedZxid, replayedTxns]).toEqual([4, 4]);
    expect(tree.getNode('/n3')?.data?.toString()).toBe('/n3');
    expect(sessions).toEqual(new Map([[SESSION, 6000]]));
  });

  it('keeps every whole entry and cuts off a torn one, wherever it is torn', async () => {
    const { disk: whole, log } = await folderWith(3);
    const bytes = whole.readFile(log);
    const ends: number[] = [];
    let entryStart = 16;
    while (entryStart < bytes.length) {
      entryStart += 12 + bytes.readInt32BE(entryStart + 8) + 1;
      ends.push(entryStart);
    }
    for (let length = 0; length < bytes.length; length++) {
      const { disk } = await folderWith(3);
      truncate(disk, log, length);
      const { tree } = await open(disk);
      expect(tree.lastProcessedZxid, `cut to ${length} bytes`).toBe(ends.filter((end) => end <= length).length);
      const again = await open(disk);
      expect(again.tree.lastProcessedZxid).toBe(tree.lastProcessedZxid);
    }
  });

  it('cuts off a last entry with any flipped bit', async () => {
    const { disk: whole, log } = await folderWith(3);
    const bytes = whole.readFile(log);
    const secondEnd = endOfEntry(bytes, endOfEntry(bytes, 16));
    for (let at = secondEnd; at < bytes.length; at++) {
      const { disk } = await folderWith(3);
      disk.flipBit(log, at * 8 + (at % 8));
      expect((await open(disk)).tree.lastProcessedZxid, `a flipped bit in byte ${at}`).toBe(2);
    }
  });

  it('treats zeros after the last entry as its end', async () => {
    const { disk, log } = await folderWith(3);
    truncate(disk, log, 10_000);
    const { tree } = await open(disk);
    expect(tree.lastProcessedZxid).toBe(3);
    expect(disk.stat(log)?.sizeBytes).toBe(10_000);
  });

  it.each(['lose', 'tear'] as const)('loses nothing that it replayed when the power goes after more was synced (%s)', async (mode) => {
    for (let seed = 1; seed <= 20; seed++) {
      const { disk } = await folderWith(3);
      const unsynced = new FileTxnLog(disk, DIRECTORY, 0);
      append(unsynced, entry(4, createTxn('/n4', 3)));
      unsynced.flush();
      // Killed: the page cache has it.
      expect((await open(disk)).tree.lastProcessedZxid).toBe(4);
      const next = new FileTxnLog(disk, DIRECTORY, 0);
      append(next, entry(5, createTxn('/n5', 4)));
      next.flush();
      await next.sync();
      disk.crash(new SeededRandom(seed), mode);
      const { tree } = await open(disk);
      expect([tree.lastProcessedZxid, tree.getNode('/n4')?.data?.toString()]).toEqual([5, '/n4']);
    }
  });

  it.each(['lose', 'tear'] as const)('does not meet a log again that it found without a whole entry (%s)', async (mode) => {
    for (let seed = 1; seed <= 20; seed++) {
      const { disk } = await folderWith(3);
      const torn = new FileTxnLog(disk, DIRECTORY, 0);
      append(torn, entry(4, createTxn('/n4', 3)));
      torn.flush();
      await torn.sync();
      truncate(disk, `${DIRECTORY}/log.4`, 40);
      expect((await open(disk)).tree.lastProcessedZxid).toBe(3);
      const next = new FileTxnLog(disk, DIRECTORY, 0);
      append(next, entry(5, createTxn('/n5', 3)));
      next.flush();
      await next.sync();
      disk.crash(new SeededRandom(seed), mode);
      expect((await open(disk)).tree.lastProcessedZxid).toBe(5);
    }
  });

  it('refuses a fault in a log that is not the last', async () => {
    const { disk, log } = await folderWith(3);
    const later = new FileTxnLog(disk, DIRECTORY, 0);
    append(later, entry(4, createTxn('/later', 4)));
    later.flush();
    later.close();
    disk.flipBit(log, 60 * 8);
    await expect(open(disk)).rejects.toThrow(DatabaseError);
    await expect(open(disk)).rejects.toThrow(/log\.1 is damaged after byte/);
  });

  it('refuses logs without a snapshot', async () => {
    const { disk } = await folderWith(3);
    disk.remove(`${DIRECTORY}/snapshot.0`);
    await expect(open(disk)).rejects.toThrow(/no snapshot/);
  });

  it('falls back to an older snapshot when the newest is broken, and forgets unfinished ones', async () => {
    const { disk } = await folderWith(5);
    const runtime = makeRuntime(disk);
    const { tree, sessions } = await open(disk);
    const path = await writeSnapshot(runtime, DIRECTORY, { tree, sessions });
    expect(path).toBe(`${DIRECTORY}/snapshot.5`);
    expect((await open(disk)).replayedTxns).toBe(0);
    disk.writeFile(`${DIRECTORY}/snapshot.7.tmp`, 'half');
    const size = disk.stat(path)?.sizeBytes ?? 0;
    for (const at of [0, 20, Math.floor(size / 2), size - 14, size - 1]) {
      disk.flipBit(path, at * 8);
      const reopened = await open(disk);
      expect([reopened.replayedTxns, reopened.tree.lastProcessedZxid], `a flipped bit in byte ${at}`).toEqual([5, 5]);
      expect(reopened.tree.getNode('/n5')).toBeDefined();
      disk.flipBit(path, at * 8);
    }
    expect(disk.exists(`${DIRECTORY}/snapshot.7.tmp`)).toBe(false);
  });

  it('restores from a snapshot what the log would have given', async () => {
    const { disk } = await folderWith(5);
    const { tree, sessions } = await open(disk);
    await writeSnapshot(makeRuntime(disk), DIRECTORY, { tree, sessions });
    const restored = await open(disk);
    expect(restored.replayedTxns).toBe(0);
    expect(dump(restored.tree)).toEqual(dump(tree));
    expect(restored.sessions).toEqual(sessions);
    expect(restored.tree.approximateDataSizeBytes).toBe(tree.approximateDataSizeBytes);
  });

  it('kills ephemeral nodes whose session is not there', async () => {
    const { disk } = await folderWith(2);
    const log = new FileTxnLog(disk, DIRECTORY, 0);
    const ghost: TxnLogEntry = {
      header: { clientId: '0100000000009999', cxid: 1, zxid: 3, time: 0, type: OpCode.create },
      txn: { ...createTxn('/ghost', 2), ephemeral: true },
    };
    append(log, ghost);
    log.flush();
    log.close();
    expect((await open(disk)).tree.getNode('/ghost')).toBeUndefined();
  });

  it('never throws anything untyped at garbage', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, asSnapshot) => {
        const { disk, log } = await folderWith(2);
        const header = asSnapshot ? Buffer.from('5a4b534e00000002ffffffffffffffff', 'hex') : disk.readFile(log);
        disk.writeFile(asSnapshot ? `${DIRECTORY}/snapshot.1` : log, Buffer.concat([header, bytes]));
        const { tree } = await open(disk);
        expect(tree.lastProcessedZxid).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a snapshot while the tree goes on changing', () => {
  it('gives the right tree with the log from its zxid on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ name: fc.nat(6), op: fc.constantFrom('create', 'delete', 'set', 'acl', 'acl-below'), list: fc.nat(3) }), {
          minLength: 5,
          maxLength: 60,
        }),
        fc.nat(40),
        async (steps, snapshotAt) => {
          const disk = new MemoryDisk();
          const { tree, sessions } = await open(disk);
          const log = new FileTxnLog(disk, DIRECTORY, 0);
          let zxid = 0;
          const run = (txn: Txn): void => {
            const made = entry(++zxid, txn);
            append(log, made);
            tree.processTxn(made.header, made.txn);
          };
          // Data large enough that the snapshot is written in many pieces.
          for (let i = 0; i < 7; i++) run(createTxn(`/d${i}`, i + 1, Buffer.alloc(70_000, i)));
          const chunks: Buffer[] = [];
          let writing: Iterator<Buffer> | undefined;
          let snapshotZxid = 0;
          for (const [index, { name, op, list }] of steps.entries()) {
            if (index === snapshotAt % steps.length) {
              snapshotZxid = zxid;
              writing = snapshotChunks({ tree, sessions })[Symbol.iterator]();
            }
            const next = writing?.next();
            if (next?.done === false) chunks.push(next.value);
            const path = `/d${name}/x`;
            const exists = tree.getNode(path) !== undefined;
            const acl = [{ perms: 1 + list, id: ANYONE_ID }];
            const target = op === 'acl' ? `/d${name}` : path;
            if (op === 'create' && !exists) run({ ...createTxn(path, (tree.getNode(`/d${name}`)?.cversion ?? 0) + 1), acl });
            else if (op === 'delete' && exists) run({ type: OpCode.delete, path });
            else if (op === 'acl' || (op === 'acl-below' && exists))
              run({ type: OpCode.setACL, path: target, acl, version: (tree.getNode(target)?.aversion ?? 0) + 1 });
            else run({ type: OpCode.setData, path: `/d${name}`, data: Buffer.alloc(70_000, index), version: index });
          }
          for (let next = writing?.next(); next?.done === false; next = writing?.next()) chunks.push(next.value);
          log.flush();
          log.close();
          disk.writeFile(`${DIRECTORY}/snapshot.${snapshotZxid.toString(16)}`, Buffer.concat(chunks));
          const reopened = await open(disk);
          expect(dump(reopened.tree)).toEqual(dump(tree));
        },
      ),
      { numRuns: 60 },
    );
  });
});

function endOfEntry(bytes: Buffer, start: number): number {
  return start + 12 + bytes.readInt32BE(start + 8) + 1;
}

/** Everything that a client could see of the tree. */
function dump(tree: DataTree): unknown {
  const nodes: unknown[] = [];
  const pending = ['/'];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const node = tree.getNode(path);
    if (node === undefined) throw new Error(`${path} is a child and no node`);
    nodes.push([path, node.data?.toString('hex'), tree.statOf(node), tree.aclOf(node)]);
    for (const name of Array.from(node.children).toSorted()) pending.push(path === '/' ? `/${name}` : `${path}/${name}`);
  }
  return nodes;
}
