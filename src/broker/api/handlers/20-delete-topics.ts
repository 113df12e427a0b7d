/**
 * DeleteTopics (20), versions 0-6, on the controller; elsewhere NOT_CONTROLLER. Answers when the topics are gone from the metadata
 * (their logs may still be on their way out), or after timeoutMs (REQUEST_TIMED_OUT: asked for, will come).
 *
 * - delete.topic.enable off: TOPIC_DELETION_DISABLED, before version 3 INVALID_REQUEST.
 * - 5+ error messages; 6 topics by name or id (KIP-516): both named INVALID_REQUEST, unknown id UNKNOWN_TOPIC_ID, named twice INVALID_REQUEST.
 *
 * Not here: authorization, quotas. Source: Kafka's `KafkaApis.handleDeleteTopicsRequest`.
 */
import { ErrorCode, errorByCode, KafkaError } from '../../../protocol/errors.ts';
import type {
  DeletableTopicResultInput,
  DeleteTopicsRequest,
  DeleteTopicsResponseInput,
} from '../../../protocol/generated/delete-topics.ts';
import { ZERO_UUID } from '../../../protocol/uuid.ts';
import type { MetadataCache } from '../../metadata/metadata-cache.ts';
import type { ZkAdminManager } from '../../metadata/zk-admin-manager.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export interface DeleteTopicsDeps {
  readonly isActiveController: () => boolean;
  readonly deleteTopicEnable: () => boolean;
  readonly metadataCache: Pick<MetadataCache, 'topicIdOf' | 'topicNameOf'>;
  readonly adminManager: Pick<ZkAdminManager, 'deleteTopics'>;
}

const FIRST_DELETION_DISABLED_VERSION = 3;
const FIRST_TOPIC_STATE_VERSION = 6;

interface AskedTopic {
  readonly name: string | null;
  readonly topicId: string;
}

export function createDeleteTopicsHandler(deps: DeleteTopicsDeps): ApiHandler<DeleteTopicsRequest, DeleteTopicsResponseInput> {
  return async (request) => {
    const { body, header } = request;
    const { apiVersion } = header;
    const asked: readonly AskedTopic[] =
      apiVersion >= FIRST_TOPIC_STATE_VERSION ? body.topics : body.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
    const answerAll = (errorCode: number): void => {
      request.respond({ throttleTimeMs: 0, responses: asked.map((topic) => failed(topic, errorCode)) });
    };
    if (!deps.isActiveController()) return answerAll(ErrorCode.NOT_CONTROLLER);
    if (!deps.deleteTopicEnable()) {
      return answerAll(apiVersion < FIRST_DELETION_DISABLED_VERSION ? ErrorCode.INVALID_REQUEST : ErrorCode.TOPIC_DELETION_DISABLED);
    }
    const refused: DeletableTopicResultInput[] = [];
    const accepted = resolve(deps, asked, refused);
    await deps.adminManager.deleteTopics([...accepted.keys()], body.timeoutMs, (results) => {
      const responses = Array.from(results, ([name, { errorCode, errorMessage }]) => ({
        name,
        topicId: accepted.get(name) ?? ZERO_UUID,
        errorCode,
        errorMessage,
      }));
      request.respond({ throttleTimeMs: 0, responses: [...responses, ...refused] });
    });
  };
}

/** Names to delete with their ids; what can't be told or is told twice goes to `refused`. */
function resolve(deps: DeleteTopicsDeps, asked: readonly AskedTopic[], refused: DeletableTopicResultInput[]): Map<string, string> {
  const accepted = new Map<string, string>();
  const twice = new Set<string>();
  for (const topic of asked) {
    const { name, topicId } = topic;
    if (name !== null && topicId !== ZERO_UUID) {
      throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Topic name and topic ID can not both be specified.');
    }
    const resolved = name ?? deps.metadataCache.topicNameOf(topicId);
    if (resolved === undefined) refused.push(failed(topic, topicId === ZERO_UUID ? ErrorCode.INVALID_REQUEST : ErrorCode.UNKNOWN_TOPIC_ID));
    else if (accepted.has(resolved)) twice.add(resolved);
    else accepted.set(resolved, deps.metadataCache.topicIdOf(resolved) ?? ZERO_UUID);
  }
  for (const name of twice) {
    refused.push({
      name,
      topicId: accepted.get(name) ?? ZERO_UUID,
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: 'Found multiple entries for this topic.',
    });
    accepted.delete(name);
  }
  return accepted;
}

function failed({ name, topicId }: AskedTopic, errorCode: number): DeletableTopicResultInput {
  return { name, topicId, errorCode, errorMessage: errorByCode(errorCode).message };
}
