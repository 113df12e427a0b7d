/**
 * DescribeCluster (60), versions 0-1 (KIP-700): cluster id, controller and brokers on the client's listener.
 * 1+ endpointType: 1 brokers; controllers (2) have no endpoints in ZooKeeper mode, MISMATCHED_ENDPOINT_TYPE; else UNSUPPORTED_ENDPOINT_TYPE.
 * Source: Kafka's `KafkaApis.handleDescribeCluster`.
 */
import { ErrorCode, errorByCode } from '../../../protocol/errors.ts';
import type { DescribeClusterRequest, DescribeClusterResponseInput } from '../../../protocol/generated/describe-cluster.ts';
import type { MetadataCache } from '../../metadata/metadata-cache.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import { AUTHORIZED_OPERATIONS_OMITTED, CLUSTER_OPERATIONS } from '../authorized-operations.ts';

export interface DescribeClusterDeps {
  readonly metadataCache: MetadataCache;
  readonly clusterId: string;
}

const EndpointType = { BROKERS: 1, CONTROLLERS: 2 } as const;
const FIRST_ENDPOINT_TYPE_VERSION = 1;

export function createDescribeClusterHandler({
  metadataCache,
  clusterId,
}: DescribeClusterDeps): ApiHandler<DescribeClusterRequest, DescribeClusterResponseInput> {
  return (request) => {
    const { body, header, listenerName } = request;
    const endpointType = header.apiVersion >= FIRST_ENDPOINT_TYPE_VERSION ? body.endpointType : EndpointType.BROKERS;
    if (endpointType !== EndpointType.BROKERS) {
      const errorCode =
        endpointType === EndpointType.CONTROLLERS ? ErrorCode.MISMATCHED_ENDPOINT_TYPE : ErrorCode.UNSUPPORTED_ENDPOINT_TYPE;
      const errorMessage = errorByCode(errorCode).message;
      request.respond({ throttleTimeMs: 0, errorCode, errorMessage, clusterId: '', controllerId: -1, brokers: [] });
      return;
    }
    request.respond({
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      endpointType,
      clusterId,
      controllerId: metadataCache.getControllerId() ?? -1,
      brokers: metadataCache.getAliveBrokerNodes(listenerName).map(({ id, host, port, rack }) => ({ brokerId: id, host, port, rack })),
      clusterAuthorizedOperations: body.includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : AUTHORIZED_OPERATIONS_OMITTED,
    });
  };
}
