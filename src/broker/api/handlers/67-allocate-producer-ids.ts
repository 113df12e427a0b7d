/**
 * AllocateProducerIds (67), version 0, from brokers: the next block of producer ids (KIP-730), on the controller.
 * Errors: NOT_CONTROLLER, BROKER_ID_NOT_REGISTERED, STALE_BROKER_EPOCH. The handler slot is free while the controller works.
 * Source: Kafka's `KafkaApis.handleAllocateProducerIdsRequest`.
 */
import type { AllocateProducerIdsRequest, AllocateProducerIdsResponseInput } from '../../../protocol/generated/allocate-producer-ids.ts';
import type { KafkaController } from '../../controller/kafka-controller.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export interface AllocateProducerIdsDeps {
  readonly controller: Pick<KafkaController, 'allocateProducerIds'>;
}

export function createAllocateProducerIdsHandler({
  controller,
}: AllocateProducerIdsDeps): ApiHandler<AllocateProducerIdsRequest, AllocateProducerIdsResponseInput> {
  return (request) => {
    void controller.allocateProducerIds(request.body).then((response) => request.respond(response));
  };
}
