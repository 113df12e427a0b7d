/**
 * IncrementalAlterConfigs (44), versions 0-1: SET, DELETE, APPEND and SUBTRACT on single settings of topics and brokers (KIP-339).
 * A broker's are changed by that broker only; an empty broker name means all brokers. Loggers (KIP-412): INVALID_REQUEST.
 * Kafka 3.9: `handleIncrementalAlterConfigsRequest`.
 */
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponseInput,
} from '../../../protocol/generated/incremental-alter-configs.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import type { ConfigAdmin } from '../config-admin.ts';

export function createIncrementalAlterConfigsHandler({
  configAdmin,
}: {
  readonly configAdmin: ConfigAdmin;
}): ApiHandler<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponseInput> {
  return async (request) => {
    const { resources, validateOnly } = request.body;
    request.respond({ throttleTimeMs: 0, responses: await configAdmin.alter(resources, { validateOnly, incremental: true }) });
  };
}
