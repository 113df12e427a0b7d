/**
 * /controller and /controller_epoch: election, and the notifications and requests that only the controller reads.
 *
 * An election is one transaction: create the ephemeral /controller, set /controller_epoch to the next number against the version
 * read. Who fails lost. The version after it is the fence of every later write. Source: KafkaZkClient.registerControllerAndIncrementControllerEpoch.
 */
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { fencedDeletes, fencedWrite, throwUnless } from './controller-fence.ts';
import {
  decodeController,
  decodeControllerEpoch,
  decodeFeatures,
  decodeLogDirEvent,
  decodePartitionList,
  decodeReassignments,
  encodeController,
  encodeControllerEpoch,
  encodeFeatures,
  encodeLogDirEvent,
  encodeReassignments,
  type FeatureNode,
  type PartitionReassignment,
} from './zk-data.ts';
import { ControllerMovedError } from './zk-errors.ts';
import { createOp, deleteOp, isZooKeeperError, setDataOp, statOf } from './zk-ops.ts';
import { LOG_DIR_EVENT_PREFIX, ZkPaths } from './zk-paths.ts';
import type { ZooKeeperSession } from './zookeeper-session.ts';

const INITIAL_CONTROLLER_EPOCH = 0;

export interface ControllerEpoch {
  readonly epoch: number;
  /** Version of /controller_epoch. */
  readonly epochZkVersion: number;
}

export class ControllerZNodes {
  readonly #session: ZooKeeperSession;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(session: ZooKeeperSession, clock: Clock, logger: Logger) {
    this.#session = session;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** The broker in office, or undefined. */
  async getControllerId(): Promise<number | undefined> {
    const found = await this.#session.getData(ZkPaths.controller);
    return found === undefined ? undefined : decodeController(ZkPaths.controller, found.data).brokerId;
  }

  async getEpoch(): Promise<ControllerEpoch | undefined> {
    const found = await this.#session.getData(ZkPaths.controllerEpoch);
    if (found === undefined) return undefined;
    return { epoch: decodeControllerEpoch(ZkPaths.controllerEpoch, found.data), epochZkVersion: found.stat.version };
  }

  /** Takes office. Rejects with ControllerMovedError when another broker was faster. */
  async elect(brokerId: number): Promise<ControllerEpoch> {
    const current = (await this.getEpoch()) ?? (await this.#createEpoch());
    const epoch = current.epoch + 1;
    try {
      const results = await this.#session.multi([
        createOp(ZkPaths.controller, encodeController(brokerId, this.#clock.wallMs()), 'ephemeral'),
        setDataOp(ZkPaths.controllerEpoch, encodeControllerEpoch(epoch), current.epochZkVersion),
      ]);
      return { epoch, epochZkVersion: statOf(results[1]).version };
    } catch (error) {
      if (!isZooKeeperError(error, 'NodeExists') && !isZooKeeperError(error, 'BadVersion')) throw error;
      return this.#checkElected(brokerId, epoch);
    }
  }

  /** After a lost race, or a transaction whose answer was lost with the connection: were we elected after all? */
  async #checkElected(brokerId: number, epoch: number): Promise<ControllerEpoch> {
    const [registration, current] = await Promise.all([this.#session.getData(ZkPaths.controller), this.getEpoch()]);
    const ours = this.#session.session()?.id;
    if (
      registration !== undefined &&
      current?.epoch === epoch &&
      decodeController(ZkPaths.controller, registration.data).brokerId === brokerId &&
      ours !== undefined &&
      registration.stat.ephemeralOwner.equals(ours)
    ) {
      return current;
    }
    throw new ControllerMovedError('another broker was elected controller');
  }

  async #createEpoch(): Promise<ControllerEpoch> {
    try {
      await this.#session.create(ZkPaths.controllerEpoch, encodeControllerEpoch(INITIAL_CONTROLLER_EPOCH));
      return { epoch: INITIAL_CONTROLLER_EPOCH, epochZkVersion: 0 };
    } catch (error) {
      if (!isZooKeeperError(error, 'NodeExists')) throw error;
      const existing = await this.getEpoch();
      if (existing === undefined) throw new Error(`${ZkPaths.controllerEpoch} exists and can't be read`, { cause: error });
      return existing;
    }
  }

  /** Leaves office so that another election takes place; ControllerMovedError when another has it already. */
  async resign(epochZkVersion: number): Promise<void> {
    throwUnless([await fencedWrite(this.#session, epochZkVersion, deleteOp(ZkPaths.controller))], 'NoNode');
  }

  // Requests and notifications that others leave

  getTopicDeletions(): Promise<readonly string[]> {
    return this.#session.getChildren(ZkPaths.deleteTopics);
  }

  async deleteTopicDeletions(topics: readonly string[], epochZkVersion: number): Promise<void> {
    await fencedDeletes(
      this.#session,
      epochZkVersion,
      topics.map((topic) => ZkPaths.deleteTopic(topic)),
    );
  }

  async getPreferredReplicaElection(): Promise<readonly TopicPartition[]> {
    const path = ZkPaths.preferredReplicaElection;
    const found = await this.#session.getData(path);
    return found === undefined ? [] : this.#decodeOr([], () => decodePartitionList(path, found.data));
  }

  async deletePreferredReplicaElection(epochZkVersion: number): Promise<void> {
    await fencedDeletes(this.#session, epochZkVersion, [ZkPaths.preferredReplicaElection]);
  }

  /** undefined when there is no such znode; none when it can't be read. */
  async findReassignments(): Promise<readonly PartitionReassignment[] | undefined> {
    const found = await this.#session.getData(ZkPaths.reassignPartitions);
    return found === undefined ? undefined : this.#decodeOr([], () => decodeReassignments(ZkPaths.reassignPartitions, found.data));
  }

  /** Leaves only `reassignments` asked for; with none, the znode goes. */
  async setReassignments(reassignments: readonly PartitionReassignment[], epochZkVersion: number): Promise<void> {
    const path = ZkPaths.reassignPartitions;
    if (reassignments.length === 0) return fencedDeletes(this.#session, epochZkVersion, [path]);
    const op = setDataOp(path, encodeReassignments(reassignments), -1);
    throwUnless([await fencedWrite(this.#session, epochZkVersion, op)], 'NoNode');
  }

  /** Names of the notifications under /isr_change_notification, which brokers without AlterPartition leave. */
  getIsrChangeNotifications(): Promise<readonly string[]> {
    return this.#session.getChildren(ZkPaths.isrChangeNotifications);
  }

  async getPartitionsOfIsrChanges(names: readonly string[]): Promise<readonly TopicPartition[]> {
    const lists = await this.#session.pipelined(names, async (name) => {
      const path = ZkPaths.isrChangeNotification(name);
      const found = await this.#session.getData(path);
      return found === undefined ? [] : this.#decodeOr([], () => decodePartitionList(path, found.data));
    });
    return lists.flat();
  }

  async deleteIsrChangeNotifications(names: readonly string[], epochZkVersion: number): Promise<void> {
    await fencedDeletes(
      this.#session,
      epochZkVersion,
      names.map((name) => ZkPaths.isrChangeNotification(name)),
    );
  }

  /** Tells the controller, whoever it is, that a log dir of the broker has failed. */
  async propagateLogDirEvent(brokerId: number): Promise<void> {
    await this.#session.create(ZkPaths.logDirEvent(LOG_DIR_EVENT_PREFIX), encodeLogDirEvent(brokerId), 'persistent-sequential');
  }

  getLogDirEvents(): Promise<readonly string[]> {
    return this.#session.getChildren(ZkPaths.logDirEvents);
  }

  async getBrokersOfLogDirEvents(names: readonly string[]): Promise<readonly number[]> {
    const brokers = await this.#session.pipelined(names, async (name) => {
      const path = ZkPaths.logDirEvent(name);
      const found = await this.#session.getData(path);
      return found === undefined ? undefined : this.#decodeOr(undefined, () => decodeLogDirEvent(path, found.data));
    });
    return [...new Set(brokers.filter((broker) => broker !== undefined))];
  }

  async deleteLogDirEvents(names: readonly string[], epochZkVersion: number): Promise<void> {
    await fencedDeletes(
      this.#session,
      epochZkVersion,
      names.map((name) => ZkPaths.logDirEvent(name)),
    );
  }

  // /feature

  async getFeatures(): Promise<{ readonly node: FeatureNode; readonly version: number } | undefined> {
    const found = await this.#session.getData(ZkPaths.feature);
    return found === undefined ? undefined : { node: decodeFeatures(ZkPaths.feature, found.data), version: found.stat.version };
  }

  /** Makes /feature with feature versioning enabled where it is missing, and enables it where it is not. */
  async enableFeatureVersioning(): Promise<void> {
    const found = await this.getFeatures();
    if (found?.node.enabled === true) return;
    const data = encodeFeatures({ enabled: true, features: {} });
    try {
      if (found === undefined) await this.#session.create(ZkPaths.feature, data);
      else await this.#session.setData(ZkPaths.feature, data, found.version);
    } catch (error) {
      if (!isZooKeeperError(error, 'NodeExists') && !isZooKeeperError(error, 'BadVersion')) throw error;
      // It may be our own write, whose answer was lost with the connection.
      if ((await this.getFeatures())?.node.enabled !== true) throw error;
    }
  }

  /** Replaces the finalized features. */
  async setFeatures(features: Readonly<Record<string, number>>, epochZkVersion: number): Promise<void> {
    const op = setDataOp(ZkPaths.feature, encodeFeatures({ enabled: true, features }), -1);
    throwUnless([await fencedWrite(this.#session, epochZkVersion, op)]);
  }

  /** What others wrote and can't be read must not stop the controller. */
  #decodeOr<T>(fallback: T, decode: () => T): T {
    try {
      return decode();
    } catch (error) {
      this.#logger.error({ err: error }, 'ignoring a znode that cannot be read');
      return fallback;
    }
  }
}
