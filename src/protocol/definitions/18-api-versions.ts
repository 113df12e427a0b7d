/**
 * ApiVersions, API 18. Which APIs and versions a broker speaks.
 *
 * The response header is always version 0, since the caller can not know yet. An unknown version is answered in v0 with error 35.
 * v3 (KIP-511, KIP-584): flexible; client software name and version; features, tagged.
 * v4: features whose least version is 0 may be told (KAFKA-17011).
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 18,
  name: 'ApiVersions',
  versions: '0-4',
  flexible: '3+',
  request: [
    field('clientSoftwareName', 'string', '3+', { ignorable: true }),
    field('clientSoftwareVersion', 'string', '3+', { ignorable: true }),
  ],
  response: [
    field('errorCode', 'int16', '0+'),
    field(
      'apiKeys',
      array('ApiVersion', [field('apiKey', 'int16', '0+'), field('minVersion', 'int16', '0+'), field('maxVersion', 'int16', '0+')]),
      '0+',
    ),
    field('throttleTimeMs', 'int32', '1+', { ignorable: true }),
    field(
      'supportedFeatures',
      array('SupportedFeatureKey', [field('name', 'string', '3+'), field('minVersion', 'int16', '3+'), field('maxVersion', 'int16', '3+')]),
      '3+',
      { tag: 0, ignorable: true },
    ),
    field('finalizedFeaturesEpoch', 'int64', '3+', { tag: 1, default: -1, ignorable: true }),
    field(
      'finalizedFeatures',
      array('FinalizedFeatureKey', [
        field('name', 'string', '3+'),
        field('maxVersionLevel', 'int16', '3+'),
        field('minVersionLevel', 'int16', '3+'),
      ]),
      '3+',
      { tag: 2, ignorable: true },
    ),
    field('zkMigrationReady', 'bool', '3+', { tag: 3, default: false, ignorable: true }),
  ],
});
