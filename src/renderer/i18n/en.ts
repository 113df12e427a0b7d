/** All text of the console, in English. Keys follow the features; plurals are "one | many" (or "none | one | many"). */
import { processes, network, brokers, storage, logs } from './brokers.ts';
import { controllerTexts } from './controller.ts';
import { flushLab } from './flush-lab.ts';
import { common, nav, settings, status, connection, cluster, palette, keys, filter, grid, state, failure, confirm } from './frame.ts';
import { groups } from './groups.ts';
import { localClusters } from './local-clusters.ts';
import { messages } from './messages.ts';
import { overview, timeline, externalZooKeeper } from './overview.ts';
import { partitionActions, rate, replicaMoves, replicationTexts } from './partition-actions.ts';
import { retention } from './retention.ts';
import { segments } from './segments.ts';
import { topics, partitions, configs } from './topics.ts';
import { zookeeperTexts } from './zookeeper.ts';

export const en = {
  flushLab,
  localClusters,
  partitionActions,
  rate,
  replicaMoves,
  replication: replicationTexts,
  controller: controllerTexts,
  retention,
  zookeeper: zookeeperTexts,
  common,
  nav,
  settings,
  status,
  connection,
  cluster,
  palette,
  keys,
  filter,
  grid,
  state,
  failure,
  confirm,
  overview,
  timeline,
  externalZooKeeper,
  processes,
  network,
  brokers,
  storage,
  logs,
  topics,
  partitions,
  configs,
  groups,
  messages,
  segments,
};
