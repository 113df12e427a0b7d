/**
 * The tree as it will be once the transactions in flight are committed: what the next write is checked against
 * (ZooKeeperServer.outstandingChanges). A record per path and transaction; it goes when its transaction is applied.
 */
import type { Acl, LongHex } from '../jute/records.ts';
import { ServerMetrics } from '../server-metrics.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { nodeDigest } from '../tree/node-digest.ts';

/** A node as writes see it. Never changed: a change makes a new one. */
export interface NodeView {
  readonly czxid: number;
  readonly mzxid: number;
  readonly pzxid: number;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  /** Creations below it, as DataNode counts them. */
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: LongHex;
  readonly childCount: number;
  readonly acl: readonly Acl[];
  readonly data: Buffer | null;
}

interface ChangeRecord {
  readonly zxid: number;
  readonly path: string;
  /** undefined: deleted. */
  readonly node: NodeView | undefined;
  /** Its share of the tree's digest; 0 when deleted. */
  readonly digest: number;
  /** Cut when this record is applied, or a path under constant change would keep all its past. */
  previous: ChangeRecord | undefined;
}

export class OutstandingChanges {
  readonly #tree: DataTree;
  readonly #latest = new Map<string, ChangeRecord>();
  #records: ChangeRecord[] = [];
  /** Records before this index have been applied. */
  #head = 0;
  #digest: number;

  readonly #metrics: ServerMetrics;

  constructor(tree: DataTree, metrics = new ServerMetrics()) {
    this.#tree = tree;
    this.#digest = tree.digest ?? 0;
    this.#metrics = metrics;
  }

  /** The tree's digest once everything so far is applied; undefined when it has none. */
  get digest(): number | undefined {
    return this.#tree.digest === undefined ? undefined : this.#digest;
  }

  get(path: string): NodeView | undefined {
    const record = this.#latest.get(path);
    if (record !== undefined) return record.node;
    const node = this.#tree.getNode(path);
    if (node === undefined) return undefined;
    return {
      czxid: node.czxid,
      mzxid: node.mzxid,
      pzxid: node.pzxid,
      ctime: node.ctime,
      mtime: node.mtime,
      version: node.version,
      cversion: node.cversion,
      aversion: node.aversion,
      ephemeralOwner: node.ephemeralOwner,
      childCount: node.childCount,
      acl: this.#tree.aclOf(node),
      data: node.data,
    };
  }

  /** What transaction `zxid` makes of `path`; undefined deletes it. */
  put(zxid: number, path: string, node: NodeView | undefined): void {
    const digest = node === undefined ? 0 : nodeDigest(path, node.data, node);
    this.#digest += digest - this.#digestOf(path);
    const record: ChangeRecord = { zxid, path, node, digest, previous: this.#latest.get(path) };
    this.#latest.set(path, record);
    this.#records.push(record);
    this.#metrics.count('outstanding_changes_queued');
  }

  /** Takes back everything that `zxid`, the last transaction, has put. */
  rollback(zxid: number): void {
    for (let last = this.#records.at(-1); last?.zxid === zxid && this.#records.length > this.#head; last = this.#records.at(-1)) {
      this.#records.pop();
      if (last.previous === undefined) this.#latest.delete(last.path);
      else this.#latest.set(last.path, last.previous);
      this.#digest += this.#digestOf(last.path) - last.digest;
    }
  }

  #digestOf(path: string): number {
    const record = this.#latest.get(path);
    return record === undefined ? (this.#tree.getNode(path)?.digest ?? 0) : record.digest;
  }

  /** Forgets what is in the tree now: everything up to transaction `zxid`. */
  applied(zxid: number): void {
    for (let record = this.#records[this.#head]; record !== undefined && record.zxid <= zxid; record = this.#records[this.#head]) {
      this.#head++;
      this.#metrics.count('outstanding_changes_removed');
      record.previous = undefined;
      if (this.#latest.get(record.path) === record) this.#latest.delete(record.path);
    }
    if (this.#head === this.#records.length) {
      this.#records = [];
      this.#head = 0;
    } else if (this.#head > 4096) {
      this.#records = this.#records.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The nodes that a session will own. */
  ephemeralsOf(session: LongHex): string[] {
    const paths = new Set(this.#tree.ephemeralsOf(session));
    for (const record of this.#latest.values()) {
      // Deleted, or deleted and made again by somebody else.
      if (record.node?.ephemeralOwner === session) paths.add(record.path);
      else paths.delete(record.path);
    }
    return Array.from(paths);
  }
}
