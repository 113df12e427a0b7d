/**
 * FindCoordinator (10), versions 0-6: the broker that leads a group's partition of `__consumer_offsets` (key type 0), or a
 * transaction's of `__transaction_state` (key type 1, from version 1). The topic is created when it is missing; until its leader
 * is known the answer is COORDINATOR_NOT_AVAILABLE, which clients repeat. 4+ asks for several keys at once (KIP-699). Key type 2
 * is for share groups (KIP-932, version 6): no broker of 3.9 coordinates them.
 */
import { ErrorCode, errorByCode } from '../../../protocol/errors.ts';
import type { FindCoordinatorRequest } from '../../../protocol/generated/find-coordinator.ts';
import { coordinatorPartition } from '../../../protocol/records/partitioner.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export interface CoordinatorDirectory {
  /** Undefined while the topic doesn't exist. */
  partitionCountOf(topic: string): number | undefined;
  /** Asks for the creation of a missing internal topic; may be called again while it is under way. */
  createInternalTopic(topic: string): void;
  leaderEndpoint(
    topic: string,
    partition: number,
    listenerName: string,
  ): { readonly id: number; readonly host: string; readonly port: number } | undefined;
}

export interface FindCoordinatorDeps {
  readonly directory: CoordinatorDirectory;
  /** Whether transactions are coordinated here: else their keys are answered COORDINATOR_NOT_AVAILABLE. */
  readonly servesTransactions: boolean;
}

const KEY_TYPE_GROUP = 0;
const KEY_TYPE_TRANSACTION = 1;
const KEY_TYPE_SHARE = 2;
const FIRST_BATCH_VERSION = 4;
const FIRST_SHARE_VERSION = 6;
const GROUP_TOPIC = '__consumer_offsets';
const TRANSACTION_TOPIC = '__transaction_state';

interface Wanted {
  readonly apiVersion: number;
  readonly keyType: number;
  readonly key: string;
  readonly listenerName: string;
}

interface Found {
  readonly key: string;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export function createFindCoordinatorHandler(deps: FindCoordinatorDeps): ApiHandler<FindCoordinatorRequest> {
  return (request) => {
    const { body, listenerName } = request;
    const { apiVersion } = request.header;
    const findFor = (key: string): Found => find(deps, { apiVersion, keyType: body.keyType, key, listenerName });
    if (apiVersion >= FIRST_BATCH_VERSION) {
      request.respond({ throttleTimeMs: 0, coordinators: body.coordinatorKeys.map(findFor) });
      return;
    }
    const { nodeId, host, port, errorCode, errorMessage } = findFor(body.key);
    request.respond({ throttleTimeMs: 0, nodeId, host, port, errorCode, errorMessage });
  };
}

function find(deps: FindCoordinatorDeps, { apiVersion, keyType, key, listenerName }: Wanted): Found {
  if (keyType === KEY_TYPE_SHARE && apiVersion >= FIRST_SHARE_VERSION) return failed(key, ErrorCode.COORDINATOR_NOT_AVAILABLE);
  if (keyType !== KEY_TYPE_GROUP && keyType !== KEY_TYPE_TRANSACTION) return failed(key, ErrorCode.INVALID_REQUEST);
  if (keyType === KEY_TYPE_TRANSACTION && !deps.servesTransactions) return failed(key, ErrorCode.COORDINATOR_NOT_AVAILABLE);
  const topic = keyType === KEY_TYPE_GROUP ? GROUP_TOPIC : TRANSACTION_TOPIC;
  const partitionCount = deps.directory.partitionCountOf(topic);
  if (partitionCount === undefined) {
    deps.directory.createInternalTopic(topic);
    return failed(key, ErrorCode.COORDINATOR_NOT_AVAILABLE);
  }
  const leader = deps.directory.leaderEndpoint(topic, coordinatorPartition(key, partitionCount), listenerName);
  if (leader === undefined) return failed(key, ErrorCode.COORDINATOR_NOT_AVAILABLE);
  return { key, nodeId: leader.id, host: leader.host, port: leader.port, errorCode: ErrorCode.NONE, errorMessage: null };
}

function failed(key: string, errorCode: number): Found {
  return { key, nodeId: -1, host: '', port: -1, errorCode, errorMessage: errorByCode(errorCode).message };
}
