/** The door of the ZooKeeper client: what other layers import. */
export { ZooKeeperError } from './types.ts';
export type {
  Stat,
  WatchEvent,
  ZooKeeperClient,
  ZooKeeperCreateMode,
  ZooKeeperOp,
  ZooKeeperOpResult,
  ZooKeeperSessionId,
  ZooKeeperState,
  ZooKeeperWatcher,
} from './types.ts';
export { closeSession, connectZooKeeper } from './connect.ts';
export type { ConnectZooKeeperOptions, ZooKeeperClientRuntime } from './connect.ts';
export { readSessionFile, removeSessionFile, writeSessionFile } from './session-file.ts';
