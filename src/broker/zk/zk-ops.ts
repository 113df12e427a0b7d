/** Shorthands for the operations of a ZooKeeper transaction and for telling its errors apart. */
import { ZooKeeperError, type Stat, type ZooKeeperOp, type ZooKeeperOpResult } from '../../zk-client/zookeeper-client.ts';

const SESSION_EXPIRED = -112;
const NO_NODE = -101;

/** What an operation meets between the end of one session and the beginning of the next. */
export function sessionExpiredError(): ZooKeeperError {
  return new ZooKeeperError(SESSION_EXPIRED);
}

/** For a path that has no node where one was read with success. */
export function noNodeError(path: string): ZooKeeperError {
  return new ZooKeeperError(NO_NODE, path);
}

export function isZooKeeperError(error: unknown, name: ZooKeeperError['name']): error is ZooKeeperError {
  return error instanceof ZooKeeperError && error.name === name;
}

export const createOp = (path: string, data: Buffer | null, mode: 'persistent' | 'ephemeral' = 'persistent'): ZooKeeperOp => ({
  type: 'create',
  path,
  data,
  mode,
});
export const setDataOp = (path: string, data: Buffer, version: number): ZooKeeperOp => ({ type: 'setData', path, data, version });
export const deleteOp = (path: string, version = -1): ZooKeeperOp => ({ type: 'delete', path, version });
export const checkOp = (path: string, version: number): ZooKeeperOp => ({ type: 'check', path, version });

/** The stat that a setData of a transaction gave. */
export function statOf(result: ZooKeeperOpResult | undefined): Stat {
  if (result === undefined || result.type !== 'setData') throw new Error('the transaction gave no stat where a setData was');
  return result.stat;
}
