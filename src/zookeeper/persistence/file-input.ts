/**
 * Reads a file of jute from its start in windows, keeping an Adler-32 of what was consumed. At the end of the file it
 * throws `EndOfFileError`; a length that the file can't hold is `CorruptFileError`, before anything is allocated.
 */
import type { DiskFile } from '../../runtime/disk.ts';
import { ADLER32_INITIAL, updateAdler32 } from './adler32.ts';

const WINDOW_BYTES = 64 * 1024;
const TWO_32 = 2 ** 32;

export class EndOfFileError extends Error {
  override readonly name = 'EndOfFileError';
}

export class CorruptFileError extends Error {
  override readonly name = 'CorruptFileError';
}

export class FileInput {
  readonly #file: DiskFile;
  readonly #fileBytes: number;
  #window: Buffer = Buffer.alloc(0);
  /** The file position of the window's first byte. */
  #windowStart = 0;
  #cursor = 0;
  #adler = ADLER32_INITIAL;

  constructor(file: DiskFile) {
    this.#file = file;
    this.#fileBytes = file.sizeBytes();
  }

  /** Where the next byte is read from. */
  get position(): number {
    return this.#windowStart + this.#cursor;
  }

  get remaining(): number {
    return this.#fileBytes - this.position;
  }

  /** The checksum of all bytes consumed so far. */
  get adler32(): number {
    return this.#adler;
  }

  byte(): number {
    return this.#consume(1)[0] ?? 0;
  }

  int(): number {
    return this.#consume(4).readInt32BE(0);
  }

  long(): number {
    const bytes = this.#consume(8);
    return bytes.readInt32BE(0) * TWO_32 + bytes.readUInt32BE(4);
  }

  longHex(): string {
    return this.#consume(8).toString('hex');
  }

  /** The next `length` bytes: a view that is good until the next read. */
  bytes(length: number): Buffer {
    if (length < 0 || length > this.remaining)
      throw new CorruptFileError(`${length} bytes announced at ${this.position} of ${this.#file.path}, ${this.remaining} left`);
    return this.#consume(length);
  }

  /** A buffer with its length in front, undefined for null: a view that is good until the next read. */
  buffer(): Buffer | undefined {
    const length = this.int();
    return length === -1 ? undefined : this.bytes(length);
  }

  string(): string {
    return this.buffer()?.toString('utf8') ?? '';
  }

  #consume(length: number): Buffer {
    if (this.#cursor + length > this.#window.length) this.#load(length);
    const bytes = this.#window.subarray(this.#cursor, this.#cursor + length);
    this.#cursor += length;
    this.#adler = updateAdler32(this.#adler, bytes);
    return bytes;
  }

  #load(length: number): void {
    const from = this.position;
    if (from + length > this.#fileBytes) throw new EndOfFileError(`end of ${this.#file.path} at ${this.#fileBytes}`);
    const wanted = Math.min(Math.max(length, WINDOW_BYTES), this.#fileBytes - from);
    const window = Buffer.allocUnsafe(wanted);
    let filled = 0;
    while (filled < wanted) {
      const read = this.#file.read(window, filled, wanted - filled, from + filled);
      if (read === 0) throw new EndOfFileError(`${this.#file.path} ended at ${from + filled}`);
      filled += read;
    }
    this.#window = window;
    this.#windowStart = from;
    this.#cursor = 0;
  }
}
