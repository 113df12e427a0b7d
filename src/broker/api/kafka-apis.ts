/**
 * From a request's API key to its handler. Each handler is a file of its own in `handlers/`; this one only routes.
 * ApiVersions is answered from the same table, so that nothing is advertised that isn't served.
 *
 * A handler that throws, or whose promise rejects, before it has answered: the error's Kafka code (UNKNOWN_SERVER_ERROR if it has
 * none) goes out in the API's own form; where the API has none, the connection is closed. Kafka 3.9: `KafkaApis.handle`.
 */
import type { Api, AnyApi } from '../../protocol/api.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { ApiVersions } from '../../protocol/generated/api-versions.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { MetricsRegistry } from '../../runtime/metrics.ts';
import type { ApiHandler, BrokerRequest, RequestHandler } from '../network/broker-request.ts';
import { errorResponse } from './error-response.ts';
import { type AdvertisedApi, createApiVersionsHandler } from './handlers/18-api-versions.ts';

const PRODUCE_KEY = 0;

/** One API and who handles it; made by `route`. */
export interface Route {
  readonly api: AnyApi;
  readonly handler: ApiHandler<unknown>;
  /** The oldest version that the handler serves: the API's own, or a later one. */
  readonly minVersion: number;
}

/** Pairs an API with its handler: the types of request and response must fit. Versions below `minVersion` are neither served nor advertised. */
export function route<Req, Res, ReqIn, ResIn>(
  api: Api<Req, Res, ReqIn, ResIn>,
  handler: ApiHandler<Req, ResIn>,
  minVersion: number = api.minVersion,
): Route {
  // A request reaches this handler only if it was decoded by this API's codec.
  return { api, handler: handler as ApiHandler<unknown>, minVersion };
}

export interface KafkaApisOptions {
  readonly routes: readonly Route[];
  readonly logger: Logger;
  readonly metrics?: MetricsRegistry;
}

export class KafkaApis implements RequestHandler {
  readonly #routes = new Map<number, Route>();
  readonly #logger: Logger;
  readonly #metrics: MetricsRegistry | undefined;

  constructor({ routes, logger, metrics }: KafkaApisOptions) {
    this.#logger = logger.child({ component: 'kafka-apis' });
    this.#metrics = metrics;
    const apiVersions = route(ApiVersions, createApiVersionsHandler({ advertised: () => this.advertised() }));
    for (const entry of [apiVersions, ...routes]) {
      if (this.#routes.has(entry.api.key)) throw new Error(`${entry.api.name} has two handlers`);
      this.#routes.set(entry.api.key, entry);
    }
  }

  /** What is served, by key. */
  advertised(): AdvertisedApi[] {
    const apis = Array.from(this.#routes.values(), ({ api: { key, maxVersion }, minVersion }) => ({ apiKey: key, minVersion, maxVersion }));
    return apis.toSorted((a, b) => a.apiKey - b.apiKey);
  }

  versionsOf(apiKey: number): { readonly minVersion: number; readonly maxVersion: number } | undefined {
    const entry = this.#routes.get(apiKey);
    return entry === undefined ? undefined : { minVersion: entry.minVersion, maxVersion: entry.api.maxVersion };
  }

  handle(request: BrokerRequest): void | Promise<void> {
    const entry = this.#routes.get(request.header.apiKey);
    if (entry === undefined) {
      // The processor has asked `versionsOf` before.
      request.closeConnection();
      return;
    }
    try {
      const outcome = entry.handler(request);
      return outcome?.catch((error: unknown) => this.#onError(entry.api, request, error));
    } catch (error) {
      this.#onError(entry.api, request, error);
    }
  }

  #onError(api: AnyApi, request: BrokerRequest, error: unknown): void {
    const { header, connectionId } = request;
    const code = error instanceof KafkaError ? error.code : ErrorCode.UNKNOWN_SERVER_ERROR;
    this.#metrics?.counter('ErrorsPerSec', { type: 'RequestMetrics', request: api.name, error: String(code) }).add();
    const fields = { err: error, connectionId, correlationId: header.correlationId, clientId: header.clientId };
    if (error instanceof KafkaError) this.#logger.info(fields, `${api.name} version ${header.apiVersion} failed: ${error.message}`);
    else this.#logger.error(fields, `The handler of ${api.name} version ${header.apiVersion} failed`);
    if (request.isAnswered) return;
    const body = this.#errorBody(api, request, code);
    if (body === undefined) request.closeConnection();
    else request.respond(body);
  }

  #errorBody(api: AnyApi, request: BrokerRequest, code: number): unknown {
    try {
      // A producer that waits for no answer learns of an error only by its connection being closed.
      if (api.key === PRODUCE_KEY && (request.body as { acks?: number }).acks === 0) return undefined;
      return errorResponse(api.key, request.header.apiVersion, request.body, code);
    } catch {
      // The body was released.
      return undefined;
    }
  }
}
