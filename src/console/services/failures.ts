/**
 * From whatever the client library, the disk or the supervisor threw to the contract's Failure, and from there to the one
 * error the contract knows. Nothing is shown as "unknown error": what isn't foreseen is `internal`, with its message, and logged by the router.
 */
import { ORPCError } from '@orpc/server';
import {
  ClientClosedError,
  DisconnectedError,
  NoBrokerAvailableError,
  RequestTimeoutError,
  UnsupportedVersionError,
} from '../../client/errors.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { Failure, FailureKind } from '../contract/failure.ts';

export interface FailureDetails {
  readonly api?: string;
  readonly brokerId?: number;
  readonly timeoutMs?: number;
}

/** Thrown inside a service, or given as a value in a row; crosses the contract as its FAILURE error. */
export class FailureError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'FailureError';
    this.failure = failure;
  }
}

export function makeFailure(kind: FailureKind, message: string, details: Partial<Failure> = {}): Failure {
  return {
    kind,
    api: null,
    code: null,
    name: null,
    brokerId: null,
    retriable: kind === 'timeout' || kind === 'unreachable',
    timeoutMs: null,
    ...details,
    message,
  };
}

/** A FailureError to throw. */
export function refuse(kind: FailureKind, message: string, details: Partial<Failure> = {}): FailureError {
  return new FailureError(makeFailure(kind, message, details));
}

const NOT_PERMITTED: ReadonlySet<number> = new Set([
  ErrorCode.TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.GROUP_AUTHORIZATION_FAILED,
  ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
]);
const NOT_FOUND: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.GROUP_ID_NOT_FOUND,
]);

/** `error` as a Failure; `details` say what was asked of whom, where the error itself does not. */
export function toFailure(error: unknown, details: FailureDetails = {}): Failure {
  if (error instanceof FailureError) return error.failure;
  const given = { api: details.api ?? null, brokerId: details.brokerId ?? null, timeoutMs: details.timeoutMs ?? null };
  if (error instanceof KafkaError) {
    const known = { ...given, code: error.code, name: error.errorName, retriable: error.retriable };
    return makeFailure(kindOf(error), error.message, {
      ...known,
      ...(error instanceof DisconnectedError && error.nodeId >= 0 && given.brokerId === null ? { brokerId: error.nodeId } : {}),
      ...(error instanceof UnsupportedVersionError ? { api: error.apiName } : {}),
    });
  }
  if (error instanceof ORPCError) return makeFailure('internal', error.message, given);
  return makeFailure('internal', error instanceof Error ? error.message : String(error), given);
}

function kindOf(error: KafkaError): FailureKind {
  if (error instanceof UnsupportedVersionError) return 'unsupported';
  if (error instanceof RequestTimeoutError) return 'timeout';
  if (error instanceof DisconnectedError || error instanceof NoBrokerAvailableError || error instanceof ClientClosedError)
    return 'unreachable';
  if (NOT_PERMITTED.has(error.code)) return 'notPermitted';
  if (NOT_FOUND.has(error.code)) return 'notFound';
  return 'kafka';
}

/** `value` when it is no error, else throws it as a FailureError. */
export function orThrow<V>(value: V | KafkaError | undefined, details: FailureDetails): V {
  if (value instanceof KafkaError) throw new FailureError(toFailure(value, details));
  if (value === undefined) throw refuse('internal', `${details.api ?? 'The call'} gave no result`);
  return value;
}
