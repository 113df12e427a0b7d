/**
 * The questions that one generation of a child has been asked and hasn't answered. Each settles once: by its answer, its time-out, or
 * the child's end. What a child answers too late, or unasked, is dropped.
 */
import { asAnswer, MAX_OUTSTANDING_QUERIES } from '../introspection/queries.ts';
import type { QueryErrorCode, QueryMessage } from '../introspection/queries.ts';
import type { Cancellable, Scheduler } from '../runtime/scheduler.ts';
import { ControlError } from './control-contract.ts';
import type { ControlErrorCode } from './control-contract.ts';

interface Pending {
  readonly resolve: (json: string) => void;
  readonly reject: (error: ControlError) => void;
  readonly timer: Cancellable;
}

export interface ProcessQueriesOptions {
  readonly processId: string;
  readonly scheduler: Scheduler;
  /** False when the child can't be told. */
  readonly send: (message: QueryMessage) => boolean;
}

const CONTROL_CODES: Readonly<Record<QueryErrorCode, ControlErrorCode>> = {
  'unknown-query': 'bad-request',
  'bad-input': 'bad-request',
  'not-ready': 'unavailable',
  'not-found': 'not-found',
  'too-large': 'refused',
  busy: 'refused',
  failed: 'failed',
};

export class ProcessQueries {
  readonly #options: ProcessQueriesOptions;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #ended = false;

  constructor(options: ProcessQueriesOptions) {
    this.#options = options;
  }

  /** Resolves with the answer's JSON text. Rejects with `ControlError`. */
  ask(name: string, input: unknown, timeoutMs: number): Promise<string> {
    const { processId, scheduler, send } = this.#options;
    if (this.#pending.size >= MAX_OUTSTANDING_QUERIES)
      return Promise.reject(new ControlError('refused', `${processId} has ${this.#pending.size} unanswered queries already`));
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const timer = scheduler.after(timeoutMs, () => {
        this.#pending.delete(id);
        reject(new ControlError('timeout', `${processId} does not answer: no answer to ${name} within ${timeoutMs} ms`));
      });
      this.#pending.set(id, { resolve, reject, timer });
      if (!this.#ended && send({ type: 'query', id, name, input })) return;
      this.#pending.delete(id);
      timer.cancel();
      reject(new ControlError('unavailable', `${processId} does not answer: it is ending`));
    });
  }

  /** True when `message` was an answer. */
  onMessage(message: object): boolean {
    const answer = asAnswer(message);
    if (answer === undefined) return false;
    const pending = this.#pending.get(answer.id);
    if (pending === undefined) return true;
    this.#pending.delete(answer.id);
    pending.timer.cancel();
    if (answer.ok) pending.resolve(answer.json);
    else pending.reject(new ControlError(CONTROL_CODES[answer.code], `${this.#options.processId}: ${answer.message}`));
    return true;
  }

  /** The child has ended: what it was asked fails. */
  end(): void {
    this.#ended = true;
    for (const { reject, timer } of this.#pending.values()) {
      timer.cancel();
      reject(new ControlError('unavailable', `${this.#options.processId} ended before it answered`));
    }
    this.#pending.clear();
  }
}
