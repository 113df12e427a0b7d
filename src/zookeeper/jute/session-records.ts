/**
 * The handshake and the headers (zookeeper.jute's `proto` module).
 *
 * ConnectRequest   int protocolVersion, long lastZxidSeen, int timeOut, long sessionId, buffer passwd [, bool readOnly]
 * ConnectResponse  int protocolVersion, int timeOut, long sessionId, buffer passwd [, bool readOnly]
 * RequestHeader    int xid, int type
 * ReplyHeader      int xid, long zxid, int err
 *
 * `readOnly` came later: a client that didn't send it (node-zookeeper-client) must not get it back.
 */
import type { JuteReader } from './jute-reader.ts';
import { finishFrame, frameWriter, type JuteWriter } from './jute-writer.ts';
import type { LongHex } from './records.ts';

export interface ConnectRequest {
  readonly protocolVersion: number;
  readonly lastZxidSeen: number;
  readonly timeOut: number;
  readonly sessionId: LongHex;
  readonly passwd: Buffer;
  /** undefined when the client didn't send the field. */
  readonly readOnly: boolean | undefined;
}

export interface ConnectResponse {
  readonly protocolVersion: number;
  readonly timeOut: number;
  readonly sessionId: LongHex;
  readonly passwd: Buffer;
  readonly readOnly: boolean | undefined;
}

const NO_BYTES = Buffer.alloc(0);

export function readConnectRequest(reader: JuteReader): ConnectRequest {
  return {
    protocolVersion: reader.int(),
    lastZxidSeen: reader.long(),
    timeOut: reader.int(),
    sessionId: reader.longHex(),
    passwd: reader.buffer() ?? NO_BYTES,
    readOnly: reader.remaining > 0 ? reader.bool() : undefined,
  };
}

export function encodeConnectRequest(request: ConnectRequest): Buffer {
  const writer = frameWriter(64);
  writer.int(request.protocolVersion).long(request.lastZxidSeen).int(request.timeOut).longHex(request.sessionId).buffer(request.passwd);
  if (request.readOnly !== undefined) writer.bool(request.readOnly);
  return finishFrame(writer);
}

export function readConnectResponse(reader: JuteReader): ConnectResponse {
  return {
    protocolVersion: reader.int(),
    timeOut: reader.int(),
    sessionId: reader.longHex(),
    passwd: reader.buffer() ?? NO_BYTES,
    readOnly: reader.remaining > 0 ? reader.bool() : undefined,
  };
}

export function encodeConnectResponse(response: ConnectResponse): Buffer {
  const writer = frameWriter(64);
  writer.int(response.protocolVersion).int(response.timeOut).longHex(response.sessionId).buffer(response.passwd);
  if (response.readOnly !== undefined) writer.bool(response.readOnly);
  return finishFrame(writer);
}

/** A frame begun with a ReplyHeader; the body follows. */
export function replyFrame(xid: number, zxid: number, err: number, initialBytes = 128): JuteWriter {
  return frameWriter(initialBytes).int(xid).long(zxid).int(err);
}

/** A frame begun with a RequestHeader; the body follows. */
export function requestFrame(xid: number, type: number, initialBytes = 128): JuteWriter {
  return frameWriter(initialBytes).int(xid).int(type);
}
