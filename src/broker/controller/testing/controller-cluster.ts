/**
 * A cluster for tests of the controller: ZooKeeper in memory, real controllers, and brokers that only note what they are told
 * and answer as a healthy broker would (or as a test wants).
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { Api } from '../../../protocol/api.ts';
import { LeaderAndIsr, type LeaderAndIsrRequestInput } from '../../../protocol/generated/leader-and-isr.ts';
import { StopReplica, type StopReplicaRequestInput } from '../../../protocol/generated/stop-replica.ts';
import { UpdateMetadata, type UpdateMetadataRequestInput } from '../../../protocol/generated/update-metadata.ts';
import { Writer } from '../../../protocol/writer.ts';
import { MetricsRegistry } from '../../../runtime/metrics.ts';
import { nodeRandom } from '../../../runtime/node/node-random.ts';
import { silentLogger } from '../../../runtime/node/node-logger.ts';
import { ManualTime } from '../../../runtime/testing/manual-time.ts';
import { MemoryZooKeeper, type MemoryZooKeeperClient } from '../../../zk-client/testing/memory-zookeeper.ts';
import type { BrokerInfo } from '../../zk/broker-info.ts';
import { KafkaZkClient } from '../../zk/kafka-zk-client.ts';
import type { LeaderIsrAndControllerEpoch } from '../../zk/leader-and-isr.ts';
import { replicaAssignmentOf } from '../../zk/replica-assignment.ts';
import { decodePartitionState, decodeTopic, type TopicAssignment } from '../../zk/zk-data.ts';
import { ZkPaths } from '../../zk/zk-paths.ts';
import type { TimedClusterEvent } from '../cluster-events.ts';
import type { BrokerNode, ControllerNetworkClient } from '../controller-channel-manager.ts';
import type { ControllerConfig } from '../controller-parts.ts';
import { KafkaController } from '../kafka-controller.ts';

export type ControlRequest = { readonly brokerId: number; readonly port: number } & (
  | { readonly api: 'LeaderAndIsr'; readonly request: LeaderAndIsrRequestInput }
  | { readonly api: 'UpdateMetadata'; readonly request: UpdateMetadataRequestInput }
  | { readonly api: 'StopReplica'; readonly request: StopReplicaRequestInput }
);

/** Brokers that note what they are told and answer as healthy ones, or as a test wants. */
export class AnsweringBrokers implements ControllerNetworkClient {
  /** Everything that brokers were told, in order. */
  readonly requests: ControlRequest[] = [];
  /** Brokers that don't answer. */
  readonly unreachable = new Set<number>();
  /** The way of a request to a broker, and that of its answer. */
  transit: (brokerId: number) => Promise<void> = () => Promise.resolve();
  /** Overrides the answer's error code. */
  topLevelErrorOf: (brokerId: number, request: ControlRequest['request']) => number = () => ErrorCode.NONE;
  /** Overrides the answer's error code of a partition. */
  errorCodeOf: (brokerId: number, api: string, topic: string, partition: number) => number = () => ErrorCode.NONE;

  async send<Req, Res, ReqIn extends object, ResIn>(
    node: BrokerNode,
    api: Api<Req, Res, ReqIn, ResIn>,
    body: ReqIn,
    { version = api.maxVersion }: { readonly version?: number } = {},
  ): Promise<Res> {
    // What has no place on the wire is never sent.
    api.request.encode(new Writer(128), body, version);
    await this.transit(node.id);
    const answer = await this.#answer(node, api, body);
    await this.transit(node.id);
    return answer;
  }

  closeConnection(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Called with each request before it is answered. */
  onRequest: (entry: ControlRequest) => void = () => {};

  #note(entry: ControlRequest): void {
    this.requests.push(entry);
    this.onRequest(entry);
  }

  #answer<Req, Res, ReqIn extends object, ResIn>(node: BrokerNode, api: Api<Req, Res, ReqIn, ResIn>, body: ReqIn): Promise<Res> {
    if (this.unreachable.has(node.id)) return Promise.reject(new Error('unreachable'));
    const at = { brokerId: node.id, port: node.port };
    if (isApi(api, LeaderAndIsr)) {
      const request = body as LeaderAndIsrRequestInput;
      this.#note({ ...at, api: 'LeaderAndIsr', request });
      const topics = (request.topicStates ?? []).map(({ topicName = '', topicId, partitionStates = [] }) => ({
        topicId,
        partitionErrors: partitionStates.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: this.errorCodeOf(node.id, 'LeaderAndIsr', topicName, partitionIndex),
        })),
      }));
      return Promise.resolve({ errorCode: this.topLevelErrorOf(node.id, request), partitionErrors: [], topics } as Res);
    }
    if (isApi(api, StopReplica)) {
      const request = body as StopReplicaRequestInput;
      this.#note({ ...at, api: 'StopReplica', request });
      const partitionErrors = (request.topicStates ?? []).flatMap(({ topicName = '', partitionStates = [] }) =>
        partitionStates.map(({ partitionIndex = 0 }) => ({
          topicName,
          partitionIndex,
          errorCode: this.errorCodeOf(node.id, 'StopReplica', topicName, partitionIndex),
        })),
      );
      return Promise.resolve({ errorCode: this.topLevelErrorOf(node.id, request), partitionErrors } as Res);
    }
    if (!isApi(api, UpdateMetadata)) throw new Error(`the controller sends no ${api.name}`);
    this.#note({ ...at, api: 'UpdateMetadata', request: body as UpdateMetadataRequestInput });
    return Promise.resolve({ errorCode: ErrorCode.NONE } as Res);
  }
}

export interface TestBroker {
  readonly id: number;
  readonly zk: KafkaZkClient;
  readonly controller: KafkaController;
  readonly zkClient: () => MemoryZooKeeperClient;
  readonly events: TimedClusterEvent[];
  brokerEpoch: number;
}

export class ControllerCluster {
  readonly time = new ManualTime();
  readonly zooKeeper = new MemoryZooKeeper();
  readonly network = new AnsweringBrokers();
  readonly brokers = new Map<number, TestBroker>();
  readonly config: Partial<ControllerConfig>;
  /** Requests that may wait for one broker. */
  maxQueuedRequests = 1000;

  constructor(config: Partial<ControllerConfig> = {}) {
    this.config = config;
  }

  /** Starts a broker of this id: a session, a registration, a controller. */
  async start(id: number, info: BrokerInfo = brokerInfoOf(id)): Promise<TestBroker> {
    let client: MemoryZooKeeperClient | undefined;
    const runtime = { clock: this.time, scheduler: this.time, random: nodeRandom, logger: silentLogger, metrics: new MetricsRegistry() };
    const zk = await KafkaZkClient.connect({
      runtime,
      connect: () => {
        client = this.zooKeeper.connect();
        return Promise.resolve(client);
      },
    });
    await zk.createTopLevelPaths();
    const brokerEpoch = await zk.brokers.register(info);
    const events: TimedClusterEvent[] = [];
    const controller = new KafkaController({
      config: {
        brokerId: id,
        interBrokerListenerName: 'PLAINTEXT',
        controllerSocketTimeoutMs: 30_000,
        autoLeaderRebalanceEnable: false,
        leaderImbalancePerBrokerPercentage: 10,
        leaderImbalanceCheckIntervalSeconds: 300,
        deleteTopicEnable: true,
        uncleanLeaderElectionEnable: () => false,
        ...this.config,
      },
      zk,
      runtime,
      networkClient: this.network,
      maxQueuedRequests: this.maxQueuedRequests,
      brokerInfo: () => info,
      initialBrokerEpoch: brokerEpoch,
      onBrokerEpoch: (epoch) => {
        broker.brokerEpoch = epoch;
      },
      eventSink: { emit: (event) => events.push(event) },
    });
    const broker: TestBroker = { id, zk, controller, zkClient: () => client!, events, brokerEpoch };
    this.brokers.set(id, broker);
    controller.startup();
    await this.settle();
    return broker;
  }

  /** The broker's process dies and its session is closed. */
  async kill(id: number): Promise<void> {
    const broker = this.brokers.get(id)!;
    this.brokers.delete(id);
    await broker.zk.close();
    await this.settle();
  }

  /** The broker lives on and its session does not. */
  async expireSession(id: number): Promise<void> {
    this.brokers.get(id)!.zkClient().expire();
    await this.settle();
  }

  /** Lets everything that is under way come to its end, and short pauses pass. */
  async settle(): Promise<void> {
    for (let round = 0; round < 200; round++) await this.time.settle();
  }

  get active(): TestBroker | undefined {
    return [...this.brokers.values()].find(({ controller }) => controller.isActive);
  }

  /** Writes a topic's assignment, as CreateTopics does. */
  async createTopic(topic: string, replicas: readonly (readonly number[])[], topicId = `${topic.padEnd(21, 'x')}A`): Promise<void> {
    const partitions = new Map(replicas.map((ids, index) => [index, replicaAssignmentOf(ids)]));
    const { zk } = [...this.brokers.values()][0]!;
    await zk.topics.createAssignment(topic, { topicId, partitions });
    await this.settle();
  }

  /** The partition's leader asks for another ISR; resolves with the error code of the answer. */
  async alterIsr(topic: string, partition: number, isr: readonly number[]): Promise<number> {
    const { leader, leaderEpoch, partitionEpoch } = this.stateOf(topic, partition)!.leaderAndIsr;
    const newIsrWithEpochs = isr.map((brokerId) => ({ brokerId, brokerEpoch: -1 }));
    const data = { partitionIndex: partition, leaderEpoch, newIsr: [], newIsrWithEpochs, leaderRecoveryState: 0, partitionEpoch };
    const brokerEpoch = this.brokers.get(leader)?.brokerEpoch ?? -1;
    const topics = [{ topicName: topic, topicId: this.assignmentOf(topic).topicId ?? '', partitions: [data] }];
    const answer = this.active!.controller.alterPartition({ brokerId: leader, brokerEpoch, topics }, 3);
    await this.settle();
    const { errorCode, topics: answered } = await answer;
    return errorCode ?? answered?.[0]?.partitions?.[0]?.errorCode ?? -1;
  }

  /** What /brokers/topics/T says. */
  assignmentOf(topic: string): TopicAssignment {
    const path = ZkPaths.topic(topic);
    return decodeTopic(path, this.zooKeeper.get(path)!.data);
  }

  stateOf(topic: string, partition: number): LeaderIsrAndControllerEpoch | undefined {
    const path = ZkPaths.topicPartitionState({ topic, partition });
    const node = this.zooKeeper.get(path);
    return node === undefined ? undefined : decodePartitionState(path, node.data, node.version);
  }

  /** Requests since the last call. */
  takeRequests(): ControlRequest[] {
    return this.network.requests.splice(0);
  }
}

function isApi(api: { readonly key: number }, expected: { readonly key: number }): boolean {
  return api.key === expected.key;
}

export function brokerInfoOf(id: number): BrokerInfo {
  return {
    id,
    endpoints: [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'localhost', port: 9092 + id }],
    rack: undefined,
    features: {},
    jmxPort: -1,
  };
}
