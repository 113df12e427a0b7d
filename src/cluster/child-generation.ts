/**
 * One life of a child: from its start to its exit. What it says over its IPC channel is read here; what that means for the process as a whole
 * is `ManagedProcess`'s.
 */
import type { Child } from '../runtime/processes.ts';
import type { Scheduler } from '../runtime/scheduler.ts';
import { ProcessQueries } from './process-queries.ts';

/** What a child says of itself. Answers to queries are settled on the way. */
export type ChildMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly text: string }
  | { readonly type: 'failed'; readonly code: unknown; readonly message: unknown }
  | { readonly type: 'event'; readonly event: unknown };

export class ChildGeneration {
  readonly child: Child;
  readonly startedMs: number;
  readonly queries: ProcessQueries;
  readonly #ended = Promise.withResolvers<void>();
  readySinceMs: number | undefined;
  /** What it said of why it can't run. */
  failure: string | undefined;
  /** Another try would say the same: its configuration is at fault. */
  isHopeless = false;
  cutOffFrom: readonly string[] = [];

  constructor(processId: string, child: Child, startedMs: number, scheduler: Scheduler) {
    this.child = child;
    this.startedMs = startedMs;
    this.queries = new ProcessQueries({ processId, scheduler, send: (message) => child.send(message) });
  }

  /** Resolves when its exit has been dealt with. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  settleEnded(): void {
    this.#ended.resolve();
  }

  /** What `message` says of the child; undefined for an answer, which is given to who asked, and for what makes no sense. */
  read(message: unknown): ChildMessage | undefined {
    if (typeof message !== 'object' || message === null || !('type' in message)) return undefined;
    if (this.queries.onMessage(message)) return undefined;
    switch (message.type) {
      case 'ready':
        return { type: 'ready' };
      case 'progress':
        return 'text' in message && typeof message.text === 'string' ? { type: 'progress', text: message.text } : undefined;
      case 'failed': {
        const { code, message: text } = message as { code?: unknown; message?: unknown };
        return { type: 'failed', code, message: text };
      }
      case 'event':
        return 'event' in message ? { type: 'event', event: message.event } : undefined;
      default:
        return undefined;
    }
  }

  /** The child has said that it can't run. */
  noteFailure(code: unknown, message: unknown): void {
    this.isHopeless = code === 'BAD_CONFIGURATION';
    this.failure = [code, message].filter((part) => typeof part === 'string' && part !== '').join(': ') || 'it did not say why';
  }
}
