/**
 * Whether this broker may have been deposed without having heard of it: it has no connection to ZooKeeper, or its session has expired
 * and the controller has not spoken to the registration that followed. A process that was frozen for longer than its session wakes up
 * like this, and goes on as the leader that it was for some tens of milliseconds.
 *
 * Nothing is refused for it, since a cluster goes on while ZooKeeper is away. It only decides what an error may be taken for
 * (`Partition.appendRecordsToLeader`). Apache Kafka has no such thing.
 */
export interface LeadershipDoubtOptions {
  readonly isConnectedToZooKeeper: () => boolean;
  readonly brokerEpoch: () => number;
}

const UNKNOWN_BROKER_EPOCH = -1;

export class LeadershipDoubt {
  readonly #options: LeadershipDoubtOptions;
  /** Of the registration that went with its session; undefined when the controller knows of a later one. */
  #lapsedBrokerEpoch: number | undefined;

  constructor(options: LeadershipDoubtOptions) {
    this.#options = options;
  }

  get mayBeDeposed(): boolean {
    return !this.#options.isConnectedToZooKeeper() || this.#lapsedBrokerEpoch !== undefined;
  }

  onSessionExpired(): void {
    this.#lapsedBrokerEpoch = this.#options.brokerEpoch();
  }

  /** A LeaderAndIsr for `brokerEpoch` was carried out. What the controller sent to the lapsed registration may arrive late, and says nothing. */
  onLeaderAndIsr(brokerEpoch: number): void {
    if (this.#lapsedBrokerEpoch === undefined) return;
    if (brokerEpoch === UNKNOWN_BROKER_EPOCH || brokerEpoch > this.#lapsedBrokerEpoch) this.#lapsedBrokerEpoch = undefined;
  }
}
