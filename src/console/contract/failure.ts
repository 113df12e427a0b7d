/**
 * What a page shows when something went wrong: which API at which broker, Kafka's error code and its name, a message in prose,
 * and whether trying again may help. `kind` chooses the state the page shows (console.md section 1).
 */
import { z } from 'zod';

export const failureKinds = [
  /** The broker answered with a Kafka error code. */
  'kafka',
  /** The broker lacks the API or the version that is needed: `message` names both. */
  'unsupported',
  /** TOPIC_AUTHORIZATION_FAILED and its like. */
  'notPermitted',
  /** No answer within `timeoutMs`. */
  'timeout',
  /** The broker, the supervisor or a process cannot be reached. */
  'unreachable',
  /** The topic, group, partition, segment, process or read that was named is not there. */
  'notFound',
  /** The input is refused before anything was sent: `message` says which value and what is allowed. */
  'invalid',
  /** The cluster is Read-only, or the thing is only possible on local clusters. */
  'refused',
  /** A defect of the console; details are in its log. */
  'internal',
] as const;

export type FailureKind = (typeof failureKinds)[number];

export const failureSchema = z.object({
  kind: z.enum(failureKinds),
  /** Kafka's name of the API ("CreateTopics"), or the part of ours ("control socket", "log segment"). */
  api: z.string().nullable(),
  /** Kafka's error code, and its name (7, "REQUEST_TIMED_OUT"). */
  code: z.number().int().nullable(),
  name: z.string().nullable(),
  brokerId: z.number().int().nullable(),
  message: z.string(),
  retriable: z.boolean(),
  timeoutMs: z.number().nullable(),
});

export type Failure = z.infer<typeof failureSchema>;

/** The outcome of one item of an operation on many: `failure` is null when it was done. */
export interface ItemResult {
  readonly name: string;
  readonly failure: Failure | null;
}
