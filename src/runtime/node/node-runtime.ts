/** The runtime of a real process. */
import type { Halt } from '../halt.ts';
import type { Logger } from '../logger.ts';
import { MetricsRegistry } from '../metrics.ts';
import type { Runtime } from '../runtime.ts';
import { nodeClock, nodeScheduler } from './node-clock.ts';
import { nodeDisk } from './node-disk.ts';
import { nodeNet } from './node-net.ts';
import { NodeOffload } from './node-offload.ts';
import { nodeRandom } from './node-random.ts';

export function createNodeRuntime(logger: Logger): Runtime {
  const halt: Halt = {
    halt(exitCode, reason, error): never {
      logger.fatal({ err: error }, reason);
      process.exit(exitCode);
    },
  };
  return {
    clock: nodeClock,
    scheduler: nodeScheduler,
    disk: nodeDisk,
    net: nodeNet,
    random: nodeRandom,
    offload: new NodeOffload(),
    halt,
    logger,
    metrics: new MetricsRegistry(),
  };
}
