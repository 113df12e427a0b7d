/**
 * A broker's ZooKeeper session, and the file that keeps its id and password: whoever starts next on the same data closes the session of a
 * predecessor that could not, instead of waiting for it to expire.
 */
import type { Logger } from '../runtime/logger.ts';
import type { Runtime } from '../runtime/runtime.ts';
import {
  closeSession,
  connectZooKeeper,
  createChroot,
  readSessionFile,
  removeSessionFile,
  writeSessionFile,
} from '../zk-client/zookeeper-client.ts';
import type { ZooKeeperClient } from '../zk-client/zookeeper-client.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { KafkaZkClient } from './zk/kafka-zk-client.ts';

export interface BrokerSessionOptions {
  readonly config: KafkaConfig;
  readonly runtime: Runtime;
  readonly logger: Logger;
  /** Undefined: the session is kept nowhere, and expires when this process is killed. */
  readonly sessionFile: string | undefined;
  readonly zooKeeperImplementation: 'library' | 'own';
}

export class BrokerSession {
  readonly #options: BrokerSessionOptions;
  #session: ReturnType<ZooKeeperClient['session']>;
  #predecessorClosed = false;

  constructor(options: BrokerSessionOptions) {
    this.#options = options;
  }

  get #connectString(): string {
    const { zookeeperConnect } = this.#options.config;
    if (zookeeperConnect === null) throw new Error('zookeeper.connect is not set: a broker needs a ZooKeeper (host:port,…/chroot)');
    return zookeeperConnect;
  }

  /** Connects, and closes the predecessor's session beside it. The chroot is made where it is missing. */
  async connect(): Promise<KafkaZkClient> {
    const [zk] = await Promise.all([this.#connect(), this.#closePredecessor()]);
    return zk;
  }

  #connect(): Promise<KafkaZkClient> {
    const { config, runtime, zooKeeperImplementation } = this.#options;
    return KafkaZkClient.connect({
      runtime,
      connect: async (): Promise<ZooKeeperClient> => {
        const options = {
          connectString: this.#connectString,
          sessionTimeoutMs: config.zookeeperSessionTimeoutMs,
          connectTimeoutMs: config.zookeeperConnectionTimeoutMs,
          runtime,
        };
        await createChroot(options);
        const client = await connectZooKeeper({ ...options, implementation: zooKeeperImplementation });
        this.#session = client.session() ?? this.#session;
        if (this.#predecessorClosed) this.#keep();
        return client;
      },
    });
  }

  /** Written only once the predecessor's is read: until then its file is the only trace of it. */
  #keep(): void {
    const { runtime, sessionFile } = this.#options;
    if (sessionFile !== undefined && this.#session !== undefined) writeSessionFile(runtime.disk, sessionFile, this.#session);
  }

  async #closePredecessor(): Promise<void> {
    const { config, runtime, sessionFile, logger } = this.#options;
    const session = sessionFile === undefined ? undefined : readSessionFile(runtime.disk, sessionFile);
    try {
      if (session === undefined) return;
      const connectString = this.#connectString;
      const outcome = await closeSession({ connectString, session, runtime, timeoutMs: config.zookeeperConnectionTimeoutMs });
      if (outcome === 'closed') logger.info('Closed the ZooKeeper session of a predecessor that did not shut down');
    } finally {
      this.#predecessorClosed = true;
      this.#keep();
    }
  }

  /** ZooKeeper has confirmed that the session is closed: nobody needs to close it any more. */
  forget(): void {
    const { runtime, sessionFile } = this.#options;
    if (sessionFile !== undefined) removeSessionFile(runtime.disk, sessionFile);
  }
}
