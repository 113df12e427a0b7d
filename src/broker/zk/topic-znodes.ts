/**
 * /brokers/topics: assignments, topic ids, partition states. The controller's writes are fenced by its epoch; reads of many
 * partitions are pipelined. Source: KafkaZkClient.
 */
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { Logger } from '../../runtime/logger.ts';
import { ZooKeeperError, type ZooKeeperOp, type ZooKeeperOpResult } from '../../zk-client/zookeeper-client.ts';
import { fencedDeletes, fencedWrite, fencedWrites, throwUnless } from './controller-fence.ts';
import type { LeaderAndIsr, LeaderIsrAndControllerEpoch } from './leader-and-isr.ts';
import { decodePartitionState, decodeTopic, encodePartitionState, encodeTopic, type TopicAssignment } from './zk-data.ts';
import { ControllerMovedError } from './zk-errors.ts';
import { createOp, isZooKeeperError, noNodeError, setDataOp } from './zk-ops.ts';
import { ZkPaths } from './zk-paths.ts';
import type { ZooKeeperSession } from './zookeeper-session.ts';

/** Changes of an assignment lost to a concurrent write are repeated so often. */
const MAX_ASSIGNMENT_ATTEMPTS = 100;

export interface UpdateLeaderAndIsrResult<P extends TopicPartition> {
  /** The state as written, its partitionEpoch the new version; or why it was not written. */
  readonly finished: ReadonlyMap<P, LeaderAndIsr | Error>;
  /** Their state had another version than the one expected. */
  readonly retry: readonly P[];
}

export interface NewPartitionState<P extends TopicPartition> {
  readonly partition: P;
  readonly state: LeaderIsrAndControllerEpoch;
}

export class TopicZNodes {
  readonly #session: ZooKeeperSession;
  readonly #logger: Logger;

  constructor(session: ZooKeeperSession, logger: Logger) {
    this.#session = session;
    this.#logger = logger;
  }

  getAllTopics(): Promise<readonly string[]> {
    return this.#session.getChildren(ZkPaths.topics);
  }

  async exists(topic: string): Promise<boolean> {
    return (await this.#session.exists(ZkPaths.topic(topic))) !== undefined;
  }

  async isMarkedForDeletion(topic: string): Promise<boolean> {
    return (await this.#session.exists(ZkPaths.deleteTopic(topic))) !== undefined;
  }

  /** Asks the controller to delete the topic; false when it was asked before. */
  async createDeleteTopicRequest(topic: string): Promise<boolean> {
    try {
      await this.#session.create(ZkPaths.deleteTopic(topic), null);
      return true;
    } catch (error) {
      if (isZooKeeperError(error, 'NodeExists')) return false;
      throw error;
    }
  }

  /** Assignments of `topics`; those that are gone or unreadable are left out, the latter with a line in the log. */
  async getAssignments(topics: readonly string[]): Promise<Map<string, TopicAssignment>> {
    const assignments = new Map<string, TopicAssignment>();
    await this.#session.pipelined(topics, async (topic) => {
      const path = ZkPaths.topic(topic);
      const found = await this.#session.getData(path);
      if (found === undefined) return;
      try {
        assignments.set(topic, decodeTopic(path, found.data));
      } catch (error) {
        this.#logger.error({ err: error }, `ignoring the assignment of topic ${topic}`);
      }
    });
    return assignments;
  }

  /** The topic's znode, which the controller then hears of. Rejects with ZooKeeperError NodeExists. */
  async createAssignment(topic: string, assignment: TopicAssignment): Promise<void> {
    try {
      await this.#session.create(ZkPaths.topic(topic), encodeTopic(assignment));
    } catch (error) {
      if (!isZooKeeperError(error, 'NodeExists') || assignment.topicId === undefined) throw error;
      // Ours after all, when the answer to the first attempt was lost with the connection.
      if ((await this.getAssignments([topic])).get(topic)?.topicId !== assignment.topicId) throw error;
    }
  }

  /** Replaces the assignment; with `epochZkVersion` as the controller. Rejects with ZooKeeperError NoNode. */
  async setAssignment(topic: string, assignment: TopicAssignment, epochZkVersion?: number): Promise<void> {
    const path = ZkPaths.topic(topic);
    const data = encodeTopic(assignment);
    if (epochZkVersion === undefined) await this.#session.setData(path, data, -1);
    else throwUnless([await fencedWrite(this.#session, epochZkVersion, setDataOp(path, data, -1))]);
  }

  /**
   * Changes assignments as the controller: each is read, changed by `change` and written against the version read, so that
   * partitions which somebody adds meanwhile are not lost. Returns the topics that failed (NoNode: the topic is gone).
   */
  async updateAssignments(
    topics: Iterable<string>,
    change: (topic: string, current: TopicAssignment) => TopicAssignment,
    epochZkVersion: number,
  ): Promise<Map<string, Error>> {
    const failures = new Map<string, Error>();
    await this.#session.pipelined([...topics], async (topic) => {
      try {
        await this.#updateAssignment(topic, (current) => change(topic, current), epochZkVersion);
      } catch (error) {
        if (error instanceof ControllerMovedError) throw error;
        failures.set(topic, error instanceof Error ? error : new Error(String(error)));
      }
    });
    return failures;
  }

  /**
   * Changes one assignment, with `epochZkVersion` as the controller. Rejects with ZooKeeperError NoNode, and with BadVersion when
   * others change it each time.
   */
  updateAssignment(topic: string, change: (current: TopicAssignment) => TopicAssignment): Promise<void> {
    return this.#updateAssignment(topic, change, undefined);
  }

  async #updateAssignment(
    topic: string,
    change: (current: TopicAssignment) => TopicAssignment,
    epochZkVersion: number | undefined,
  ): Promise<void> {
    const path = ZkPaths.topic(topic);
    for (let attempt = 1; ; attempt++) {
      const found = await this.#session.getData(path);
      if (found === undefined) throw noNodeError(path);
      const op = setDataOp(path, encodeTopic(change(decodeTopic(path, found.data))), found.stat.version);
      const result = epochZkVersion === undefined ? await this.#tryWrite(op) : await fencedWrite(this.#session, epochZkVersion, op);
      if (!(result instanceof ZooKeeperError)) return;
      if (result.name !== 'BadVersion' || attempt === MAX_ASSIGNMENT_ATTEMPTS) throw result;
    }
  }

  async #tryWrite(op: ZooKeeperOp): Promise<ZooKeeperOpResult | ZooKeeperError | undefined> {
    try {
      return (await this.#session.multi([op]))[0];
    } catch (error) {
      if (isZooKeeperError(error, 'BadVersion')) return error;
      throw error;
    }
  }

  /** Gives an id to topics from before Kafka 2.8. */
  async setTopicIds(assignments: ReadonlyMap<string, TopicAssignment>, epochZkVersion: number): Promise<void> {
    const ops = Array.from(assignments, ([topic, assignment]) => setDataOp(ZkPaths.topic(topic), encodeTopic(assignment), -1));
    throwUnless(await fencedWrites(this.#session, epochZkVersion, ops));
  }

  /** Numbers of the partitions that have a znode. */
  async getPartitionNumbers(topic: string): Promise<number[]> {
    return (await this.#session.getChildren(ZkPaths.topicPartitions(topic))).map(Number).filter(Number.isInteger);
  }

  /** Each partition's state; undefined when it has none, an Error when it can't be read. */
  async getPartitionStates<P extends TopicPartition>(
    partitions: readonly P[],
  ): Promise<Map<P, LeaderIsrAndControllerEpoch | Error | undefined>> {
    const states = await this.#session.pipelined(partitions, (partition) => this.#getPartitionState(partition));
    return new Map(partitions.map((partition, index) => [partition, states[index]]));
  }

  async #getPartitionState(partition: TopicPartition): Promise<LeaderIsrAndControllerEpoch | Error | undefined> {
    const path = ZkPaths.topicPartitionState(partition);
    const found = await this.#session.getData(path);
    if (found === undefined) return undefined;
    try {
      return { ...decodePartitionState(path, found.data, found.stat.version), mzxid: found.stat.mzxid };
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /**
   * Makes the znodes of new partitions; returns those that failed. A state that is there already as it should be (the answer to
   * an earlier attempt was lost with the connection) is a success.
   */
  async createPartitionStates<P extends TopicPartition>(
    states: readonly NewPartitionState<P>[],
    epochZkVersion: number,
  ): Promise<Map<P, Error>> {
    let failures = await this.#tryCreatePartitionStates(states, epochZkVersion);
    const mixedUp = states.filter(({ partition }) => isZooKeeperError(failures.get(partition), 'NoNode'));
    if (mixedUp.length > 0) {
      // A lost connection can put a child before its parent; the parents are there now, unless the topic is gone.
      const again = await this.#tryCreatePartitionStates(mixedUp, epochZkVersion);
      failures = new Map([...failures].filter(([, failure]) => !isZooKeeperError(failure, 'NoNode')).concat([...again]));
    }
    return failures;
  }

  /** All levels are sent without waiting for each other: the server does them in order, in few commits. */
  async #tryCreatePartitionStates<P extends TopicPartition>(
    states: readonly NewPartitionState<P>[],
    epochZkVersion: number,
  ): Promise<Map<P, Error>> {
    const topics = [...new Set(states.map(({ partition }) => partition.topic))];
    const parents = topics.map((topic) => createOp(ZkPaths.topicPartitions(topic), null));
    const nodes = states.map(({ partition }) => createOp(ZkPaths.topicPartition(partition), null));
    const leaves = states.map(({ partition, state }) => createOp(ZkPaths.topicPartitionState(partition), encodePartitionState(state)));
    const [parentResults, nodeResults, results] = await Promise.all(
      [parents, nodes, leaves].map((ops) => fencedWrites(this.#session, epochZkVersion, ops)),
    );
    throwUnless([...(parentResults ?? []), ...(nodeResults ?? [])], 'NodeExists', 'NoNode');
    const failures = new Map<P, Error>();
    for (const [index, entry] of states.entries()) {
      const result = results?.[index];
      if (!(result instanceof ZooKeeperError)) continue;
      if (result.name !== 'NodeExists' || !(await this.#isAsWritten(entry))) failures.set(entry.partition, result);
    }
    return failures;
  }

  async #isAsWritten({ partition, state }: NewPartitionState<TopicPartition>): Promise<boolean> {
    const found = await this.#session.getData(ZkPaths.topicPartitionState(partition));
    return found !== undefined && found.stat.version === 0 && found.data.equals(encodePartitionState(state));
  }

  /**
   * Writes each state against the version (`partitionEpoch`) that it was made from. One that is there already as the next version (the
   * answer to an earlier attempt was lost with the connection) is a success: the leader that asked for it would else wait for ever.
   */
  async updateLeaderAndIsr<P extends TopicPartition>(
    changes: ReadonlyMap<P, LeaderAndIsr>,
    controllerEpoch: number,
    epochZkVersion: number,
  ): Promise<UpdateLeaderAndIsrResult<P>> {
    const entries = [...changes];
    const ops = entries.map(([partition, leaderAndIsr]) =>
      setDataOp(
        ZkPaths.topicPartitionState(partition),
        encodePartitionState({ leaderAndIsr, controllerEpoch }),
        leaderAndIsr.partitionEpoch,
      ),
    );
    const results = await fencedWrites(this.#session, epochZkVersion, ops);
    const finished = new Map<P, LeaderAndIsr | Error>();
    const retry: P[] = [];
    for (const [index, [partition, leaderAndIsr]] of entries.entries()) {
      const result = results[index];
      if (result instanceof ZooKeeperError) {
        if (result.name !== 'BadVersion') finished.set(partition, result);
        else if (await this.#isWrittenAlready(partition, { leaderAndIsr, controllerEpoch }))
          finished.set(partition, { ...leaderAndIsr, partitionEpoch: leaderAndIsr.partitionEpoch + 1 });
        else retry.push(partition);
      } else if (result?.type === 'setData') {
        finished.set(partition, { ...leaderAndIsr, partitionEpoch: result.stat.version });
      }
    }
    return { finished, retry };
  }

  async #isWrittenAlready(partition: TopicPartition, state: LeaderIsrAndControllerEpoch): Promise<boolean> {
    const found = await this.#session.getData(ZkPaths.topicPartitionState(partition));
    return found?.stat.version === state.leaderAndIsr.partitionEpoch + 1 && found.data.equals(encodePartitionState(state));
  }

  /** Removes the topic's znode with all below it. */
  async deleteTopic(topic: string, epochZkVersion: number): Promise<void> {
    const partitions = (await this.getPartitionNumbers(topic)).map((partition) => ({ topic, partition }));
    const levels = [
      partitions.map((partition) => ZkPaths.topicPartitionState(partition)),
      partitions.map((partition) => ZkPaths.topicPartition(partition)),
      [ZkPaths.topicPartitions(topic)],
      [ZkPaths.topic(topic)],
    ];
    for (const paths of levels) await fencedDeletes(this.#session, epochZkVersion, paths);
  }
}
