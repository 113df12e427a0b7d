/**
 * The UI's half: a typed client of the contract on a channel. When the channel closes, every call that waits is rejected with
 * `ChannelClosedError`, every stream ends with it, and `closed` resolves; connecting again is the caller's matter.
 */
import { createORPCClient } from '@orpc/client';
import type { ClientContext } from '@orpc/client';
import { StandardRPCLink } from '@orpc/client/standard';
import { ClientPeer } from '@orpc/standard-server-peer';
import type { ConsoleClient } from '../contract/contract.ts';
import { ChannelClosedError } from './channel.ts';
import type { Channel } from './channel.ts';
import { customJsonSerializers } from './codec.ts';

export interface ConsoleConnection {
  readonly client: ConsoleClient;
  /** Resolves with the reason (undefined: an orderly close) when the channel is gone. */
  readonly closed: Promise<string | undefined>;
  readonly close: () => void;
}

export function connectConsole(channel: Channel): ConsoleConnection {
  const closed = Promise.withResolvers<string | undefined>();
  const peer = new ClientPeer((message) => {
    if (typeof message !== 'string') throw new TypeError('Only text goes to the console: files and forms are not part of the contract');
    return channel.send(message);
  });
  let ended: { reason: string | undefined } | undefined;
  channel.start({
    onMessage(message) {
      peer.message(message).catch(() => channel.close('a message is malformed'));
    },
    onClose(reason) {
      ended = { reason };
      peer.close({ reason: new ChannelClosedError(reason) });
      closed.resolve(reason);
    },
  });
  const link = new StandardRPCLink<ClientContext>(
    {
      async call(request) {
        if (ended) throw new ChannelClosedError(ended.reason);
        const response = await peer.request(request);
        return { ...response, body: () => Promise.resolve(response.body) };
      },
    },
    { url: 'http://orpc', customJsonSerializers },
  );
  return { client: createORPCClient<ConsoleClient>(link), closed: closed.promise, close: () => channel.close() };
}
