/** Reads a snapshot (format in file-snap-writer.ts) into a tree. One that isn't whole is refused before anything of it counts. */
import type { Disk } from '../../runtime/disk.ts';
import type { Acl, LongHex } from '../jute/records.ts';
import { DataNode, ownCopy } from '../tree/data-node.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { DIGEST_VERSION } from '../tree/node-digest.ts';
import { CorruptFileError, FileInput } from './file-input.ts';
import { SNAPSHOT_MAGIC, SNAPSHOT_VERSION } from './file-snap-writer.ts';

export interface Snapshot {
  readonly sessions: Map<LongHex, number>;
  /** What the tree's digest is once the log up to `zxid` is replayed; undefined in snapshots older than 3.6. */
  readonly digest: { readonly zxid: number; readonly digest: number } | undefined;
}

/** Fills `tree` and returns the sessions with their time-outs. Throws `CorruptFileError` or `EndOfFileError`: the tree is then worthless. */
export function readSnapshot(disk: Disk, path: string, tree: DataTree): Snapshot {
  const file = disk.open(path, 'read');
  try {
    const input = new FileInput(file);
    if (input.int() !== SNAPSHOT_MAGIC || input.int() !== SNAPSHOT_VERSION)
      throw new CorruptFileError(`${path} is not a snapshot of version ${SNAPSHOT_VERSION}`);
    input.long();
    tree.clearForRestore();
    const sessions = readSessions(input);
    readAclTable(input, tree);
    readNodes(input, tree, path);
    checkSeal(input, path);
    const digest = readDigest(input, path);
    tree.finishRestore();
    return { sessions, digest };
  } finally {
    file.close();
  }
}

function readSessions(input: FileInput): Map<LongHex, number> {
  const sessions = new Map<LongHex, number>();
  const count = checkedCount(input, 12, 'sessions');
  for (let i = 0; i < count; i++) sessions.set(input.longHex(), input.int());
  return sessions;
}

function readAclTable(input: FileInput, tree: DataTree): void {
  const count = checkedCount(input, 12, 'ACLs');
  for (let i = 0; i < count; i++) {
    const id = input.long();
    const acls: Acl[] = [];
    const length = checkedCount(input, 12, 'entries of an ACL');
    for (let j = 0; j < length; j++) acls.push({ perms: input.int(), id: { scheme: input.string(), id: input.string() } });
    tree.aclCache.restore(id, acls);
  }
}

function readNodes(input: FileInput, tree: DataTree, file: string): void {
  for (;;) {
    const path = input.string();
    if (path === '/') return;
    const data = ownCopy(input.buffer() ?? null);
    const aclId = input.long();
    const [czxid, mzxid, ctime, mtime] = [input.long(), input.long(), input.long(), input.long()];
    const [version, cversion, aversion] = [input.int(), input.int(), input.int()];
    const node = new DataNode(data, aclId, input.longHex(), czxid, ctime);
    Object.assign(node, { mzxid, mtime, version, cversion, aversion, pzxid: input.long() });
    if (!tree.restoreNode(path === '' ? '/' : path, node)) throw new CorruptFileError(`${file}: ${path} has no parent`);
  }
}

function readDigest(input: FileInput, path: string): Snapshot['digest'] {
  if (input.remaining === 0) return undefined;
  const zxid = input.long();
  // Before version 2 it is text.
  const digest = input.int() === DIGEST_VERSION ? input.long() : (input.string(), undefined);
  checkSeal(input, path);
  return digest === undefined || !Number.isSafeInteger(digest) ? undefined : { zxid, digest };
}

function checkSeal(input: FileInput, path: string): void {
  const actual = input.adler32;
  const sealed = input.long();
  if (sealed !== actual || input.string() !== '/') throw new CorruptFileError(`${path}: the checksum is ${actual}, ${sealed} in the seal`);
}

function checkedCount(input: FileInput, elementBytes: number, what: string): number {
  const count = input.int();
  if (count < 0 || count * elementBytes > input.remaining) throw new CorruptFileError(`${count} ${what} in ${input.remaining} bytes`);
  return count;
}
