/**
 * The outside world of one process, in one object that is handed down.
 * Engine code takes the parts it needs (`{ clock, scheduler }: Pick<Runtime, …>`), never a global.
 */
import type { Clock } from './clock.ts';
import type { Disk } from './disk.ts';
import type { Halt } from './halt.ts';
import type { Logger } from './logger.ts';
import type { MetricsRegistry } from './metrics.ts';
import type { Net } from './net.ts';
import type { Offload } from './offload.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

export interface Runtime {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly disk: Disk;
  readonly net: Net;
  readonly random: Random;
  readonly offload: Offload;
  readonly halt: Halt;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
}
