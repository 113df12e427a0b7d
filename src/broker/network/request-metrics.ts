/**
 * Where the time of requests goes, per API, in milliseconds (Kafka's `RequestMetrics`):
 *
 *     received ─queue─► dequeued ─local─► handler done ─remote─► responded ─response queue─► written ─send─► sent
 *
 * A fetch counts as Fetch and as FetchConsumer or FetchFollower.
 */
import type { Counter, Histogram, MetricsRegistry } from '../../runtime/metrics.ts';
import type { NetworkRequest } from './network-request.ts';

const FETCH_KEY = 1;

interface ApiMetrics {
  readonly requests: Counter;
  readonly queueMs: Histogram;
  readonly localMs: Histogram;
  readonly remoteMs: Histogram;
  readonly responseQueueMs: Histogram;
  readonly sendMs: Histogram;
  readonly totalMs: Histogram;
  readonly requestBytes: Histogram;
  readonly responseBytes: Histogram;
}

export class RequestMetrics {
  readonly #registry: MetricsRegistry;
  readonly #byApi = new Map<string, ApiMetrics>();

  constructor(registry: MetricsRegistry) {
    this.#registry = registry;
  }

  /** Counts a request whose answer has been sent at `sentMs`. */
  record(request: NetworkRequest, sentMs: number, responseBytes: number): void {
    this.#recordAs(request.api.name, request, sentMs, responseBytes);
    if (request.api.key === FETCH_KEY) {
      this.#recordAs(request.isFromFollower ? 'FetchFollower' : 'FetchConsumer', request, sentMs, responseBytes);
    }
  }

  #recordAs(name: string, request: NetworkRequest, sentMs: number, responseBytes: number): void {
    const metrics = this.#byApi.get(name) ?? this.#create(name);
    const { receivedMs, dequeuedMs, respondedMs, writtenMs } = request;
    const localEndMs = Math.min(request.handledMs, respondedMs);
    metrics.requests.add();
    metrics.queueMs.record(dequeuedMs - receivedMs);
    metrics.localMs.record(localEndMs - dequeuedMs);
    metrics.remoteMs.record(respondedMs - localEndMs);
    metrics.responseQueueMs.record(writtenMs - respondedMs);
    metrics.sendMs.record(sentMs - writtenMs);
    metrics.totalMs.record(sentMs - receivedMs);
    metrics.requestBytes.record(request.sizeBytes);
    metrics.responseBytes.record(responseBytes);
  }

  #create(request: string): ApiMetrics {
    const tags = { type: 'RequestMetrics', request };
    const registry = this.#registry;
    const metrics: ApiMetrics = {
      requests: registry.counter('RequestsPerSec', tags),
      queueMs: registry.histogram('RequestQueueTimeMs', tags),
      localMs: registry.histogram('LocalTimeMs', tags),
      remoteMs: registry.histogram('RemoteTimeMs', tags),
      responseQueueMs: registry.histogram('ResponseQueueTimeMs', tags),
      sendMs: registry.histogram('ResponseSendTimeMs', tags),
      totalMs: registry.histogram('TotalTimeMs', tags),
      requestBytes: registry.histogram('RequestBytes', tags),
      responseBytes: registry.histogram('ResponseBytes', tags),
    };
    this.#byApi.set(request, metrics);
    return metrics;
  }
}
