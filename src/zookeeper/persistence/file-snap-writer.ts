/**
 * Writes a snapshot (FileSnap, SnapStream):
 *
 *   magic "ZKSN" int32 | version 2 int32 | dbid -1 int64
 *   sessions   count int32 | (id int64, timeout int32) each
 *   ACL table  count int32 | (number int64, vector of ACL) each
 *   nodes      (path, data buffer, acl int64, czxid mzxid ctime mtime int64, version cversion aversion int32,
 *              ephemeralOwner int64, pzxid int64) each, parents first, the root's path is ""; then the path "/"
 *   seal       Adler-32 of all of it int64 | "/"
 *   digest     zxid int64 | version int32 | digest int64, of the tree as it is when the rest is written; then a seal of all of it
 *
 * The tree goes on changing meanwhile: the snapshot is fuzzy, and right only with the log from its zxid on replayed over
 * it. Nodes younger than its zxid are left out, since the replay makes them. It is written beside its name, synced, and
 * renamed, so a file with the right name is whole. The event loop is given back every few milliseconds.
 */
import type { Clock } from '../../runtime/clock.ts';
import { type Disk, shortWriteError } from '../../runtime/disk.ts';
import { type Scheduler, sleep } from '../../runtime/scheduler.ts';
import { JuteWriter } from '../jute/jute-writer.ts';
import { type LongHex, writeAcls } from '../jute/records.ts';
import type { DataNode } from '../tree/data-node.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { DIGEST_VERSION } from '../tree/node-digest.ts';
import { ADLER32_INITIAL, updateAdler32 } from './adler32.ts';
import { TEMPORARY_SUFFIX, snapshotName } from './file-names.ts';

export const SNAPSHOT_MAGIC = 0x5a4b534e;
export const SNAPSHOT_VERSION = 2;

const CHUNK_BYTES = 64 * 1024;
/** How long serializing may hold the event loop at a time. */
const SLICE_MS = 4;

export interface SnapshotSource {
  readonly tree: Pick<DataTree, 'getNode' | 'aclCache' | 'lastProcessedZxid' | 'digest'>;
  readonly sessions: ReadonlyMap<LongHex, number>;
}

export interface SnapshotWriterRuntime {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/**
 * Writes `snapshot.<zxid>` of the tree as it is now.
 * @returns the path. Rejects with the disk's errors; the unfinished file is removed.
 */
export async function writeSnapshot(runtime: SnapshotWriterRuntime, directory: string, source: SnapshotSource): Promise<string> {
  const { disk, clock, scheduler } = runtime;
  const path = `${directory}/${snapshotName(source.tree.lastProcessedZxid)}`;
  const temporary = path + TEMPORARY_SUFFIX;
  const file = disk.open(temporary, 'truncate');
  try {
    let position = 0;
    let sliceEndMs = clock.monotonicMs() + SLICE_MS;
    for (const chunk of snapshotChunks(source)) {
      const written = await file.writeGatheredAsync([chunk], position);
      if (written !== chunk.length) throw shortWriteError(temporary, written, chunk.length);
      position += written;
      if (clock.monotonicMs() < sliceEndMs) continue;
      await sleep(scheduler, 0);
      sliceEndMs = clock.monotonicMs() + SLICE_MS;
    }
    await file.syncAsync();
  } catch (error) {
    file.close();
    disk.remove(temporary);
    throw error;
  }
  file.close();
  disk.rename(temporary, path);
  disk.syncDirectory(directory);
  return path;
}

/** The bytes of a snapshot in chunks, each serialized when it is asked for. */
export function* snapshotChunks({ tree, sessions }: SnapshotSource): Generator<Buffer> {
  const snapshotZxid = tree.lastProcessedZxid;
  const writer = new JuteWriter(CHUNK_BYTES + 4096);
  let adler = ADLER32_INITIAL;
  const take = (): Buffer => {
    const chunk = writer.take();
    adler = updateAdler32(adler, chunk);
    return chunk;
  };
  writer.int(SNAPSHOT_MAGIC).int(SNAPSHOT_VERSION).long(-1);
  writer.int(sessions.size);
  for (const [id, timeoutMs] of sessions) writer.longHex(id).int(timeoutMs);
  const acls = tree.aclCache.entries();
  writer.int(acls.length);
  for (const [id, list] of acls) writeAcls(writer.long(id), list);
  const pending = ['/'];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const node = tree.getNode(path);
    if (node === undefined || node.czxid > snapshotZxid) continue;
    writeNode(writer, path === '/' ? '' : path, node);
    const prefix = path === '/' ? '/' : `${path}/`;
    for (const name of node.children) pending.push(prefix + name);
    if (writer.length >= CHUNK_BYTES) yield take();
  }
  writer.string('/');
  if (writer.length > 0) yield take();
  writer.long(adler).string('/');
  yield take();
  // A fresh tree, or one too large, has an empty one.
  const zxid = tree.digest === undefined ? 0 : tree.lastProcessedZxid;
  writer
    .long(zxid)
    .int(DIGEST_VERSION)
    .long(zxid === 0 ? 0 : (tree.digest ?? 0));
  yield take();
  writer.long(adler).string('/');
  yield writer.take();
}

function writeNode(writer: JuteWriter, path: string, node: DataNode): void {
  writer.string(path).buffer(node.data).long(node.aclId);
  writer.long(node.czxid).long(node.mzxid).long(node.ctime).long(node.mtime);
  writer.int(node.version).int(node.cversion).int(node.aversion).longHex(node.ephemeralOwner).long(node.pzxid);
}
