/**
 * The contract between the console's UI and the services behind it, whole. Importable by the renderer: nothing here reaches Node.
 * Every procedure but `clusters.list` and `session.hello` names a cluster (`next` and `close` go by the reader, which knows its own).
 */
import type { ContractRouterClient } from '@orpc/contract';
import { brokers } from './brokers.ts';
import { clusters } from './clusters.ts';
import { controller } from './controller.ts';
import { flushLab } from './flush-lab.ts';
import { groups } from './groups.ts';
import { live } from './live.ts';
import { messages } from './messages.ts';
import { overview } from './overview.ts';
import { partitions } from './partitions.ts';
import { bulk, read } from './procedure.ts';
import { processes } from './processes.ts';
import { retention } from './retention.ts';
import { segments } from './segments.ts';
import { topics } from './topics.ts';
import { zookeeper } from './zookeeper.ts';

export interface Hello {
  readonly product: 'samsa';
  readonly version: string;
  /** How this renderer is hosted, as the services were told. */
  readonly host: 'electron' | 'browser';
  readonly serverTimeMs: number;
}

export const contract = {
  session: { hello: read.output(bulk<Hello>()) },
  clusters,
  overview,
  processes,
  brokers,
  controller,
  zookeeper,
  topics,
  partitions,
  groups,
  messages,
  segments,
  flushLab,
  retention,
  live,
};

export type ConsoleContract = typeof contract;
/** What the renderer calls: `client.topics.open({ clusterId })`. A failure is an `ORPCError` with code FAILURE and `data: Failure`. */
export type ConsoleClient = ContractRouterClient<ConsoleContract>;
