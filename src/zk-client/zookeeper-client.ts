/** The door of the ZooKeeper client: what other layers import. */
export { ZooKeeperError } from './types.ts';
export type { Stat, WatchEvent, ZooKeeperClient, ZooKeeperOp, ZooKeeperOpResult } from './types.ts';
export { createChroot } from './chroot.ts';
export { closeSession, connectZooKeeper } from './connect.ts';
export { parseConnectString } from './connect-string.ts';
export { readSessionFile, removeSessionFile, writeSessionFile } from './session-file.ts';
