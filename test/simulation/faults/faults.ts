/**
 * Does the steps of a schedule, and undoes each when its time is over or all faults end.
 *
 * The budget. What Kafka promises holds for page caches: a record that min.insync.replicas have may lie in as many page caches and on no
 * disk. So a broker loses power only while the cluster is whole (every broker up, every ISR full, no other fault under way), and until it is whole again nothing
 * else happens to brokers: a step that would break this is skipped. ZooKeeper syncs what it acknowledges and may lose power at any time.
 */
import { closeSession, readSessionFile } from '../../../src/zk-client/zookeeper-client.ts';
import type { SimCluster } from '../cluster/sim-cluster.ts';
import type { History } from '../checks/history.ts';
import { troublesOf } from '../cluster/health.ts';
import { describeStep, type Schedule, type Step } from '../schedule.ts';
import type { SimAdmin } from '../workload/sim-admin.ts';
import type { SimClient } from '../workload/sim-client.ts';
import { EventKind } from '../world/event-queue.ts';
import type { Machine } from '../world/machine.ts';
import type { World } from '../world/world.ts';

export interface FaultsOptions {
  readonly world: World;
  readonly cluster: SimCluster;
  readonly schedule: Schedule;
  readonly admin: SimAdmin;
  readonly client: SimClient;
  readonly history: History;
  /** Topics that must be whole before a broker may lose power. */
  readonly topics: () => ReadonlyMap<string, number>;
  readonly onTopicChange: (step: Extract<Step, { kind: 'create-topic' | 'delete-topic' | 'add-partitions' }>) => void;
}

export class Faults {
  readonly #options: FaultsOptions;
  readonly #undo = new Set<() => void>();
  /** A broker has lost power and the cluster isn't whole again. */
  #isRecovering = false;

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  start(): void {
    const { world, schedule } = this.#options;
    for (const step of schedule.steps) world.at(step.atMs, EventKind.control, undefined, () => this.#begin(step));
    world.at(schedule.faultsEndMs, EventKind.control, undefined, () => this.end());
  }

  /** Undoes everything and starts who is down. */
  end(): void {
    const { cluster, world } = this.#options;
    world.note('faults', 'all faults end');
    for (const undo of Array.from(this.#undo)) undo();
    this.#undo.clear();
    cluster.network.healAll();
    cluster.heldDown.clear();
    for (const machine of [cluster.zookeeper, ...cluster.brokers]) {
      machine.process?.resume();
      machine.disk.heal();
      machine.disk.setCapacity(Infinity);
      machine.syncSlowness = 1;
      cluster.start(machine);
      this.#startAgainForLogDir(machine.name);
    }
  }

  #begin(step: Step): void {
    const { world, cluster, topics } = this.#options;
    if (this.#isRecovering && troublesOf(cluster, topics()).length === 0) this.#isRecovering = false;
    if (this.#isForbidden(step)) {
      world.note('faults', `skipped: ${describeStep(step)}`);
      return;
    }
    world.note('faults', describeStep(step));
    this.#apply(step);
  }

  #isForbidden(step: Step): boolean {
    const { cluster, topics } = this.#options;
    // A fault under way may not show yet: a leader that is cut off has a full ISR until its session ends.
    if (step.kind === 'lose-power' && step.machine !== 'zookeeper')
      return this.#isRecovering || this.#undo.size > 0 || troublesOf(cluster, topics()).length > 0;
    return this.#isRecovering && !('topic' in step) && step.kind !== 'elect-preferred';
  }

  #apply(step: Step): void {
    const { cluster, admin, onTopicChange } = this.#options;
    const { network } = cluster;
    switch (step.kind) {
      case 'kill':
        return this.#down(step.machine, step.forMs, (machine) => machine.kill());
      case 'stop':
        return this.#down(step.machine, step.forMs, (machine) => (machine === cluster.zookeeper ? machine.kill() : cluster.stop(machine)));
      case 'lose-power':
        if (step.machine !== 'zookeeper') this.#isRecovering = true;
        return this.#down(step.machine, step.forMs, (machine) => machine.losePower(step.mode));
      case 'pause': {
        const process = this.#machine(step.machine)?.process;
        process?.pause();
        return this.#until(step.forMs, () => process?.resume());
      }
      case 'partition': {
        for (const from of step.from) {
          for (const to of step.to) {
            network.block(from, to);
            if (!step.isOneWay) network.block(to, from);
          }
        }
        return this.#until(step.forMs, () => {
          for (const from of step.from) {
            for (const to of step.to) {
              network.unblock(from, to);
              network.unblock(to, from);
            }
          }
        });
      }
      case 'slow-link':
        network.slow(step.from, step.to, step.byMs);
        network.slow(step.to, step.from, step.byMs);
        return this.#until(step.forMs, () => {
          network.slow(step.from, step.to, 0);
          network.slow(step.to, step.from, 0);
        });
      case 'reset-connections':
        return network.resetConnections(step.from, step.to);
      case 'clock-jump': {
        const machine = this.#machine(step.machine);
        if (machine !== undefined) machine.wallOffsetMs += step.byMs;
        return undefined;
      }
      case 'slow-disk': {
        const machine = this.#machine(step.machine);
        if (machine !== undefined) machine.syncSlowness = step.factor;
        return this.#until(step.forMs, () => {
          if (machine !== undefined) machine.syncSlowness = 1;
        });
      }
      case 'disk-full': {
        const disk = this.#machine(step.machine)?.disk;
        disk?.setCapacity(disk.usedBytes);
        return this.#until(step.forMs, () => {
          disk?.setCapacity(Infinity);
          this.#startAgainForLogDir(step.machine);
        });
      }
      case 'disk-error': {
        const disk = this.#machine(step.machine)?.disk;
        disk?.failAfter(1);
        return this.#until(step.forMs, () => {
          disk?.heal();
          this.#startAgainForLogDir(step.machine);
        });
      }
      case 'log-dir-error':
        return this.#failLogDir(step.machine, step.directory, step.forMs);
      case 'end-session':
        return this.#endSession(step.machine);
      case 'create-topic':
      case 'delete-topic':
      case 'add-partitions':
        return onTopicChange(step);
      case 'elect-preferred':
        return void admin.electPreferred();
      case 'reassign':
        return void admin.reassign(step.topic, step.partition, step.replicas);
      case 'delete-records':
        return this.#deleteRecords(step);
      case 'move-log': {
        const broker = this.#options.client.brokers.find(({ host }) => host === step.machine);
        return broker === undefined ? undefined : void admin.moveLog(broker, step.topic, step.partition, step.directory);
      }
      case 'alter-config':
        return void admin.alterConfig(step.topic, step.key, step.value);
    }
  }

  #machine(name: string): Machine | undefined {
    return this.#options.cluster.network.machine(name);
  }

  #down(name: string, forMs: number, take: (machine: Machine) => void): void {
    const { cluster } = this.#options;
    const machine = this.#machine(name);
    if (machine === undefined) return;
    cluster.heldDown.add(machine);
    take(machine);
    this.#until(forMs, () => {
      cluster.heldDown.delete(machine);
      cluster.start(machine);
    });
  }

  #failLogDir(name: string, directory: string, forMs: number): void {
    const disk = this.#machine(name)?.disk;
    disk?.failAfter(1, { code: 'EIO', below: directory });
    this.#until(forMs, () => {
      disk?.heal();
      this.#startAgainForLogDir(name);
    });
  }

  /** What an operator does once the disk is mended: a log dir that has failed is taken again only at a start, in Kafka too. */
  #startAgainForLogDir(name: string): void {
    const { cluster } = this.#options;
    const machine = this.#machine(name);
    if (machine !== undefined && cluster.hasFailedLogDir(machine)) machine.kill();
  }

  #deleteRecords({ topic, partition, share }: Extract<Step, { kind: 'delete-records' }>): void {
    const { admin, cluster, history } = this.#options;
    const leader = cluster.leaderOf(topic, partition);
    if (leader?.log === undefined) return;
    const offset = Math.floor(leader.log.highWatermark * share);
    history.expectDeletion(topic, partition, offset);
    void admin.deleteRecords(topic, partition, offset);
  }

  #until(forMs: number, undo: () => void): void {
    const { world } = this.#options;
    this.#undo.add(undo);
    world.at(world.nowMs + forMs, EventKind.control, undefined, () => {
      if (this.#undo.delete(undo)) undo();
    });
  }

  #sessionOf(name: string): ReturnType<typeof readSessionFile> {
    const disk = this.#machine(name)?.disk;
    if (disk?.exists('/session') !== true) return undefined;
    try {
      return readSessionFile(disk, '/session');
    } catch {
      // The disk fails at the moment.
      return undefined;
    }
  }

  /** What a supervisor does for a broker that it takes for dead: it attaches to the session and closes it. Here the broker lives. */
  #endSession(name: string): void {
    const { client, world } = this.#options;
    const session = this.#sessionOf(name);
    if (session === undefined) return;
    closeSession({ connectString: 'zookeeper:2181', session, runtime: client.runtime, timeoutMs: 2000 }).then(
      (outcome) => world.note('faults', `the session of ${name} was ended: ${outcome}`),
      () => world.note('faults', `the session of ${name} could not be ended`),
    );
  }
}
