/**
 * What the contract travels on: text messages in order, both ways, with back-pressure. A MessagePort and a WebSocket are made
 * to look the same here; nothing in this folder but `serve.ts` is for one side only, and nothing reaches Node.
 */

/** The longest message a server takes (characters; the WebSocket's own limit counts bytes). */
export const MAX_REQUEST_CHARS = 1024 * 1024;
/** The longest message a server sends. Pages of rows are made to be well under it; an answer over it becomes an error. */
export const MAX_RESPONSE_CHARS = 8 * 1024 * 1024;

export interface ChannelHandler {
  /** `message` is a string no longer than the channel's limit: anything else has closed the channel. */
  onMessage(message: string): void;
  /** Once, the last call; `reason` when it was not an orderly close. */
  onClose(reason: string | undefined): void;
}

export interface Channel {
  /** Begins delivery; called once. */
  start(handler: ChannelHandler): void;
  /** Resolves when the peer (or the kernel) has room for more: await it before the next one. Rejects with `ChannelClosedError`. */
  send(message: string): Promise<void>;
  /** Closes both ways; what is queued may be lost. A second call does nothing. */
  close(reason?: string): void;
}

const CLOSED = 'The connection to the console is closed';

/** The reason may be the message of another one of these: it is not told twice. */
export class ChannelClosedError extends Error {
  constructor(reason: string | undefined) {
    super(reason === undefined || reason.startsWith(CLOSED) ? (reason ?? CLOSED) : `${CLOSED}: ${reason}`);
    this.name = 'ChannelClosedError';
  }
}

/** `data` if it is a message within the limit, else the reason to close the channel for. */
export function checkMessage(data: unknown, maxChars: number): { readonly message: string } | { readonly refused: string } {
  if (typeof data !== 'string') return { refused: 'a message is not a string' };
  if (data.length > maxChars) return { refused: `a message of ${data.length} characters is over the limit of ${maxChars}` };
  return { message: data };
}
