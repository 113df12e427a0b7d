/** Texts of brokers and processes. */
export const processes = {
  role: { zookeeper: 'ZooKeeper', broker: 'Broker' },
  state: {
    starting: 'Starting',
    running: 'Running',
    cutOff: 'Cut off',
    partlyCut: 'Partly cut off',
    frozen: 'Frozen',
    stopping: 'Stopping',
    stopped: 'Stopped',
    backoff: 'Restarting',
    failed: 'Failed',
  },
  action: { start: 'Start', stop: 'Stop', restart: 'Restart', freeze: 'Freeze', thaw: 'Thaw', kill: 'Kill' },
  actions: 'Actions for {name}',
  busy: 'Under way',
  none: 'No process of this console',
  notNow: 'Not possible while it is {state}',
  failed: '{action} failed: {name}',
  upSince: 'pid {pid}, up {time}',
  restartIn: 'starts again in {time}',
  awaitsRestart: 'Restart to apply changes',
  kill: {
    title: 'Kill {name}?',
    explanation:
      'Ends the process at once (SIGKILL), as a crash would. Its leaders move to other brokers; it stays down until you start it.',
    verb: 'Kill',
    leads: 'leads {count} partition | leads {count} partitions',
  },
};

export const network = {
  title: 'Cut {name} off',
  explanation:
    'Connections to what is cut off stay open and carry nothing, as with a cable pulled: no error, no end. What waits goes out when the link is mended.',
  isCut: 'Cut off',
  cutFrom: 'It runs, and is cut off from {list}',
  zookeeper: 'ZooKeeper',
  zookeeperHint:
    'Its session expires after a while: another broker leads then, or becomes controller. It goes on serving who can reach it.',
  zookeeperElsewhere: 'It runs elsewhere, and only links to processes of this cluster can be cut from here.',
  brokerHint: { mutual: 'Neither reaches the other.', oneWay: 'It cannot reach {name}; {name} can still reach it.' },
  clients: 'Whoever connects to it',
  clientsHint: 'Clients and other brokers: their requests are not read, their answers not sent.',
  mutual: 'Cut links to brokers on both sides',
  mend: 'Mend everything',
  isolate: 'Cut off from everything',
  notNow: 'Only a running broker can be cut off; it is {state}',
  failed: 'The network of {name} could not be changed',
};

export const brokers = {
  name: 'Broker {id}',
  controller: 'Controller',
  online: 'Online',
  offline: 'Offline',
  filter: 'Filter brokers',
  empty: 'No brokers',
  emptyHint: 'None has registered yet.',
  noPartitions: 'This broker holds no replicas',
  skewHint: 'Leaders above or below an even share',
  column: {
    broker: 'Broker',
    address: 'Address',
    state: 'State',
    leaders: 'Leaders',
    skew: 'Skew',
    replicas: 'Replicas',
    outOfSync: 'Out of sync',
    size: 'Size',
    uptime: 'Uptime',
    actions: 'Actions',
  },
  tab: { logs: 'Log', configs: 'Configs', partitions: 'Partitions', storage: 'Storage and APIs', network: 'Network' },
};

export const storage = {
  dirs: 'Log directories',
  apis: 'API versions',
  path: 'Path',
  usable: 'Free',
  total: 'Volume',
  state: 'State',
  ok: 'OK',
  silent: 'The broker tells nothing of its storage and APIs now',
  silentHint: 'They are shown again when it answers.',
  noDirs: 'The broker did not tell its log directories',
  noApis: 'The broker did not tell its API versions',
  apiKey: 'Key',
  api: 'API',
  min: 'From',
  max: 'To',
};

export const logs = {
  title: 'Log',
  search: 'Search the log',
  lines: '{count} line | {count} lines',
  dropped: '{count} older ones not kept',
  copy: 'Copy all',
  follow: 'Follow',
  empty: 'Nothing logged yet',
  noMatch: 'No line contains “{text}”',
};
