/**
 * What the generated modules export: one `Api` for each request and response pair, one `VersionedCodec` for each
 * message that is kept inside a record. One data type serves all versions; the version is an argument.
 */
import { ProtocolError } from './protocol-error.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

export interface Codec<T, In> {
  /** The message's name in Kafka, for errors and logs. */
  readonly name: string;
  /**
   * Appends `message`. Absent optional fields take their defaults. Throws `ProtocolError`: 'unsupported-version', or
   * 'unsupported-field' for a value that this version can't carry and whose loss would change the meaning.
   */
  encode(writer: Writer, message: In, version: number): void;
  /** Reads one message; every field is present. Buffers in it are views. Throws `ProtocolError` and nothing else. */
  decode(reader: Reader, version: number): T;
}

export interface Api<Req, Res, ReqIn, ResIn> {
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** First version with compact types and tagged fields; Infinity where there is none. */
  readonly flexibleFrom: number;
  readonly request: Codec<Req, ReqIn>;
  readonly response: Codec<Res, ResIn>;
}

/** What can be known of an API without knowing which: bodies are `unknown` on the way out and refused on the way in. */
export type AnyApi = Api<unknown, unknown, never, never>;

/** The codec of a record's key or value: an int16 version stands before the message. */
export interface VersionedCodec<T, In> extends Codec<T, In> {
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** The version prefix of a stored message. Throws `ProtocolError` when there are not even two bytes. */
export function readStoredVersion(buffer: Buffer): number {
  return new Reader(buffer).int16();
}

/** The message behind its int16 version. */
export function encodeVersioned<T, In>(codec: VersionedCodec<T, In>, version: number, message: In): Buffer {
  const writer = new Writer(128);
  writer.int16(version);
  codec.encode(writer, message, version);
  return writer.toBuffer();
}

export interface DecodeVersionedOptions {
  /**
   * Reads a version above the highest known one as the highest known, leaving what follows unread: the rule of the
   * consumer protocol, whose versions only append. Unset: such a version is an error.
   */
  readonly newerAsNewest?: boolean;
}

/** Reads a message behind its int16 version. Throws `ProtocolError` ('unsupported-version' outside the known ones). */
export function decodeVersioned<T, In>(codec: VersionedCodec<T, In>, buffer: Buffer, options: DecodeVersionedOptions = {}): T {
  const reader = new Reader(buffer);
  const version = reader.int16();
  if (version < 0) throw new ProtocolError('malformed', `${codec.name} begins with version ${version}`);
  return codec.decode(reader, options.newerAsNewest === true ? Math.min(version, codec.maxVersion) : version);
}
