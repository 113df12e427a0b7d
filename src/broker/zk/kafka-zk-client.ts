/**
 * Kafka's side of ZooKeeper, by part of the tree: `brokers`, `controller`, `topics`, `configs`, producer id blocks. The session
 * beneath (`session`) keeps watches and survives lost connections and expiry. Source: kafka.zk.KafkaZkClient.
 */
import type { Runtime } from '../../runtime/runtime.ts';
import type { ZooKeeperClient } from '../../zk-client/zookeeper-client.ts';
import { BrokerZNodes, createIfMissing } from './broker-znodes.ts';
import { ConfigZNodes } from './config-znodes.ts';
import { ControllerZNodes } from './controller-znodes.ts';
import { takeProducerIdBlock } from './producer-id-znode.ts';
import { TopicZNodes } from './topic-znodes.ts';
import type { ProducerIdBlock } from './zk-data.ts';
import { isZooKeeperError } from './zk-ops.ts';
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
    const paths = withAncestors(PERSISTENT_PATHS);
    const stats = await this.session.pipelined(paths, (path) => this.session.exists(path));
    const missing = paths.filter((_, index) => stats[index] === undefined);
    try {
      // Sent in order and done in order, parents first: one commit of the server for all.
      await this.session.pipelined(missing, (path) => createIfMissing(this.session, path));
    } catch (error) {
      if (!isZooKeeperError(error, 'NoNode')) throw error;
      // A lost connection mixed up the order.
      for (const path of missing) await createIfMissing(this.session, path);
    }
  }

  takeProducerIdBlock(brokerId: number): Promise<ProducerIdBlock> {
    return takeProducerIdBlock(this.session, brokerId, this.#options.runtime.logger);
  }

  /** False when ZooKeeper did not confirm the end of the session. */
  close(): Promise<boolean> {
    return this.session.close();
  }
}

/** `paths` and what is above them, each once, parents before children. */
function withAncestors(paths: readonly string[]): string[] {
  const all = new Set<string>();
  for (const path of paths) {
    for (let slash = path.indexOf('/', 1); slash !== -1; slash = path.indexOf('/', slash + 1)) all.add(path.slice(0, slash));
    all.add(path);
  }
  return [...all];
}
