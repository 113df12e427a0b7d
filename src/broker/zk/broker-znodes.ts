/**
 * /brokers/ids, /brokers/seqid and /cluster/id: who is there, with which epoch.
 * Source: KafkaZkClient (registerBroker, CheckedEphemeral, generateBrokerId, createOrGetClusterId).
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { decodeBrokerInfo, encodeBrokerInfo, type BrokerAndEpoch, type BrokerInfo } from './broker-info.ts';
import { decodeClusterId, encodeClusterId } from './zk-data.ts';
import { createOp, isZooKeeperError, setDataOp, statOf } from './zk-ops.ts';
import { ZkPaths } from './zk-paths.ts';
import type { ZooKeeperSession } from './zookeeper-session.ts';

/** Attempts at creating the ephemeral node while others remove and make it. */
const MAX_REGISTER_ATTEMPTS = 10;

/** The broker's node belongs to a session that is not ours: another broker with this id runs, or its session has not expired. */
export class BrokerIdInUseError extends Error {
  override readonly name = 'BrokerIdInUseError';
  readonly brokerId: number;

  constructor(brokerId: number) {
    super(
      `broker id ${brokerId} is registered in ZooKeeper by another session: another broker with this id runs, or one that died and whose session has not expired yet`,
    );
    this.brokerId = brokerId;
  }
}

export class BrokerZNodes {
  readonly #session: ZooKeeperSession;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(session: ZooKeeperSession, clock: Clock, logger: Logger) {
    this.#session = session;
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * Makes the broker's ephemeral node; its czxid is the broker epoch.
   * A node left by this process's previous session is replaced. Rejects with BrokerIdInUseError when someone else's is there.
   */
  async register(broker: BrokerInfo): Promise<number> {
    const path = ZkPaths.brokerId(broker.id);
    for (let attempt = 0; attempt < MAX_REGISTER_ATTEMPTS; attempt++) {
      const brokerEpoch = (await this.#tryCreate(path, broker)) ?? (await this.#epochIfOurs(path, broker));
      if (brokerEpoch !== undefined) {
        this.#logger.info(`registered broker ${broker.id} in ZooKeeper with epoch ${brokerEpoch}`);
        return brokerEpoch;
      }
    }
    throw new BrokerIdInUseError(broker.id);
  }

  /** New endpoints or features under the same epoch. */
  async update(broker: BrokerInfo): Promise<void> {
    await this.#session.setData(ZkPaths.brokerId(broker.id), encodeBrokerInfo(broker, this.#clock.wallMs()), -1);
  }

  async #tryCreate(path: string, broker: BrokerInfo): Promise<number | undefined> {
    const data = encodeBrokerInfo(broker, this.#clock.wallMs());
    try {
      const results = await this.#session.multi([createOp(path, null, 'ephemeral'), setDataOp(path, data, 0)]);
      return statOf(results[1]).czxid;
    } catch (error) {
      if (isZooKeeperError(error, 'NodeExists')) return undefined;
      throw error;
    }
  }

  /** undefined: try to create it again. */
  async #epochIfOurs(path: string, broker: BrokerInfo): Promise<number | undefined> {
    const found = await this.#session.exists(path);
    if (found === undefined) return undefined;
    const session = this.#session.session();
    // Made by an attempt whose answer was lost with the connection.
    if (session !== undefined && found.ephemeralOwner.equals(session.id)) return found.czxid;
    if (this.#session.previousSessionId?.equals(found.ephemeralOwner) !== true) throw new BrokerIdInUseError(broker.id);
    await this.#session.delete(path);
    return undefined;
  }

  /** The registered brokers with their epochs, by id; registrations that can't be read are left out with a line in the log. */
  async getAllWithEpochs(): Promise<BrokerAndEpoch[]> {
    const ids = (await this.#session.getChildren(ZkPaths.brokerIds)).map(Number).filter((id) => (id | 0) === id);
    ids.sort((a, b) => a - b);
    const brokers = await this.#session.pipelined(ids, (id) => this.get(id));
    return brokers.filter((broker) => broker !== undefined);
  }

  async get(brokerId: number): Promise<BrokerAndEpoch | undefined> {
    const path = ZkPaths.brokerId(brokerId);
    const found = await this.#session.getData(path);
    if (found === undefined) return undefined;
    try {
      return { broker: decodeBrokerInfo(brokerId, path, found.data), brokerEpoch: found.stat.czxid };
    } catch (error) {
      this.#logger.error({ err: error }, `ignoring the registration of broker ${brokerId}`);
      return undefined;
    }
  }

  /** An id that no broker had: from the version of /brokers/seqid, above `reservedBrokerMaxId` (reserved.broker.max.id). */
  async generateId(reservedBrokerMaxId: number): Promise<number> {
    const stat = await this.#session.setData(ZkPaths.brokerSequenceId, Buffer.alloc(0), -1);
    return stat.version + reservedBrokerMaxId;
  }

  /** The cluster's id, which the first broker makes of `proposed` (22 characters of base64url). */
  async createOrGetClusterId(proposed: string): Promise<string> {
    const existing = await this.getClusterId();
    if (existing !== undefined) return existing;
    try {
      await createParents(this.#session, ZkPaths.clusterId);
      await this.#session.create(ZkPaths.clusterId, encodeClusterId(proposed));
      return proposed;
    } catch (error) {
      if (!isZooKeeperError(error, 'NodeExists')) throw error;
      return (await this.getClusterId()) ?? proposed;
    }
  }

  async getClusterId(): Promise<string | undefined> {
    const found = await this.#session.getData(ZkPaths.clusterId);
    return found === undefined ? undefined : decodeClusterId(ZkPaths.clusterId, found.data);
  }
}

/** Makes the znodes above `path`, without data. */
export async function createParents(session: ZooKeeperSession, path: string): Promise<void> {
  const parts = path.split('/').slice(1, -1);
  for (let depth = 1; depth <= parts.length; depth++) await createIfMissing(session, `/${parts.slice(0, depth).join('/')}`);
}

export async function createIfMissing(session: ZooKeeperSession, path: string): Promise<void> {
  try {
    await session.create(path, null);
  } catch (error) {
    if (!isZooKeeperError(error, 'NodeExists')) throw error;
  }
}
