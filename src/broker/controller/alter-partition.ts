/**
 * AlterPartition on the controller (KIP-497): a leader asks for another ISR.
 *
 * Accepted is what a live broker of the right epoch asks for a partition it leads, made from the current leader epoch and
 * partition epoch, whose members are alive (and, where it names them, of the right epoch: KIP-903). It is written against the
 * znode's version; every broker is told. Answers per partition:
 *
 * | finding                                            | error                                             |
 * |----------------------------------------------------|---------------------------------------------------|
 * | leader or partition epoch is ahead of what we know | NOT_CONTROLLER (we are behind: ask the next one)  |
 * | leader epoch is behind                             | FENCED_LEADER_EPOCH                               |
 * | nothing would change                               | none, with the current state                      |
 * | partition epoch is behind                          | INVALID_UPDATE_VERSION                            |
 * | recovering with more than one member, or again     | INVALID_REQUEST                                   |
 * | a member is dead, shutting down or of another epoch | INELIGIBLE_REPLICA (v0-1: OPERATION_NOT_ATTEMPTED) |
 *
 * Source: KafkaController.tryProcessAlterPartition.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import type {
  AlterPartitionRequest,
  AlterPartitionResponseInput,
  AlterPartitionResponsePartitionDataInput as PartitionResponse,
} from '../../protocol/generated/alter-partition.ts';
import { ZERO_UUID } from '../../protocol/uuid.ts';
import { equalsAllowStalePartitionEpoch, LeaderRecoveryState, type LeaderAndIsr } from '../zk/leader-and-isr.ts';
import { ControllerMovedError } from '../zk/zk-errors.ts';
import type { ControllerPartition } from './controller-context.ts';
import { sendUpdateMetadata, type ControllerParts } from './controller-parts.ts';

type PartitionRequest = AlterPartitionRequest['topics'][number]['partitions'][number];
type PartitionResult = { readonly errorCode: number } | { readonly leaderAndIsr: LeaderAndIsr };

interface TopicResults {
  readonly topicName: string;
  readonly topicId: string;
  /** By partition index; filled in two steps: refusals first, writes later. */
  readonly results: Map<number, PartitionResult>;
}

/** First version that names topics by id. */
const TOPIC_ID_VERSION = 2;
/** First version that names the epochs of the ISR's members. */
const BROKER_EPOCHS_VERSION = 3;

export async function processAlterPartition(
  parts: ControllerParts,
  request: AlterPartitionRequest,
  version: number,
): Promise<AlterPartitionResponseInput> {
  const { context, logger } = parts;
  const knownEpoch = context.brokerEpoch(request.brokerId);
  if (knownEpoch !== request.brokerEpoch) {
    logger.info(
      `refusing AlterPartition of broker ${request.brokerId} with epoch ${request.brokerEpoch}: ${knownEpoch ?? 'none'} is known`,
    );
    return { throttleTimeMs: 0, errorCode: ErrorCode.STALE_BROKER_EPOCH, topics: [] };
  }
  const topics: TopicResults[] = [];
  const changes = new Map<ControllerPartition, LeaderAndIsr>();
  const resultsOf = new Map<ControllerPartition, Map<number, PartitionResult>>();
  for (const topic of request.topics) {
    const topicName = version >= TOPIC_ID_VERSION ? context.topicName(topic.topicId) : topic.topicName;
    const results = new Map<number, PartitionResult>();
    topics.push({ topicName: topicName ?? '', topicId: version >= TOPIC_ID_VERSION ? topic.topicId : ZERO_UUID, results });
    for (const partitionRequest of topic.partitions) {
      const index = partitionRequest.partitionIndex;
      const partition = topicName === undefined ? undefined : context.partition(topicName, index);
      const current = partition?.leadership?.leaderAndIsr;
      if (topicName === undefined) results.set(index, { errorCode: ErrorCode.UNKNOWN_TOPIC_ID });
      else if (partition === undefined || current === undefined) results.set(index, { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION });
      else {
        const proposed = proposalOf(request.brokerId, partitionRequest, version);
        const refusal = validate(parts, partition, current, proposed, partitionRequest, version);
        if (refusal !== undefined) results.set(index, refusal);
        else {
          changes.set(partition, proposed);
          resultsOf.set(partition, results);
        }
      }
    }
  }
  await writeChanges(parts, request.brokerId, changes, resultsOf);
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    topics: topics.map(({ topicName, topicId, results }) => ({
      topicName,
      topicId,
      partitions: Array.from(results, ([partitionIndex, result]) => responseOf(partitionIndex, result)),
    })),
  };
}

function proposalOf(leader: number, partition: PartitionRequest, version: number): LeaderAndIsr {
  const isr = version >= BROKER_EPOCHS_VERSION ? partition.newIsrWithEpochs.map(({ brokerId }) => brokerId) : partition.newIsr;
  return {
    leader,
    leaderEpoch: partition.leaderEpoch,
    isr,
    leaderRecoveryState:
      partition.leaderRecoveryState === LeaderRecoveryState.RECOVERING ? LeaderRecoveryState.RECOVERING : LeaderRecoveryState.RECOVERED,
    partitionEpoch: partition.partitionEpoch,
  };
}

function validate(
  parts: ControllerParts,
  partition: ControllerPartition,
  current: LeaderAndIsr,
  proposed: LeaderAndIsr,
  request: PartitionRequest,
  version: number,
): PartitionResult | undefined {
  if (proposed.partitionEpoch > current.partitionEpoch || proposed.leaderEpoch > current.leaderEpoch)
    return { errorCode: ErrorCode.NOT_CONTROLLER };
  if (proposed.leaderEpoch < current.leaderEpoch) return { errorCode: ErrorCode.FENCED_LEADER_EPOCH };
  if (equalsAllowStalePartitionEpoch(proposed, current)) return { leaderAndIsr: current };
  if (proposed.partitionEpoch < current.partitionEpoch) return { errorCode: ErrorCode.INVALID_UPDATE_VERSION };
  if (proposed.leaderRecoveryState === LeaderRecoveryState.RECOVERING) {
    if (proposed.isr.length > 1 || current.leaderRecoveryState === LeaderRecoveryState.RECOVERED)
      return { errorCode: ErrorCode.INVALID_REQUEST };
  }
  const ineligible = ineligibleMembers(parts, proposed, request, version);
  if (ineligible.length === 0) return undefined;
  parts.logger.info(`refusing the ISR [${proposed.isr.join(',')}] of ${partition.name}: [${ineligible.join(',')}] may not be in it`);
  return { errorCode: version >= TOPIC_ID_VERSION ? ErrorCode.INELIGIBLE_REPLICA : ErrorCode.OPERATION_NOT_ATTEMPTED };
}

function ineligibleMembers(
  { context }: ControllerParts,
  proposed: LeaderAndIsr,
  request: PartitionRequest,
  version: number,
): readonly number[] {
  const dead = proposed.isr.filter((brokerId) => !context.isLiveBroker(brokerId));
  if (version < BROKER_EPOCHS_VERSION) return dead;
  // -1: the leader does not know the member's epoch.
  const bounced = request.newIsrWithEpochs.filter(
    ({ brokerId, brokerEpoch }) => brokerEpoch !== -1 && context.brokerEpoch(brokerId) !== brokerEpoch,
  );
  return [...new Set([...dead, ...bounced.map(({ brokerId }) => brokerId)])];
}

async function writeChanges(
  parts: ControllerParts,
  leader: number,
  changes: ReadonlyMap<ControllerPartition, LeaderAndIsr>,
  resultsOf: ReadonlyMap<ControllerPartition, Map<number, PartitionResult>>,
): Promise<void> {
  if (changes.size === 0) return;
  const { context, zk, logger, stateChangeLogger } = parts;
  const { finished, retry } = await zk.topics.updateLeaderAndIsr(changes, context.epoch, context.epochZkVersion);
  for (const [partition, outcome] of finished) {
    if (outcome instanceof Error) {
      if (outcome instanceof ControllerMovedError) throw outcome;
      logger.error({ err: outcome }, `the ISR of ${partition.name} could not be written`);
      resultsOf.get(partition)?.set(partition.partition, { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR });
      continue;
    }
    const previousIsr = partition.leadership?.leaderAndIsr.isr ?? [];
    partition.leadership = { leaderAndIsr: outcome, controllerEpoch: context.epoch };
    resultsOf.get(partition)?.set(partition.partition, { leaderAndIsr: outcome });
    const { topic, partition: index } = partition;
    const { isr, leaderEpoch } = outcome;
    const reason = `its leader ${leader} asked for it: ${difference(previousIsr, isr)}`;
    const change = { topic, partition: index, leader, leaderEpoch, isr, previousIsr, reason };
    stateChangeLogger.record({ kind: 'isr-changed', ...change, askedByLeader: true });
  }
  for (const partition of retry) resultsOf.get(partition)?.set(partition.partition, { errorCode: ErrorCode.INVALID_UPDATE_VERSION });
  if (retry.length > 0) await refreshStates(parts, retry);
  sendUpdateMetadata(parts, context.liveOrShuttingDownBrokerIds, changes.keys());
}

/** The znode moved without us: take what is there, or the leader would be refused for ever. */
async function refreshStates({ context, zk }: ControllerParts, partitions: readonly ControllerPartition[]): Promise<void> {
  for (const [partition, state] of await zk.topics.getPartitionStates(partitions)) {
    if (state !== undefined && !(state instanceof Error) && state.controllerEpoch <= context.epoch) partition.leadership = state;
  }
}

function difference(previous: readonly number[], current: readonly number[]): string {
  const added = current.filter((replica) => !previous.includes(replica));
  const removed = previous.filter((replica) => !current.includes(replica));
  const parts = [added.length > 0 ? `${added.join(',')} caught up` : '', removed.length > 0 ? `${removed.join(',')} fell behind` : ''];
  return parts.filter((part) => part !== '').join(', ') || 'its leader has recovered';
}

function responseOf(partitionIndex: number, result: PartitionResult): PartitionResponse {
  if ('errorCode' in result) {
    return { partitionIndex, errorCode: result.errorCode, leaderId: 0, leaderEpoch: 0, isr: [], partitionEpoch: 0 };
  }
  const { leader, leaderEpoch, isr, leaderRecoveryState, partitionEpoch } = result.leaderAndIsr;
  return { partitionIndex, errorCode: ErrorCode.NONE, leaderId: leader, leaderEpoch, isr, leaderRecoveryState, partitionEpoch };
}
