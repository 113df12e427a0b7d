/**
 * Producer ids for this broker, from blocks of 1000 that the controller hands out. The next block is asked for when the last
 * tenth of the current one begins, so that producers rarely wait; one request at a time. Source: RPCProducerIdManager.
 */
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { AllocateProducerIds } from '../../protocol/generated/allocate-producer-ids.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { NodeToControllerChannel } from './node-to-controller-channel.ts';

const PREFETCH_SHARE = 0.1;

interface Block {
  next: number;
  /** First id that is not part of it. */
  readonly end: number;
  readonly size: number;
}

export interface ProducerIdManagerOptions {
  readonly brokerId: number;
  readonly brokerEpoch: () => number;
  readonly channel: Pick<NodeToControllerChannel, 'send'>;
  readonly logger: Logger;
}

export class ProducerIdManager {
  readonly #options: ProducerIdManagerOptions;
  #current: Block | undefined;
  #next: Block | undefined;
  #request: Promise<void> | undefined;

  constructor(options: ProducerIdManagerOptions) {
    this.#options = options;
  }

  /** An id that no other producer of the cluster has or had. Rejects with KafkaError COORDINATOR_LOAD_IN_PROGRESS when none can be had now. */
  async generateProducerId(): Promise<number> {
    const id = this.#take();
    if (id !== undefined) return id;
    await this.#requestBlock();
    const afterwards = this.#take();
    // Others were waiting for the same block, more than it has: the client tries again.
    if (afterwards === undefined)
      throw new KafkaError(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, 'no producer ids can be had from the controller now');
    return afterwards;
  }

  #take(): number | undefined {
    if (this.#current === undefined || this.#current.next >= this.#current.end) {
      this.#current = this.#next;
      this.#next = undefined;
    }
    const block = this.#current;
    if (block === undefined) return undefined;
    const id = block.next++;
    if (this.#next === undefined && block.end - block.next <= block.size * PREFETCH_SHARE) void this.#requestBlock();
    return id;
  }

  /** Never rejects: a failure leaves no block behind. */
  #requestBlock(): Promise<void> {
    this.#request ??= this.#fetchBlock().finally(() => {
      this.#request = undefined;
    });
    return this.#request;
  }

  async #fetchBlock(): Promise<void> {
    const { brokerId, brokerEpoch, channel, logger } = this.#options;
    try {
      const response = await channel.send(AllocateProducerIds, { brokerId, brokerEpoch: brokerEpoch() });
      if (response.errorCode !== ErrorCode.NONE) throw new KafkaError(response.errorCode);
      const { producerIdStart, producerIdLen } = response;
      this.#next = { next: producerIdStart, end: producerIdStart + producerIdLen, size: producerIdLen };
    } catch (error) {
      logger.warn({ err: error }, 'no block of producer ids could be had from the controller');
    }
  }
}
