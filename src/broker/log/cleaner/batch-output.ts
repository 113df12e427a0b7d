/** What the cleaner keeps of the batches it reads, gathered until there is enough for a write. Grows for what is larger. */
export class BatchOutput {
  #buffer: Buffer;
  length = 0;

  constructor(sizeBytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(sizeBytes);
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }

  /** The memory itself, to write headers in place; another one after each `reserve`. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  /** Takes bytes of `source`; returns where they begin. */
  add(source: Buffer, start: number, end: number): number {
    const at = this.reserve(end - start);
    this.#buffer.set(source.subarray(start, end), at);
    return at;
  }

  /** Room for `sizeBytes` more, counted as used; returns where it begins. */
  reserve(sizeBytes: number): number {
    const at = this.length;
    this.length += sizeBytes;
    if (this.length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.length, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    return at;
  }

  /** Takes back what lies behind `length`. */
  cutTo(length: number): void {
    this.length = length;
  }
}
