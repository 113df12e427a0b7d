/**
 * The supervisor's end of the control socket: answers requests, each when it is done, and sends events to those that
 * subscribed. A peer that breaks the form, or does not read what it asked for, is cut off; the others notice nothing.
 */
import type { Socket } from '../runtime/net.ts';
import type { Logger } from '../runtime/logger.ts';
import { checkControlRequest, ControlError, MAX_REPLY_BYTES, MAX_REQUEST_BYTES } from './control-contract.ts';
import type { ClusterControl, ControlReply, ControlRequest } from './control-contract.ts';
import { NoFreePortError } from './ports.ts';
import { SpecError } from './spec-values.ts';
import { jsonLine, JsonLineReader } from './json-lines.ts';

/** What may wait to be sent to one peer before it is cut off. */
const MAX_UNSENT_BYTES = 2 * MAX_REPLY_BYTES;
const MAX_CONNECTIONS = 64;
const MAX_PENDING_PER_CONNECTION = 256;

export class ControlServer {
  readonly #control: ClusterControl;
  readonly #logger: Logger;
  readonly #connections = new Set<ControlConnection>();

  constructor(control: ClusterControl, logger: Logger) {
    this.#control = control;
    this.#logger = logger;
  }

  /** Takes over a connected socket. */
  accept(socket: Socket): void {
    if (this.#connections.size >= MAX_CONNECTIONS) {
      socket.setHandler({ onData: () => {}, onClose: () => {} });
      socket.destroy();
      return;
    }
    const connection = new ControlConnection(socket, this.#control, this.#logger, () => this.#connections.delete(connection));
    this.#connections.add(connection);
  }

  /** Sends what is on its way and ends all connections. */
  close(): void {
    for (const connection of this.#connections) connection.end();
  }
}

class ControlConnection {
  readonly #socket: Socket;
  readonly #control: ClusterControl;
  readonly #logger: Logger;
  readonly #lines = new JsonLineReader(MAX_REQUEST_BYTES);
  #unsubscribe: (() => void) | undefined;
  #pending = 0;
  #closed = false;

  constructor(socket: Socket, control: ClusterControl, logger: Logger, onClosed: () => void) {
    this.#socket = socket;
    this.#control = control;
    this.#logger = logger;
    socket.setHandler({
      onData: (chunk) => this.#onData(chunk),
      onClose: () => {
        this.#closed = true;
        this.#unsubscribe?.();
        onClosed();
      },
    });
  }

  end(): void {
    this.#unsubscribe?.();
    this.#socket.end();
  }

  #onData(chunk: Buffer): void {
    try {
      this.#lines.push(chunk, (value) => void this.#answer(value));
    } catch (error) {
      this.#logger.warn({ err: error }, 'A peer on the control socket was cut off');
      this.#socket.destroy();
    }
  }

  async #answer(value: unknown): Promise<void> {
    const id = idOf(value);
    if (++this.#pending > MAX_PENDING_PER_CONNECTION) this.#socket.destroy();
    try {
      const result = await this.#carryOut(checkControlRequest(value));
      this.#send({ id, ok: true, result: result ?? null } satisfies ControlReply);
    } catch (error) {
      const { code, message } = error instanceof ControlError ? error : asControlError(error);
      this.#send({ id, ok: false, error: { code, message } } satisfies ControlReply);
    } finally {
      this.#pending--;
    }
  }

  #carryOut(request: ControlRequest): Promise<unknown> {
    switch (request.verb) {
      case 'status':
        return this.#control.status();
      case 'act':
        return this.#control.act(request.processId, request.action);
      case 'cutOff':
        return this.#control.cutOff(request.processId, request.from);
      case 'query':
        return this.#control.query(request.processId, request.name, request.input, request.timeoutMs);
      case 'losePower':
        return this.#control.losePower(request.processId);
      case 'configure':
        return this.#control.configure(request.changes);
      case 'spec':
        return this.#control.readSpec();
      case 'reshape':
        return this.#control.reshape(request.change);
      case 'logs':
        return this.#control.logs(request.processId, request.query);
      case 'stop':
        return this.#control.stop();
      default:
        this.#unsubscribe ??= this.#control.onEvent((event) => this.#send({ event }));
        return Promise.resolve();
    }
  }

  #send(message: object): void {
    if (this.#closed) return;
    if (this.#socket.bufferedBytes > MAX_UNSENT_BYTES) {
      this.#logger.warn('A peer on the control socket does not read and was cut off');
      this.#socket.destroy();
      return;
    }
    this.#socket.write([jsonLine(message)]);
  }
}

function asControlError(error: unknown): ControlError {
  if (error instanceof SpecError) return new ControlError('bad-request', error.message);
  if (error instanceof NoFreePortError) return new ControlError('refused', error.message);
  return new ControlError('failed', error instanceof Error ? error.message : String(error));
}

function idOf(value: unknown): number {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'number' ? value.id : -1;
}
