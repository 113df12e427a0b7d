/**
 * InitProducerId (22), versions 0-5: a producer id for an idempotent producer, with epoch 0, from this broker's block.
 *
 * Without a transactional id, what the client says of its former id and epoch (3+, KIP-360) has no weight: it gets a new id.
 * With a transactional id: UNSUPPORTED_VERSION until the transaction coordinator is there. Every client takes it for fatal and
 * says so at once, where COORDINATOR_NOT_AVAILABLE would have it ask for ever.
 * No id to be had from the controller: COORDINATOR_LOAD_IN_PROGRESS, which clients repeat.
 * Source: Kafka's `KafkaApis.handleInitProducerIdRequest`, `TransactionCoordinator.handleInitProducerId`.
 */
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { InitProducerIdRequest, InitProducerIdResponseInput } from '../../../protocol/generated/init-producer-id.ts';
import type { ProducerIdManager } from '../../metadata/producer-id-manager.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export interface InitProducerIdDeps {
  readonly producerIdManager: Pick<ProducerIdManager, 'generateProducerId'>;
}

const NO_PRODUCER_ID = -1;
const NO_PRODUCER_EPOCH = -1;

export function createInitProducerIdHandler({
  producerIdManager,
}: InitProducerIdDeps): ApiHandler<InitProducerIdRequest, InitProducerIdResponseInput> {
  return (request) => {
    const { transactionalId, producerId, producerEpoch } = request.body;
    const fail = (errorCode: number): void => {
      request.respond({ throttleTimeMs: 0, errorCode, producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH });
    };
    if ((producerId === NO_PRODUCER_ID) !== (producerEpoch === NO_PRODUCER_EPOCH)) return fail(ErrorCode.INVALID_REQUEST);
    if (transactionalId === '') return fail(ErrorCode.INVALID_REQUEST);
    if (transactionalId !== null) return fail(ErrorCode.UNSUPPORTED_VERSION);
    // The handler slot is free while a block is fetched.
    void producerIdManager.generateProducerId().then(
      (id) => request.respond({ throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerId: id, producerEpoch: 0 }),
      (error: unknown) => fail(error instanceof KafkaError ? error.code : ErrorCode.UNKNOWN_SERVER_ERROR),
    );
  };
}
