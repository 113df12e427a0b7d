/** Whether a broker's log has a batch, read from its files: what the broker may not remember of a producer. */
import type { MemoryDisk } from '../../../src/runtime/testing/memory-disk.ts';
import { iterateBatches, readBatchHeader } from '../../../src/protocol/records/record-batch.ts';
import type { SimCluster } from '../cluster/sim-cluster.ts';

export interface SentBatch {
  readonly topic: string;
  readonly partition: number;
  readonly producerId: number;
  readonly baseSequence: number;
}

export function holdsBatch(cluster: SimCluster, brokerId: number, { topic, partition, producerId, baseSequence }: SentBatch): boolean {
  const machine = cluster.brokers[brokerId - 1];
  if (machine === undefined) return false;
  const directory = cluster.server(machine)?.parts?.replicaManager.partition({ topic, partition })?.log?.directory;
  if (directory === undefined) return false;
  for (const batch of iterateBatches(readSegments(machine.disk, directory))) {
    const header = readBatchHeader(batch, 0);
    if (header.producerId === producerId && header.baseSequence === baseSequence) return true;
  }
  return false;
}

/** The bytes of all segments of a log, in order. */
export function readSegments(disk: MemoryDisk, directory: string): Buffer {
  const names = disk
    .list(directory)
    .map(({ name }) => name)
    .filter((name) => name.endsWith('.log'))
    .toSorted();
  return Buffer.concat(names.map((name) => disk.readFile(`${directory}/${name}`)));
}
