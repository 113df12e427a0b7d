/** Fixed-size entries in a buffer that doubles: what the indexes of a segment are kept in. An empty one takes no buffer. */
const FIRST_ENTRIES = 16;
const NOTHING = Buffer.alloc(0);

export class GrowableEntries {
  readonly #entryBytes: number;
  #buffer: Buffer;
  count: number;

  constructor(entryBytes: number, bytes: Buffer = NOTHING, count = 0) {
    this.#entryBytes = entryBytes;
    this.#buffer = bytes;
    this.count = count;
  }

  get buffer(): Buffer {
    return this.#buffer;
  }

  /** The bytes of the entries; a view. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.count * this.#entryBytes);
  }

  /** Counts one entry more and returns where it begins. */
  grow(): number {
    const at = this.count * this.#entryBytes;
    if (at + this.#entryBytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_ENTRIES, this.count * 2) * this.#entryBytes);
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    this.count++;
    return at;
  }
}
