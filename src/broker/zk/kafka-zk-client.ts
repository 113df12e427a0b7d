/**
 * Kafka's side of ZooKeeper, by part of the tree: `brokers`, `controller`, `topics`, `configs`, producer id blocks. The session
 * beneath (`session`) keeps watches and survives lost connections and expiry. Source: kafka.zk.KafkaZkClient.
 */
import type { Runtime } from '../../runtime/runtime.ts';
import type { ZooKeeperClient } from '../../zk-client/zookeeper-client.ts';
import { BrokerZNodes, createIfMissing, createParents } from './broker-znodes.ts';
import { ConfigZNodes } from './config-znodes.ts';
import { ControllerZNodes } from './controller-znodes.ts';
import { takeProducerIdBlock } from './producer-id-znode.ts';
import { TopicZNodes } from './topic-znodes.ts';
import type { ProducerIdBlock } from './zk-data.ts';
import { PERSISTENT_PATHS } from './zk-paths.ts';
import { ZooKeeperSession } from './zookeeper-session.ts';

export interface KafkaZkClientOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'scheduler' | 'logger'>;
  /** Makes a client with a new session: called at the start and after each expiry. */
  readonly connect: () => Promise<ZooKeeperClient>;
  readonly maxInFlightRequests?: number;
}

export class KafkaZkClient {
  readonly session: ZooKeeperSession;
  readonly brokers: BrokerZNodes;
  readonly controller: ControllerZNodes;
  readonly topics: TopicZNodes;
  readonly configs: ConfigZNodes;
  readonly #options: KafkaZkClientOptions;

  private constructor(options: KafkaZkClientOptions, session: ZooKeeperSession) {
    const { clock } = options.runtime;
    const logger = options.runtime.logger.child({ component: 'KafkaZkClient' });
    this.#options = options;
    this.session = session;
    this.brokers = new BrokerZNodes(session, clock, logger);
    this.controller = new ControllerZNodes(session, clock, logger);
    this.topics = new TopicZNodes(session, logger);
    this.configs = new ConfigZNodes(session, logger);
  }

  static async connect(options: KafkaZkClientOptions): Promise<KafkaZkClient> {
    const { scheduler, logger } = options.runtime;
    const { connect, maxInFlightRequests } = options;
    const session = await ZooKeeperSession.open({
      connect,
      scheduler,
      logger: logger.child({ component: 'ZooKeeperSession' }),
      ...(maxInFlightRequests === undefined ? {} : { maxInFlightRequests }),
    });
    return new KafkaZkClient(options, session);
  }

  /** What must be there before a broker registers; the first broker of a cluster makes it. */
  async createTopLevelPaths(): Promise<void> {
    const missing = await this.session.pipelined(PERSISTENT_PATHS, async (path) => ((await this.session.exists(path)) === undefined ? path : undefined));
    for (const path of missing) {
      if (path === undefined) continue;
      await createParents(this.session, path);
      await createIfMissing(this.session, path);
    }
  }

  takeProducerIdBlock(brokerId: number): Promise<ProducerIdBlock> {
    return takeProducerIdBlock(this.session, brokerId, this.#options.runtime.logger);
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
