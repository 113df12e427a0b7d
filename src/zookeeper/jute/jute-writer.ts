/**
 * Writes jute, ZooKeeper's encoding (org.apache.jute.BinaryOutputArchive): big-endian numbers, a boolean is one byte,
 * strings and buffers have an int32 length in front (-1 for null), vectors an int32 count.
 * The buffer grows by doubling; what `finish` returns is not written to again.
 *
 * int64: numbers (zxids, times, TTLs) within ±2^53; session ids and ephemeral owners are 16 hex digits.
 */
const TWO_32 = 2 ** 32;

export class JuteWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(initialBytes = 128) {
    this.#buffer = Buffer.allocUnsafe(initialBytes);
  }

  get length(): number {
    return this.#length;
  }

  bool(value: boolean): this {
    this.#grow(1);
    this.#buffer[this.#length++] = value ? 1 : 0;
    return this;
  }

  byte(value: number): this {
    this.#grow(1);
    this.#buffer[this.#length++] = value;
    return this;
  }

  int(value: number): this {
    this.#grow(4);
    this.#length = this.#buffer.writeInt32BE(value | 0, this.#length);
    return this;
  }

  /** An int64 that a number holds exactly. */
  long(value: number): this {
    this.#grow(8);
    this.#buffer.writeInt32BE(Math.floor(value / TWO_32), this.#length);
    this.#buffer.writeUInt32BE(value >>> 0, this.#length + 4);
    this.#length += 8;
    return this;
  }

  /** An int64 as 16 hex digits. */
  longHex(value: string): this {
    this.#grow(8);
    this.#buffer.write(value, this.#length, 8, 'hex');
    this.#length += 8;
    return this;
  }

  buffer(value: Uint8Array | null): this {
    if (value === null) return this.int(-1);
    this.int(value.byteLength);
    return this.bytes(value);
  }

  /** Bytes as they are, without a length. */
  bytes(value: Uint8Array): this {
    this.#grow(value.byteLength);
    this.#buffer.set(value, this.#length);
    this.#length += value.byteLength;
    return this;
  }

  string(value: string | null): this {
    if (value === null) return this.int(-1);
    // Three bytes per UTF-16 unit is the most that UTF-8 needs.
    this.#grow(4 + value.length * 3);
    const written = this.#buffer.write(value, this.#length + 4, 'utf8');
    this.#buffer.writeInt32BE(written, this.#length);
    this.#length += 4 + written;
    return this;
  }

  strings(values: Iterable<string>): this {
    const at = this.#length;
    this.int(0);
    let count = 0;
    for (const value of values) {
      this.string(value);
      count++;
    }
    this.#buffer.writeInt32BE(count, at);
    return this;
  }

  /** Overwrites the int32 at `position`, which has been written before. */
  setInt(position: number, value: number): void {
    this.#buffer.writeInt32BE(value, position);
  }

  /** What has been written; a view. The writer is done with it. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Takes what has been written out as a copy of its own and starts again from empty. */
  take(): Buffer {
    const taken = Buffer.allocUnsafeSlow(this.#length);
    this.#buffer.copy(taken, 0, 0, this.#length);
    this.#length = 0;
    return taken;
  }

  #grow(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** A writer whose first four bytes are kept for the frame's length. */
export function frameWriter(initialBytes = 128): JuteWriter {
  return new JuteWriter(initialBytes).int(0);
}

/** Sets the length of a frame begun by `frameWriter` and returns it whole. */
export function finishFrame(writer: JuteWriter): Buffer {
  writer.setInt(0, writer.length - 4);
  return writer.finish();
}
