/** Cuts a stream into lines and parses each as JSON. Bounded: a longer line, or one that isn't JSON, is an error that ends the peer. */
export class JsonLineError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JsonLineError';
  }
}

const NEWLINE = 0x0a;

export class JsonLineReader {
  readonly #maxLineBytes: number;
  #parts: Buffer[] = [];
  #sizeBytes = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Calls `onValue` for each line that `chunk` completes. Throws `JsonLineError`. */
  push(chunk: Buffer, onValue: (value: unknown) => void): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      this.#keep(chunk.subarray(start, end < 0 ? chunk.length : end));
      if (end < 0) return;
      const line = Buffer.concat(this.#parts).toString('utf8');
      this.#parts = [];
      this.#sizeBytes = 0;
      start = end + 1;
      onValue(parse(line));
    }
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#sizeBytes += part.length;
    if (this.#sizeBytes > this.#maxLineBytes) throw new JsonLineError(`a line is longer than ${this.#maxLineBytes} bytes`);
    this.#parts.push(part);
  }
}

export function jsonLine(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`, 'utf8');
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new JsonLineError('a line is not JSON');
  }
}
