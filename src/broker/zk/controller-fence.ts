/**
 * Writes of the controller: each in a transaction with a check of /controller_epoch's version, so that a controller that was
 * replaced and doesn't know it changes nothing. Source: KafkaZkClient.wrapRequestWithControllerEpochCheck.
 */
import type { ZooKeeperOp, ZooKeeperOpResult } from '../../zk-client/zookeeper-client.ts';
import { ZooKeeperError } from '../../zk-client/zookeeper-client.ts';
import { ControllerMovedError } from './zk-errors.ts';
import { checkOp, deleteOp } from './zk-ops.ts';
import { ZkPaths } from './zk-paths.ts';
import type { ZooKeeperSession } from './zookeeper-session.ts';

/**
 * One write under the fence.
 * @param epochZkVersion version of /controller_epoch that this controller was elected with.
 * @returns the write's result, or the ZooKeeperError that the write itself met.
 * Throws ControllerMovedError when the check failed, and whatever stopped the transaction as a whole (expiry).
 */
export async function fencedWrite(
  session: ZooKeeperSession,
  epochZkVersion: number,
  op: ZooKeeperOp,
): Promise<ZooKeeperOpResult | ZooKeeperError> {
  try {
    const results = await session.multi([checkOp(ZkPaths.controllerEpoch, epochZkVersion), op]);
    const result = results[1];
    if (result === undefined) throw new Error(`the transaction on ${op.path} gave no result`);
    return result;
  } catch (error) {
    if (!(error instanceof ZooKeeperError) || error.failedOpIndex === undefined) throw error;
    if (error.failedOpIndex === 1) return error;
    if (error.name === 'BadVersion') {
      throw new ControllerMovedError(`/controller_epoch is no longer at version ${epochZkVersion}: another controller was elected`);
    }
    throw error;
  }
}

/** `fencedWrite` for each of `writes`, pipelined; results in order. */
export function fencedWrites(
  session: ZooKeeperSession,
  epochZkVersion: number,
  writes: readonly ZooKeeperOp[],
): Promise<(ZooKeeperOpResult | ZooKeeperError)[]> {
  return session.pipelined(writes, (op) => fencedWrite(session, epochZkVersion, op));
}

/** Attempts at deleting a node while others put nodes below it. */
const MAX_DELETE_ATTEMPTS = 10;

/** Deletes `paths`, pipelined, and whatever others have put below them; what isn't there is as good as deleted. Throws as `throwUnless`. */
export async function fencedDeletes(session: ZooKeeperSession, epochZkVersion: number, paths: readonly string[]): Promise<void> {
  let remaining = paths;
  for (let attempt = 1; remaining.length > 0; attempt++) {
    const results = await fencedWrites(
      session,
      epochZkVersion,
      remaining.map((path) => deleteOp(path)),
    );
    if (attempt === MAX_DELETE_ATTEMPTS) throwUnless(results, 'NoNode');
    throwUnless(results, 'NoNode', 'NotEmpty');
    remaining = remaining.filter((_, index) => isNotEmpty(results[index]));
    for (const path of remaining) {
      const names = await session.getChildren(path);
      await fencedDeletes(
        session,
        epochZkVersion,
        names.map((name) => `${path}/${name}`),
      );
    }
  }
}

function isNotEmpty(result: ZooKeeperOpResult | ZooKeeperError | undefined): boolean {
  return result instanceof ZooKeeperError && result.name === 'NotEmpty';
}

/** Throws the first error that is not one of `tolerated`. */
export function throwUnless(
  results: readonly (ZooKeeperOpResult | ZooKeeperError)[],
  ...tolerated: readonly ZooKeeperError['name'][]
): void {
  for (const result of results) if (result instanceof ZooKeeperError && !tolerated.includes(result.name)) throw result;
}
