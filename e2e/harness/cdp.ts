/** A small client of the Chrome DevTools Protocol: one socket, flat sessions, commands and events. */
import { WebSocket } from 'ws';

export type CdpParams = Record<string, unknown>;
type Listener = (params: CdpParams, sessionId: string | undefined) => void;

export class Cdp {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, { readonly resolve: (result: CdpParams) => void; readonly reject: (error: Error) => void }>();
  readonly #listeners = new Map<string, Set<Listener>>();
  #nextId = 1;

  static connect(endpoint: string): Promise<Cdp> {
    const socket = new WebSocket(endpoint, { perMessageDeflate: false, maxPayload: 256 * 1024 * 1024 });
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(new Cdp(socket)));
      socket.once('error', reject);
    });
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#onMessage((data as Buffer).toString()));
    socket.on('close', () => {
      for (const { reject } of this.#pending.values()) reject(new Error('the browser is gone'));
      this.#pending.clear();
    });
    socket.on('error', () => undefined);
  }

  send(method: string, params: CdpParams = {}, sessionId?: string): Promise<CdpParams> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== WebSocket.OPEN) {
        reject(new Error(`${method}: the browser is gone`));
        return;
      }
      this.#pending.set(id, { resolve, reject: (error) => reject(new Error(`${method}: ${error.message}`)) });
      this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    });
  }

  on(event: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  close(): void {
    this.#socket.terminate();
  }

  #onMessage(text: string): void {
    const message = JSON.parse(text) as {
      id?: number;
      result?: CdpParams;
      error?: { message: string };
      method?: string;
      params?: CdpParams;
      sessionId?: string;
    };
    if (message.id !== undefined) {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.error) pending?.reject(new Error(message.error.message));
      else pending?.resolve(message.result ?? {});
      return;
    }
    for (const listener of this.#listeners.get(message.method ?? '') ?? []) listener(message.params ?? {}, message.sessionId);
  }
}
