/** Bounds the bytes of indexes in memory: the segments used longest ago give theirs back, and read them again when asked. */
export interface IndexHolder {
  /** Gives the indexes back; false when they can't be (they hold entries that aren't in the file yet and the file can't be written). */
  unloadIndexes(): boolean;
}

export class IndexCache {
  readonly #maxBytes: number;
  /** In order of last use, with the bytes counted. */
  readonly #holders = new Map<IndexHolder, number>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `holder` has its indexes in memory, `bytes` of them. */
  used(holder: IndexHolder, bytes: number): void {
    const before = this.#holders.get(holder);
    if (before === bytes && this.#bytes * 2 < this.#maxBytes) return;
    if (before !== undefined) this.#holders.delete(holder);
    this.#holders.set(holder, bytes);
    this.#bytes += bytes - (before ?? 0);
    if (this.#bytes > this.#maxBytes) this.#shrink(holder);
  }

  forget(holder: IndexHolder): void {
    this.#bytes -= this.#holders.get(holder) ?? 0;
    this.#holders.delete(holder);
  }

  #shrink(except: IndexHolder): void {
    for (const holder of this.#holders.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      if (holder !== except && holder.unloadIndexes()) this.forget(holder);
    }
  }
}
