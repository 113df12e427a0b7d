/**
 * The controller: one broker, elected in ZooKeeper, that decides who leads which partition and tells the others.
 *
 * Every broker runs this class; at most one is in office. Everything happens in events, one at a time (`ControllerEventManager`);
 * coming to office is `#onControllerFailover`, leaving it `#onControllerResignation`. Every write is fenced by
 * /controller_epoch: a ControllerMovedError in any event ends the office.
 *
 * Differences from Apache Kafka: requests that no longer fit the queue are refused; a broker whose channel overflows is told
 * everything anew; after an unexpected failure to come to office the node is given up only after a pause.
 * Source: kafka.controller.KafkaController.
 */
import type { ControllerAnswer } from '../../introspection/answers/controller.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { AllocateProducerIdsRequest, AllocateProducerIdsResponseInput } from '../../protocol/generated/allocate-producer-ids.ts';
import type { AlterPartitionRequest, AlterPartitionResponseInput } from '../../protocol/generated/alter-partition.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { sleep, type Cancellable } from '../../runtime/scheduler.ts';
import type { BrokerInfo } from '../zk/broker-info.ts';
import type { KafkaZkClient } from '../zk/kafka-zk-client.ts';
import { ControllerMovedError } from '../zk/zk-errors.ts';
import { processAlterPartition } from './alter-partition.ts';
import { BrokerChangeProcessor } from './broker-change-processor.ts';
import type { ClusterEventSink, TimedClusterEvent } from './cluster-events.ts';
import { doControlledShutdown } from './controlled-shutdown.ts';
import type { ControllerNetworkClient } from './controller-channel-manager.ts';
import { ControllerEventManager, type ControllerEvent } from './controller-event-manager.ts';
import { readClusterAndStart } from './controller-failover.ts';
import { ControllerMetrics } from './controller-metrics.ts';
import type { ControllerConfig, ControllerParts } from './controller-parts.ts';
import { ControllerZkWatches, type WatchedEvents } from './controller-zk-watches.ts';
import { createControllerParts, type ControllerReactions } from './create-controller-parts.ts';
import { describeController } from './describe-controller.ts';
import { processFeatureUpdates, type FeatureUpdate, type FeatureUpdateResult } from './feature-updates.ts';
import { processDeletionResponse, processIsrChangeNotification, processLogDirEvents } from './notification-processor.ts';
import {
  PartitionReassignments,
  type OngoingReassignment,
  type ReassignmentResult,
  type RequestedReassignment,
} from './partition-reassignments.ts';
import { ReplicaElections, type ElectionType, type ReplicaElectionResult } from './replica-elections.ts';
import { TopicChangeProcessor } from './topic-change-processor.ts';

/** First look at the balance of leaders after the election. */
const FIRST_REBALANCE_DELAY_MS = 5000;
/** Pause before office is given up after an unexpected failure: else an error that stays would make elections spin. */
const FAILED_FAILOVER_BACKOFF_MS = 500;
const REGISTER_RETRY_MS = 1000;

export interface KafkaControllerOptions {
  readonly config: ControllerConfig;
  readonly zk: KafkaZkClient;
  readonly runtime: Pick<Runtime, 'clock' | 'scheduler' | 'random' | 'logger' | 'metrics'>;
  /** A client of the controller's own, with one request in flight per node; closed with the controller. */
  readonly networkClient: ControllerNetworkClient;
  /** What the broker registers: asked again when a new session needs a new registration. */
  readonly brokerInfo: () => BrokerInfo;
  /** Of the registration made before `startup`. */
  readonly initialBrokerEpoch: number;
  /** Told each new broker epoch (after a new session). */
  readonly onBrokerEpoch?: (brokerEpoch: number) => void;
  readonly eventSink?: ClusterEventSink;
  readonly maxQueuedEvents?: number;
  /** Requests that may wait for one broker before it is told everything anew. */
  readonly maxQueuedRequests?: number;
}

export class KafkaController {
  readonly #options: KafkaControllerOptions;
  readonly #eventManager: ControllerEventManager;
  readonly #parts: ControllerParts;
  readonly #brokerChanges: BrokerChangeProcessor;
  readonly #topicChanges: TopicChangeProcessor;
  readonly #elections: ReplicaElections;
  readonly #reassignments: PartitionReassignments;
  readonly #watches: ControllerZkWatches;
  readonly #metrics: ControllerMetrics;
  #brokerEpoch: number;
  #activeControllerId = -1;
  #inOffice = false;
  /** Wall clock of the election. */
  #activeSinceMs: number | undefined;
  #rebalanceTimer: Cancellable | undefined;

  constructor(options: KafkaControllerOptions) {
    const { config, runtime, zk } = options;
    const { clock, scheduler, metrics } = runtime;
    this.#options = options;
    this.#brokerEpoch = options.initialBrokerEpoch;
    const logger = runtime.logger.child({ component: 'KafkaController', brokerId: config.brokerId });
    const { maxQueuedEvents, maxQueuedRequests, eventSink } = options;
    this.#eventManager = new ControllerEventManager({
      clock,
      scheduler,
      logger,
      metrics,
      ...(maxQueuedEvents === undefined ? {} : { maxQueuedEvents }),
    });
    this.#watches = new ControllerZkWatches(zk.session, (event) => void this.#eventManager.put(event), this.#watchedEvents());
    this.#parts = createControllerParts({
      config,
      zk,
      runtime,
      networkClient: options.networkClient,
      watches: this.#watches,
      logger,
      ...(eventSink === undefined ? {} : { eventSink }),
      ...(maxQueuedRequests === undefined ? {} : { maxQueuedRequests }),
      reactions: this.#reactions(),
    });
    this.#metrics = new ControllerMetrics(metrics, { isActive: () => this.isActive, counts: () => this.#parts.context.counts() });
    const lookAtReassignments = (): void => void this.#eventManager.put(this.#watchedEvents().partitionReassignment());
    this.#reassignments = new PartitionReassignments(this.#parts, this.#watches, lookAtReassignments);
    this.#brokerChanges = new BrokerChangeProcessor(this.#parts, this.#reassignments);
    this.#topicChanges = new TopicChangeProcessor(this.#parts, runtime.random);
    this.#elections = new ReplicaElections(this.#parts);
  }

  /** Whether this broker is the controller and has come to office. */
  get isActive(): boolean {
    return this.#inOffice;
  }

  /** The controller as this broker last saw it in ZooKeeper, -1 for none. */
  get activeControllerId(): number {
    return this.#activeControllerId;
  }

  /** Epoch of this controller; 0 while not in office. */
  get epoch(): number {
    return this.#parts.context.epoch;
  }

  /** Current epoch of this broker's registration. */
  get brokerEpoch(): number {
    return this.#brokerEpoch;
  }

  /** Events processed or waiting right now; for tests and introspection. */
  get isIdle(): boolean {
    return this.#eventManager.state === 'Idle' && this.#eventManager.queueSize === 0;
  }

  /** Takes part in elections from now on. The broker is registered already. */
  startup(): void {
    this.#options.zk.session.registerStateChangeHandler({
      name: 'controller-state-change-handler',
      beforeInitializingSession: () =>
        this.#eventManager.clearAndPut(this.#event('Expire', () => this.#resign('the ZooKeeper session expired'))),
      afterInitializingSession: () => this.#putRegisterBrokerAndReelect(),
    });
    void this.#eventManager.put(
      this.#event('Startup', async () => {
        await this.#watches.watchController();
        await this.#elect();
      }),
    );
    this.#eventManager.start();
  }

  /** Leaves office if in it; the ZooKeeper session, whose end lets another be elected, is the owner's to close. */
  async shutdown(): Promise<void> {
    this.#options.zk.session.unregisterStateChangeHandler('controller-state-change-handler');
    this.#watches.unwatchController();
    // The event in process may wait for a ZooKeeper that is away.
    this.#options.zk.session.stopWaiting();
    await this.#eventManager.close();
    this.#resign('the broker is shutting down');
    await this.#parts.channelManager.shutdown();
    this.#metrics.remove();
  }

  // Requests

  /** Resolves with the partitions the broker still leads; rejects with KafkaError NOT_CONTROLLER, STALE_BROKER_EPOCH, BROKER_NOT_AVAILABLE. */
  controlledShutdown(brokerId: number, brokerEpoch: number): Promise<readonly TopicPartition[]> {
    return this.#request('ControlledShutdown', 'ControlledShutdown', () => doControlledShutdown(this.#parts, brokerId, brokerEpoch));
  }

  /** Never rejects: errors are in the response. */
  async alterPartition(request: AlterPartitionRequest, version: number): Promise<AlterPartitionResponseInput> {
    try {
      return await this.#request('AlterPartition', 'IsrChange', async () => {
        const response = await processAlterPartition(this.#parts, request, version);
        this.#completeReassignmentsLater();
        return response;
      });
    } catch (error) {
      return { throttleTimeMs: 0, errorCode: codeOf(error), topics: [] };
    }
  }

  /** Never rejects: errors are in the response. */
  async allocateProducerIds({ brokerId, brokerEpoch }: AllocateProducerIdsRequest): Promise<AllocateProducerIdsResponseInput> {
    try {
      const block = await this.#request('AllocateProducerIds', 'Idle', () => {
        const known = this.#parts.context.brokerEpoch(brokerId);
        if (known === undefined) throw new KafkaError(ErrorCode.BROKER_ID_NOT_REGISTERED);
        if (known !== brokerEpoch) throw new KafkaError(ErrorCode.STALE_BROKER_EPOCH);
        return this.#options.zk.takeProducerIdBlock(brokerId);
      });
      const length = block.lastProducerId - block.firstProducerId + 1;
      return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerIdStart: block.firstProducerId, producerIdLen: length };
    } catch (error) {
      return { throttleTimeMs: 0, errorCode: codeOf(error), producerIdStart: 0, producerIdLen: 0 };
    }
  }

  /** Elections by request; without `partitions`, of all. Rejects with KafkaError NOT_CONTROLLER. */
  electLeaders(partitions: readonly TopicPartition[] | undefined, type: ElectionType): Promise<readonly ReplicaElectionResult[]> {
    return this.#request('ReplicaLeaderElection', 'ManualLeaderBalance', () =>
      this.#elections.electLeaders(partitions ?? [...this.#parts.context.allPartitions()], type, 'admin'),
    );
  }

  /** Starts, changes or gives up reassignments; results per partition. Rejects with KafkaError NOT_CONTROLLER. */
  alterPartitionReassignments(requested: readonly RequestedReassignment[]): Promise<readonly ReassignmentResult[]> {
    return this.#request('ApiPartitionReassignment', 'AlterPartitionReassignment', () => this.#reassignments.alter(requested));
  }

  /** Those under way; `asked` restricts them. Rejects with KafkaError NOT_CONTROLLER. */
  listPartitionReassignments(asked?: readonly TopicPartition[]): Promise<readonly OngoingReassignment[]> {
    return this.#request('ListPartitionReassignments', 'ListPartitionReassignment', () => this.#reassignments.list(asked));
  }

  /** Changes finalized features; results per feature. Rejects with KafkaError NOT_CONTROLLER. */
  updateFeatures(updates: readonly FeatureUpdate[]): Promise<readonly FeatureUpdateResult[]> {
    const supported = this.#options.brokerInfo().features;
    return this.#request('UpdateFeatures', 'UpdateFeatures', () => processFeatureUpdates(this.#parts, supported, updates));
  }

  /** unclean.leader.election.enable became true for the broker, or for `topic`: partitions without a leader may have one now. */
  enableUncleanLeaderElection(topic?: string): void {
    const state = topic === undefined ? 'UncleanLeaderElectionEnable' : 'TopicUncleanLeaderElectionEnable';
    const name = topic === undefined ? state : `${state} ${topic}`;
    void this.#eventManager.put(
      this.#officeEvent(name, state, async () => {
        await this.#parts.partitionStateMachine.triggerOnlinePartitionStateChange(topic);
      }),
    );
  }

  isTopicQueuedForDeletion(topic: string): boolean {
    return this.#parts.topicDeletionManager.isTopicQueuedUpForDeletion(topic);
  }

  /** The last changes this controller made, oldest first. */
  recentEvents(): readonly TimedClusterEvent[] {
    return this.#parts.stateChangeLogger.recentEvents();
  }

  /** A picture of the controller for introspection; of reassignments and deletions at most `max` each. */
  describe(max = 1000): ControllerAnswer {
    const { context, channelManager, config } = this.#parts;
    return describeController({
      brokerId: config.brokerId,
      nowMs: this.#options.runtime.clock.wallMs(),
      isActive: this.isActive,
      activeControllerId: this.#activeControllerId,
      activeSinceMs: this.#activeSinceMs,
      eventManager: this.#eventManager,
      context,
      channelManager,
      max,
    });
  }

  // Office

  async #elect(): Promise<void> {
    const { zk, config, logger, context } = this.#parts;
    this.#activeControllerId = (await zk.controller.getControllerId()) ?? -1;
    if (this.#activeControllerId !== -1) return;
    try {
      const { epoch, epochZkVersion } = await zk.controller.elect(config.brokerId);
      context.epoch = epoch;
      context.epochZkVersion = epochZkVersion;
      this.#activeControllerId = config.brokerId;
      this.#inOffice = true;
      this.#activeSinceMs = this.#options.runtime.clock.wallMs();
      this.#parts.stateChangeLogger.record({
        kind: 'controller-elected',
        brokerId: config.brokerId,
        controllerEpoch: epoch,
        reason: 'there was no controller and it was the first to create /controller',
      });
      await this.#onControllerFailover();
    } catch (error) {
      if (error instanceof ControllerMovedError) {
        await this.#maybeResign();
        logger.info(`broker ${this.#activeControllerId} was elected controller instead of this one`);
      } else {
        logger.error({ err: error }, 'coming to office failed: giving it up');
        await this.#triggerControllerMove();
      }
    }
  }

  /** Coming to office, once elected. */
  async #onControllerFailover(): Promise<void> {
    const { clock } = this.#options.runtime;
    const startedAtMs = clock.monotonicMs();
    const preferredElectionRequested = await this.#watches.watchOffice();
    const awayUnseen = await readClusterAndStart(this.#parts, this.#topicChanges);
    await this.#brokerChanges.processAwayUnseen(awayUnseen);
    const { context, logger } = this.#parts;
    logger.info(
      `controller of epoch ${context.epoch} is ready after ${Math.round(clock.monotonicMs() - startedAtMs)} ms: ${context.allTopics.size} topics`,
    );
    await this.#reassignments.resumeAll();
    await this.#parts.topicDeletionManager.tryTopicDeletion();
    if (preferredElectionRequested) await this.#elections.processPreferredReplicaElectionZNode();
    if (this.#options.config.autoLeaderRebalanceEnable) this.#scheduleRebalance(FIRST_REBALANCE_DELAY_MS);
  }

  /** Leaving office: watches, timers, channels and what was known go. */
  #onControllerResignation(): void {
    this.#watches.unwatchOffice();
    this.#rebalanceTimer?.cancel();
    this.#rebalanceTimer = undefined;
    this.#parts.channelManager.removeAllBrokers();
    this.#parts.batch.clear();
    this.#parts.context.reset();
  }

  /** Leaves office in memory; does nothing when not in it. */
  #resign(reason: string): void {
    const { context, config, stateChangeLogger } = this.#parts;
    this.#activeControllerId = -1;
    if (!this.#inOffice) return;
    this.#inOffice = false;
    this.#activeSinceMs = undefined;
    stateChangeLogger.record({ kind: 'controller-resigned', brokerId: config.brokerId, controllerEpoch: context.epoch, reason });
    this.#onControllerResignation();
  }

  /** Looks who is controller; leaves office when it is someone else. */
  async #maybeResign(): Promise<void> {
    await this.#watches.watchController();
    const controllerId = (await this.#options.zk.controller.getControllerId()) ?? -1;
    const { brokerId } = this.#options.config;
    if (controllerId !== brokerId) this.#resign(controllerId === -1 ? '/controller is gone' : `broker ${controllerId} is the controller`);
    this.#activeControllerId = controllerId;
  }

  /** Gives office up, in ZooKeeper too, so that another election takes place. */
  async #triggerControllerMove(): Promise<void> {
    const { zk, context, logger } = this.#parts;
    const { epochZkVersion } = context;
    if (!this.#inOffice) return;
    this.#resign('coming to office failed');
    await sleep(this.#options.runtime.scheduler, FAILED_FAILOVER_BACKOFF_MS);
    try {
      await zk.controller.resign(epochZkVersion);
    } catch (error) {
      if (!(error instanceof ControllerMovedError)) throw error;
      logger.warn('another controller was elected meanwhile');
    }
  }

  async #registerBrokerAndReelect(): Promise<void> {
    try {
      this.#brokerEpoch = await this.#options.zk.brokers.register(this.#options.brokerInfo());
    } catch (error) {
      // An unregistered broker serves nobody: there is nothing better to do than to try again.
      this.#parts.logger.error({ err: error }, 'registering in the new ZooKeeper session failed; trying again');
      this.#options.runtime.scheduler.after(REGISTER_RETRY_MS, () => this.#putRegisterBrokerAndReelect());
      return;
    }
    this.#options.onBrokerEpoch?.(this.#brokerEpoch);
    await this.#maybeResign();
    await this.#elect();
  }

  #putRegisterBrokerAndReelect(): void {
    void this.#eventManager.put(this.#event('RegisterBrokerAndReelect', () => this.#registerBrokerAndReelect(), true));
  }

  #scheduleRebalance(delayMs: number): void {
    this.#rebalanceTimer = this.#options.runtime.scheduler.after(delayMs, () => {
      const rebalance = this.#officeEvent('AutoPreferredReplicaLeaderElection', 'AutoLeaderBalance', async () => {
        try {
          await this.#elections.rebalanceLeaders();
        } finally {
          if (this.#inOffice) this.#scheduleRebalance(this.#options.config.leaderImbalanceCheckIntervalSeconds * 1000);
        }
      });
      void this.#eventManager.put(rebalance);
    });
  }

  // Events

  /** What ZooKeeper's watches lead to. */
  #watchedEvents(): WatchedEvents {
    return {
      controllerChange: () =>
        this.#event(
          'ControllerChange',
          async () => {
            await this.#maybeResign();
            // Its end came before this look at it, which arms the watch again: nothing else would tell of it. Kafka waits for another broker.
            if (this.#activeControllerId === -1) await this.#elect();
          },
          true,
        ),
      reelect: () =>
        this.#event('Reelect', async () => {
          await this.#maybeResign();
          await this.#elect();
        }),
      brokerChange: () => this.#officeEvent('BrokerChange', 'BrokerChange', () => this.#brokerChanges.processBrokerChange()),
      brokerModifications: (id) =>
        this.#officeEvent(`BrokerModifications ${id}`, 'BrokerChange', () => this.#brokerChanges.processBrokerModification(id)),
      topicChange: () => this.#officeEvent('TopicChange', 'TopicChange', () => this.#topicChanges.processTopicChange()),
      partitionModifications: (topic) =>
        this.#officeEvent(`PartitionModifications ${topic}`, 'TopicChange', () => this.#topicChanges.processPartitionModifications(topic)),
      topicDeletion: () =>
        this.#officeEvent('TopicDeletion', 'TopicDeletion', async () => {
          const reassignmentsEnded = await this.#topicChanges.processTopicDeletion();
          if (reassignmentsEnded) void this.#eventManager.put(this.#watchedEvents().partitionReassignment());
        }),
      preferredReplicaElection: () =>
        this.#officeEvent('ReplicaLeaderElection by znode', 'ManualLeaderBalance', async () => {
          if (await this.#watches.watchPreferredReplicaElection()) await this.#elections.processPreferredReplicaElectionZNode();
        }),
      partitionReassignment: () =>
        this.#officeEvent('ZkPartitionReassignment', 'AlterPartitionReassignment', async () => {
          await this.#reassignments.processZNode();
        }),
      isrChangeNotification: () =>
        this.#officeEvent('IsrChangeNotification', 'IsrChange', async () => {
          await processIsrChangeNotification(this.#parts);
          this.#completeReassignmentsLater();
        }),
      logDirEvent: () =>
        this.#officeEvent('LogDirEventNotification', 'LogDirChange', () => processLogDirEvents(this.#parts, this.#brokerChanges)),
    };
  }

  /** In an event of its own: whoever asked for the ISR change is answered first, and many changes are looked at once. */
  #completeReassignmentsLater(): void {
    if (this.#parts.context.partitionsBeingReassigned.size === 0) return;
    const process = (): Promise<void> => this.#reassignments.completeWhatIsInSync();
    void this.#eventManager.put(this.#officeEvent('PartitionReassignmentIsrChange', 'AlterPartitionReassignment', process));
  }

  /** What brokers' answers lead to: each is an event of its own. */
  #reactions(): ControllerReactions {
    const put = (event: ControllerEvent): void => void this.#eventManager.put({ ...event, coalesce: false });
    return {
      onLeaderAndIsrResponse: (response, brokerId, brokerEpoch) => {
        const process = (): Promise<void> => this.#brokerChanges.processLeaderAndIsrResponse(response, brokerId, brokerEpoch);
        put(this.#officeEvent('LeaderAndIsrResponseReceived', 'LeaderAndIsrResponseReceived', process));
      },
      onDeletionResponse: (response, brokerId, brokerEpoch, deleted) => {
        const process = (): Promise<void> => processDeletionResponse(this.#parts, response, brokerId, brokerEpoch, deleted);
        put(this.#officeEvent('TopicDeletionStopReplicaResponseReceived', 'TopicDeletion', process));
      },
      onChannelOverflow: (brokerId) => {
        put(this.#officeEvent(`ChannelOverflow ${brokerId}`, 'BrokerChange', () => this.#brokerChanges.resendEverything(brokerId)));
      },
      onUncleanElection: () => this.#metrics.uncleanLeaderElections.add(),
    };
  }

  #event(name: string, process: () => Promise<void> | void, coalesce = false): ControllerEvent {
    return { name, state: 'ControllerChange', coalesce, process };
  }

  /** An event that concerns the controller in office only, and that is one however often it waits. */
  #officeEvent(name: string, state: ControllerEvent['state'], process: () => Promise<void>): ControllerEvent {
    return { name, state, coalesce: true, process: () => this.#inOfficeOnly(name, process) };
  }

  async #inOfficeOnly<T>(name: string, process: () => Promise<T>): Promise<T | undefined> {
    if (!this.#inOffice) return undefined;
    try {
      return await process();
    } catch (error) {
      if (!(error instanceof ControllerMovedError)) throw error;
      this.#parts.logger.info({ err: error }, `the controller moved to another broker during ${name}`);
      await this.#maybeResign();
      return undefined;
    }
  }

  /** Runs `process` as an event; rejects with KafkaError NOT_CONTROLLER when this broker is not, or stops being, the controller. */
  #request<T>(name: string, state: ControllerEvent['state'], process: () => Promise<T> | T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const preempt = (): void => reject(new KafkaError(ErrorCode.NOT_CONTROLLER));
      const event: ControllerEvent = {
        name,
        state,
        preempt,
        process: () =>
          this.#inOfficeOnly(name, async () => {
            resolve(await process());
          }).then(preempt, (error: unknown) => {
            reject(error instanceof Error ? error : new Error(String(error)));
            if (!(error instanceof KafkaError)) throw error;
          }),
      };
      void this.#eventManager.put(event);
    });
  }
}

function codeOf(error: unknown): number {
  return error instanceof KafkaError ? error.code : ErrorCode.UNKNOWN_SERVER_ERROR;
}
