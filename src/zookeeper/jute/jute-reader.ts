/**
 * Reads jute (org.apache.jute.BinaryInputArchive) from one buffer. Whatever the bytes are, it either returns a value or
 * throws `JuteError`; a length or count that the remaining bytes can't hold is refused before anything is allocated.
 * Buffers are views of the input, not copies.
 */
const TWO_32 = 2 ** 32;
const MAX_SAFE_HIGH = 2 ** 21;

export class JuteError extends Error {
  override readonly name = 'JuteError';
}

export class JuteReader {
  readonly #buffer: Buffer;
  #position: number;

  constructor(buffer: Buffer, position = 0) {
    this.#buffer = buffer;
    this.#position = position;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#buffer.length - this.#position;
  }

  bool(): boolean {
    return this.byte() !== 0;
  }

  byte(): number {
    const at = this.#take(1, 'byte');
    return this.#buffer[at] ?? 0;
  }

  int(): number {
    return this.#buffer.readInt32BE(this.#take(4, 'int'));
  }

  /** An int64 as a number; refused when a number can't hold it. */
  long(): number {
    const at = this.#take(8, 'long');
    const high = this.#buffer.readInt32BE(at);
    if (high >= MAX_SAFE_HIGH || high < -MAX_SAFE_HIGH) throw new JuteError(`the long at byte ${at} is past 2^53`);
    return high * TWO_32 + this.#buffer.readUInt32BE(at + 4);
  }

  /** An int64 as 16 hex digits. */
  longHex(): string {
    const at = this.#take(8, 'long');
    return this.#buffer.toString('hex', at, at + 8);
  }

  buffer(): Buffer | null {
    const length = this.int();
    if (length === -1) return null;
    this.#checkLength(length, 'buffer');
    const at = this.#take(length, 'buffer');
    return this.#buffer.subarray(at, at + length);
  }

  nullableString(): string | null {
    const length = this.int();
    if (length === -1) return null;
    this.#checkLength(length, 'string');
    const at = this.#take(length, 'string');
    return this.#buffer.toString('utf8', at, at + length);
  }

  /** A string where null means nothing: null is refused. */
  string(): string {
    const value = this.nullableString();
    if (value === null) throw new JuteError(`null string before byte ${this.#position}`);
    return value;
  }

  /** A vector whose elements take at least `minimumElementBytes` each; a null vector is empty. */
  vector<T>(minimumElementBytes: number, element: (reader: JuteReader) => T): T[] {
    const count = this.int();
    if (count === -1) return [];
    if (count < 0 || count * minimumElementBytes > this.remaining)
      throw new JuteError(`a vector of ${count} elements in ${this.remaining} bytes`);
    const values: T[] = [];
    for (let i = 0; i < count; i++) values.push(element(this));
    return values;
  }

  strings(): string[] {
    return this.vector(4, (reader) => reader.string());
  }

  #checkLength(length: number, what: string): void {
    if (length < 0) throw new JuteError(`a ${what} of length ${length} at byte ${this.#position - 4}`);
  }

  #take(bytes: number, what: string): number {
    const at = this.#position;
    if (at + bytes > this.#buffer.length) throw new JuteError(`end of input in a ${what} at byte ${at}`);
    this.#position = at + bytes;
    return at;
  }
}
