/**
 * ListPartitionReassignments (46), version 0 (KIP-455), on the controller; elsewhere NOT_CONTROLLER. Topics null: all that are under
 * way; else those named that are.
 * Not here: authorization. Source: Kafka's `KafkaApis.handleListPartitionReassignmentsRequest`.
 */
import { ErrorCode, errorByCode, KafkaError } from '../../../protocol/errors.ts';
import type {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponseInput,
} from '../../../protocol/generated/list-partition-reassignments.ts';
import type { KafkaController } from '../../controller/kafka-controller.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export interface ListPartitionReassignmentsDeps {
  readonly controller: Pick<KafkaController, 'listPartitionReassignments'>;
}

export function createListPartitionReassignmentsHandler({
  controller,
}: ListPartitionReassignmentsDeps): ApiHandler<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponseInput> {
  return (request) => {
    const asked = request.body.topics?.flatMap(({ name: topic, partitionIndexes }) =>
      partitionIndexes.map((partition) => ({ topic, partition })),
    );
    void controller.listPartitionReassignments(asked).then(
      (ongoing) => {
        const topics = Array.from(
          Map.groupBy(ongoing, ({ topic }) => topic),
          ([name, own]) => ({ name, partitions: own.map(({ partition, assignment }) => ({ partitionIndex: partition, ...assignment })) }),
        );
        request.respond({ throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, topics });
      },
      (error: unknown) => {
        const errorCode = error instanceof KafkaError ? error.code : ErrorCode.UNKNOWN_SERVER_ERROR;
        request.respond({ throttleTimeMs: 0, errorCode, errorMessage: errorByCode(errorCode).message, topics: [] });
      },
    );
  };
}
