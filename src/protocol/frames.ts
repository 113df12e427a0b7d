/**
 * Requests and responses as they stand on the wire.
 *
 *     request:  int32 size | int16 api key | int16 version | int32 correlation id | clientId (v1+) | tags (v2) | body
 *     response: int32 size | int32 correlation id | tags (v1) | body
 *
 * Header versions: a request's is 2 in flexible versions and 1 before, but 0 for ControlledShutdown v0; clientId is never
 * compact, not even in header 2. A response's is 1 in flexible versions and 0 before, but always 0 for ApiVersions, whose
 * caller does not know yet what the broker speaks. Source: RequestHeader.json, ApiMessageType, KIP-482, KIP-511.
 */
import type { Api, AnyApi, Codec } from './api.ts';
import { apiByKey } from './apis.ts';
import { ProtocolError } from './protocol-error.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

const API_VERSIONS_KEY = 18;
const CONTROLLED_SHUTDOWN_KEY = 7;
/** Of a frame's size field. */
export const SIZE_BYTES = 4;

type Shape = Pick<AnyApi, 'key' | 'flexibleFrom'>;

/** The version of the request header that goes with a version of the API. */
export function requestHeaderVersion(api: Shape, version: number): 0 | 1 | 2 {
  if (version >= api.flexibleFrom) return 2;
  return api.key === CONTROLLED_SHUTDOWN_KEY && version === 0 ? 0 : 1;
}

/** The version of the response header that goes with a version of the API. */
export function responseHeaderVersion(api: Shape, version: number): 0 | 1 {
  return version >= api.flexibleFrom && api.key !== API_VERSIONS_KEY ? 1 : 0;
}

/**
 * A request with its size in front, as a gather list; records are in it by reference.
 * Throws `ProtocolError` when the body can not be said in this version.
 */
export function encodeRequest<Req, Res, ReqIn, ResIn>(
  api: Api<Req, Res, ReqIn, ResIn>,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: ReqIn,
): Buffer[] {
  const writer = new Writer();
  writer.int32(0);
  writer.int16(api.key);
  writer.int16(version);
  writer.int32(correlationId);
  const headerVersion = requestHeaderVersion(api, version);
  if (headerVersion >= 1) writer.nullableString(clientId);
  if (headerVersion >= 2) writer.unsignedVarint(0);
  return finishFrame(writer, api.request, body, version);
}

/** A response with its size in front, as a gather list; records are in it by reference. */
export function encodeResponse<Req, Res, ReqIn, ResIn>(
  api: Api<Req, Res, ReqIn, ResIn>,
  version: number,
  correlationId: number,
  body: ResIn,
): Buffer[] {
  const writer = new Writer();
  writer.int32(0);
  writer.int32(correlationId);
  if (responseHeaderVersion(api, version) >= 1) writer.unsignedVarint(0);
  return finishFrame(writer, api.response, body, version);
}

function finishFrame<T, In>(writer: Writer, codec: Codec<T, In>, body: In, version: number): Buffer[] {
  codec.encode(writer, body, version);
  const size = writer.size - SIZE_BYTES;
  const parts = writer.finish();
  // The size is the first thing in the first part, whatever followed.
  parts[0]!.writeInt32BE(size, 0);
  return parts;
}

export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  /**
   * Where the body begins, in bytes. For an API or a version that we don't know, the header ends where a v1 header would
   * (its tagged fields are not looked for): such a body must not be parsed.
   */
  readonly bodyOffset: number;
}

/**
 * Reads a request's header. `buffer` is the frame without its size.
 * Throws `ProtocolError` ('malformed') when it ends early or the client id is no string.
 */
export function decodeRequestHeader(buffer: Buffer): RequestHeader {
  const reader = new Reader(buffer);
  const apiKey = reader.int16();
  const apiVersion = reader.int16();
  const correlationId = reader.int32();
  const api = apiByKey(apiKey);
  const known = api !== undefined && apiVersion >= 0 && apiVersion <= api.maxVersion;
  const headerVersion = known ? requestHeaderVersion(api, apiVersion) : reader.remaining >= 2 ? 1 : 0;
  const clientId = headerVersion >= 1 ? reader.nullableString() : null;
  if (headerVersion >= 2) reader.skipTaggedFields();
  return { apiKey, apiVersion, correlationId, clientId, bodyOffset: reader.position };
}

/** Reads a request's body. `buffer` is the frame without its size, `header` what `decodeRequestHeader` gave for it. */
export function decodeRequestBody<Req, Res, ReqIn, ResIn>(api: Api<Req, Res, ReqIn, ResIn>, header: RequestHeader, buffer: Buffer): Req {
  return api.request.decode(new Reader(buffer, header.bodyOffset), header.apiVersion);
}

/** The correlation id of a response (frame without its size), by which its request is found. */
export function responseCorrelationId(buffer: Buffer): number {
  if (buffer.length < 4) throw new ProtocolError('malformed', `a response has at least 4 bytes, not ${buffer.length}`);
  return buffer.readInt32BE(0);
}

/** Reads a response to a request of this `version`. `buffer` is the frame without its size. */
export function decodeResponse<Req, Res, ReqIn, ResIn>(
  api: Api<Req, Res, ReqIn, ResIn>,
  version: number,
  buffer: Buffer,
): { correlationId: number; body: Res } {
  const reader = new Reader(buffer);
  const correlationId = reader.int32();
  if (responseHeaderVersion(api, version) >= 1) reader.skipTaggedFields();
  return { correlationId, body: api.response.decode(reader, version) };
}
