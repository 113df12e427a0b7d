/**
 * DescribeConfigs (32), versions 0-4: the settings of topics and brokers.
 * - A broker's are told by that broker only; an empty broker name asks for the cluster-wide dynamic ones.
 * - 0 says `isDefault`; 1+ the source and the synonyms (KIP-226); 3+ type and documentation (KIP-569).
 * - Loggers and client metrics: INVALID_REQUEST.
 * Kafka 3.9: `ConfigHelper.handleDescribeConfigsRequest`.
 */
import type { DescribeConfigsRequest, DescribeConfigsResponseInput } from '../../../protocol/generated/describe-configs.ts';
import { ConfigSource } from '../../config/config-resource.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import type { ConfigAdmin } from '../config-admin.ts';

export function createDescribeConfigsHandler({
  configAdmin,
}: {
  readonly configAdmin: ConfigAdmin;
}): ApiHandler<DescribeConfigsRequest, DescribeConfigsResponseInput> {
  return async (request) => {
    const { resources, includeSynonyms, includeDocumentation } = request.body;
    const results = await Promise.all(
      resources.map((resource) => configAdmin.describe(resource, { includeSynonyms, includeDocumentation })),
    );
    if (request.header.apiVersion > 0) {
      request.respond({ throttleTimeMs: 0, results });
      return;
    }
    const withIsDefault = results.map((result) => ({
      ...result,
      configs: result.configs.map((config) => ({ ...config, isDefault: config.configSource === ConfigSource.DEFAULT_CONFIG })),
    }));
    request.respond({ throttleTimeMs: 0, results: withIsDefault });
  };
}
