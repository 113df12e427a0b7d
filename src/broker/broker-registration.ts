/** A broker makes itself known: its znode below /brokers/ids, and the controller that has seen it there. */
import type { Logger } from '../runtime/logger.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { sleep } from '../runtime/scheduler.ts';
import type { Scheduler } from '../runtime/scheduler.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import type { MetadataCache } from './metadata/metadata-cache.ts';
import type { BrokerInfo } from './zk/broker-info.ts';
import { BrokerIdInUseError } from './zk/broker-znodes.ts';
import type { KafkaZkClient } from './zk/kafka-zk-client.ts';

const REGISTER_RETRY_MS = 200;
/** The server expires sessions in buckets of a tick: a little after their time-out. */
const SESSION_EXPIRY_MARGIN = 1.5;

export interface RegistrationOptions {
  readonly config: KafkaConfig;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly brokerInfo: () => BrokerInfo;
}

/**
 * Registers; the broker's epoch. A registration of a session that nobody could close (the machine lost its file) goes with the session's
 * time-out: it is waited for that long.
 *
 * @throws BrokerIdInUseError when it is still there then: another broker with this id is alive.
 */
export async function registerBroker(zk: KafkaZkClient, options: RegistrationOptions): Promise<number> {
  const { config, runtime, logger, brokerInfo } = options;
  const deadlineMs = runtime.clock.monotonicMs() + config.zookeeperSessionTimeoutMs * SESSION_EXPIRY_MARGIN;
  for (let attempt = 0; ; attempt++) {
    try {
      return await zk.brokers.register(brokerInfo());
    } catch (error) {
      if (!(error instanceof BrokerIdInUseError) || runtime.clock.monotonicMs() >= deadlineMs) throw error;
      if (attempt === 0) logger.warn(`${error.message}; waiting for it to go`);
      await sleep(runtime.scheduler, REGISTER_RETRY_MS);
    }
  }
}

/**
 * Waits until the controller has told this broker of itself: only then do topics get replicas here. Not longer than a session
 * lasts: without a controller there is a broker all the same, and clients try again.
 */
export function knownToController(metadataCache: MetadataCache, config: KafkaConfig, scheduler: Scheduler): Promise<void> {
  const isKnown = (): boolean => metadataCache.hasAliveBroker(config.brokerId);
  if (isKnown()) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      forget();
      resolve();
    };
    const timer = scheduler.after(config.zookeeperSessionTimeoutMs, done);
    const forget = metadataCache.onChange(() => {
      if (isKnown()) done();
    });
  });
}
