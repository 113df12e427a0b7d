/**
 * Kafka 3.9's error codes: one table of code, name, whether a client may simply try again, and a message.
 *
 * A code that the table lacks is legal on the wire (a newer broker has more):
 * its number is kept, its name says so, and it is not retriable. Source: Errors.java and its RetriableExceptions.
 */

interface ErrorRow {
  readonly code: number;
  readonly message: string;
  readonly retriable?: true;
}

const RETRIABLE = { retriable: true } as const;

const ROWS = {
  UNKNOWN_SERVER_ERROR: { code: -1, message: 'the broker met an unexpected error; its log says which' },
  NONE: { code: 0, message: 'no error' },
  OFFSET_OUT_OF_RANGE: { code: 1, message: 'the offset is before the start or after the end of the log' },
  CORRUPT_MESSAGE: { code: 2, message: 'a record batch has a wrong checksum, a wrong size or an unreadable header', ...RETRIABLE },
  UNKNOWN_TOPIC_OR_PARTITION: { code: 3, message: 'this broker does not know the topic or partition', ...RETRIABLE },
  INVALID_FETCH_SIZE: { code: 4, message: 'the fetch size is not valid' },
  LEADER_NOT_AVAILABLE: { code: 5, message: 'the partition has no leader at the moment', ...RETRIABLE },
  NOT_LEADER_OR_FOLLOWER: { code: 6, message: 'this broker is not the leader of the partition, or not one of its replicas', ...RETRIABLE },
  REQUEST_TIMED_OUT: { code: 7, message: 'the request was not fulfilled within its time', ...RETRIABLE },
  BROKER_NOT_AVAILABLE: { code: 8, message: 'the broker is not available' },
  REPLICA_NOT_AVAILABLE: { code: 9, message: 'the replica is not available on this broker', ...RETRIABLE },
  MESSAGE_TOO_LARGE: { code: 10, message: 'a record batch is larger than max.message.bytes allows' },
  STALE_CONTROLLER_EPOCH: { code: 11, message: 'the request comes from a controller that is no longer in office' },
  OFFSET_METADATA_TOO_LARGE: { code: 12, message: 'the metadata of a committed offset is longer than offset.metadata.max.bytes' },
  NETWORK_EXCEPTION: { code: 13, message: 'the connection was lost before the response came', ...RETRIABLE },
  COORDINATOR_LOAD_IN_PROGRESS: { code: 14, message: 'the coordinator is still reading its partition', ...RETRIABLE },
  COORDINATOR_NOT_AVAILABLE: { code: 15, message: 'there is no coordinator at the moment', ...RETRIABLE },
  NOT_COORDINATOR: { code: 16, message: 'this broker is not the coordinator of the group or transactional id', ...RETRIABLE },
  INVALID_TOPIC_EXCEPTION: { code: 17, message: 'the topic name is not valid, or the operation is not allowed on this topic' },
  RECORD_LIST_TOO_LARGE: { code: 18, message: 'the records of one partition are larger than a segment' },
  NOT_ENOUGH_REPLICAS: { code: 19, message: 'fewer replicas are in sync than min.insync.replicas; nothing was written', ...RETRIABLE },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: { code: 20, message: 'written, but to fewer in-sync replicas than min.insync.replicas', ...RETRIABLE },
  INVALID_REQUIRED_ACKS: { code: 21, message: 'acks must be -1 (all), 0 or 1' },
  ILLEGAL_GENERATION: { code: 22, message: 'the generation is not the current one of the group' },
  INCONSISTENT_GROUP_PROTOCOL: { code: 23, message: 'the member shares no protocol type or protocol with the group' },
  INVALID_GROUP_ID: { code: 24, message: 'the group id is not valid' },
  UNKNOWN_MEMBER_ID: { code: 25, message: 'the coordinator does not know this member' },
  INVALID_SESSION_TIMEOUT: {
    code: 26,
    message: 'the session timeout is outside group.min.session.timeout.ms and group.max.session.timeout.ms',
  },
  REBALANCE_IN_PROGRESS: { code: 27, message: 'the group is rebalancing: join again' },
  INVALID_COMMIT_OFFSET_SIZE: { code: 28, message: 'the offset commit does not fit into one record' },
  TOPIC_AUTHORIZATION_FAILED: { code: 29, message: 'not allowed on this topic' },
  GROUP_AUTHORIZATION_FAILED: { code: 30, message: 'not allowed on this group' },
  CLUSTER_AUTHORIZATION_FAILED: { code: 31, message: 'not allowed on this cluster' },
  INVALID_TIMESTAMP: { code: 32, message: 'a timestamp is further from now than the topic allows' },
  UNSUPPORTED_SASL_MECHANISM: { code: 33, message: 'the SASL mechanism is not enabled here' },
  ILLEGAL_SASL_STATE: { code: 34, message: 'the request does not fit the state of the SASL exchange' },
  UNSUPPORTED_VERSION: { code: 35, message: 'this version of the API is not supported' },
  TOPIC_ALREADY_EXISTS: { code: 36, message: 'a topic of this name exists already' },
  INVALID_PARTITIONS: { code: 37, message: 'the number of partitions is not valid' },
  INVALID_REPLICATION_FACTOR: { code: 38, message: 'the replication factor is below 1 or above the number of brokers' },
  INVALID_REPLICA_ASSIGNMENT: { code: 39, message: 'the replica assignment is not valid' },
  INVALID_CONFIG: { code: 40, message: 'the configuration is not valid' },
  NOT_CONTROLLER: { code: 41, message: 'this broker is not the controller', ...RETRIABLE },
  INVALID_REQUEST: { code: 42, message: 'the request is malformed or contradicts itself' },
  UNSUPPORTED_FOR_MESSAGE_FORMAT: { code: 43, message: 'the message format does not support this request' },
  POLICY_VIOLATION: { code: 44, message: 'the configured policy forbids this' },
  OUT_OF_ORDER_SEQUENCE_NUMBER: { code: 45, message: 'the sequence number does not follow the last one of this producer' },
  DUPLICATE_SEQUENCE_NUMBER: { code: 46, message: 'the sequence number was written before' },
  INVALID_PRODUCER_EPOCH: { code: 47, message: 'the producer epoch is older than the current one' },
  INVALID_TXN_STATE: { code: 48, message: 'the transaction is in no state for this operation' },
  INVALID_PRODUCER_ID_MAPPING: { code: 49, message: 'the producer id does not belong to this transactional id' },
  INVALID_TRANSACTION_TIMEOUT: { code: 50, message: 'the transaction timeout is above transaction.max.timeout.ms' },
  CONCURRENT_TRANSACTIONS: { code: 51, message: 'another operation on this transaction is under way', ...RETRIABLE },
  TRANSACTION_COORDINATOR_FENCED: { code: 52, message: 'the marker comes from a former transaction coordinator' },
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: { code: 53, message: 'not allowed on this transactional id' },
  SECURITY_DISABLED: { code: 54, message: 'no authorizer is configured' },
  OPERATION_NOT_ATTEMPTED: { code: 55, message: 'not tried, because another part of the same request failed' },
  KAFKA_STORAGE_ERROR: { code: 56, message: 'the disk failed under this log', ...RETRIABLE },
  LOG_DIR_NOT_FOUND: { code: 57, message: 'the log directory is not one of the configured ones' },
  SASL_AUTHENTICATION_FAILED: { code: 58, message: 'authentication failed' },
  UNKNOWN_PRODUCER_ID: { code: 59, message: 'nothing is known of this producer id: its records may have been deleted' },
  REASSIGNMENT_IN_PROGRESS: { code: 60, message: 'the partition is being reassigned' },
  DELEGATION_TOKEN_AUTH_DISABLED: { code: 61, message: 'delegation tokens are not enabled' },
  DELEGATION_TOKEN_NOT_FOUND: { code: 62, message: 'there is no such delegation token' },
  DELEGATION_TOKEN_OWNER_MISMATCH: { code: 63, message: 'the principal is neither owner nor renewer of the token' },
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: { code: 64, message: 'delegation tokens can not be asked for on this channel' },
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: { code: 65, message: 'not allowed on this delegation token' },
  DELEGATION_TOKEN_EXPIRED: { code: 66, message: 'the delegation token has expired' },
  INVALID_PRINCIPAL_TYPE: { code: 67, message: 'the type of principal is not supported' },
  NON_EMPTY_GROUP: { code: 68, message: 'the group has members' },
  GROUP_ID_NOT_FOUND: { code: 69, message: 'there is no such group' },
  FETCH_SESSION_ID_NOT_FOUND: { code: 70, message: 'there is no such fetch session', ...RETRIABLE },
  INVALID_FETCH_SESSION_EPOCH: { code: 71, message: 'the fetch session epoch is not the expected one', ...RETRIABLE },
  LISTENER_NOT_FOUND: { code: 72, message: 'the leader has no listener of the name this request came in by', ...RETRIABLE },
  TOPIC_DELETION_DISABLED: { code: 73, message: 'delete.topic.enable is false' },
  FENCED_LEADER_EPOCH: { code: 74, message: 'the leader epoch in the request is older than the current one', ...RETRIABLE },
  UNKNOWN_LEADER_EPOCH: { code: 75, message: 'the leader epoch in the request is newer than the one known here', ...RETRIABLE },
  UNSUPPORTED_COMPRESSION_TYPE: { code: 76, message: 'the compression codec is unknown, or not allowed in this version' },
  STALE_BROKER_EPOCH: { code: 77, message: 'the broker epoch is not the current one' },
  OFFSET_NOT_AVAILABLE: { code: 78, message: 'the new leader has not yet confirmed its high watermark', ...RETRIABLE },
  MEMBER_ID_REQUIRED: { code: 79, message: 'join again with the member id that this response gives' },
  PREFERRED_LEADER_NOT_AVAILABLE: { code: 80, message: 'the preferred leader is not available', ...RETRIABLE },
  GROUP_MAX_SIZE_REACHED: { code: 81, message: 'the group has group.max.size members already' },
  FENCED_INSTANCE_ID: { code: 82, message: 'another member has taken over this group.instance.id' },
  ELIGIBLE_LEADERS_NOT_AVAILABLE: { code: 83, message: 'no replica may become leader', ...RETRIABLE },
  ELECTION_NOT_NEEDED: { code: 84, message: 'the leader is already the wanted one', ...RETRIABLE },
  NO_REASSIGNMENT_IN_PROGRESS: { code: 85, message: 'the partition is not being reassigned' },
  GROUP_SUBSCRIBED_TO_TOPIC: { code: 86, message: 'the group is subscribed to the topic: its offsets can not be deleted' },
  INVALID_RECORD: { code: 87, message: 'a record was refused: it contradicts its batch or the topic does not allow it' },
  UNSTABLE_OFFSET_COMMIT: { code: 88, message: 'offsets of an open transaction are pending', ...RETRIABLE },
  THROTTLING_QUOTA_EXCEEDED: { code: 89, message: 'the quota is used up for now', ...RETRIABLE },
  PRODUCER_FENCED: { code: 90, message: 'a newer producer with this transactional id has taken over' },
  RESOURCE_NOT_FOUND: { code: 91, message: 'there is no such resource' },
  DUPLICATE_RESOURCE: { code: 92, message: 'the request names a resource twice' },
  UNACCEPTABLE_CREDENTIAL: { code: 93, message: 'the credential does not meet the requirements' },
  INCONSISTENT_VOTER_SET: { code: 94, message: 'sender or receiver is not a voter' },
  INVALID_UPDATE_VERSION: { code: 95, message: 'the version of the update is not valid' },
  FEATURE_UPDATE_FAILED: { code: 96, message: 'the features could not be updated' },
  PRINCIPAL_DESERIALIZATION_FAILURE: { code: 97, message: 'the principal of a forwarded request is unreadable' },
  SNAPSHOT_NOT_FOUND: { code: 98, message: 'there is no such snapshot' },
  POSITION_OUT_OF_RANGE: { code: 99, message: 'the position is outside the snapshot' },
  UNKNOWN_TOPIC_ID: { code: 100, message: 'this broker does not know the topic id', ...RETRIABLE },
  DUPLICATE_BROKER_REGISTRATION: { code: 101, message: 'another broker has registered with this id' },
  BROKER_ID_NOT_REGISTERED: { code: 102, message: 'no broker of this id is registered' },
  INCONSISTENT_TOPIC_ID: { code: 103, message: 'the topic id in the request is not the one of the log', ...RETRIABLE },
  INCONSISTENT_CLUSTER_ID: { code: 104, message: 'the cluster id in the request is another than the one here' },
  TRANSACTIONAL_ID_NOT_FOUND: { code: 105, message: 'there is no such transactional id' },
  FETCH_SESSION_TOPIC_ID_ERROR: { code: 106, message: 'the fetch session mixes topic ids and topic names', ...RETRIABLE },
  INELIGIBLE_REPLICA: { code: 107, message: 'a replica of the new ISR may not be in it' },
  NEW_LEADER_ELECTED: { code: 108, message: 'the partition was changed, and by that its leader' },
  OFFSET_MOVED_TO_TIERED_STORAGE: { code: 109, message: 'the offset is in tiered storage' },
  FENCED_MEMBER_EPOCH: { code: 110, message: 'the member epoch is fenced: give up all partitions and join again' },
  UNRELEASED_INSTANCE_ID: { code: 111, message: 'the instance id is still in use by another member' },
  UNSUPPORTED_ASSIGNOR: { code: 112, message: 'the group does not support this assignor' },
  STALE_MEMBER_EPOCH: { code: 113, message: 'the member epoch is stale: try again with the new one' },
  MISMATCHED_ENDPOINT_TYPE: { code: 114, message: 'the request is meant for the other kind of endpoint' },
  UNSUPPORTED_ENDPOINT_TYPE: { code: 115, message: 'this kind of endpoint is not supported' },
  UNKNOWN_CONTROLLER_ID: { code: 116, message: 'there is no such controller' },
  UNKNOWN_SUBSCRIPTION_ID: { code: 117, message: 'the telemetry subscription is unknown or outdated' },
  TELEMETRY_TOO_LARGE: { code: 118, message: 'the telemetry is larger than the broker accepts' },
  INVALID_REGISTRATION: { code: 119, message: 'the controller refused the registration of the broker' },
  TRANSACTION_ABORTABLE: { code: 120, message: 'the transaction met an error and can be aborted' },
  INVALID_RECORD_STATE: { code: 121, message: 'the state of the record does not allow this acknowledgement' },
  SHARE_SESSION_NOT_FOUND: { code: 122, message: 'there is no such share session', ...RETRIABLE },
  INVALID_SHARE_SESSION_EPOCH: { code: 123, message: 'the share session epoch is not the expected one', ...RETRIABLE },
  FENCED_STATE_EPOCH: { code: 124, message: 'the state epoch of the share group is not the current one' },
  INVALID_VOTER_KEY: { code: 125, message: 'the voter key is not the one of the receiver' },
  DUPLICATE_VOTER: { code: 126, message: 'the voter is one already' },
  VOTER_NOT_FOUND: { code: 127, message: 'there is no such voter' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorName = keyof typeof ROWS;

/** Each error's code by its Kafka name: `ErrorCode.NOT_LEADER_OR_FOLLOWER` is 6. */
export const ErrorCode = Object.fromEntries(Object.entries(ROWS).map(([name, row]) => [name, row.code])) as {
  readonly [Name in ErrorName]: (typeof ROWS)[Name]['code'];
};

export interface ErrorInfo {
  readonly code: number;
  readonly name: ErrorName | 'UNKNOWN_ERROR_CODE';
  /** Whether trying again, perhaps after fresh metadata, may succeed. */
  readonly retriable: boolean;
  readonly message: string;
}

const BY_CODE: ReadonlyMap<number, ErrorInfo> = new Map(
  Object.entries(ROWS as Record<string, ErrorRow>).map(([name, row]) => [
    row.code,
    { code: row.code, name: name as ErrorName, retriable: row.retriable === true, message: row.message },
  ]),
);

/** What is known of a code; never undefined. */
export function errorByCode(code: number): ErrorInfo {
  return (
    BY_CODE.get(code) ?? {
      code,
      name: 'UNKNOWN_ERROR_CODE',
      retriable: false,
      message: `error code ${code}, which Kafka 3.9 does not have`,
    }
  );
}

/** An error code as an exception. `detail` replaces the table's message, where there is more to say. */
export class KafkaError extends Error {
  readonly code: number;
  readonly errorName: ErrorInfo['name'];
  readonly retriable: boolean;

  constructor(code: number, detail?: string, options?: ErrorOptions) {
    const info = errorByCode(code);
    super(detail === undefined ? info.message : detail, options);
    this.name = 'KafkaError';
    this.code = code;
    this.errorName = info.name;
    this.retriable = info.retriable;
  }
}
