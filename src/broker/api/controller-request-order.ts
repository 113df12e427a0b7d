/**
 * A controller talks to a broker over one connection at a time and sends a request again over the next when a connection is lost. What
 * it had sent over the one before may still arrive, after the network was cut for a while, behind what it has said since: an old
 * UpdateMetadata would bring old leaders back, an old StopReplica delete a topic's successor. So a request that comes over an older
 * connection than another of the same controller epoch is not carried out; nobody waits for its answer.
 *
 * Apache Kafka has no such check (the simulation found the need of it). Both take their turns on one event loop, in order of arrival.
 */
import type { ApiHandler, BrokerRequest } from '../network/broker-request.ts';

export class ControllerRequestOrder {
  #controllerEpoch = -1;
  #newestConnectedMs = Number.NEGATIVE_INFINITY;

  /** `handler`, for requests that have not been overtaken; the connection of one that has is closed. */
  guard<Req extends { readonly controllerEpoch: number }, Res>(handler: ApiHandler<Req, Res>): ApiHandler<Req, Res> {
    return (request) => {
      if (!this.#isOvertaken(request)) return handler(request);
      request.closeConnection();
      return undefined;
    };
  }

  /** A controller epoch below the newest is the handlers' to refuse. */
  #isOvertaken({ body: { controllerEpoch }, connectedMs }: BrokerRequest<{ readonly controllerEpoch: number }>): boolean {
    if (controllerEpoch < this.#controllerEpoch) return false;
    if (controllerEpoch === this.#controllerEpoch && connectedMs < this.#newestConnectedMs) return true;
    this.#controllerEpoch = controllerEpoch;
    this.#newestConnectedMs = connectedMs;
    return false;
  }
}
