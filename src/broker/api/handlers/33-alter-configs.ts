/**
 * AlterConfigs (33), versions 0-2: replaces all settings of topics and brokers. Deprecated in favour of IncrementalAlterConfigs
 * (44, KIP-339), since what isn't named is reset. A missing value is refused. Kafka 3.9: `handleAlterConfigsRequest`.
 */
import type { AlterConfigsRequest, AlterConfigsResponseInput } from '../../../protocol/generated/alter-configs.ts';
import { AlterConfigOpType } from '../../config/config-resource.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import type { ConfigAdmin } from '../config-admin.ts';

export function createAlterConfigsHandler({
  configAdmin,
}: {
  readonly configAdmin: ConfigAdmin;
}): ApiHandler<AlterConfigsRequest, AlterConfigsResponseInput> {
  return async (request) => {
    const { resources, validateOnly } = request.body;
    const asOps = resources.map(({ resourceType, resourceName, configs }) => ({
      resourceType,
      resourceName,
      configs: configs.map(({ name, value }) => ({ name, value, configOperation: AlterConfigOpType.SET })),
    }));
    request.respond({ throttleTimeMs: 0, responses: await configAdmin.alter(asOps, { validateOnly, incremental: false }) });
  };
}
