/** A request for tests of handlers: remembers how it was answered. */
import { ANONYMOUS, type BrokerRequest } from '../../network/broker-request.ts';

export interface FakeRequest<Req, Res> extends BrokerRequest<Req, Res> {
  /** Resolves with the answer's body; rejects when the connection was closed or nothing is answered. */
  readonly response: Promise<Res>;
}

export function fakeRequest<Req, Res>(apiKey: number, apiVersion: number, body: Req, listenerName = 'PLAINTEXT'): FakeRequest<Req, Res> {
  const { promise, resolve, reject } = Promise.withResolvers<Res>();
  promise.catch(() => undefined);
  let isAnswered = false;
  const once = (answer: () => void): void => {
    if (isAnswered) return;
    isAnswered = true;
    answer();
  };
  return {
    header: { apiKey, apiVersion, correlationId: 1, clientId: 'test' },
    body,
    connectionId: '127.0.0.1:9092-127.0.0.1:1-0',
    connectedMs: 0,
    listenerName,
    securityProtocol: 'PLAINTEXT',
    fromPrivilegedListener: false,
    clientAddress: '127.0.0.1',
    clientPort: 1,
    principal: ANONYMOUS,
    sizeBytes: 0,
    isUnsupportedVersion: false,
    receivedMs: 0,
    get isAnswered() {
      return isAnswered;
    },
    response: promise,
    respond: (response) => once(() => resolve(response)),
    respondWithVersion: (_, response) => once(() => resolve(response)),
    respondNothing: () => once(() => reject(new Error('no answer'))),
    closeConnection: () => once(() => reject(new Error('connection closed'))),
    releaseBody: () => undefined,
    setClientSoftware: () => undefined,
  };
}
