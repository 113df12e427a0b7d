/**
 * /latest_producer_id_block: producer ids are handed out in blocks of 1000, each once in the cluster's life.
 * The next block is written against the version read; a lost race is tried again. Source: ZkProducerIdManager.getNewProducerIdBlock.
 */
import type { Logger } from '../../runtime/logger.ts';
import { decodeProducerIdBlock, encodeProducerIdBlock, type ProducerIdBlock } from './zk-data.ts';
import { isZooKeeperError } from './zk-ops.ts';
import { ZkPaths } from './zk-paths.ts';
import type { ZooKeeperSession } from './zookeeper-session.ts';

export const PRODUCER_ID_BLOCK_SIZE = 1000;
const MAX_ATTEMPTS = 100;

/** Takes the next block in the name of `brokerId`. */
export async function takeProducerIdBlock(session: ZooKeeperSession, brokerId: number, logger: Logger): Promise<ProducerIdBlock> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const found = await session.getData(ZkPaths.producerIdBlock);
    if (found === undefined) throw new Error(`${ZkPaths.producerIdBlock} is missing`);
    const last = found.data.length === 0 ? -1 : decodeProducerIdBlock(ZkPaths.producerIdBlock, found.data).lastProducerId;
    if (last > Number.MAX_SAFE_INTEGER - PRODUCER_ID_BLOCK_SIZE) throw new Error('all producer ids are used up');
    const block: ProducerIdBlock = { brokerId, firstProducerId: last + 1, lastProducerId: last + PRODUCER_ID_BLOCK_SIZE };
    try {
      await session.setData(ZkPaths.producerIdBlock, encodeProducerIdBlock(block), found.stat.version);
      logger.info(`took the producer ids ${block.firstProducerId} to ${block.lastProducerId} for broker ${brokerId}`);
      return block;
    } catch (error) {
      // Also when the answer to our own write was lost: that block is then wasted, which harms nobody.
      if (!isZooKeeperError(error, 'BadVersion')) throw error;
    }
  }
  throw new Error(`${ZkPaths.producerIdBlock} was changed by others ${MAX_ATTEMPTS} times`);
}
