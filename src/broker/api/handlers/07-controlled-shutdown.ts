/**
 * ControlledShutdown (7), versions 0-3: a broker that wants to stop asks the controller to move leadership away.
 * Answers the partitions it still leads. Errors: NOT_CONTROLLER, STALE_BROKER_EPOCH, BROKER_NOT_AVAILABLE.
 * The handler slot is free while the controller works. Source: Kafka's `KafkaApis.handleControlledShutdownRequest`.
 */
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { ControlledShutdownRequest, ControlledShutdownResponseInput } from '../../../protocol/generated/controlled-shutdown.ts';
import type { KafkaController } from '../../controller/kafka-controller.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export interface ControlledShutdownDeps {
  readonly controller: Pick<KafkaController, 'controlledShutdown'>;
}

export function createControlledShutdownHandler({
  controller,
}: ControlledShutdownDeps): ApiHandler<ControlledShutdownRequest, ControlledShutdownResponseInput> {
  return (request) => {
    const { brokerId, brokerEpoch } = request.body;
    void controller.controlledShutdown(brokerId, brokerEpoch).then(
      (remaining) => {
        const remainingPartitions = remaining.map(({ topic, partition }) => ({ topicName: topic, partitionIndex: partition }));
        request.respond({ errorCode: ErrorCode.NONE, remainingPartitions });
      },
      (error: unknown) => {
        const errorCode = error instanceof KafkaError ? error.code : ErrorCode.UNKNOWN_SERVER_ERROR;
        request.respond({ errorCode, remainingPartitions: [] });
      },
    );
  };
}
