/**
 * From the bytes of a request to its header and body, or to why its connection must be closed. Whatever the bytes are, it ends in
 * one of the two. ApiVersions is special: in a version that isn't served its body isn't looked at, and it is answered all the same.
 */
import type { AnyApi } from '../../protocol/api.ts';
import { apiByKey } from '../../protocol/apis.ts';
import { decodeRequestBody, decodeRequestHeader } from '../../protocol/frames.ts';
import type { RequestHandler, RequestHeader } from './broker-request.ts';

const API_VERSIONS_KEY = 18;

export interface DecodedRequest {
  readonly header: RequestHeader;
  readonly api: AnyApi;
  readonly body: unknown;
  /** ApiVersions in a version that isn't served: `body` holds defaults. */
  readonly isUnsupportedVersion: boolean;
}

export interface BadRequest {
  /** What the peer did, to follow "which": `sent a request whose header cannot be read: …`. */
  readonly reason: string;
}

/** @param frame the request without its size. */
export function decodeRequest(served: Pick<RequestHandler, 'versionsOf'>, frame: Buffer): DecodedRequest | BadRequest {
  let header: ReturnType<typeof decodeRequestHeader>;
  try {
    header = decodeRequestHeader(frame);
  } catch (error) {
    return bad('sent a request whose header cannot be read', error);
  }
  const { apiKey, apiVersion } = header;
  const api = apiByKey(apiKey);
  const versions = served.versionsOf(apiKey);
  if (api === undefined || versions === undefined) return bad(`asked for API ${apiKey}, which isn't served`);
  if (apiVersion < versions.minVersion || apiVersion > versions.maxVersion) {
    if (apiKey !== API_VERSIONS_KEY) return bad(`asked for version ${apiVersion} of ${api.name}, which isn't served`);
    return { header, api, body: { clientSoftwareName: '', clientSoftwareVersion: '' }, isUnsupportedVersion: true };
  }
  try {
    return { header, api, body: decodeRequestBody(api, header, frame), isUnsupportedVersion: false };
  } catch (error) {
    return bad(`sent a ${api.name} request of version ${apiVersion} that cannot be read`, error);
  }
}

function bad(what: string, error?: unknown): BadRequest {
  return { reason: error instanceof Error ? `${what}: ${error.message}` : what };
}
