/**
 * Consumer groups: which there are, who is in them, and their end. Requests are batched per coordinator, never one per
 * group. Source: KafkaAdminClient, ListConsumerGroupsHandler, DescribeConsumerGroupsHandler.
 */
import { KafkaError } from '../../protocol/errors.ts';
import { decodeVersioned } from '../../protocol/api.ts';
import { ConsumerProtocolAssignment } from '../../protocol/generated/consumer-protocol-assignment.ts';
import { ConsumerProtocolSubscription } from '../../protocol/generated/consumer-protocol-subscription.ts';
import { DeleteGroups } from '../../protocol/generated/delete-groups.ts';
import { DescribeGroups } from '../../protocol/generated/describe-groups.ts';
import type { DescribedGroup as DescribedGroupMessage } from '../../protocol/generated/describe-groups.ts';
import { ListGroups } from '../../protocol/generated/list-groups.ts';
import { ProtocolError } from '../../protocol/protocol-error.ts';
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import { errorOf, runKeyed } from './keyed-call.ts';
import type { AdminContext, CallOptions, KeyResults } from './keyed-call.ts';
import { groupCoordinator, namedBroker } from './lookups.ts';

export interface GroupListing {
  readonly groupId: string;
  /** 'consumer', 'connect', or '' for a group that only commits offsets. */
  readonly protocolType: string;
  /** Undefined from a broker that doesn't tell (before ListGroups version 4). */
  readonly state: string | undefined;
  /** 'classic' or 'consumer'; undefined before version 5. */
  readonly type: string | undefined;
  readonly coordinatorId: number;
}

export interface GroupListings {
  readonly groups: readonly GroupListing[];
  /** Brokers that could not be asked: their groups are missing above. By broker id. */
  readonly errors: ReadonlyMap<number, KafkaError>;
}

export interface GroupMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** As the member sent it and as the leader assigned it. */
  readonly metadata: Buffer;
  readonly assignment: Buffer;
  /** From the bytes above, where the group's protocol is 'consumer' and they can be read; else undefined. */
  readonly subscribedTopics: readonly string[] | undefined;
  readonly assignedPartitions: readonly TopicPartition[] | undefined;
}

export interface GroupDescription {
  readonly groupId: string;
  /** PreparingRebalance, CompletingRebalance, Stable, Dead or Empty. A group that nobody knows is Dead. */
  readonly state: string;
  readonly protocolType: string;
  /** The assignor in force. */
  readonly protocol: string;
  readonly members: readonly GroupMember[];
}

const FIRST_WITH_STATE = 4;
const FIRST_WITH_TYPE = 5;

/** The groups of all brokers. A broker that fails doesn't hide the others' groups. */
export async function listGroups(context: AdminContext, options?: CallOptions): Promise<GroupListings> {
  const { brokers } = await context.metadata.refresh();
  const results = await runKeyed<readonly GroupListing[]>(
    context,
    {
      name: 'listGroups',
      lookup: namedBroker(context, Number),
      async request(node, keys, { timeoutMs }) {
        const versions = await context.client.versionsOf(node, { timeoutMs });
        const version = versions.get(ListGroups.key)?.maxVersion ?? 0;
        const response = await context.client.send(node, ListGroups, {}, { timeoutMs });
        const listings = response.groups.map((group) => ({
          groupId: group.groupId,
          protocolType: group.protocolType,
          state: version >= FIRST_WITH_STATE ? group.groupState : undefined,
          type: version >= FIRST_WITH_TYPE ? group.groupType : undefined,
          coordinatorId: node.id,
        }));
        return new Map(keys.map((key) => [key, errorOf(response.errorCode) ?? listings]));
      },
    },
    Array.from(brokers.keys(), String),
    options,
  );
  // While a partition of __consumer_offsets moves, two brokers may both list its groups.
  const groups = new Map<string, GroupListing>();
  const errors = new Map<number, KafkaError>();
  for (const [id, result] of results) {
    if (result instanceof KafkaError) errors.set(Number(id), result);
    else for (const listing of result) groups.set(listing.groupId, listing);
  }
  return { groups: Array.from(groups.values()), errors };
}

export function describeGroups(
  context: AdminContext,
  groupIds: readonly string[],
  options?: CallOptions,
): Promise<KeyResults<GroupDescription>> {
  return runKeyed<GroupDescription>(
    context,
    {
      name: 'describeGroups',
      lookup: groupCoordinator(context),
      async request(node, keys, { timeoutMs }) {
        const { groups } = await context.client.send(node, DescribeGroups, { groups: [...keys] }, { timeoutMs });
        return new Map(groups.map((group) => [group.groupId, errorOf(group.errorCode) ?? descriptionOf(group)]));
      },
    },
    groupIds,
    options,
  );
}

/** Only groups without members can be deleted: others get NON_EMPTY_GROUP, unknown ones GROUP_ID_NOT_FOUND. */
export function deleteGroups(context: AdminContext, groupIds: readonly string[], options?: CallOptions): Promise<KeyResults<void>> {
  return runKeyed<void>(
    context,
    {
      name: 'deleteGroups',
      lookup: groupCoordinator(context),
      async request(node, keys, { timeoutMs }) {
        const { results } = await context.client.send(node, DeleteGroups, { groupsNames: [...keys] }, { timeoutMs });
        return new Map(results.map(({ groupId, errorCode }) => [groupId, errorOf(errorCode)]));
      },
    },
    groupIds,
    options,
  );
}

function descriptionOf(group: DescribedGroupMessage): GroupDescription {
  const isConsumer = group.protocolType === 'consumer';
  return {
    groupId: group.groupId,
    state: group.groupState,
    protocolType: group.protocolType,
    protocol: group.protocolData,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      metadata: member.memberMetadata,
      assignment: member.memberAssignment,
      subscribedTopics: isConsumer ? subscribedTopics(member.memberMetadata) : undefined,
      assignedPartitions: isConsumer ? assignedPartitions(member.memberAssignment) : undefined,
    })),
  };
}

function subscribedTopics(metadata: Buffer): readonly string[] | undefined {
  if (metadata.length === 0) return undefined;
  return readable(() => decodeVersioned(ConsumerProtocolSubscription, metadata, { newerAsNewest: true }).topics);
}

function assignedPartitions(assignment: Buffer): readonly TopicPartition[] | undefined {
  if (assignment.length === 0) return [];
  return readable(() =>
    decodeVersioned(ConsumerProtocolAssignment, assignment, { newerAsNewest: true }).assignedPartitions.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    ),
  );
}

/** A member may put anything in its bytes: what can't be read is unknown, not an error of the call. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
