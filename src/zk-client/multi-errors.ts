/** Which operation made a transaction fail. */
import { KeeperCode } from '../zookeeper/jute/constants.ts';
import { ZooKeeperError, type ZooKeeperOp } from './types.ts';

/**
 * Throws the error that made a transaction fail, if it did: `errors` are its results' codes in order. Those before the
 * culprit are 0, those after it "runtime inconsistency".
 */
export function throwIfFailed(errors: readonly number[], ops: readonly ZooKeeperOp[]): void {
  if (errors.length === 0) return;
  const culprit = errors.findIndex((err) => err !== KeeperCode.OK && err !== KeeperCode.RuntimeInconsistency);
  const index = culprit >= 0 ? culprit : errors.findIndex((err) => err !== KeeperCode.OK);
  throw new ZooKeeperError(errors[index] ?? KeeperCode.SystemError, ops[index]?.path, index);
}
