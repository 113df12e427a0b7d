/**
 * One ZooKeeper and some brokers, the real ones, each on a machine of its own. A process that ends is started again after a while,
 * as a supervisor would; the schedule may hold that back.
 */
import { BrokerServer } from '../../../src/broker/broker-server.ts';
import { parseKafkaConfig } from '../../../src/broker/config/kafka-config.ts';
import { isDiskError } from '../../../src/broker/log/log-guard.ts';
import type { Partition } from '../../../src/broker/replication/partition.ts';
import type { Halt } from '../../../src/runtime/halt.ts';
import { ZooKeeperServer } from '../../../src/zookeeper/server.ts';
import type { Schedule } from '../schedule.ts';
import { EventKind } from '../world/event-queue.ts';
import { Machine } from '../world/machine.ts';
import { Network } from '../world/network.ts';
import { Halted, type SimProcess } from '../world/sim-process.ts';
import type { World } from '../world/world.ts';

export const BROKER_PORT = 9092;
const ZOOKEEPER_PORT = 2181;
const RESTART_MS = 400;

/** Short waits, so that a simulated minute holds many failures and recoveries. */
const BROKER_PROPERTIES: Readonly<Record<string, string>> = {
  'zookeeper.connect': `zookeeper:${ZOOKEEPER_PORT}`,
  'zookeeper.session.timeout.ms': '3000',
  'zookeeper.connection.timeout.ms': '3000',
  'log.dirs': '/data',
  'num.network.threads': '2',
  'num.io.threads': '8',
  'num.partitions': '2',
  'default.replication.factor': '3',
  'offsets.topic.replication.factor': '3',
  'offsets.topic.num.partitions': '2',
  'group.initial.rebalance.delay.ms': '0',
  'min.insync.replicas': '2',
  'auto.create.topics.enable': 'false',
  'unclean.leader.election.enable': 'false',
  'replica.lag.time.max.ms': '2500',
  'replica.fetch.wait.max.ms': '500',
  'replica.fetch.backoff.ms': '300',
  'replica.socket.timeout.ms': '3000',
  'replica.high.watermark.checkpoint.interval.ms': '2000',
  'controller.socket.timeout.ms': '3000',
  'request.timeout.ms': '3000',
  'log.index.size.max.bytes': '16384',
  'controlled.shutdown.max.retries': '1',
  'controlled.shutdown.retry.backoff.ms': '500',
  'group.min.session.timeout.ms': '1000',
  // So that offsets are compacted within a minute.
  'offsets.topic.segment.bytes': '16384',
  'log.cleaner.backoff.ms': '1000',
  'leader.imbalance.check.interval.seconds': '8',
};

export class SimCluster {
  readonly world: World;
  readonly network: Network;
  readonly brokers: readonly Machine[];
  readonly zookeeper: Machine;
  /** Machines that nobody starts again for now. */
  readonly heldDown = new Set<Machine>();
  readonly #properties: Readonly<Record<string, string>>;
  readonly #snapCount: number;
  readonly #servers = new Map<Machine, BrokerServer>();

  constructor(world: World, { brokers, properties = {}, snapCount = 500 }: Pick<Schedule, 'brokers' | 'properties' | 'snapCount'>) {
    this.world = world;
    this.#snapCount = snapCount;
    this.#properties = { ...BROKER_PROPERTIES, ...properties };
    this.network = new Network(world);
    this.zookeeper = new Machine(this.network, 'zookeeper', 1);
    this.brokers = Array.from({ length: brokers }, (_, index) => new Machine(this.network, `broker${index + 1}`, index + 2));
    for (const machine of [this.zookeeper, ...this.brokers]) {
      const directories = machine === this.zookeeper ? ['/zookeeper'] : this.#logDirs;
      for (const directory of directories) machine.disk.makeDirectory(directory);
      machine.disk.syncDirectory('/');
    }
  }

  /** A machine for clients. */
  addClientMachine(name: string, index: number): SimProcess {
    return new Machine(this.network, name, 16 + index).start();
  }

  startAll(): void {
    for (const machine of [this.zookeeper, ...this.brokers]) this.start(machine);
  }

  start(machine: Machine): void {
    if (machine.process !== undefined) return;
    const process = machine.start();
    this.world.note('cluster', `${process.name} starts`);
    process.onDeath(() => {
      this.#servers.delete(machine);
      this.world.note('cluster', `${process.name} has ended`);
      this.#restartLater(machine);
    });
    const run = machine === this.zookeeper ? () => this.#runZooKeeper(process) : () => this.#runBroker(machine, process);
    process.schedule(this.world.nowMs, EventKind.control, run);
  }

  /** The running broker of a machine; undefined while it is down. */
  server(machine: Machine): BrokerServer | undefined {
    return this.#servers.get(machine);
  }

  /** A broker that leads a partition, as it believes; the one of the newest epoch where several do. */
  leaderOf(topic: string, partition: number): Partition | undefined {
    let leader: Partition | undefined;
    for (const machine of this.brokers) {
      const held = this.server(machine)?.parts?.replicaManager.partition({ topic, partition });
      if (held?.isLeader === true && (leader === undefined || held.leaderEpoch > leader.leaderEpoch)) leader = held;
    }
    return leader;
  }

  /** True when one of a broker's log dirs has failed and it goes on with the others: only a start takes the dir again. */
  hasFailedLogDir(machine: Machine): boolean {
    const logManager = this.server(machine)?.parts?.logManager;
    return logManager !== undefined && this.#logDirs.some((path) => logManager.logDirState(path).state === 'offline');
  }

  get #logDirs(): string[] {
    return (this.#properties['log.dirs'] ?? '').split(',');
  }

  brokerId(machine: Machine): number {
    return this.brokers.indexOf(machine) + 1;
  }

  /** Stops a broker in order (SIGTERM). */
  stop(machine: Machine): void {
    const { process } = machine;
    const server = this.#servers.get(machine);
    if (process === undefined || server === undefined) return;
    process.schedule(this.world.nowMs, EventKind.control, () => void server.shutdown().then(() => this.#exit(process)));
  }

  #restartLater(machine: Machine): void {
    this.world.at(this.world.nowMs + RESTART_MS, EventKind.control, undefined, () => {
      if (!this.heldDown.has(machine)) this.start(machine);
    });
  }

  /** A process's own end. */
  #exit(process: SimProcess): void {
    this.world.at(this.world.nowMs, EventKind.control, undefined, () => {
      if (process.isAlive) process.machine.kill();
    });
  }

  #runZooKeeper(process: SimProcess): void {
    const server = new ZooKeeperServer({
      dataDir: '/zookeeper',
      hosts: ['zookeeper'],
      clientPort: ZOOKEEPER_PORT,
      tickTimeMs: 500,
      snapCount: this.#snapCount,
      // At each start.
      purgeIntervalHours: 1,
      preAllocSizeBytes: 64 * 1024,
      runtime: { ...process.runtime, halt: this.#zooKeeperHalt(process) },
    });
    server.start().catch((error: unknown) => {
      this.world.note(process.name, `can't start: ${String(error)}`);
      this.#exit(process);
    });
  }

  /** A ZooKeeper whose disk fails ends, and the supervisor starts another; any other halt is a broken invariant. */
  #zooKeeperHalt(process: SimProcess): Halt {
    return {
      halt: (exitCode, reason, error): never => {
        if (!isDiskError(error)) return process.runtime.halt.halt(exitCode, reason, error);
        this.world.note(process.name, `ends with ${exitCode}: ${reason}`);
        process.machine.kill();
        throw new Halted(reason);
      },
    };
  }

  #runBroker(machine: Machine, process: SimProcess): void {
    const id = this.brokerId(machine);
    const server = new BrokerServer({
      config: parseKafkaConfig({
        ...this.#properties,
        'broker.id': String(id),
        listeners: `PLAINTEXT://${machine.name}:${BROKER_PORT}`,
      }),
      runtime: process.runtime,
      pid: 1000 + process.index,
      socketDirectory: '/tmp',
      sessionFile: '/session',
      zooKeeperImplementation: 'own',
      onEvent: () => {},
      onFatal: (reason) => {
        this.world.note(process.name, reason);
        this.#exit(process);
      },
    });
    server.startup().then(
      () => {
        if (process.isAlive) this.#servers.set(machine, server);
      },
      (error: unknown) => {
        this.world.note(process.name, `can't start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
        this.#exit(process);
      },
    );
  }
}
