/** A broker that ends asks the controller to move its leaders away. Source: Kafka's KafkaServer.controlledShutdown. */
import { ErrorCode } from '../protocol/errors.ts';
import { ControlledShutdown } from '../protocol/generated/controlled-shutdown.ts';
import type { Logger } from '../runtime/logger.ts';
import { sleep } from '../runtime/scheduler.ts';
import type { BrokerParts } from './broker-parts.ts';
import type { NodeToControllerChannel } from './metadata/node-to-controller-channel.ts';

/**
 * How long a controller that has the request may take. Kafka waits `controller.socket.timeout.ms`, 30 s: a whole cluster that stops while
 * ZooKeeper is away, so that no controller can do anything, would be killed instead.
 */
const ANSWER_TIMEOUT_MS = 3_000;
/** How long one attempt looks for a controller: well below the above, by which it is told that one has the request. */
const MAX_LOOK_MS = 1_000;

/** Asks `controlled.shutdown.max.retries` times more than once; what remains then has nowhere to go. */
export async function controlledShutdown(parts: BrokerParts, channel: NodeToControllerChannel, logger: Logger): Promise<void> {
  const { config, runtime } = parts;
  if (!config.controlledShutdownEnable) return;
  const hasOthers = (): boolean => parts.metadataCache.getAliveBrokers().some(({ id }) => id !== config.brokerId);
  for (let attempt = 0; attempt <= config.controlledShutdownMaxRetries && hasOthers(); attempt++) {
    if (attempt > 0) await sleep(runtime.scheduler, config.controlledShutdownRetryBackoffMs);
    const startMs = runtime.clock.monotonicMs();
    try {
      const response = await channel.send(
        ControlledShutdown,
        { brokerId: config.brokerId, brokerEpoch: parts.brokerEpoch() },
        { retryTimeoutMs: Math.min(config.controlledShutdownRetryBackoffMs, MAX_LOOK_MS), answerTimeoutMs: ANSWER_TIMEOUT_MS },
      );
      if (response.errorCode === ErrorCode.NONE && response.remainingPartitions.length === 0) return;
      logger.info(`${response.remainingPartitions.length} partitions are still led by this broker (code ${response.errorCode})`);
    } catch (error) {
      logger.info({ err: error }, 'No controller took the request for a controlled shutdown');
      // It has the request and is stuck: another would only wait behind it.
      if (runtime.clock.monotonicMs() - startMs >= ANSWER_TIMEOUT_MS) return;
    }
  }
}
