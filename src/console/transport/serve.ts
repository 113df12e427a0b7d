/**
 * The services' half: answers the contract on a channel. One bad message closes that channel and harms nobody else; a
 * procedure that throws is answered with an error. Not importable by the renderer.
 *
 * What a client may send is less than what oRPC takes: requests (POST, text, no forms, no files, no client streams) and abort
 * signals, at most MAX_IN_FLIGHT at once. Answers wait for the channel, so a slow reader holds its streams back.
 */
import { ORPCError } from '@orpc/client';
import { StandardRPCHandler } from '@orpc/server/standard';
import { createServerPeerHandleRequestFn } from '@orpc/server/standard-peer';
import type { Context, Router } from '@orpc/server';
import type { AnyContractRouter } from '@orpc/contract';
import { MessageType, ServerPeer, encodeResponseMessage } from '@orpc/standard-server-peer';
import type { Failure } from '../contract/failure.ts';
import { MAX_RESPONSE_CHARS } from './channel.ts';
import type { Channel } from './channel.ts';
import { customJsonSerializers } from './codec.ts';

const MAX_IN_FLIGHT = 256;
const MAX_ID_CHARS = 64;
const MAX_PATH_CHARS = 256;

export interface ServeOptions<T extends Context> {
  readonly context: T;
  /** Told of what went wrong outside a procedure; the channel is closed then. */
  readonly onError?: (reason: string, error?: unknown) => void;
  /** Told once when the channel has closed, for whatever reason. */
  readonly onClose?: () => void;
}

export type ConsoleHandler<T extends Context> = (channel: Channel, options: ServeOptions<T>) => void;

/** Makes the function that serves `router` on channels, each with its own context. */
export function createConsoleHandler<T extends Context>(router: Router<AnyContractRouter, T>): ConsoleHandler<T> {
  const handler = new StandardRPCHandler<T>(router, { customJsonSerializers });
  return (channel, { context, onError, onClose }) => {
    let closed = false;
    const peer = new ServerPeer(async (message) => {
      if (typeof message !== 'string') throw new TypeError('Only text goes to the UI: files and forms are not part of the contract');
      await channel.send(message.length > MAX_RESPONSE_CHARS ? await tooLarge(message) : message);
    });
    const handle = createServerPeerHandleRequestFn(handler, { context } as Parameters<typeof createServerPeerHandleRequestFn<T>>[1]);
    const refuse = (reason: string, error?: unknown): void => {
      if (closed) return;
      onError?.(reason, error);
      channel.close(reason);
    };
    channel.start({
      onMessage(message) {
        const problem = problemWith(message);
        if (problem !== undefined) refuse(problem);
        else if (peer.length >= MAX_IN_FLIGHT) refuse(`over ${MAX_IN_FLIGHT} requests at once`);
        // A rejection here is a send that failed or an iterator that threw: the stream is broken, so the channel goes.
        else peer.message(message, handle).catch((error: unknown) => refuse('an answer could not be sent', error));
      },
      onClose() {
        closed = true;
        peer.close();
        onClose?.();
      },
    });
  };
}

/** Why `message` is not one that this contract's client sends; undefined when it is fine. */
export function problemWith(message: string): string | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(message);
  } catch {
    return 'a message is not JSON';
  }
  if (!isObject(parsed)) return 'a message is not an object';
  const { i: id, t: type, p: payload } = parsed;
  if (typeof id !== 'string' || id.length === 0 || id.length > MAX_ID_CHARS) return 'a message has no id';
  if (type === MessageType.ABORT_SIGNAL) return undefined;
  if (type !== undefined && type !== MessageType.REQUEST) return 'a message is of a type that the contract does not use';
  if (!isObject(payload)) return 'a request has no payload';
  const { u: url, m: method, h: headers, b: body } = payload;
  if (typeof url !== 'string' || url.length > MAX_PATH_CHARS || !/^(\/[A-Za-z]+)+$/.test(url)) return 'a request has no path';
  if (method !== undefined && method !== 'POST') return 'a request is not a POST';
  if (headers !== undefined && (!isObject(headers) || Object.keys(headers).length > 0)) return 'a request has headers';
  if (body !== undefined && !isObject(body)) return 'a request has no body';
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An error in place of an answer that is too long for the channel. */
function tooLarge(message: string): Promise<string> {
  const { i: id } = JSON.parse(message) as { i: string };
  const data: Failure = {
    kind: 'internal',
    api: null,
    code: null,
    name: null,
    brokerId: null,
    message: `The answer has ${message.length} characters, over the limit of ${MAX_RESPONSE_CHARS}`,
    retriable: false,
    timeoutMs: null,
  };
  const error = new ORPCError('FAILURE', { status: 500, message: data.message, data, defined: true });
  const encoded = encodeResponseMessage(id, MessageType.RESPONSE, { status: 500, headers: {}, body: { json: error.toJSON() } });
  return encoded.then(String);
}
