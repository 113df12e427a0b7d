/**
 * Which broker answers for what: any, the controller, a named one, a partition's leader, a group's coordinator.
 * Each gives the `lookup` half of a `KeyedCall`. Source: AllBrokersStrategy, PartitionLeaderStrategy, CoordinatorStrategy.
 */
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { FindCoordinator } from '../../protocol/generated/find-coordinator.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import type { PartitionMetadata } from '../cluster-snapshot.ts';
import type { Node } from '../network-client.ts';
import { NodeNotAvailableError } from '../errors.ts';
import { errorOf } from './keyed-call.ts';
import type { AdminContext, Attempt, KeyResult } from './keyed-call.ts';

type Lookup = (keys: readonly string[], attempt: Attempt) => Promise<Map<string, KeyResult<Node>>>;

const GROUP_KEY_TYPE = 0;
/** First version that takes several keys (KIP-699). */
const BATCHED_FIND_COORDINATOR = 4;

/** Any broker, the least loaded first; another one in each further round. */
export function anyBroker(context: AdminContext): Lookup {
  const tried = new Set<number>();
  return async (keys) => {
    await context.metadata.current();
    let node = context.metadata.leastLoadedNode(tried);
    if (node === undefined) {
      tried.clear();
      node = context.metadata.leastLoadedNode();
    }
    if (node !== undefined) tried.add(node.id);
    return forAll(keys, node ?? new NodeNotAvailableError('no broker is known'));
  };
}

export function controller(context: AdminContext): Lookup {
  return async (keys, { number }) => {
    const { controllerId, brokers } = number === 0 ? await context.metadata.current() : await context.metadata.refresh();
    return forAll(keys, brokers.get(controllerId) ?? new NodeNotAvailableError('the cluster has no controller at the moment'));
  };
}

/** `brokerIdOf` names the broker for a key. One that the cluster doesn't know gets BROKER_NOT_AVAILABLE. */
export function namedBroker(context: AdminContext, brokerIdOf: (key: string) => number): Lookup {
  return async (keys, { number }) => {
    let { brokers } = number === 0 ? await context.metadata.current() : await context.metadata.refresh();
    if (number === 0 && keys.some((key) => !brokers.has(brokerIdOf(key)))) ({ brokers } = await context.metadata.refresh());
    return new Map(
      keys.map((key) => {
        const id = brokerIdOf(key);
        return [key, brokers.get(id) ?? new NodeNotAvailableError(`broker ${id} is not in the cluster at the moment`)];
      }),
    );
  };
}

/** The leaders of partitions. `onFound` hears each partition's metadata, for its leader epoch or topic id. */
export function partitionLeader(
  context: AdminContext,
  partitions: ReadonlyMap<string, TopicPartition>,
  onFound?: (key: string, partition: PartitionMetadata) => void,
): Lookup {
  return async (keys, { number }) => {
    const names = new Set<string>();
    for (const key of keys) names.add(partitionOf(partitions, key).topic);
    const topics = await context.metadata.topics(Array.from(names), { fresh: number > 0 });
    const found = new Map<string, KeyResult<Node>>();
    for (const key of keys) {
      const { topic, partition } = partitionOf(partitions, key);
      const metadata = topics.get(topic);
      const own = metadata?.partitions.find((candidate) => candidate.partition === partition);
      const topicError = metadata === undefined ? undefined : errorOf(metadata.errorCode);
      if (topicError !== undefined) found.set(key, topicError);
      else if (own === undefined) found.set(key, new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
      else {
        found.set(key, context.metadata.broker(own.leaderId) ?? new KafkaError(ErrorCode.LEADER_NOT_AVAILABLE));
        onFound?.(key, own);
      }
    }
    return found;
  };
}

/** The coordinators of groups (the keys), in one request where the broker takes several keys at once. */
export function groupCoordinator(context: AdminContext): Lookup {
  const any = anyBroker(context);
  return async (keys, attempt) => {
    const node = (await any(['any'], attempt)).get('any');
    if (node === undefined || node instanceof KafkaError) return forAll(keys, node ?? new NodeNotAvailableError('no broker is known'));
    if (await hasVersion(context, node, BATCHED_FIND_COORDINATOR, attempt)) return findBatched(context, node, keys, attempt);
    const found = await Promise.all(keys.map(async (key) => [key, await findOne(context, node, key, attempt)] as const));
    return new Map(found);
  };
}

async function findBatched(
  context: AdminContext,
  node: Node,
  keys: readonly string[],
  attempt: Attempt,
): Promise<Map<string, KeyResult<Node>>> {
  const body = { keyType: GROUP_KEY_TYPE, coordinatorKeys: [...keys] };
  const { coordinators } = await context.client.send(node, FindCoordinator, body, {
    minVersion: BATCHED_FIND_COORDINATOR,
    timeoutMs: attempt.timeoutMs,
  });
  return new Map(
    coordinators.map(({ key, nodeId: id, host, port, errorCode, errorMessage }) => [
      key,
      errorOf(errorCode, errorMessage) ?? { id, host, port },
    ]),
  );
}

async function findOne(context: AdminContext, node: Node, key: string, attempt: Attempt): Promise<KeyResult<Node>> {
  const options = { maxVersion: BATCHED_FIND_COORDINATOR - 1, timeoutMs: attempt.timeoutMs };
  const { nodeId: id, host, port, errorCode, errorMessage } = await context.client.send(node, FindCoordinator, { key }, options);
  return errorOf(errorCode, errorMessage) ?? { id, host, port };
}

/** Negotiates with `node` if that wasn't done yet. */
async function hasVersion(context: AdminContext, node: Node, version: number, attempt: Attempt): Promise<boolean> {
  const versions = await context.client.versionsOf(node, { timeoutMs: attempt.timeoutMs });
  return (versions.get(FindCoordinator.key)?.maxVersion ?? 0) >= version;
}

function forAll<T>(keys: readonly string[], result: T): Map<string, T> {
  return new Map(keys.map((key) => [key, result]));
}

function partitionOf(partitions: ReadonlyMap<string, TopicPartition>, key: string): TopicPartition {
  const partition = partitions.get(key);
  if (partition === undefined) throw new Error(`'${key}' is none of the call's partitions`);
  return partition;
}
