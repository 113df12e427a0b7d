/** The other end of the control socket: a running cluster's `ClusterControl` for `samsa status`, `samsa down`, a second app, the console. */
import { QUERY_TIMEOUT_MS } from '../introspection/queries.ts';
import type { Net, Socket } from '../runtime/net.ts';
import type { Cancellable, Scheduler } from '../runtime/scheduler.ts';
import type { ClusterChange } from './cluster-change.ts';
import type { ClusterSpec } from './cluster-spec.ts';
import { ControlError, MAX_REPLY_BYTES } from './control-contract.ts';
import type {
  ClusterControl,
  ClusterEvent,
  ClusterStatus,
  ControlErrorCode,
  LogPage,
  LogQuery,
  PowerLoss,
  ProcessAction,
  ProcessStatus,
  Reshaped,
} from './control-contract.ts';
import { jsonLine, JsonLineReader } from './json-lines.ts';

export interface ControlClientRuntime {
  readonly net: Net;
  readonly scheduler: Scheduler;
}

export interface ControlClientOptions {
  readonly runtime: ControlClientRuntime;
  readonly socketPath: string;
  /** For connecting, and for status and logs. Default 5,000 ms. */
  readonly timeoutMs?: number;
  /** For what waits on processes: act, stop. Default 60,000 ms. */
  readonly actionTimeoutMs?: number;
}

/** Every broker is restarted, one after another. */
const CONFIGURE_TIMEOUT_MS = 300_000;

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: ControlError) => void;
  readonly timer: Cancellable;
}

/** Connects and waits for the greeting. Rejects with `ControlError`: 'disconnected' when nobody listens, 'timeout' when nobody answers. */
export async function connectControl(options: ControlClientOptions): Promise<ControlClient> {
  const client = new ControlClient(options);
  await client.greeted;
  return client;
}

export class ControlClient implements ClusterControl {
  readonly greeted: Promise<number>;
  readonly #scheduler: Scheduler;
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #actionTimeoutMs: number;
  readonly #lines = new JsonLineReader(MAX_REPLY_BYTES);
  readonly #pending = new Map<number, Pending>();
  readonly #eventListeners = new Set<(event: ClusterEvent) => void>();
  readonly #closeListeners = new Set<() => void>();
  readonly #greet: { resolve: (pid: number) => void; reject: (error: ControlError) => void };
  #nextId = 1;
  #subscribed = false;
  #closed = false;

  constructor(options: ControlClientOptions) {
    this.#scheduler = options.runtime.scheduler;
    this.#timeoutMs = options.timeoutMs ?? 5_000;
    this.#actionTimeoutMs = options.actionTimeoutMs ?? 60_000;
    const greeting = Promise.withResolvers<number>();
    const timer = this.#scheduler.after(this.#timeoutMs, () => {
      greeting.reject(new ControlError('timeout', `the supervisor did not greet within ${this.#timeoutMs} ms`));
      this.close();
    });
    this.#greet = greeting;
    this.greeted = greeting.promise.finally(() => timer.cancel());
    // Whoever made the client by hand may only look at the replies.
    this.greeted.catch(() => {});
    this.#socket = options.runtime.net.connect(
      { path: options.socketPath },
      { onData: (chunk) => this.#onData(chunk), onClose: (error) => this.#onClose(error) },
    );
  }

  async status(): Promise<ClusterStatus> {
    return (await this.#ask({ verb: 'status' }, this.#timeoutMs)) as ClusterStatus;
  }

  async act(processId: string, action: ProcessAction): Promise<ProcessStatus> {
    return (await this.#ask({ verb: 'act', processId, action }, this.#actionTimeoutMs)) as ProcessStatus;
  }

  async cutOff(processId: string, from: readonly string[]): Promise<ProcessStatus> {
    return (await this.#ask({ verb: 'cutOff', processId, from }, this.#timeoutMs)) as ProcessStatus;
  }

  async query(processId: string, name: string, input: unknown, timeoutMs = QUERY_TIMEOUT_MS): Promise<string> {
    // The supervisor keeps the time; this one is for a supervisor that doesn't answer.
    return (await this.#ask({ verb: 'query', processId, name, input, timeoutMs }, timeoutMs + this.#timeoutMs)) as string;
  }

  async losePower(processId: string): Promise<PowerLoss> {
    return (await this.#ask({ verb: 'losePower', processId }, this.#actionTimeoutMs)) as PowerLoss;
  }

  async configure(changes: Readonly<Record<string, string | null>>): Promise<void> {
    await this.#ask({ verb: 'configure', changes }, CONFIGURE_TIMEOUT_MS);
  }

  async readSpec(): Promise<ClusterSpec> {
    return (await this.#ask({ verb: 'spec' }, this.#timeoutMs)) as ClusterSpec;
  }

  async reshape(change: ClusterChange): Promise<Reshaped> {
    return (await this.#ask({ verb: 'reshape', change }, this.#actionTimeoutMs)) as Reshaped;
  }

  async logs(processId: string, query: LogQuery): Promise<LogPage> {
    return (await this.#ask({ verb: 'logs', processId, query }, this.#timeoutMs)) as LogPage;
  }

  /** Resolves when it has stopped; where the answer is lost, when it is gone. */
  async stop(): Promise<void> {
    try {
      await this.#ask({ verb: 'stop' }, this.#actionTimeoutMs);
    } catch (error) {
      if (!(error instanceof ControlError) || error.code !== 'disconnected') throw error;
    }
  }

  onEvent(listener: (event: ClusterEvent) => void): () => void {
    this.#eventListeners.add(listener);
    if (!this.#subscribed) {
      this.#subscribed = true;
      // A connection that is lost is told by `onClose`.
      this.#ask({ verb: 'subscribe' }, this.#timeoutMs).catch(() => {});
    }
    return () => this.#eventListeners.delete(listener);
  }

  /** Calls `listener` when the supervisor is gone, or this client was closed; at once if it is so already. */
  onClose(listener: () => void): () => void {
    if (this.#closed) listener();
    else this.#closeListeners.add(listener);
    return () => this.#closeListeners.delete(listener);
  }

  /** Resolves when the supervisor is gone, or this client was closed. */
  get ended(): Promise<void> {
    return new Promise((resolve) => this.onClose(resolve));
  }

  close(): void {
    this.#socket.destroy();
  }

  #ask(request: object, timeoutMs: number): Promise<unknown> {
    if (this.#closed) return Promise.reject(gone());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = this.#scheduler.after(timeoutMs, () => {
        this.#pending.delete(id);
        reject(new ControlError('timeout', `the supervisor did not answer within ${timeoutMs} ms`));
      });
      this.#pending.set(id, { resolve, reject, timer });
      this.#socket.write([jsonLine({ id, ...request })]);
    });
  }

  #onData(chunk: Buffer): void {
    try {
      this.#lines.push(chunk, (value) => this.#onValue(value));
    } catch {
      this.#socket.destroy();
    }
  }

  #onValue(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    if ('samsa' in value && 'pid' in value && typeof value.pid === 'number') this.#greet.resolve(value.pid);
    else if ('event' in value) for (const listener of this.#eventListeners) listener(value.event as ClusterEvent);
    else if ('id' in value && typeof value.id === 'number') this.#onReply(value.id, value);
  }

  #onReply(id: number, reply: object): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.timer.cancel();
    const { ok, result, error } = reply as { readonly ok?: unknown; readonly result?: unknown; readonly error?: unknown };
    if (ok === true) {
      pending.resolve(result);
      return;
    }
    const { code, message } = error as { code: ControlErrorCode; message: string };
    pending.reject(new ControlError(code, message));
  }

  #onClose(error: Error | undefined): void {
    this.#closed = true;
    this.#greet.reject(error === undefined ? gone() : new ControlError('disconnected', error.message));
    for (const { reject, timer } of this.#pending.values()) {
      timer.cancel();
      reject(gone());
    }
    this.#pending.clear();
    for (const listener of this.#closeListeners) listener();
    this.#closeListeners.clear();
  }
}

function gone(): ControlError {
  return new ControlError('disconnected', 'the supervisor is gone');
}
