/**
 * FindCoordinator (10), versions 0-6: the broker that leads a group's partition of `__consumer_offsets` (key type 0), or a
 * transaction's of `__transaction_state` (key type 1, from version 1). The topic is created when it is missing; until its leader
 * is known the answer is COORDINATOR_NOT_AVAILABLE, which clients repeat. 4+ asks for several keys at once (KIP-699).
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
  leaderEndpoint(topic: string, partition: number, listenerName: string): { readonly id: number; readonly host: string; readonly port: number } | undefined;
}

export interface FindCoordinatorDeps {
  readonly directory: CoordinatorDirectory;
  /** Whether transactions are coordinated here: else their keys are answered COORDINATOR_NOT_AVAILABLE. */
  readonly servesTransactions: boolean;
}

const KEY_TYPE_GROUP = 0;
const KEY_TYPE_TRANSACTION = 1;
const FIRST_BATCH_VERSION = 4;
const GROUP_TOPIC = '__consumer_offsets';
const TRANSACTION_TOPIC = '__transaction_state';

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
    const { body, header, listenerName } = request;
    if (header.apiVersion >= FIRST_BATCH_VERSION) {
      request.respond({ throttleTimeMs: 0, coordinators: body.coordinatorKeys.map((key) => find(deps, body.keyType, key, listenerName)) });
      return;
    }
    const { nodeId, host, port, errorCode, errorMessage } = find(deps, body.keyType, body.key, listenerName);
    request.respond({ throttleTimeMs: 0, nodeId, host, port, errorCode, errorMessage });
  };
}

function find(deps: FindCoordinatorDeps, keyType: number, key: string, listenerName: string): Found {
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
