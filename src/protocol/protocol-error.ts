/**
 * The one error that codecs throw. Any input, however malformed, ends in a value or in a `ProtocolError`:
 * never in a RangeError, a hang, or an allocation larger than the input justifies.
 */

export type ProtocolErrorReason =
  /** Bytes that are no valid message: says what, where, and what is allowed. */
  | 'malformed'
  /** A version outside the message's range. */
  | 'unsupported-version'
  /** A value was set that the version has no field for, or null where the version does not allow it. */
  | 'unsupported-field'
  /** A value that does not fit its field (a caller's mistake). */
  | 'invalid-value';

export class ProtocolError extends Error {
  readonly reason: ProtocolErrorReason;

  constructor(reason: ProtocolErrorReason, message: string) {
    super(message);
    this.name = 'ProtocolError';
    this.reason = reason;
  }
}

/** A version that the message does not have. @public generated codecs call it */
export function unsupportedVersion(message: string, version: number, min: number, max: number): ProtocolError {
  return new ProtocolError('unsupported-version', `${message} has no version ${version}: ${min} to ${max} are known`);
}

/** A value was set for a field that does not exist in this version, and dropping it would change the meaning. @public generated codecs call it */
export function unsupportedField(message: string, field: string, version: number): ProtocolError {
  return new ProtocolError('unsupported-field', `${message}.${field} was set, but version ${version} has no such field`);
}

/** Null was given for a field that is not nullable in this version. @public generated codecs call it */
export function unsupportedNull(message: string, field: string, version: number): ProtocolError {
  return new ProtocolError('unsupported-field', `${message}.${field} is null, which version ${version} does not allow`);
}
