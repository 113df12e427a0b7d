/**
 * Whether this broker may have been deposed without having heard of it: it has no connection to ZooKeeper, or its session has expired
 * and the controller has not spoken to the registration that followed, or its process was held up for so long that its session may have
 * expired, and ZooKeeper has not answered since. A process that was frozen for longer than its session wakes up like this, and goes on as
 * the leader that it was for some tens of milliseconds; in the first of them its connection still looks whole.
 *
 * Nothing is refused for it, since a cluster goes on while ZooKeeper is away. It only decides what an error may be taken for
 * (`Partition.appendRecordsToLeader`). Apache Kafka has no such thing.
 */
import type { Runtime } from '../../runtime/runtime.ts';
import type { Cancellable } from '../../runtime/scheduler.ts';

export interface LeadershipDoubtOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'scheduler'>;
  /** zookeeper.session.timeout.ms */
  readonly sessionTimeoutMs: number;
  readonly isConnectedToZooKeeper: () => boolean;
  /** Settles once ZooKeeper has answered in the session that there is then, or when there will be no answer. */
  readonly askZooKeeper: () => Promise<unknown>;
  readonly brokerEpoch: () => number;
}

const UNKNOWN_BROKER_EPOCH = -1;

export class LeadershipDoubt {
  readonly #options: LeadershipDoubtOptions;
  /** Of the registration that went with its session; undefined when the controller knows of a later one. */
  #lapsedBrokerEpoch: number | undefined;
  #ticking: Cancellable | undefined;
  #tickedAtMs = 0;
  /** Questions to ZooKeeper that followed from being held up, and are not answered. */
  #unanswered = 0;

  constructor(options: LeadershipDoubtOptions) {
    this.#options = options;
  }

  get mayBeDeposed(): boolean {
    return !this.#options.isConnectedToZooKeeper() || this.#lapsedBrokerEpoch !== undefined || this.#unanswered > 0 || this.#isHeldUp;
  }

  /**
   * A client of ZooKeeper pings after a third of the session time-out: being held up for less than the other two never costs a session.
   * The wake-up's first events may come before its timers, so this doesn't wait for the next tick.
   */
  get #isHeldUp(): boolean {
    const { runtime, sessionTimeoutMs } = this.#options;
    return this.#ticking !== undefined && runtime.clock.monotonicMs() - this.#tickedAtMs >= sessionTimeoutMs / 3;
  }

  startup(): void {
    const { runtime, sessionTimeoutMs } = this.#options;
    this.#tickedAtMs = runtime.clock.monotonicMs();
    this.#ticking = runtime.scheduler.every(Math.max(1, sessionTimeoutMs / 6), () => this.#tick());
  }

  #tick(): void {
    const { runtime, askZooKeeper } = this.#options;
    if (this.#isHeldUp) {
      this.#unanswered++;
      const answered = (): void => {
        this.#unanswered--;
      };
      askZooKeeper().then(answered, answered);
    }
    this.#tickedAtMs = runtime.clock.monotonicMs();
  }

  close(): void {
    this.#ticking?.cancel();
    this.#ticking = undefined;
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
