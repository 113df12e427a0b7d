/**
 * AlterPartition (56), versions 0-3, from brokers: a leader asks the controller for another ISR (KIP-497). What is checked and
 * answered is in `controller/alter-partition.ts`; elsewhere than on the controller NOT_CONTROLLER.
 * - 1+ leader recovery state (KIP-704); 2+ topics by id (KIP-841); 3 the broker epochs of the ISR's members (KIP-903).
 * The handler slot is free while the controller works. Source: Kafka's `KafkaApis.handleAlterPartitionRequest`.
 */
import type { AlterPartitionRequest, AlterPartitionResponseInput } from '../../../protocol/generated/alter-partition.ts';
import type { KafkaController } from '../../controller/kafka-controller.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export interface AlterPartitionDeps {
  readonly controller: Pick<KafkaController, 'alterPartition'>;
}

export function createAlterPartitionHandler({
  controller,
}: AlterPartitionDeps): ApiHandler<AlterPartitionRequest, AlterPartitionResponseInput> {
  return (request) => {
    void controller.alterPartition(request.body, request.header.apiVersion).then((response) => request.respond(response));
  };
}
