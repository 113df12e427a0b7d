/**
 * UpdateMetadata (6), versions 5-8, which controllers from 2.2 send: the controller tells who lives and who leads. Versions 0-4 (partitions
 * not grouped by topic, no broker epoch) are answered UNSUPPORTED_VERSION.
 * Refused: a stale broker epoch (STALE_BROKER_EPOCH: meant for the broker before this restart) and a stale controller epoch
 * (STALE_CONTROLLER_EPOCH). Taken over at once, in one piece; whoever waits for topics is looked after before the answer.
 * Source: Kafka's `KafkaApis.handleUpdateMetadataRequest`, `ReplicaManager.maybeUpdateMetadataCache`.
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import type { UpdateMetadataRequest, UpdateMetadataResponseInput } from '../../../protocol/generated/update-metadata.ts';
import type { MetadataCache, MetadataChange } from '../../metadata/metadata-cache.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export interface UpdateMetadataDeps {
  readonly metadataCache: MetadataCache;
  readonly brokerEpoch: () => number;
  /** The latest controller epoch that any request brought: shared with LeaderAndIsr and StopReplica. */
  readonly controllerEpoch: { get(): number; set(controllerEpoch: number): void };
  /** After the cache was replaced: deleted partitions, topics that someone may wait for, replicas that are led elsewhere. */
  readonly onMetadataChange: (change: MetadataChange, request: UpdateMetadataRequest) => void;
}

const FIRST_VERSION = 5;
const UNKNOWN_BROKER_EPOCH = -1;

export function createUpdateMetadataHandler(deps: UpdateMetadataDeps): ApiHandler<UpdateMetadataRequest, UpdateMetadataResponseInput> {
  return (request) => {
    const { body, header } = request;
    if (header.apiVersion < FIRST_VERSION) {
      request.respond({ errorCode: ErrorCode.UNSUPPORTED_VERSION });
      return;
    }
    if (body.brokerEpoch !== UNKNOWN_BROKER_EPOCH && body.brokerEpoch < deps.brokerEpoch()) {
      request.respond({ errorCode: ErrorCode.STALE_BROKER_EPOCH });
      return;
    }
    if (body.controllerEpoch < deps.controllerEpoch.get()) {
      request.respond({ errorCode: ErrorCode.STALE_CONTROLLER_EPOCH });
      return;
    }
    deps.controllerEpoch.set(body.controllerEpoch);
    deps.onMetadataChange(deps.metadataCache.updateMetadata(body), body);
    request.respond({ errorCode: ErrorCode.NONE });
  };
}
