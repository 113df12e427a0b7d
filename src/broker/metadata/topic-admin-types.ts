/** What creating, growing and deleting topics has in common: the waiting, and results as values. */
import { DelayedOperation } from '../purgatory/delayed-operation.ts';

/** Error code (0 for none) and, where there is more to say, a message for people. */
export interface TopicAdminError {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** Waits until `isDone` or its time is over, then completes either way. Watched under the topics' names. */
export class DelayedTopicOperation extends DelayedOperation {
  readonly #what: string;
  readonly #isDone: () => boolean;
  readonly #complete: () => void;

  constructor(delayMs: number, what: string, isDone: () => boolean, complete: () => void) {
    super(delayMs);
    this.#what = what;
    this.#isDone = isDone;
    this.#complete = complete;
  }

  override tryComplete(): boolean {
    return this.#isDone() && this.forceComplete();
  }

  override onComplete(): void {
    this.#complete();
  }

  override onExpiration(): void {}

  override describe(): string {
    return this.#what;
  }
}
