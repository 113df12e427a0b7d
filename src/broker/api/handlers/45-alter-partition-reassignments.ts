/**
 * AlterPartitionReassignments (45), version 0 (KIP-455), on the controller; elsewhere NOT_CONTROLLER for all. Answers when the
 * reassignments are under way: ListPartitionReassignments tells how they go. Replicas null: give up (NO_REASSIGNMENT_IN_PROGRESS when
 * there is none). Other errors per partition: INVALID_REPLICA_ASSIGNMENT, UNKNOWN_TOPIC_OR_PARTITION.
 * Not here: authorization. Source: Kafka's `KafkaApis.handleAlterPartitionReassignmentsRequest`.
 */
import { ErrorCode, errorByCode, KafkaError } from '../../../protocol/errors.ts';
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponseInput,
} from '../../../protocol/generated/alter-partition-reassignments.ts';
import type { KafkaController } from '../../controller/kafka-controller.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export interface AlterPartitionReassignmentsDeps {
  readonly controller: Pick<KafkaController, 'alterPartitionReassignments'>;
}

export function createAlterPartitionReassignmentsHandler({
  controller,
}: AlterPartitionReassignmentsDeps): ApiHandler<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponseInput> {
  return (request) => {
    const asked = request.body.topics.flatMap(({ name: topic, partitions }) =>
      partitions.map(({ partitionIndex: partition, replicas }) => ({ topic, partition, replicas })),
    );
    // The handler's slot is free while the controller works.
    void controller.alterPartitionReassignments(asked).then(
      (results) => {
        const responses = Array.from(
          Map.groupBy(results, ({ topic }) => topic),
          ([name, own]) => ({
            name,
            partitions: own.map(({ partition: partitionIndex, errorCode, errorMessage }) => ({ partitionIndex, errorCode, errorMessage })),
          }),
        );
        request.respond({ throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, responses });
      },
      (error: unknown) => {
        const errorCode = error instanceof KafkaError ? error.code : ErrorCode.UNKNOWN_SERVER_ERROR;
        request.respond({ throttleTimeMs: 0, errorCode, errorMessage: errorByCode(errorCode).message, responses: [] });
      },
    );
  };
}
