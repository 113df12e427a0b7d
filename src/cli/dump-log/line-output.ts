/**
 * Lines to a stream in large pieces, at the reader's pace. A reader that goes (`| head`) ends the writing quietly: `closed` tells it.
 * Trouble goes to standard error behind what was printed before it, so that both read in order in a terminal.
 */
import type { Writable } from 'node:stream';

const PIECE_BYTES = 64 * 1024;

export class LineOutput {
  readonly #stream: Writable;
  #pending: string[] = [];
  #pendingBytes = 0;
  #closed = false;
  #onClosed: () => void = () => {};

  constructor(stream: Writable) {
    this.#stream = stream;
    const close = (): void => {
      this.#closed = true;
      this.#onClosed();
    };
    stream.on('error', close);
    stream.on('close', close);
  }

  /** Nobody reads any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Takes one line; true when it is time to `flush`. */
  line(text: string): boolean {
    this.#pending.push(text);
    this.#pendingBytes += text.length + 1;
    return this.#pendingBytes >= PIECE_BYTES;
  }

  /** Resolves when the stream has taken everything, or is closed. */
  async flush(): Promise<void> {
    if (this.#pending.length === 0 || this.#closed) return;
    const piece = `${this.#pending.join('\n')}\n`;
    this.#pending = [];
    this.#pendingBytes = 0;
    await new Promise<void>((resolve) => {
      this.#onClosed = resolve;
      this.#stream.write(piece, () => resolve());
    });
  }
}
