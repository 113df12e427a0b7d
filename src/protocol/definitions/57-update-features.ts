/**
 * UpdateFeatures, API 57. Sets finalized features (KIP-584).
 *
 * v1 (KIP-778): upgrade type in place of allowDowngrade, validateOnly.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 57,
  name: 'UpdateFeatures',
  versions: '0-1',
  flexible: '0+',
  request: [
    field('timeoutMs', 'int32', '0+', { default: 60000 }),
    field(
      'featureUpdates',
      array('FeatureUpdateKey', [
        field('feature', 'string', '0+'),
        field('maxVersionLevel', 'int16', '0+'),
        field('allowDowngrade', 'bool', '0'),
        field('upgradeType', 'int8', '1+', { default: 1 }),
      ]),
      '0+',
    ),
    field('validateOnly', 'bool', '1+', { default: false }),
  ],
  response: [
    field('throttleTimeMs', 'int32', '0+'),
    field('errorCode', 'int16', '0+'),
    field('errorMessage', 'string', '0+', { nullable: '0+' }),
    field(
      'results',
      array('UpdatableFeatureResult', [
        field('feature', 'string', '0+'),
        field('errorCode', 'int16', '0+'),
        field('errorMessage', 'string', '0+', { nullable: '0+' }),
      ]),
      '0+',
    ),
  ],
});
