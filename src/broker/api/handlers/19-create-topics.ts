/**
 * CreateTopics (19), versions 0-7, on the controller; elsewhere NOT_CONTROLLER. Answers when the new partitions have leaders, or
 * after timeoutMs (REQUEST_TIMED_OUT: written, may still come). validateOnly writes nothing.
 *
 * - 1+ error messages, validateOnly; 4+ -1 for the broker's number of partitions and replication factor (KIP-464);
 *   5+ the topic's configuration and size in the answer (KIP-525); 7+ its id (KIP-516).
 * - A name that comes twice: INVALID_REQUEST for it.
 *
 * Not here: authorization, creation policies, controller mutation quotas. Source: Kafka's `KafkaApis.handleCreateTopicsRequest`.
 */
import { ErrorCode, errorByCode } from '../../../protocol/errors.ts';
import type {
  CreatableTopicResultInput,
  CreateTopicsRequest,
  CreateTopicsResponseInput,
} from '../../../protocol/generated/create-topics.ts';
import type { ZkAdminManager } from '../../metadata/zk-admin-manager.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export interface CreateTopicsDeps {
  readonly isActiveController: () => boolean;
  readonly adminManager: Pick<ZkAdminManager, 'createTopics'>;
}

const CLUSTER_METADATA_TOPIC_NAME = '__cluster_metadata';

export function createCreateTopicsHandler({
  isActiveController,
  adminManager,
}: CreateTopicsDeps): ApiHandler<CreateTopicsRequest, CreateTopicsResponseInput> {
  return async (request) => {
    const { topics, timeoutMs, validateOnly } = request.body;
    if (!isActiveController()) {
      const message = errorByCode(ErrorCode.NOT_CONTROLLER).message;
      request.respond({ throttleTimeMs: 0, topics: topics.map(({ name }) => failed(name, ErrorCode.NOT_CONTROLLER, message)) });
      return;
    }
    const refused = new Map<string, CreatableTopicResultInput>();
    const seen = new Set<string>();
    for (const { name } of topics) {
      if (seen.has(name)) refused.set(name, failed(name, ErrorCode.INVALID_REQUEST, 'Found multiple entries for this topic.'));
      if (name === CLUSTER_METADATA_TOPIC_NAME) {
        refused.set(
          name,
          failed(name, ErrorCode.INVALID_REQUEST, `Creation of internal topic ${CLUSTER_METADATA_TOPIC_NAME} is prohibited.`),
        );
      }
      seen.add(name);
    }
    const accepted = topics.filter(({ name }) => !refused.has(name));
    await adminManager.createTopics(accepted, { timeoutMs, validateOnly }, (results) => {
      request.respond({ throttleTimeMs: 0, topics: [...results, ...refused.values()] });
    });
  };
}

function failed(name: string, errorCode: number, errorMessage: string): CreatableTopicResultInput {
  return { name, errorCode, errorMessage, topicConfigErrorCode: ErrorCode.NONE, numPartitions: -1, replicationFactor: -1, configs: [] };
}
