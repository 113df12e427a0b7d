/** One request on its way through the client: what to encode, when it's too late, whom to tell. Settles once. */
import type { Cancellable } from '../runtime/scheduler.ts';

export interface RequestCodec {
  readonly apiKey: number;
  readonly apiName: string;
  /** The versions that the caller can do with, inside the API's own range. */
  readonly minVersion: number;
  readonly maxVersion: number;
  encode(version: number, correlationId: number): readonly Buffer[];
  /** `frame` is a response without its size, its correlation id already checked. */
  decode(version: number, frame: Buffer): unknown;
}

export interface RequestOutcome {
  resolve(body: unknown): void;
  reject(error: Error): void;
}

export class ClientRequest {
  readonly codec: RequestCodec;
  /** False for what has no response (Produce with acks 0): done as soon as it is written. */
  readonly expectsResponse: boolean;
  readonly timeoutMs: number;
  /** Set while it waits or is in flight; cancelled when it settles. */
  deadline: Cancellable | undefined;
  readonly #outcome: RequestOutcome;
  #settled = false;

  constructor(codec: RequestCodec, outcome: RequestOutcome, expectsResponse: boolean, timeoutMs: number) {
    this.codec = codec;
    this.#outcome = outcome;
    this.expectsResponse = expectsResponse;
    this.timeoutMs = timeoutMs;
  }

  get settled(): boolean {
    return this.#settled;
  }

  resolve(body: unknown): void {
    if (!this.#settle()) return;
    this.#outcome.resolve(body);
  }

  reject(error: Error): void {
    if (!this.#settle()) return;
    this.#outcome.reject(error);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.deadline?.cancel();
    this.deadline = undefined;
    return true;
  }
}
