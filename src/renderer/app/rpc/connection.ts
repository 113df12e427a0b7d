/**
 * The connection to the console's services, made again by itself. `client` is one object for the app's life: calls go to
 * whichever peer stands; before the first one they wait, while it is lost they fail at once with ChannelClosedError, so that
 * pages keep what they have and say as of when it is.
 *
 * Each new peer raises `generation`: what was subscribed or read must be asked for again then (app/live does).
 */
import { createORPCClient } from '@orpc/client';
import { readonly, shallowRef } from 'vue';
import type { ShallowRef } from 'vue';
import type { ConsoleClient } from '../../../console/contract/contract.ts';
import { ChannelClosedError } from '../../../console/transport/channel.ts';

export interface ConsolePeer {
  readonly client: ConsoleClient;
  readonly closed: Promise<string | undefined>;
  close(): void;
}

/** Makes a peer that has answered once; rejects when there is none to be had now. */
export type Connector = () => Promise<ConsolePeer>;

export type ConnectionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  /** `retryAtMs` is null while an attempt is under way. */
  | {
      readonly kind: 'lost';
      readonly reason: string;
      readonly sinceMs: number;
      readonly attempt: number;
      readonly retryAtMs: number | null;
    };

export interface ConsoleConnectionHandle {
  readonly client: ConsoleClient;
  readonly state: Readonly<ShallowRef<ConnectionState>>;
  readonly generation: Readonly<ShallowRef<number>>;
  /** Does not wait for the backoff. */
  retryNow(): void;
}

const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 5000;

/** 250 ms, doubled to 5 s: a restarted server is found again in a moment, a dead one isn't hammered. */
export function retryDelayMs(attempt: number): number {
  return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 10));
}

export function connectWithRetry(connect: Connector): ConsoleConnectionHandle {
  const state = shallowRef<ConnectionState>({ kind: 'connecting' });
  const generation = shallowRef(0);
  const first = Promise.withResolvers<ConsolePeer>();
  let peer: ConsolePeer | undefined;
  let skipWait: (() => void) | undefined;

  const run = async (): Promise<never> => {
    let attempt = 0;
    let lostAtMs = Date.now();
    for (;;) {
      let reason: string | undefined;
      try {
        peer = await connect();
        attempt = 0;
        first.resolve(peer);
        generation.value++;
        state.value = { kind: 'connected' };
        reason = await peer.closed;
        lostAtMs = Date.now();
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
      }
      peer = undefined;
      attempt++;
      const delay = retryDelayMs(attempt);
      const lost = { kind: 'lost', reason: reason ?? '', sinceMs: lostAtMs, attempt } as const;
      state.value = { ...lost, retryAtMs: Date.now() + delay };
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, delay);
        skipWait = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      state.value = { ...lost, retryAtMs: null };
    }
  };
  void run();

  const client = createORPCClient<ConsoleClient>({
    async call(path, input, options) {
      const current = peer ?? (state.value.kind === 'connecting' ? await first.promise : undefined);
      if (current === undefined) throw new ChannelClosedError(state.value.kind === 'lost' ? state.value.reason : undefined);
      return callAt(current.client, path, input, options);
    },
  });
  return { client, state: readonly(state), generation: readonly(generation), retryNow: () => skipWait?.() };
}

type Call = (input: unknown, options: unknown) => Promise<unknown>;

function callAt(client: ConsoleClient, path: readonly string[], input: unknown, options: unknown): Promise<unknown> {
  // A client is a tree of functions by the contract's own paths.
  const procedure = path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], client);
  return (procedure as Call)(input, options);
}
