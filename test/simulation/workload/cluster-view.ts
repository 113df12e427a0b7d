/** What a client knows of topics and their leaders, by Metadata requests to any broker. News with an older leader epoch is not believed (KIP-320). */
import { ErrorCode } from '../../../src/protocol/errors.ts';
import { Metadata } from '../../../src/protocol/generated/metadata.ts';
import type { NetworkClient, Node } from '../../../src/client/network-client.ts';
import type { Random } from '../../../src/runtime/random.ts';

export interface LeaderView {
  readonly node: Node | undefined;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  readonly replicas: readonly number[];
}

export interface TopicView {
  readonly name: string;
  topicId: string;
  partitions: (LeaderView | undefined)[];
}

export interface ClusterViewOptions {
  readonly client: NetworkClient;
  readonly brokers: readonly Node[];
  readonly random: Random;
  /** False: believes whatever it is told last, as clients did before KIP-320. */
  readonly comparesEpochs: boolean;
}

export class ClusterView {
  readonly #options: ClusterViewOptions;
  readonly topics = new Map<string, TopicView>();
  #refreshing: Promise<void> | undefined;

  constructor(options: ClusterViewOptions) {
    this.#options = options;
  }

  leader(topic: string, partition: number): LeaderView | undefined {
    return this.topics.get(topic)?.partitions[partition];
  }

  /** Asks one broker, by chance; what goes wrong leaves things as they were. Resolves when that is over. */
  refresh(topics: readonly string[]): Promise<void> {
    this.#refreshing ??= this.#refresh(topics).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refresh(topics: readonly string[]): Promise<void> {
    const { client, brokers, random } = this.#options;
    const node = brokers[random.int(brokers.length)];
    if (node === undefined) return;
    const request = { topics: topics.map((name) => ({ name })), allowAutoTopicCreation: false };
    const response = await client.send(node, Metadata, request, { timeoutMs: 1000 }).catch(() => undefined);
    if (response === undefined) return;
    const nodes = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { id: nodeId, host, port }]));
    for (const topic of response.topics) {
      if (topic.name === null || topic.errorCode !== ErrorCode.NONE) continue;
      let view = this.topics.get(topic.name);
      if (view === undefined || view.topicId !== topic.topicId) {
        view = { name: topic.name, topicId: topic.topicId, partitions: [] };
        this.topics.set(topic.name, view);
      }
      for (const { partitionIndex, leaderId, leaderEpoch, isrNodes, replicaNodes } of topic.partitions) {
        const known = view.partitions[partitionIndex];
        if (known !== undefined && this.#options.comparesEpochs && leaderEpoch < known.leaderEpoch) continue;
        view.partitions[partitionIndex] = { node: nodes.get(leaderId), leaderEpoch, isr: isrNodes, replicas: replicaNodes };
      }
    }
  }
}
