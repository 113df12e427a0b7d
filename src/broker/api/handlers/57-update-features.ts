/**
 * UpdateFeatures (57), versions 0-1 (KIP-584, KIP-778), on the controller; elsewhere NOT_CONTROLLER for all. Brokers in ZooKeeper mode
 * support no features of their own, so that only levels that another cluster left in /feature can be removed: all else is
 * INVALID_REQUEST per feature, with the reason. Version 1 says what it wants by upgradeType (1 upgrade, 2 safe downgrade, 3 unsafe).
 * Not here: authorization; validateOnly is not looked at, as in Kafka 3.9's ZooKeeper mode.
 * Source: Kafka's `KafkaApis.handleUpdateFeatures`.
 */
import { ErrorCode, errorByCode, KafkaError } from '../../../protocol/errors.ts';
import type { UpdateFeaturesRequest, UpdateFeaturesResponseInput } from '../../../protocol/generated/update-features.ts';
import type { FeatureUpdate } from '../../controller/feature-updates.ts';
import type { KafkaController } from '../../controller/kafka-controller.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export interface UpdateFeaturesDeps {
  readonly controller: Pick<KafkaController, 'updateFeatures'>;
}

const FIRST_UPGRADE_TYPE_VERSION = 1;
const UPGRADE_TYPES: readonly FeatureUpdate['upgradeType'][] = ['unknown', 'upgrade', 'safe-downgrade', 'unsafe-downgrade'];

export function createUpdateFeaturesHandler({
  controller,
}: UpdateFeaturesDeps): ApiHandler<UpdateFeaturesRequest, UpdateFeaturesResponseInput> {
  return (request) => {
    const { body, header } = request;
    const updates = body.featureUpdates.map(({ feature, maxVersionLevel: versionLevel, allowDowngrade, upgradeType }): FeatureUpdate => {
      const ofVersion0 = allowDowngrade ? 'safe-downgrade' : 'upgrade';
      const type = header.apiVersion >= FIRST_UPGRADE_TYPE_VERSION ? (UPGRADE_TYPES[upgradeType] ?? 'unknown') : ofVersion0;
      return { feature, versionLevel, upgradeType: type };
    });
    void controller.updateFeatures(updates).then(
      (results) => request.respond({ throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, results: [...results] }),
      (error: unknown) => {
        const errorCode = error instanceof KafkaError ? error.code : ErrorCode.UNKNOWN_SERVER_ERROR;
        request.respond({ throttleTimeMs: 0, errorCode, errorMessage: errorByCode(errorCode).message, results: [] });
      },
    );
  };
}
