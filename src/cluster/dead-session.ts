/**
 * Closes the ZooKeeper session that a broker left behind when it died, so that its registration and its controllership
 * are gone at once and not when the session expires.
 */
import type { Runtime } from '../runtime/runtime.ts';
import { closeSession, readSessionFile, removeSessionFile } from '../zk-client/zookeeper-client.ts';

export type DeadSessionRuntime = Pick<Runtime, 'clock' | 'scheduler' | 'disk' | 'net' | 'random' | 'logger'>;

/** Where ZooKeeper is down too there is nothing to wait for: the broker's next start closes the session. */
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Re-attaches to the session kept in `sessionFile` and closes it. Does nothing when there is none: the broker closed it
 * itself. Rejects with ConnectionLoss when no ZooKeeper was reached; the file then stays.
 */
export async function closeDeadSession(runtime: DeadSessionRuntime, sessionFile: string, zookeeperConnect: string): Promise<void> {
  const session = readSessionFile(runtime.disk, sessionFile);
  if (session === undefined) return;
  const startMs = runtime.clock.monotonicMs();
  const outcome = await closeSession({ connectString: zookeeperConnect, session, runtime, timeoutMs: CLOSE_TIMEOUT_MS });
  // A next generation may have written its own by now.
  if (readSessionFile(runtime.disk, sessionFile)?.id.equals(session.id) === true) removeSessionFile(runtime.disk, sessionFile);
  const tookMs = Math.round(runtime.clock.monotonicMs() - startMs);
  runtime.logger.info({ session: session.id.toString('hex'), outcome, tookMs }, 'Closed the ZooKeeper session of a dead broker');
}
