/**
 * A high watermark moves as soon as nothing it waits for is missing: a follower in the ISR has fetched, one that was about to join it is gone. Producers with all
 * of their requests under way append nothing more that could move it, so that a leader that only looks when something comes lets them wait.
 *
 * Looked at from outside, now and then. A follower outside of the ISR that counts as caught up may be waited for as long as it does
 * (`replica.lag.time.max.ms`), and while its broker counts as alive.
 */
import type { Partition } from '../../../src/broker/replication/partition.ts';
import type { SimCluster } from '../cluster/sim-cluster.ts';
import type { SimProcess } from '../world/sim-process.ts';
import type { History } from './history.ts';

export const LOOK_EVERY_MS = 500;
/** The lag time (2.5 s) and half of it until it is looked at, a session (3 s), and some delay. */
const LONGEST_WAIT_MS = 7000;

interface Waiting {
  readonly process: SimProcess;
  readonly highWatermark: number;
  sinceMs: number;
}

export class HighWatermarks {
  readonly #cluster: SimCluster;
  readonly #history: History;
  readonly #waiting = new Map<Partition, Waiting>();

  constructor(cluster: SimCluster, history: History) {
    this.#cluster = cluster;
    this.#history = history;
  }

  look(): void {
    const { nowMs } = this.#cluster.world;
    for (const machine of this.#cluster.brokers) {
      const { process } = machine;
      for (const partition of this.#cluster.server(machine)?.parts?.replicaManager.partitions() ?? []) {
        const highWatermark = partition.log?.highWatermark ?? 0;
        if (process?.isRunning !== true || !isFree(partition)) this.#waiting.delete(partition);
        else {
          const known = this.#waiting.get(partition);
          // One that was frozen has not had the time.
          const goesOn =
            known?.process === process && known.highWatermark === highWatermark && nowMs - process.resumedAtMs > LONGEST_WAIT_MS;
          if (known === undefined || !goesOn) this.#waiting.set(partition, { process, highWatermark, sinceMs: nowMs });
          else if (nowMs - known.sinceMs > LONGEST_WAIT_MS) {
            const { topic, partition: index } = partition.topicPartition;
            this.#history.violate(
              `the high watermark of ${topic}-${index} stays at ${highWatermark} on ${machine.name} since ${(known.sinceMs / 1000).toFixed(1)} s although the ISR [${Array.from(partition.isr).join(',')}] has more`,
            );
            known.sinceMs = Infinity;
          }
        }
      }
    }
  }
}

/** All that are in the ISR, or asked into it, have more than is committed, and they are enough. */
function isFree({ isLeader, isr, pendingIsr, log, replicas, remoteReplicas }: Partition): boolean {
  if (!isLeader || log === undefined || log.logEndOffset <= log.highWatermark) return false;
  if (isr.size < Math.min(log.config.minInsyncReplicas, replicas.length)) return false;
  return remoteReplicas.every(
    ({ brokerId, logEndOffset }) => !(isr.has(brokerId) || pendingIsr?.has(brokerId) === true) || logEndOffset > log.highWatermark,
  );
}
