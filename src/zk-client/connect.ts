/** Makes clients: the door through which the rest of the project gets one. */
import { type ConnectString, parseConnectString } from './connect-string.ts';
import { OwnZooKeeperClient } from './own/own-client.ts';
import type { ZooKeeperClientRuntime } from './own/session-connection.ts';
import { type ZooKeeperClient, type ZooKeeperSessionId, type ZooKeeperState, connectionLoss, sessionExpired } from './types.ts';

export type { ZooKeeperClientRuntime } from './own/session-connection.ts';

export interface ConnectZooKeeperOptions {
  /** `host:port,host:port/chroot` */
  readonly connectString: string;
  readonly sessionTimeoutMs: number;
  readonly runtime: ZooKeeperClientRuntime;
  /** node-zookeeper-client with its faults mended, or our own. */
  readonly implementation: 'library' | 'own';
  /** A session to go on with, where it still exists. */
  readonly resume?: ZooKeeperSessionId;
  /** How long to try before rejecting; the session time-out where not given. */
  readonly connectTimeoutMs?: number;
}

/** A client that can be started: both implementations. */
export interface StartableClient extends ZooKeeperClient {
  start(): void;
}

/**
 * Resolves with a connected client. Rejects with ConnectionLoss when no server was reached in time, with SessionExpired
 * when the session to resume is gone; with a plain Error for a connect string that makes no sense.
 */
export async function connectZooKeeper(options: ConnectZooKeeperOptions): Promise<ZooKeeperClient> {
  const client = await createClient(options, parseConnectString(options.connectString));
  const outcome = await untilSettled(client, options.runtime, options.connectTimeoutMs ?? options.sessionTimeoutMs, () => client.start());
  if (outcome === 'connected') return client;
  await client.close();
  throw outcome === 'expired' ? sessionExpired() : connectionLoss();
}

/** How long `closeSession` tries. */
const CLOSE_SESSION_TIMEOUT_MS = 5000;

/**
 * Ends the session of a process that is dead: attaches to it and closes it, so that its ephemeral nodes go at once.
 * @returns 'closed', or 'unknown' when the server has no such session. Rejects with ConnectionLoss when no server was reached.
 */
export async function closeSession(options: {
  readonly connectString: string;
  readonly session: ZooKeeperSessionId;
  readonly runtime: ZooKeeperClientRuntime;
  readonly timeoutMs?: number;
}): Promise<'closed' | 'unknown'> {
  const { runtime, session, timeoutMs = CLOSE_SESSION_TIMEOUT_MS } = options;
  const connectString = parseConnectString(options.connectString);
  const client = new OwnZooKeeperClient({ runtime, connectString, sessionTimeoutMs: timeoutMs, resume: session });
  const deadlineMs = runtime.clock.monotonicMs() + timeoutMs;
  let attached = false;
  try {
    for (;;) {
      const state = await untilSettled(client, runtime, deadlineMs - runtime.clock.monotonicMs(), () => {
        if (!attached) client.start();
      });
      if (state === undefined) throw connectionLoss();
      // Gone after we were on it: our request to end it had arrived, only its answer was lost.
      if (state !== 'connected') return attached ? 'closed' : 'unknown';
      attached = true;
      if (await client.endSession()) return 'closed';
    }
  } finally {
    await client.close();
  }
}

async function createClient(options: ConnectZooKeeperOptions, connectString: ConnectString): Promise<StartableClient> {
  const { runtime, sessionTimeoutMs, resume } = options;
  if (options.implementation === 'own') return new OwnZooKeeperClient({ runtime, connectString, sessionTimeoutMs, resume });
  // Loaded only where it is used: the library brings some megabytes.
  const { LibraryZooKeeperClient } = await import('./library/library-client.ts');
  return new LibraryZooKeeperClient({ runtime, connectString, sessionTimeoutMs, resume });
}

/** The next state that settles it, after `begin`; undefined when none came in time. */
function untilSettled(
  client: ZooKeeperClient,
  runtime: ZooKeeperClientRuntime,
  timeoutMs: number,
  begin: () => void,
): Promise<ZooKeeperState | undefined> {
  return new Promise((resolve) => {
    const settle = (state: ZooKeeperState | undefined): void => {
      timer.cancel();
      stop();
      resolve(state);
    };
    const timer = runtime.scheduler.after(Math.max(0, timeoutMs), () => settle(undefined));
    const stop = client.onState((state) => {
      if (state !== 'disconnected') settle(state);
    });
    begin();
  });
}
