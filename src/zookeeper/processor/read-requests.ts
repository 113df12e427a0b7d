/**
 * Requests that change nothing: answered from the committed tree (FinalRequestProcessor). Each writes the body of its
 * reply, or returns an error code, having written nothing.
 */
import { isAllowed } from '../auth.ts';
import { AddWatchMode, EventType, KeeperCode, OpCode, Perms, WatcherType } from '../jute/constants.ts';
import { JuteError, type JuteReader } from '../jute/jute-reader.ts';
import type { JuteWriter } from '../jute/jute-writer.ts';
import { type Acl, type Id, type LongHex, writeAcls, writeStat } from '../jute/records.ts';
import {
  type MultiReadOp,
  type SetWatchesRequest,
  readAddWatch,
  readMultiRead,
  readPathWatch,
  readSetWatches,
  readWatcherTypeRequest,
  writeMultiHeader,
} from '../jute/requests.ts';
import type { DataNode } from '../tree/data-node.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { Watcher } from '../tree/watch-manager.ts';

/** What a read needs of its connection, which is also who its watches tell. */
export interface Reader extends Watcher {
  readonly sessionId: LongHex;
  readonly authInfo: readonly Id[];
}

type ReadHandler<R extends Reader> = (tree: DataTree<R>, reader: R, body: JuteReader, reply: JuteWriter) => number;

const READS = new Map<number, ReadHandler<Reader>>([
  [OpCode.ping, () => KeeperCode.OK],
  [OpCode.sync, sync],
  [OpCode.exists, exists],
  [OpCode.getData, (tree, reader, body, reply) => getData(tree, reader, readPathWatch(body), reply)],
  [OpCode.getChildren, (tree, reader, body, reply) => getChildren(tree, reader, readPathWatch(body), reply, false)],
  [OpCode.getChildren2, (tree, reader, body, reply) => getChildren(tree, reader, readPathWatch(body), reply, true)],
  [OpCode.getACL, getAcl],
  [OpCode.getAllChildrenNumber, getAllChildrenNumber],
  [OpCode.getEphemerals, getEphemerals],
  [OpCode.multiRead, multiRead],
  [OpCode.setWatches, (tree, reader, body) => setWatches(tree, reader, readSetWatches(body, OpCode.setWatches))],
  [OpCode.setWatches2, (tree, reader, body) => setWatches(tree, reader, readSetWatches(body, OpCode.setWatches2))],
  [OpCode.addWatch, addWatch],
  [OpCode.checkWatches, (tree, reader, body) => watches(tree, reader, body, false)],
  [OpCode.removeWatches, (tree, reader, body) => watches(tree, reader, body, true)],
  [OpCode.whoAmI, whoAmI],
]);

export function isRead(type: number): boolean {
  return READS.has(type);
}

/** Answers a read of that type. Returns its error code. A body that makes no sense is a marshalling error. */
export function executeRead<R extends Reader>(type: number, tree: DataTree<R>, reader: R, body: JuteReader, reply: JuteWriter): number {
  const handler = READS.get(type) as ReadHandler<R> | undefined;
  if (handler === undefined) return KeeperCode.Unimplemented;
  try {
    return handler(tree, reader, body, reply);
  } catch (error) {
    if (error instanceof JuteError) return KeeperCode.MarshallingError;
    throw error;
  }
}

function readable(tree: DataTree, reader: Reader, node: DataNode | undefined, perms: number = Perms.READ): number {
  if (node === undefined) return KeeperCode.NoNode;
  return isAllowed(tree.aclOf(node), perms, reader.authInfo) ? KeeperCode.OK : KeeperCode.NoAuth;
}

function sync(_tree: DataTree, _reader: Reader, body: JuteReader, reply: JuteWriter): number {
  reply.string(body.string());
  return KeeperCode.OK;
}

/** The watch is set also where nothing is: it fires when the node is created. */
function exists(tree: DataTree, reader: Reader, body: JuteReader, reply: JuteWriter): number {
  const { path, watch } = readPathWatch(body);
  if (path.includes('\0')) return KeeperCode.BadArguments;
  const node = nodeAt(tree, path);
  if (node !== undefined && readable(tree, reader, node) !== KeeperCode.OK) return KeeperCode.NoAuth;
  if (watch) tree.dataWatches.add(path, reader);
  if (node === undefined) return KeeperCode.NoNode;
  tree.observer?.onRead(path, 0);
  writeStat(reply, tree.statOf(node));
  return KeeperCode.OK;
}

/** The root also goes by the empty name, in reads only. */
function nodeAt(tree: DataTree, path: string): DataNode | undefined {
  return tree.getNode(path === '' ? '/' : path);
}

function getData(tree: DataTree, reader: Reader, { path, watch }: { path: string; watch: boolean }, reply: JuteWriter): number {
  const node = nodeAt(tree, path);
  const error = readable(tree, reader, node);
  if (node === undefined || error !== KeeperCode.OK) return error;
  if (watch) tree.dataWatches.add(path, reader);
  tree.observer?.onRead(path, node.data?.length ?? 0);
  writeStat(reply.buffer(node.data), tree.statOf(node));
  return KeeperCode.OK;
}

function getChildren(
  tree: DataTree,
  reader: Reader,
  { path, watch }: { path: string; watch: boolean },
  reply: JuteWriter,
  withStat: boolean,
): number {
  const node = nodeAt(tree, path);
  const error = readable(tree, reader, node);
  if (node === undefined || error !== KeeperCode.OK) return error;
  if (watch) tree.childWatches.add(path, reader);
  const start = reply.length;
  reply.strings(node.children);
  // The names alone: each has four bytes of length in front, and so has the list.
  tree.observer?.onRead(path, reply.length - start - 4 - 4 * node.childCount);
  if (withStat) writeStat(reply, tree.statOf(node));
  return KeeperCode.OK;
}

/** Who may not administer the node doesn't see others' password digests. */
function getAcl(tree: DataTree, reader: Reader, body: JuteReader, reply: JuteWriter): number {
  const node = nodeAt(tree, body.string());
  const error = readable(tree, reader, node, Perms.READ | Perms.ADMIN);
  if (node === undefined || error !== KeeperCode.OK) return error;
  const acl = tree.aclOf(node);
  writeAcls(reply, isAllowed(acl, Perms.ADMIN, reader.authInfo) ? acl : acl.map(withoutDigest));
  writeStat(reply, tree.statOf(node));
  return KeeperCode.OK;
}

function withoutDigest(acl: Acl): Acl {
  if (acl.id.scheme !== 'digest') return acl;
  return { perms: acl.perms, id: { scheme: 'digest', id: acl.id.id.replace(/:.*/, ':x') } };
}

function getAllChildrenNumber(tree: DataTree, reader: Reader, body: JuteReader, reply: JuteWriter): number {
  const path = body.string();
  const error = readable(tree, reader, nodeAt(tree, path));
  if (error === KeeperCode.OK) reply.int(tree.allChildrenNumber(path === '' ? '/' : path));
  return error;
}

function getEphemerals(tree: DataTree, reader: Reader, body: JuteReader, reply: JuteWriter): number {
  const prefix = (body.nullableString() ?? '').trim();
  const all = Array.from(tree.ephemeralsOf(reader.sessionId));
  reply.strings(prefix === '' || prefix === '/' ? all : all.filter((path) => path.startsWith(prefix)));
  return KeeperCode.OK;
}

/** A multiRead whose answer grows beyond this fails as a whole. */
const MAX_MULTI_READ_BYTES = 64 * 1024 * 1024;

/** Each read for itself: an error stands in the place of its result, the others go on. */
function multiRead(tree: DataTree, reader: Reader, body: JuteReader, reply: JuteWriter): number {
  for (const op of readMultiRead(body)) {
    if (reply.length > MAX_MULTI_READ_BYTES) return KeeperCode.MarshallingError;
    multiReadOne(tree, reader, op, reply);
  }
  writeMultiHeader(reply, -1, true, -1);
  return KeeperCode.OK;
}

function multiReadOne(tree: DataTree, reader: Reader, { type, path }: MultiReadOp, reply: JuteWriter): void {
  const error = readable(tree, reader, nodeAt(tree, path));
  if (error !== KeeperCode.OK) {
    writeMultiHeader(reply, OpCode.error, false, error);
    reply.int(error);
    return;
  }
  writeMultiHeader(reply, type, false, 0);
  if (type === OpCode.getData) getData(tree, reader, { path, watch: false }, reply);
  else getChildren(tree, reader, { path, watch: false }, reply, false);
}

/**
 * Watches of a client that lost its connection, set again: where something has changed since the zxid that it saw last,
 * the event is told now instead (before this request's reply).
 */
function setWatches<R extends Reader>(tree: DataTree<R>, reader: R, request: SetWatchesRequest): number {
  const { relativeZxid } = request;
  const tell = (type: EventType, path: string, node?: DataNode): void =>
    reader.process(type, path, node === undefined ? [] : tree.aclOf(node));
  for (const path of request.dataWatches) {
    const node = tree.getNode(path);
    if (node === undefined) tell(EventType.NodeDeleted, path);
    else if (node.mzxid > relativeZxid) tell(EventType.NodeDataChanged, path, node);
    else tree.dataWatches.add(path, reader);
  }
  for (const path of request.existWatches) {
    const node = tree.getNode(path);
    if (node === undefined) tree.dataWatches.add(path, reader);
    else tell(EventType.NodeCreated, path, node);
  }
  for (const path of request.childWatches) {
    const node = tree.getNode(path);
    if (node === undefined) tell(EventType.NodeDeleted, path);
    else if (node.pzxid > relativeZxid) tell(EventType.NodeChildrenChanged, path, node);
    else tree.childWatches.add(path, reader);
  }
  for (const path of request.persistentWatches) tree.addWatch(path, reader, 'persistent');
  for (const path of request.persistentRecursiveWatches) tree.addWatch(path, reader, 'recursive');
  return KeeperCode.OK;
}

function addWatch<R extends Reader>(tree: DataTree<R>, reader: R, body: JuteReader, reply: JuteWriter): number {
  const { path, mode } = readAddWatch(body);
  tree.addWatch(path, reader, mode === AddWatchMode.PERSISTENT_RECURSIVE ? 'recursive' : 'persistent');
  reply.int(KeeperCode.OK);
  return KeeperCode.OK;
}

/** checkWatches and removeWatches. */
function watches<R extends Reader>(tree: DataTree<R>, reader: R, body: JuteReader, remove: boolean): number {
  const { path, type } = readWatcherTypeRequest(body);
  let found = false;
  if (type !== WatcherType.Data) found = remove ? tree.childWatches.remove(path, reader) : tree.childWatches.contains(path, reader);
  if (type !== WatcherType.Children) {
    const data = remove ? tree.dataWatches.remove(path, reader) : tree.dataWatches.contains(path, reader);
    found = data || found;
  }
  return found ? KeeperCode.OK : KeeperCode.NoWatcher;
}

/** Scheme and user of each identity; a digest's password hash is left out. */
function whoAmI(_tree: DataTree, reader: Reader, _body: JuteReader, reply: JuteWriter): number {
  reply.int(reader.authInfo.length);
  for (const id of reader.authInfo) reply.string(id.scheme).string(id.scheme === 'digest' ? id.id.replace(/:.*/, '') : id.id);
  return KeeperCode.OK;
}
