/** Texts of the overview and its timeline. */
export const overview = {
  topics: 'Topics',
  partitions: 'Partitions',
  groups: 'Groups',
  rate: 'Records/s',
  rateChart: 'Records appended per second',
  size: 'On disk',
  allReplicas: 'all replicas',
  someReplicas: 'replicas of brokers that answer',
  internal: '+{count} internal',
  allInSync: 'All partitions have a leader and are in sync',
  underReplicated: '{count} partition is under-replicated | {count} partitions are under-replicated',
  offline: '{count} partition has no leader | {count} partitions have no leader',
  processes: 'Brokers and ZooKeeper',
  connect: 'Connect',
  dataFolder: 'The cluster’s data folder',
};

export const timeline = {
  title: 'Timeline',
  empty: 'Nothing has happened since this console began to watch',
  emptyHint: 'Starts, elections, ISR changes, rebalances, and what becomes of segments appear here with their reasons.',
  severity: { warning: 'Warning', error: 'Error' },
};

export const externalZooKeeper = {
  external: 'External',
  hint: 'Runs elsewhere: it is neither started nor stopped by Samsa',
  told: '{address} is {mode}, ZooKeeper {version}',
  silent: 'Takes connections',
  unreachable: 'Not reachable',
};
