/**
 * Cuts a byte stream into frames: int32 length, then that many bytes. A length below 0 or above the limit is refused
 * before anything is allocated. A frame that lies within one chunk is a view of it; one that spans chunks is gathered in a
 * buffer of its size. The limit may change between frames.
 */
export type FrameSink = {
  /** A whole frame. Returns false to stop: what follows is kept until `resume`. */
  onFrame(frame: Buffer): boolean;
  /** A length that is refused, and what came in the same chunk behind it. Nothing is decoded after it. */
  onBadLength(length: number, rest: Buffer): void;
};

export class FrameDecoder {
  maxFrameBytes: number;
  readonly #sink: FrameSink;
  readonly #header = Buffer.alloc(4);
  #headerBytes = 0;
  #body: Buffer | undefined;
  #bodyBytes = 0;
  #stopped = false;
  #broken = false;
  #kept: Buffer[] = [];

  constructor(maxFrameBytes: number, sink: FrameSink) {
    this.maxFrameBytes = maxFrameBytes;
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    if (this.#broken) return;
    if (this.#stopped) {
      this.#kept.push(chunk);
      return;
    }
    let offset = 0;
    while (offset < chunk.length && !this.#broken) {
      offset = this.#body === undefined ? this.#readHeader(chunk, offset) : this.#readBody(chunk, offset);
      if (this.#stopped) {
        if (offset < chunk.length) this.#kept.push(chunk.subarray(offset));
        return;
      }
    }
  }

  /** Throws away what comes from now on. */
  discard(): void {
    this.#broken = true;
    this.#kept = [];
    this.#body = undefined;
  }

  /** Goes on after a frame that stopped it. */
  resume(): void {
    this.#stopped = false;
    const kept = this.#kept;
    this.#kept = [];
    for (const chunk of kept) this.push(chunk);
  }

  #readHeader(chunk: Buffer, from: number): number {
    const take = Math.min(4 - this.#headerBytes, chunk.length - from);
    chunk.copy(this.#header, this.#headerBytes, from, from + take);
    this.#headerBytes += take;
    const offset = from + take;
    if (this.#headerBytes < 4) return offset;
    this.#headerBytes = 0;
    const length = this.#header.readInt32BE(0);
    if (length < 0 || length > this.maxFrameBytes) {
      this.#broken = true;
      this.#sink.onBadLength(length, chunk.subarray(offset));
      return offset;
    }
    if (chunk.length - offset >= length) {
      this.#stopped = !this.#sink.onFrame(chunk.subarray(offset, offset + length));
      return offset + length;
    }
    this.#body = Buffer.allocUnsafeSlow(length);
    this.#bodyBytes = 0;
    return offset;
  }

  #readBody(chunk: Buffer, from: number): number {
    const body = this.#body;
    if (body === undefined) return from;
    const take = Math.min(body.length - this.#bodyBytes, chunk.length - from);
    chunk.copy(body, this.#bodyBytes, from, from + take);
    this.#bodyBytes += take;
    if (this.#bodyBytes === body.length) {
      this.#body = undefined;
      this.#stopped = !this.#sink.onFrame(body);
    }
    return from + take;
  }
}
