/** This client's words in ZooKeeper's: create modes, transaction operations, stats. */
import { CreateMode, OpCode } from '../zookeeper/jute/constants.ts';
import { OPEN_ACL_UNSAFE, type StatRecord } from '../zookeeper/jute/records.ts';
import type { CreateRequest, MultiOp } from '../zookeeper/jute/requests.ts';
import { withChroot } from './connect-string.ts';
import type { Stat, ZooKeeperCreateMode, ZooKeeperOp } from './types.ts';

export const CREATE_MODES: Record<ZooKeeperCreateMode, CreateMode> = {
  persistent: CreateMode.PERSISTENT,
  ephemeral: CreateMode.EPHEMERAL,
  'persistent-sequential': CreateMode.PERSISTENT_SEQUENTIAL,
  'ephemeral-sequential': CreateMode.EPHEMERAL_SEQUENTIAL,
};

export function juteCreate(type: CreateRequest['type'], path: string, data: Buffer | null, mode: ZooKeeperCreateMode): CreateRequest {
  return { type, path, data, acl: OPEN_ACL_UNSAFE, mode: CREATE_MODES[mode], ttl: -1 };
}

export function juteOp(op: ZooKeeperOp, chroot: string): MultiOp {
  const path = withChroot(chroot, op.path);
  switch (op.type) {
    case 'create':
      return juteCreate(OpCode.create, path, op.data, op.mode);
    case 'delete':
      return { type: OpCode.delete, path, version: op.version };
    case 'setData':
      return { type: OpCode.setData, path, data: op.data, version: op.version };
    default:
      return { type: OpCode.check, path, version: op.version };
  }
}

export function statOf(record: StatRecord): Stat {
  return { ...record, ephemeralOwner: Buffer.from(record.ephemeralOwner, 'hex') };
}
