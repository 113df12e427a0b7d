/**
 * Which znodes the controller watches and which event each leads to.
 *
 * Every broker watches /controller; the rest is watched in office only. A watch is armed by reading the path: those on
 * children by the reads that the failover does anyway. Source: the handlers at the end of KafkaController.scala.
 */
import { ZkPaths } from '../zk/zk-paths.ts';
import type { ZooKeeperSession } from '../zk/zookeeper-session.ts';
import type { ControllerEvent } from './controller-event-manager.ts';
import type { ControllerWatches } from './controller-parts.ts';

export interface WatchedEvents {
  controllerChange(): ControllerEvent;
  reelect(): ControllerEvent;
  brokerChange(): ControllerEvent;
  brokerModifications(brokerId: number): ControllerEvent;
  topicChange(): ControllerEvent;
  partitionModifications(topic: string): ControllerEvent;
  topicDeletion(): ControllerEvent;
  preferredReplicaElection(): ControllerEvent;
  partitionReassignment(): ControllerEvent;
  isrChangeNotification(): ControllerEvent;
  logDirEvent(): ControllerEvent;
}

export class ControllerZkWatches implements ControllerWatches {
  readonly #session: ZooKeeperSession;
  readonly #put: (event: ControllerEvent) => void;
  readonly #events: WatchedEvents;
  readonly #topics = new Set<string>();
  readonly #brokers = new Set<number>();

  constructor(session: ZooKeeperSession, put: (event: ControllerEvent) => void, events: WatchedEvents) {
    this.#session = session;
    this.#put = put;
    this.#events = events;
  }

  /** Hears of every change of /controller from now on; resolves whether there is one. */
  watchController(): Promise<boolean> {
    return this.#session.registerZNodeChangeHandlerAndCheckExistence(ZkPaths.controller, {
      onCreated: () => this.#put(this.#events.controllerChange()),
      onDeleted: () => this.#put(this.#events.reelect()),
      onDataChanged: () => this.#put(this.#events.controllerChange()),
    });
  }

  unwatchController(): void {
    this.#session.unregisterZNodeChangeHandler(ZkPaths.controller);
  }

  /** What concerns the controller in office; resolves whether a preferred replica election was asked for. */
  watchOffice(): Promise<boolean> {
    const children: [string, () => ControllerEvent][] = [
      [ZkPaths.brokerIds, () => this.#events.brokerChange()],
      [ZkPaths.topics, () => this.#events.topicChange()],
      [ZkPaths.deleteTopics, () => this.#events.topicDeletion()],
      [ZkPaths.logDirEvents, () => this.#events.logDirEvent()],
      [ZkPaths.isrChangeNotifications, () => this.#events.isrChangeNotification()],
    ];
    for (const [path, event] of children) {
      this.#session.registerZNodeChildChangeHandler(path, { onChildrenChanged: () => this.#put(event()) });
    }
    return this.watchPreferredReplicaElection();
  }

  /** Resolves whether one is asked for now. Heard of its end too: the watch is to be armed again then. */
  watchPreferredReplicaElection(): Promise<boolean> {
    const look = (): void => this.#put(this.#events.preferredReplicaElection());
    return this.#session.registerZNodeChangeHandlerAndCheckExistence(ZkPaths.preferredReplicaElection, {
      onCreated: look,
      onDeleted: look,
    });
  }

  /** Resolves whether one is asked for now. Heard of its end too: the watch is to be armed again then. */
  watchPartitionReassignment(): Promise<boolean> {
    const look = (): void => this.#put(this.#events.partitionReassignment());
    return this.#session.registerZNodeChangeHandlerAndCheckExistence(ZkPaths.reassignPartitions, { onCreated: look, onDeleted: look });
  }

  unwatchOffice(): void {
    for (const path of [ZkPaths.brokerIds, ZkPaths.topics, ZkPaths.deleteTopics, ZkPaths.logDirEvents, ZkPaths.isrChangeNotifications]) {
      this.#session.unregisterZNodeChildChangeHandler(path);
    }
    this.#session.unregisterZNodeChangeHandler(ZkPaths.preferredReplicaElection);
    this.#session.unregisterZNodeChangeHandler(ZkPaths.reassignPartitions);
    this.unwatchPartitionModifications([...this.#topics]);
    this.unwatchBrokerModifications([...this.#brokers]);
  }

  watchPartitionModifications(topics: Iterable<string>): void {
    for (const topic of topics) {
      this.#topics.add(topic);
      const onDataChanged = (): void => this.#put(this.#events.partitionModifications(topic));
      this.#session.registerZNodeChangeHandler(ZkPaths.topic(topic), { onDataChanged });
    }
  }

  unwatchPartitionModifications(topics: Iterable<string>): void {
    for (const topic of topics) {
      this.#topics.delete(topic);
      this.#session.unregisterZNodeChangeHandler(ZkPaths.topic(topic));
    }
  }

  async watchBrokerModifications(brokerIds: readonly number[]): Promise<void> {
    for (const brokerId of brokerIds) {
      this.#brokers.add(brokerId);
      const onDataChanged = (): void => this.#put(this.#events.brokerModifications(brokerId));
      await this.#session.registerZNodeChangeHandlerAndCheckExistence(ZkPaths.brokerId(brokerId), { onDataChanged });
    }
  }

  unwatchBrokerModifications(brokerIds: Iterable<number>): void {
    for (const brokerId of brokerIds) {
      this.#brokers.delete(brokerId);
      this.#session.unregisterZNodeChangeHandler(ZkPaths.brokerId(brokerId));
    }
  }
}
