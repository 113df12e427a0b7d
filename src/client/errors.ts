/**
 * What can go wrong between us and a broker, without the broker having said so.
 *
 * Each is a `KafkaError` with the code that Kafka's own clients use for it (NETWORK_EXCEPTION, REQUEST_TIMED_OUT,
 * UNSUPPORTED_VERSION), so that a caller can treat what a broker answered and what never reached one alike, and can
 * still tell them apart by class.
 */
import { ErrorCode, KafkaError } from '../protocol/errors.ts';

/** The connection could not be made, or ended before the response came. */
export class DisconnectedError extends KafkaError {
  readonly nodeId: number;

  constructor(nodeId: number, message: string, cause?: unknown) {
    super(ErrorCode.NETWORK_EXCEPTION, message, { cause });
    this.name = 'DisconnectedError';
    this.nodeId = nodeId;
  }
}

/** No response in time. When the request was on its way, its connection was closed with it: what it did is unknown. */
export class RequestTimeoutError extends KafkaError {
  constructor(message: string, cause?: unknown) {
    super(ErrorCode.REQUEST_TIMED_OUT, message, { cause });
    this.name = 'RequestTimeoutError';
  }
}

/** The broker does not have the API, or no version of it that we speak or that the call needs. */
export class UnsupportedVersionError extends KafkaError {
  readonly apiName: string;

  constructor(apiName: string, message: string) {
    super(ErrorCode.UNSUPPORTED_VERSION, message);
    this.name = 'UnsupportedVersionError';
    this.apiName = apiName;
  }
}

/** More requests wait for one node than the limit allows. Nothing was sent. */
export class SendQueueFullError extends KafkaError {
  constructor(nodeId: number, limit: number) {
    super(ErrorCode.NETWORK_EXCEPTION, `${limit} requests wait to be sent to node ${nodeId} already`);
    this.name = 'SendQueueFullError';
  }
}

/** The client was closed by its owner. */
export class ClientClosedError extends KafkaError {
  override readonly retriable = false;

  constructor() {
    super(ErrorCode.NETWORK_EXCEPTION, 'the client was closed');
    this.name = 'ClientClosedError';
  }
}

/**
 * The node to ask is not known at the moment: no controller is elected, or a broker is not in the cluster. It may be soon,
 * so that, unlike a broker's own BROKER_NOT_AVAILABLE, it is worth another try.
 */
export class NodeNotAvailableError extends KafkaError {
  override readonly retriable = true;

  constructor(message: string) {
    super(ErrorCode.BROKER_NOT_AVAILABLE, message);
    this.name = 'NodeNotAvailableError';
  }
}

/** None of the brokers that we know of answered. */
export class NoBrokerAvailableError extends KafkaError {
  override readonly retriable = true;

  constructor(tried: readonly string[], cause?: unknown) {
    super(ErrorCode.BROKER_NOT_AVAILABLE, `no broker answered (tried ${tried.length === 0 ? 'none' : tried.join(', ')})`, { cause });
    this.name = 'NoBrokerAvailableError';
  }
}
