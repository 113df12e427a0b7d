/** What changes topics: create, grow, configure, delete. One call each, checked here first where the answer is known without a broker. */
import { AlterConfigOp, configResourceKey, ConfigResourceType } from '../../client/admin/configs.ts';
import { isBegun } from '../../client/admin/topics.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { configProblem } from '../contract/config-problem.ts';
import type { ConfigChange } from '../contract/configs.ts';
import type { Failure, ItemResult } from '../contract/failure.ts';
import type { CreatedTopic } from '../contract/topics.ts';
import type { ClusterSession } from './cluster-session.ts';
import { FailureError, orThrow, refuse, toFailure } from './failures.ts';
import { topicConfigSpec } from './topic-config-catalog.ts';

/**
 * How long the brokers may take for a change of a topic, and the call that asks for it with its retries: thousands of replicas on a slow disk
 * take many seconds, and who asked sees that it goes on. A check is only read.
 */
const CHANGE_REQUEST_MS = 20_000;
const CHANGE_CALL_MS = 30_000;
const CHANGE_OPTIONS = { timeoutMs: CHANGE_CALL_MS, requestTimeoutMs: CHANGE_REQUEST_MS };

export interface NewTopicInput {
  readonly name: string;
  readonly partitions: number | null;
  readonly replicationFactor: number | null;
  readonly assignment: readonly (readonly number[])[] | undefined;
  readonly configs: Readonly<Record<string, string>>;
  readonly validateOnly: boolean;
}

export async function createTopic(session: ClusterSession, input: NewTopicInput): Promise<CreatedTopic> {
  if (input.name === '.' || input.name === '..') throw refuse('invalid', 'A topic may not be named "." or ".."');
  if (input.assignment !== undefined && (input.partitions !== null || input.replicationFactor !== null)) {
    throw refuse('invalid', 'Give an assignment, or a number of partitions and a replication factor, not both');
  }
  for (const [name, value] of Object.entries(input.configs)) checkConfig(name, value);
  const shape =
    input.assignment === undefined
      ? { numPartitions: input.partitions ?? -1, replicationFactor: input.replicationFactor ?? -1 }
      : { assignments: input.assignment };
  const results = await session.changer.createTopics([{ name: input.name, configs: input.configs, ...shape }], {
    validateOnly: input.validateOnly,
    ...(input.validateOnly ? {} : CHANGE_OPTIONS),
  });
  // Also after a failure: it may have been made all the same.
  if (!input.validateOnly) session.changed([{ kind: 'topics', ids: [input.name] }]);
  const created = done(results.get(input.name), 'CreateTopics', `The topic ${input.name} is being made`);
  return {
    name: input.name,
    topicId: created.topicId === ZERO_UUID ? null : created.topicId,
    partitions: created.numPartitions < 0 ? null : created.numPartitions,
    replicationFactor: created.replicationFactor < 0 ? null : created.replicationFactor,
  };
}

export async function createPartitions(session: ClusterSession, topic: string, count: number, validateOnly: boolean): Promise<null> {
  const results = await session.changer.createPartitions([{ topic, count }], { validateOnly, ...(validateOnly ? {} : CHANGE_OPTIONS) });
  const result = results.get(topic);
  if (!validateOnly) session.changed([{ kind: 'topics', ids: [topic] }]);
  if (result instanceof KafkaError) done(result, 'CreatePartitions', `The partitions of ${topic} are being made`);
  return null;
}

export async function alterTopicConfigs(
  session: ClusterSession,
  topic: string,
  changes: readonly ConfigChange[],
  validateOnly: boolean,
): Promise<null> {
  for (const { name, operation, value } of changes) if (operation === 'set') checkConfig(name, value ?? '');
  const resource = { type: ConfigResourceType.TOPIC, name: topic };
  await alterConfigs(session, resource, changes, validateOnly);
  if (!validateOnly) session.changed([{ kind: 'configs', ids: [`topic:${topic}`] }]);
  return null;
}

/** Shared with the brokers' service: one resource's changes, or the reason why not. */
export async function alterConfigs(
  session: ClusterSession,
  resource: { readonly type: ConfigResourceType; readonly name: string },
  changes: readonly ConfigChange[],
  validateOnly: boolean,
): Promise<void> {
  const operations = {
    set: AlterConfigOp.SET,
    delete: AlterConfigOp.DELETE,
    append: AlterConfigOp.APPEND,
    subtract: AlterConfigOp.SUBTRACT,
  };
  const request = { resource, changes: changes.map(({ name, operation, value }) => ({ name, op: operations[operation], value })) };
  const results = await session.changer.incrementalAlterConfigs([request], { validateOnly });
  const result = results.get(configResourceKey(resource));
  if (result instanceof KafkaError) orThrow(result, { api: 'IncrementalAlterConfigs' });
}

/** Each topic has a result of its own. */
export async function deleteTopics(session: ClusterSession, names: readonly string[]): Promise<ItemResult[]> {
  const results = await session.changer.deleteTopics(names, CHANGE_OPTIONS);
  session.changed([{ kind: 'topics', ids: names }]);
  return names.map((name) => {
    const result = results.get(name);
    return {
      name,
      failure: result instanceof KafkaError ? changeFailure(result, 'DeleteTopics', `The topic ${name} is being deleted`) : null,
    };
  });
}

/** `value` when it is no error, else throws what `changeFailure` makes of it. */
function done<V>(value: V | KafkaError | undefined, api: string, underWay: string): V {
  if (value instanceof KafkaError) throw new FailureError(changeFailure(value, api, underWay));
  return orThrow(value, { api });
}

/** Where the controller has begun and was not done in time, it says so with `underWay`: that is no reason to try again. */
function changeFailure(error: KafkaError, api: string, underWay: string): Failure {
  const failure = toFailure(error, { api });
  if (!isBegun(error)) return failure;
  const message = `${underWay}: the brokers were not done within ${CHANGE_REQUEST_MS / 1000} s, and go on. It shows when they are`;
  return { ...failure, kind: 'timeout', message, retriable: false, timeoutMs: CHANGE_REQUEST_MS };
}

function checkConfig(name: string, value: string): void {
  const known = topicConfigSpec(name);
  const problem = known === undefined ? undefined : configProblem(known, value);
  if (problem !== undefined) throw refuse('invalid', problem);
}
