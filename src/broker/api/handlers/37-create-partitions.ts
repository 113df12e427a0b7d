/**
 * CreatePartitions (37), versions 0-3, on the controller; elsewhere NOT_CONTROLLER. Answers when the new partitions have leaders,
 * or after timeoutMs (REQUEST_TIMED_OUT). A topic named twice: INVALID_REQUEST; one being deleted: INVALID_TOPIC_EXCEPTION.
 * Not here: authorization, quotas. Source: Kafka's `KafkaApis.handleCreatePartitionsRequest`.
 */
import { ErrorCode, errorByCode } from '../../../protocol/errors.ts';
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponseInput,
  CreatePartitionsTopicResultInput,
} from '../../../protocol/generated/create-partitions.ts';
import type { KafkaController } from '../../controller/kafka-controller.ts';
import type { ZkAdminManager } from '../../metadata/zk-admin-manager.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export interface CreatePartitionsDeps {
  readonly controller: Pick<KafkaController, 'isActive' | 'isTopicQueuedForDeletion'>;
  readonly adminManager: Pick<ZkAdminManager, 'createPartitions'>;
}

export function createCreatePartitionsHandler({
  controller,
  adminManager,
}: CreatePartitionsDeps): ApiHandler<CreatePartitionsRequest, CreatePartitionsResponseInput> {
  return async (request) => {
    const { topics, timeoutMs, validateOnly } = request.body;
    if (!controller.isActive) {
      request.respond({ throttleTimeMs: 0, results: topics.map(({ name }) => failed(name, ErrorCode.NOT_CONTROLLER)) });
      return;
    }
    const refused = new Map<string, CreatePartitionsTopicResultInput>();
    const seen = new Set<string>();
    for (const { name } of topics) {
      if (seen.has(name)) refused.set(name, failed(name, ErrorCode.INVALID_REQUEST, 'Duplicate topic in request.'));
      else if (controller.isTopicQueuedForDeletion(name)) {
        refused.set(name, failed(name, ErrorCode.INVALID_TOPIC_EXCEPTION, 'The topic is queued for deletion.'));
      }
      seen.add(name);
    }
    const accepted = topics.filter(({ name }) => !refused.has(name));
    await adminManager.createPartitions(accepted, { timeoutMs, validateOnly }, (results) => {
      const created = Array.from(results, ([name, { errorCode, errorMessage }]) => ({ name, errorCode, errorMessage }));
      request.respond({ throttleTimeMs: 0, results: [...created, ...refused.values()] });
    });
  };
}

function failed(name: string, errorCode: number, errorMessage = errorByCode(errorCode).message): CreatePartitionsTopicResultInput {
  return { name, errorCode, errorMessage };
}
