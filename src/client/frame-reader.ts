/**
 * Cuts a byte stream into Kafka's frames: `int32 size`, then `size` bytes.
 *
 * A frame that lies whole inside a chunk is handed out as a view of it; one that spans chunks is gathered in one
 * buffer of its announced size, so no byte is copied twice. A size below 0 or above the limit throws
 * `InvalidFrameError` before anything is allocated for it.
 * Source: NetworkReceive.
 */
const SIZE_BYTES = 4;

/** The peer announced a frame that nobody would send: it isn't speaking Kafka, or has lost its place. */
export class InvalidFrameError extends Error {
  constructor(sizeBytes: number, maxBytes: number) {
    super(`a frame of ${sizeBytes} bytes was announced; 0 to ${maxBytes} are allowed`);
    this.name = 'InvalidFrameError';
  }
}

export class FrameReader {
  readonly #maxFrameBytes: number;
  readonly #size = Buffer.alloc(SIZE_BYTES);
  #sizeFilled = 0;
  #frame: Buffer | undefined;
  #frameFilled = 0;
  #stopped = false;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Takes `chunk` and calls `onFrame` for each frame that it completes, in order. Throws `InvalidFrameError`. */
  push(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    let position = 0;
    while (position < chunk.length && !this.#stopped) {
      if (this.#frame === undefined) {
        const taken = Math.min(SIZE_BYTES - this.#sizeFilled, chunk.length - position);
        chunk.copy(this.#size, this.#sizeFilled, position, position + taken);
        position += taken;
        this.#sizeFilled += taken;
        if (this.#sizeFilled < SIZE_BYTES) return;
        this.#sizeFilled = 0;
        const sizeBytes = this.#size.readInt32BE(0);
        if (sizeBytes < 0 || sizeBytes > this.#maxFrameBytes) throw new InvalidFrameError(sizeBytes, this.#maxFrameBytes);
        if (chunk.length - position >= sizeBytes) {
          onFrame(chunk.subarray(position, position + sizeBytes));
          position += sizeBytes;
          continue;
        }
        this.#frame = Buffer.allocUnsafe(sizeBytes);
        this.#frameFilled = 0;
      }
      const frame = this.#frame;
      const taken = Math.min(frame.length - this.#frameFilled, chunk.length - position);
      chunk.copy(frame, this.#frameFilled, position, position + taken);
      position += taken;
      this.#frameFilled += taken;
      if (this.#frameFilled < frame.length) return;
      this.#frame = undefined;
      onFrame(frame);
    }
  }

  /** Ignores whatever comes from now on, also the rest of a chunk that is being pushed. */
  stop(): void {
    this.#stopped = true;
    this.#frame = undefined;
  }
}
