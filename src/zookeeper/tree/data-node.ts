/**
 * One node of the tree. `cversion` is the number of children ever created here (what sequence numbers are made of);
 * clients see `2 × cversion − children`, the number of creations and deletions. Source: DataNode.
 */
import { type LongHex, NO_OWNER, type StatRecord } from '../jute/records.ts';

const NO_CHILDREN: ReadonlySet<string> = new Set();

export class DataNode {
  data: Buffer | null;
  /** The number of its list in the AclCache. */
  aclId: number;
  czxid: number;
  mzxid: number;
  pzxid: number;
  ctime: number;
  mtime: number;
  version = 0;
  cversion = 0;
  aversion = 0;
  /** Its share of the tree's digest; kept by the tree. */
  digest = 0;
  readonly ephemeralOwner: LongHex;
  #children: Set<string> | undefined;

  constructor(data: Buffer | null, aclId: number, ephemeralOwner: LongHex, zxid: number, time: number) {
    this.data = data;
    this.aclId = aclId;
    this.ephemeralOwner = ephemeralOwner;
    this.czxid = zxid;
    this.mzxid = zxid;
    this.pzxid = zxid;
    this.ctime = time;
    this.mtime = time;
  }

  get children(): ReadonlySet<string> {
    return this.#children ?? NO_CHILDREN;
  }

  get childCount(): number {
    return this.#children?.size ?? 0;
  }

  addChild(name: string): void {
    this.#children ??= new Set();
    this.#children.add(name);
  }

  removeChild(name: string): void {
    this.#children?.delete(name);
    if (this.#children?.size === 0) this.#children = undefined;
  }

  /** The Stat for a client; `isSession` tells whether the owner is a session (others show 0). */
  stat(isSession: boolean): StatRecord {
    return {
      czxid: this.czxid,
      mzxid: this.mzxid,
      ctime: this.ctime,
      mtime: this.mtime,
      version: this.version,
      cversion: (this.cversion * 2 - this.childCount) | 0,
      aversion: this.aversion,
      ephemeralOwner: isSession ? this.ephemeralOwner : NO_OWNER,
      dataLength: this.data?.length ?? 0,
      numChildren: this.childCount,
      pzxid: this.pzxid,
    };
  }
}

const EMPTY = Buffer.alloc(0);

/** Data lives as long as its node: a buffer of its own, so that it doesn't hold on to the chunk it came in. */
export function ownCopy(data: Buffer | null): Buffer | null {
  if (data === null) return null;
  if (data.length === 0) return EMPTY;
  const copy = Buffer.allocUnsafeSlow(data.length);
  data.copy(copy);
  return copy;
}
