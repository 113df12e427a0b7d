/**
 * ApiVersions (18), versions 0-4.
 * Tells which APIs in which versions are served; clients send it first. Not affected by authentication.
 * - A version above ours: the answer is v0 with UNSUPPORTED_VERSION and our range of ApiVersions, and the connection goes on (KIP-511).
 * - 3+ name the client's software, which must be of letters, digits, `-` and `.`: INVALID_REQUEST otherwise.
 * - 3+ carry features; there are none in ZooKeeper mode without `/feature` levels (v3 must not list one with minimum 0, KAFKA-17011).
 * Kafka 3.9: `handleApiVersionsRequest`, `ApiVersionsRequest.isValid`.
 */
import { ErrorCode } from '../../../protocol/errors.ts';
import { ApiVersions, type ApiVersionsRequest, type ApiVersionsResponseInput } from '../../../protocol/generated/api-versions.ts';
import type { ApiHandler } from '../../network/broker-request.ts';

export interface AdvertisedApi {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

export interface ApiVersionsDeps {
  /** What is served, by key. */
  readonly advertised: () => readonly AdvertisedApi[];
}

const FIRST_NAMED_VERSION = 3;
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;
/** A regular expression sees no more than this. */
const MAX_SOFTWARE_LENGTH = 1000;

export function createApiVersionsHandler({ advertised }: ApiVersionsDeps): ApiHandler<ApiVersionsRequest, ApiVersionsResponseInput> {
  let apiKeys: readonly AdvertisedApi[] | undefined;
  return (request) => {
    if (request.isUnsupportedVersion) {
      const own = { apiKey: ApiVersions.key, minVersion: ApiVersions.minVersion, maxVersion: ApiVersions.maxVersion };
      request.respondWithVersion(0, { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys: [own] });
      return;
    }
    if (request.header.apiVersion >= FIRST_NAMED_VERSION) {
      const { clientSoftwareName, clientSoftwareVersion } = request.body;
      if (!isValid(clientSoftwareName) || !isValid(clientSoftwareVersion)) {
        request.respond({ errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] });
        return;
      }
      request.setClientSoftware(clientSoftwareName, clientSoftwareVersion);
    }
    apiKeys ??= advertised();
    request.respond({ errorCode: ErrorCode.NONE, apiKeys });
  };
}

function isValid(software: string): boolean {
  return software.length <= MAX_SOFTWARE_LENGTH && SOFTWARE.test(software);
}
