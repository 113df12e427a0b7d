/**
 * What brokers and ZooKeeper tell their supervisor of themselves, as timeline entries. An event is what the child says it is
 * (`{ type, text, … }`): anything else is left out, since it comes from another process.
 */
import { z } from 'zod';
import type { NewEntry } from './timeline.ts';

const childEvent = z.object({
  type: z.string().min(1).max(64),
  text: z.string().min(1).max(500),
  severity: z.enum(['info', 'warning', 'error']).optional(),
  topic: z.string().max(249).nullish(),
  partition: z.number().int().nullish(),
  groupId: z.string().max(1024).nullish(),
  brokerId: z.number().int().nullish(),
  atMs: z.number().optional(),
});

/** Undefined for an event that is not for people. */
export function childTimelineEntry(processId: string, event: unknown, atMs: number): NewEntry | undefined {
  const parsed = childEvent.safeParse(event);
  if (!parsed.success) return undefined;
  const { type, text, severity, topic, partition, groupId, brokerId } = parsed.data;
  return {
    atMs: parsed.data.atMs ?? atMs,
    // `leader-elected` here, `leader.elected` everywhere in the timeline.
    type: type.replace('-', '.'),
    text,
    severity: severity ?? 'info',
    topic: topic ?? null,
    partition: partition ?? null,
    groupId: groupId ?? null,
    brokerId: brokerId ?? null,
    processId,
  };
}
