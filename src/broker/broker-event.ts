/** What a broker tells of itself and its cluster as it happens: for the console's timeline. */
import type { LeaderIsrEvent, TimedClusterEvent } from './controller/cluster-events.ts';
import type { GroupEvent } from './coordinator/coordinator-config.ts';
import type { LogEvent } from './log/log-events.ts';

/** `brokerId` is the broker that it is about where it is about one, else the one that tells it. */
export type BrokerEvent = (TimedClusterEvent | LeaderIsrEvent | ((GroupEvent | LogEvent) & { readonly timestampMs: number })) & {
  readonly brokerId: number;
};
