/** Inputs that several domains share, each with its bounds: nothing unbounded is taken from a renderer. */
import { z } from 'zod';

export const clusterId = z.string().min(1).max(64);
/** Kafka's own rule for a topic's name; 249 so that `<topic>-<partition>` fits a file name. */
export const topicName = z
  .string()
  .min(1)
  .max(249)
  .regex(/^[a-zA-Z0-9._-]+$/, 'A topic name has only letters, digits, ".", "_" and "-"');
/** The name of a topic that is there: read as it is. */
export const existingTopic = z.string().min(1).max(249);
export const partitionId = z.int().min(0).max(1_000_000);
export const brokerId = z.int().min(-1).max(2_147_483_647);
export const offset = z.int().min(0);
export const groupId = z.string().max(1024);
/** `zookeeper`, `broker-1`, …: the supervisor's name of a process. */
export const processId = z.string().min(1).max(64);

export const clusterInput = z.object({ clusterId });
export const topicInput = z.object({ clusterId, topic: existingTopic });

/** Bulk is pulled: `open` makes a reader, `next` takes rows from it, `close` ends it; an unused one ends by itself after 60 s. */
export const readerInput = z.object({ readerId: z.string().min(1).max(64) });
export const nextInput = z.object({ readerId: z.string().min(1).max(64), max: z.int().min(1).max(5000) });

export interface Sort {
  readonly by: string;
  readonly descending: boolean;
}

/** A filter on names: a substring without regard to case, or a regular expression (refused over 200 characters). */
export const nameFilter = z.object({ text: z.string().max(200), regex: z.boolean() });
export type NameFilter = z.infer<typeof nameFilter>;
