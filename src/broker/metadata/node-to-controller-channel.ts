/**
 * Requests of a broker to whoever is controller: AlterPartition, AllocateProducerIds, CreateTopics on a client's behalf,
 * ControlledShutdown.
 *
 * The controller is looked up in the metadata cache for each attempt. No controller, a lost connection and NOT_CONTROLLER mean:
 * wait a little, look again, until the time is over. A controller that is frozen or cut off answers nothing: what was sent to it is
 * given up when another takes office (Kafka waits for its time-out). So a request may be sent twice; all of the above bear that.
 * Source: kafka.server.NodeToControllerChannelManager.
 */
import type { Api } from '../../protocol/api.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { sleep, type Scheduler } from '../../runtime/scheduler.ts';
import type { BrokerNode, MetadataCache } from './metadata-cache.ts';

const RETRY_BACKOFF_MS = 50;

/** What is needed of `NetworkClient`. */
export interface ControllerRequestClient {
  send<Req, Res, ReqIn extends object, ResIn>(
    node: { readonly id: number; readonly host: string; readonly port: number },
    api: Api<Req, Res, ReqIn, ResIn>,
    body: ReqIn,
    options?: { readonly version?: number; readonly timeoutMs?: number },
  ): Promise<Res>;
}

export interface NodeToControllerChannelOptions {
  readonly client: ControllerRequestClient;
  readonly metadataCache: MetadataCache;
  /** Listener on which the controller is reached: control.plane.listener.name has no part in this direction. */
  readonly interBrokerListenerName: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** How long a request is tried: request.timeout.ms. */
  readonly retryTimeoutMs: number;
}

export interface ControllerSendOptions {
  readonly version?: number;
  /** Instead of the channel's `retryTimeoutMs`. */
  readonly retryTimeoutMs?: number;
  /** How long a controller that has the request may take for its answer, where that is longer. */
  readonly answerTimeoutMs?: number;
}

export class NodeToControllerChannel {
  readonly #options: NodeToControllerChannelOptions;
  #closed = false;

  constructor(options: NodeToControllerChannelOptions) {
    this.#options = options;
  }

  /**
   * Resolves with the controller's answer, whatever its error codes but NOT_CONTROLLER. Rejects with KafkaError
   * REQUEST_TIMED_OUT when no controller answered in time or the channel was closed.
   */
  async send<Req, Res extends object, ReqIn extends object, ResIn>(
    api: Api<Req, Res, ReqIn, ResIn>,
    body: ReqIn,
    options: ControllerSendOptions = {},
  ): Promise<Res> {
    const { clock, scheduler, logger } = this.#options;
    const deadlineMs = clock.monotonicMs() + (options.retryTimeoutMs ?? this.#options.retryTimeoutMs);
    let lastFailure: unknown;
    while (!this.#closed) {
      const remainingMs = deadlineMs - clock.monotonicMs();
      if (remainingMs <= 0) break;
      const node = this.#controllerNode();
      if (node !== undefined) {
        try {
          const timeoutMs = Math.max(remainingMs, options.answerTimeoutMs ?? 0);
          const sendOptions = { timeoutMs, ...(options.version === undefined ? {} : { version: options.version }) };
          const response = await this.#unlessReplaced(node, this.#options.client.send(node, api, body, sendOptions));
          if (!isNotController(response)) return response;
          lastFailure = new KafkaError(ErrorCode.NOT_CONTROLLER, `broker ${node.id} is not the controller`);
        } catch (error) {
          if (error instanceof KafkaError && error.code === ErrorCode.UNSUPPORTED_VERSION) throw error;
          lastFailure = error;
          logger.debug({ err: error }, `${api.name} did not reach the controller (broker ${node.id}); trying again`);
        }
      }
      await sleep(scheduler, Math.min(RETRY_BACKOFF_MS, Math.max(1, deadlineMs - clock.monotonicMs())));
    }
    throw new KafkaError(ErrorCode.REQUEST_TIMED_OUT, `${api.name} did not reach a controller in time`, { cause: lastFailure });
  }

  /** Requests under way reject at their next attempt. The network client is the owner's to close. */
  close(): void {
    this.#closed = true;
  }

  /** As `answer`; rejects with NOT_CONTROLLER as soon as another than `node` is known to be controller. */
  #unlessReplaced<Res>(node: BrokerNode, answer: Promise<Res>): Promise<Res> {
    return new Promise((resolve, reject) => {
      const forget = this.#options.metadataCache.onChange(({ snapshot: { controllerId } }) => {
        if (controllerId === undefined || controllerId === node.id) return;
        forget();
        reject(new KafkaError(ErrorCode.NOT_CONTROLLER, `broker ${controllerId} has become controller in place of ${node.id}`));
      });
      answer.finally(forget).then(resolve, reject);
    });
  }

  #controllerNode(): BrokerNode | undefined {
    const { metadataCache, interBrokerListenerName } = this.#options;
    const controllerId = metadataCache.getControllerId();
    return controllerId === undefined ? undefined : metadataCache.getAliveBrokerNode(controllerId, interBrokerListenerName);
  }
}

/** Whether the request as a whole, or each of its topics, was refused with NOT_CONTROLLER. */
function isNotController(response: object): boolean {
  if ('errorCode' in response) return response.errorCode === ErrorCode.NOT_CONTROLLER;
  const results = 'topics' in response ? response.topics : undefined;
  if (!Array.isArray(results) || results.length === 0) return false;
  return results.every(
    (result: unknown) =>
      typeof result === 'object' && result !== null && 'errorCode' in result && result.errorCode === ErrorCode.NOT_CONTROLLER,
  );
}
