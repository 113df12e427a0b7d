/**
 * What can happen to a running cluster of three brokers and a ZooKeeper, and how it is made right again. A fault leaves the cluster so that
 * acknowledged records must survive: processes are killed and frozen, links are cut; files stay, as they do when a process dies.
 */
import type { Random } from '../../src/runtime/random.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';

/** Who is who when the fault begins. */
export interface Roles {
  /** Of the partition that is looked at. */
  readonly leaderId: number;
  readonly followerIds: readonly number[];
  readonly controllerId: number;
}

export interface Fault {
  readonly name: string;
  /** How often it comes, beside the others. */
  readonly weight: number;
  /** The partition that is looked at has no leader for a while. */
  readonly takesLeader: boolean;
  /** How long it lasts, at least and at most. */
  readonly lastsMs: readonly [number, number];
  begin(cluster: RunningCluster, roles: Roles): Promise<unknown>;
  end(cluster: RunningCluster, roles: Roles): Promise<unknown>;
}

const ALL = [1, 2, 3];
/** More than the local cluster's session time-out of 6 s, with a tick. */
const LONGER_THAN_SESSION_MS = [7500, 10_000] as const;
const SHORT_MS = [200, 2500] as const;

const processId = (brokerId: number): string => `broker-${brokerId}`;
const othersThan = (brokerId: number): number[] => ALL.filter((id) => id !== brokerId);

function kill(cluster: RunningCluster, ids: readonly number[]): Promise<unknown> {
  return Promise.all(ids.map((id) => cluster.broker(id).kill()));
}

function start(cluster: RunningCluster, ids: readonly number[]): Promise<unknown> {
  return Promise.all(ids.map((id) => cluster.broker(id).start()));
}

function mend(cluster: RunningCluster): Promise<unknown> {
  return Promise.all(ALL.map((id) => cluster.broker(id).cutOff([])));
}

const follower = ({ followerIds }: Roles): number => followerIds[0] ?? 0;

export const FAULTS: readonly Fault[] = [
  {
    name: 'leader killed',
    weight: 6,
    takesLeader: true,
    lastsMs: SHORT_MS,
    begin: (cluster, { leaderId }) => kill(cluster, [leaderId]),
    end: (cluster, { leaderId }) => start(cluster, [leaderId]),
  },
  {
    name: 'follower killed',
    weight: 2,
    takesLeader: false,
    lastsMs: SHORT_MS,
    begin: (cluster, roles) => kill(cluster, [follower(roles)]),
    end: (cluster, roles) => start(cluster, [follower(roles)]),
  },
  {
    name: 'controller killed',
    weight: 2,
    takesLeader: false,
    lastsMs: SHORT_MS,
    begin: (cluster, { controllerId }) => kill(cluster, [controllerId]),
    end: (cluster, { controllerId }) => start(cluster, [controllerId]),
  },
  {
    name: 'leader and a follower killed',
    weight: 2,
    takesLeader: true,
    lastsMs: SHORT_MS,
    begin: (cluster, roles) => kill(cluster, [roles.leaderId, follower(roles)]),
    end: (cluster, roles) => start(cluster, [roles.leaderId, follower(roles)]),
  },
  {
    name: 'all brokers killed',
    weight: 2,
    takesLeader: true,
    lastsMs: SHORT_MS,
    begin: (cluster) => kill(cluster, ALL),
    end: (cluster) => start(cluster, ALL),
  },
  {
    name: 'all brokers and ZooKeeper killed',
    weight: 2,
    takesLeader: true,
    lastsMs: SHORT_MS,
    begin: (cluster) => Promise.all([kill(cluster, ALL), cluster.zookeeper?.kill()]),
    end: (cluster) => Promise.all([start(cluster, ALL), cluster.zookeeper?.start()]),
  },
  {
    name: 'leader stopped in order and started',
    weight: 2,
    takesLeader: true,
    lastsMs: SHORT_MS,
    begin: (cluster, { leaderId }) => cluster.broker(leaderId).stop(),
    end: (cluster, { leaderId }) => start(cluster, [leaderId]),
  },
  {
    name: 'leader frozen for a moment',
    weight: 2,
    takesLeader: false,
    lastsMs: SHORT_MS,
    begin: (cluster, { leaderId }) => cluster.broker(leaderId).freeze(),
    end: (cluster, { leaderId }) => cluster.broker(leaderId).thaw(),
  },
  {
    name: 'leader frozen for longer than its session',
    weight: 2,
    takesLeader: true,
    lastsMs: LONGER_THAN_SESSION_MS,
    begin: (cluster, { leaderId }) => cluster.broker(leaderId).freeze(),
    end: (cluster, { leaderId }) => cluster.broker(leaderId).thaw(),
  },
  {
    name: 'controller frozen for longer than its session',
    weight: 1,
    takesLeader: false,
    lastsMs: LONGER_THAN_SESSION_MS,
    begin: (cluster, { controllerId }) => cluster.broker(controllerId).freeze(),
    end: (cluster, { controllerId }) => cluster.broker(controllerId).thaw(),
  },
  {
    name: 'ZooKeeper killed for a moment',
    weight: 1,
    takesLeader: false,
    lastsMs: SHORT_MS,
    begin: (cluster) => cluster.zookeeper?.kill() ?? Promise.resolve(),
    end: (cluster) => cluster.zookeeper?.start() ?? Promise.resolve(),
  },
  {
    name: 'ZooKeeper away for longer than the sessions',
    weight: 2,
    takesLeader: false,
    lastsMs: LONGER_THAN_SESSION_MS,
    begin: (cluster) => cluster.zookeeper?.kill() ?? Promise.resolve(),
    end: (cluster) => cluster.zookeeper?.start() ?? Promise.resolve(),
  },
  {
    name: 'ZooKeeper frozen for longer than the sessions',
    weight: 1,
    takesLeader: false,
    lastsMs: LONGER_THAN_SESSION_MS,
    begin: (cluster) => cluster.zookeeper?.freeze() ?? Promise.resolve(),
    end: (cluster) => cluster.zookeeper?.thaw() ?? Promise.resolve(),
  },
  {
    name: 'leader killed while ZooKeeper is away',
    weight: 1,
    takesLeader: true,
    lastsMs: SHORT_MS,
    begin: (cluster, { leaderId }) => Promise.all([cluster.zookeeper?.kill(), kill(cluster, [leaderId])]),
    end: (cluster, { leaderId }) => Promise.all([cluster.zookeeper?.start(), start(cluster, [leaderId])]),
  },
  {
    name: 'leader cut off from ZooKeeper',
    weight: 2,
    takesLeader: true,
    lastsMs: LONGER_THAN_SESSION_MS,
    begin: (cluster, { leaderId }) => cluster.broker(leaderId).cutOff(['zookeeper']),
    end: mend,
  },
  {
    name: 'leader cut off from everything',
    weight: 2,
    takesLeader: true,
    lastsMs: LONGER_THAN_SESSION_MS,
    begin: (cluster, { leaderId }) =>
      Promise.all([
        cluster.broker(leaderId).cutOff(['zookeeper', 'clients', ...othersThan(leaderId).map(processId)]),
        ...othersThan(leaderId).map((id) => cluster.broker(id).cutOff([processId(leaderId)])),
      ]),
    end: mend,
  },
  {
    name: 'a follower cannot reach the leader',
    weight: 1,
    takesLeader: false,
    lastsMs: LONGER_THAN_SESSION_MS,
    begin: (cluster, roles) => cluster.broker(follower(roles)).cutOff([processId(roles.leaderId)]),
    end: mend,
  },
  {
    name: 'the controller cannot reach the leader',
    weight: 1,
    takesLeader: false,
    lastsMs: SHORT_MS,
    begin: (cluster, { controllerId, leaderId }) =>
      cluster.broker(controllerId).cutOff(controllerId === leaderId ? ['zookeeper'] : [processId(leaderId)]),
    end: mend,
  },
];

/** One of `faults`, by weight. */
export function chooseFault(random: Random, faults: readonly Fault[] = FAULTS): Fault {
  let at = random.int(faults.reduce((sum, { weight }) => sum + weight, 0));
  for (const fault of faults) {
    if (at < fault.weight) return fault;
    at -= fault.weight;
  }
  throw new Error('there are no faults to choose from');
}
