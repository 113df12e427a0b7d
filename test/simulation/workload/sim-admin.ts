/** An administrator: does each deed by the controller (or the broker whose it is), and tries for some time where that fails. */
import { ErrorCode, errorByCode } from '../../../src/protocol/errors.ts';
import { AlterPartitionReassignments } from '../../../src/protocol/generated/alter-partition-reassignments.ts';
import { CreatePartitions } from '../../../src/protocol/generated/create-partitions.ts';
import { CreateTopics } from '../../../src/protocol/generated/create-topics.ts';
import { AlterReplicaLogDirs } from '../../../src/protocol/generated/alter-replica-log-dirs.ts';
import { DeleteRecords } from '../../../src/protocol/generated/delete-records.ts';
import { DeleteTopics } from '../../../src/protocol/generated/delete-topics.ts';
import { ElectLeaders } from '../../../src/protocol/generated/elect-leaders.ts';
import { IncrementalAlterConfigs } from '../../../src/protocol/generated/incremental-alter-configs.ts';
import { Metadata } from '../../../src/protocol/generated/metadata.ts';
import type { Node } from '../../../src/client/network-client.ts';
import { sleep } from '../../../src/runtime/scheduler.ts';
import type { TopicSpec } from '../schedule.ts';
import type { SimClient } from './sim-client.ts';

const RETRY_MS = 150;
const REQUEST_TIMEOUT_MS = 2500;
const MAX_ATTEMPTS = 60;
const TOPIC_RESOURCE = 2;
const SET = 0;

/** Codes that end a deed: done, or there is nothing to do. */
const DONE: ReadonlySet<number> = new Set([
  ErrorCode.NONE,
  ErrorCode.TOPIC_ALREADY_EXISTS,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.INVALID_PARTITIONS,
  ErrorCode.NO_REASSIGNMENT_IN_PROGRESS,
]);

export class SimAdmin {
  readonly #client: SimClient;

  constructor(client: SimClient) {
    this.#client = client;
  }

  createTopic(spec: TopicSpec): Promise<boolean> {
    const topic = {
      name: spec.name,
      numPartitions: spec.partitions,
      replicationFactor: spec.replicationFactor,
      assignments: [],
      configs: Object.entries(spec.configs).map(([name, value]) => ({ name, value })),
    };
    return this.#attempt(`create ${spec.name}`, async (controller) => {
      const body = { topics: [topic], timeoutMs: REQUEST_TIMEOUT_MS };
      const { topics } = await this.#client.network.send(controller, CreateTopics, body, { timeoutMs: REQUEST_TIMEOUT_MS });
      return topics[0]?.errorCode;
    });
  }

  deleteTopic(name: string): Promise<boolean> {
    return this.#attempt(`delete ${name}`, async (controller) => {
      const body = { topics: [{ name }], timeoutMs: REQUEST_TIMEOUT_MS };
      const { responses } = await this.#client.network.send(controller, DeleteTopics, body, { timeoutMs: REQUEST_TIMEOUT_MS });
      return responses[0]?.errorCode;
    });
  }

  addPartitions(name: string, count: number): Promise<boolean> {
    return this.#attempt(`grow ${name} to ${count}`, async (controller) => {
      const body = { topics: [{ name, count, assignments: null }], timeoutMs: REQUEST_TIMEOUT_MS, validateOnly: false };
      const { results } = await this.#client.network.send(controller, CreatePartitions, body, { timeoutMs: REQUEST_TIMEOUT_MS });
      return results[0]?.errorCode;
    });
  }

  alterConfig(topic: string, key: string, value: string): Promise<boolean> {
    return this.#attempt(`${topic}: ${key}=${value}`, async (controller) => {
      const resource = {
        resourceType: TOPIC_RESOURCE,
        resourceName: topic,
        configs: [{ name: key, configOperation: SET, value }],
      };
      const body = { resources: [resource], validateOnly: false };
      const { responses } = await this.#client.network.send(controller, IncrementalAlterConfigs, body, { timeoutMs: REQUEST_TIMEOUT_MS });
      return responses[0]?.errorCode;
    });
  }

  electPreferred(): Promise<boolean> {
    return this.#attempt('elect preferred leaders', async (controller) => {
      const body = { electionType: 0, topicPartitions: null, timeoutMs: REQUEST_TIMEOUT_MS };
      return (await this.#client.network.send(controller, ElectLeaders, body, { timeoutMs: REQUEST_TIMEOUT_MS })).errorCode;
    });
  }

  reassign(topic: string, partition: number, replicas: readonly number[] | null): Promise<boolean> {
    return this.#attempt(`reassign ${topic}-${partition} to ${replicas?.join(',') ?? 'what it was'}`, async (controller) => {
      const partitions = [{ partitionIndex: partition, replicas }];
      const body = { timeoutMs: REQUEST_TIMEOUT_MS, topics: [{ name: topic, partitions }] };
      const options = { timeoutMs: REQUEST_TIMEOUT_MS };
      const response = await this.#client.network.send(controller, AlterPartitionReassignments, body, options);
      return response.errorCode === ErrorCode.NONE ? response.responses[0]?.partitions[0]?.errorCode : response.errorCode;
    });
  }

  /** At the leader; tried once, since what it meant a moment later would be something else. */
  async deleteRecords(topic: string, partition: number, offset: number): Promise<void> {
    await this.#client.view.refresh([topic]);
    const leader = this.#client.view.leader(topic, partition)?.node;
    if (leader === undefined) return;
    const body = { topics: [{ name: topic, partitions: [{ partitionIndex: partition, offset }] }], timeoutMs: REQUEST_TIMEOUT_MS };
    const options = { timeoutMs: REQUEST_TIMEOUT_MS };
    const response = await this.#client.network.send(leader, DeleteRecords, body, options).catch(() => undefined);
    const answer = response?.topics[0]?.partitions[0];
    const told = answer === undefined ? 'not answered' : `${errorByCode(answer.errorCode).name}, low watermark ${answer.lowWatermark}`;
    this.#client.process.world.note(this.#client.name, `delete ${topic}-${partition} below ${offset}: ${told}`);
  }

  async moveLog(broker: Node, topic: string, partition: number, path: string): Promise<void> {
    const body = { dirs: [{ path, topics: [{ name: topic, partitions: [partition] }] }] };
    const options = { timeoutMs: REQUEST_TIMEOUT_MS };
    const response = await this.#client.network.send(broker, AlterReplicaLogDirs, body, options).catch(() => undefined);
    const code = response?.results[0]?.partitions[0]?.errorCode;
    const told = code === undefined ? 'not answered' : errorByCode(code).name;
    this.#client.process.world.note(this.#client.name, `move ${topic}-${partition} on broker ${broker.id} to ${path}: ${told}`);
  }

  async #attempt(what: string, deed: (controller: Node) => Promise<number | undefined>): Promise<boolean> {
    const { runtime, process } = this.#client;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const controller = await this.#controller();
      const code = controller === undefined ? undefined : await deed(controller).catch(() => undefined);
      if (code !== undefined && DONE.has(code)) {
        process.world.note(this.#client.name, `${what}: ${errorByCode(code).name}`);
        return true;
      }
      await sleep(runtime.scheduler, RETRY_MS);
    }
    process.world.note(this.#client.name, `${what}: given up`);
    return false;
  }

  async #controller(): Promise<Node | undefined> {
    const response = await this.#client.sendToAny(Metadata, { topics: [] });
    const found = response?.brokers.find(({ nodeId }) => nodeId === response.controllerId);
    return found === undefined ? undefined : { id: found.nodeId, host: found.host, port: found.port };
  }
}
