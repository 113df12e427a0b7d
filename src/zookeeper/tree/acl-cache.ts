/**
 * Lists of ACLs by number: nodes hold the number, snapshots the table (ReferenceCountedACLCache).
 * -1 is the open list and is never in the table; a list without users is forgotten, its number never given again.
 */
import { type Acl, OPEN_ACL_UNSAFE } from '../jute/records.ts';

export const OPEN_UNSAFE_ACL_ID = -1;

interface Entry {
  readonly acls: readonly Acl[];
  readonly key: string;
  uses: number;
}

export class AclCache {
  readonly #entries = new Map<number, Entry>();
  readonly #ids = new Map<string, number>();
  #lastId = 0;

  /** The number of `acls`, with one use more. */
  acquire(acls: readonly Acl[]): number {
    const key = keyOf(acls);
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = ++this.#lastId;
      this.#ids.set(key, id);
      this.#entries.set(id, { acls, key, uses: 0 });
    }
    this.addUse(id);
    return id;
  }

  /** Of a node in a snapshot whose table is older than the node, there may be no such list: its number is not given to another one then. */
  addUse(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) this.#lastId = Math.max(this.#lastId, id);
    else entry.uses++;
  }

  release(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || --entry.uses > 0) return;
    this.#entries.delete(id);
    this.#ids.delete(entry.key);
  }

  /** The list of that number; undefined for one that was never stored (a broken snapshot). */
  get(id: number): readonly Acl[] | undefined {
    return id === OPEN_UNSAFE_ACL_ID ? OPEN_ACL_UNSAFE : this.#entries.get(id)?.acls;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The table, for a snapshot. */
  entries(): [number, readonly Acl[]][] {
    return Array.from(this.#entries, ([id, { acls }]) => [id, acls]);
  }

  clear(): void {
    this.#entries.clear();
    this.#ids.clear();
    this.#lastId = 0;
  }

  /** Puts a list from a snapshot under its number, without a use. */
  restore(id: number, acls: readonly Acl[]): void {
    const key = keyOf(acls);
    this.#entries.set(id, { acls, key, uses: 0 });
    this.#ids.set(key, id);
    this.#lastId = Math.max(this.#lastId, id);
  }

  /** Forgets what no node of the restored tree uses. */
  purgeUnused(): void {
    for (const [id, entry] of this.#entries) {
      if (entry.uses > 0) continue;
      this.#entries.delete(id);
      if (this.#ids.get(entry.key) === id) this.#ids.delete(entry.key);
    }
  }
}

function keyOf(acls: readonly Acl[]): string {
  return JSON.stringify(acls.map((acl) => [acl.perms, acl.id.scheme, acl.id.id]));
}
