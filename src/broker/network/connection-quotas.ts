/**
 * How many connections there may be: in all and per listener (further ones wait), per address (further ones are closed), and how
 * many a second. Kafka 3.9: `ConnectionQuotas`.
 *
 * Addresses in `max.connections.per.ip.overrides` are IP addresses; of names only `localhost` is understood (Kafka asks DNS).
 * The inter-broker listener, when it isn't the only one, is let in above `max.connections`: the server closes the idlest
 * connection of another listener then.
 */
import type { Clock } from '../../runtime/clock.ts';
import { INT_MAX } from '../config/config-def.ts';
import { type KafkaConfig, listenerText } from '../config/kafka-config.ts';

export type Admission =
  | { readonly outcome: 'admitted' }
  /** Let in over the limit: someone else must go. */
  | { readonly outcome: 'admitted-over-limit' }
  /** Wait until a connection closes, or `retryMs` have passed. */
  | { readonly outcome: 'wait'; readonly retryMs: number | undefined }
  | { readonly outcome: 'too-many-per-ip'; readonly limit: number };

export class ConnectionQuotas {
  readonly #clock: Clock;
  #config: KafkaConfig;
  #count = 0;
  readonly #countByListener = new Map<string, number>();
  readonly #countByAddress = new Map<string, number>();
  /** Connections that may be accepted now, refilled at the rate; at most one second's worth. */
  #tokens: number;
  #tokensAtMs: number;

  constructor(config: KafkaConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
    this.#tokens = config.maxConnectionCreationRate;
    this.#tokensAtMs = clock.monotonicMs();
  }

  get count(): number {
    return this.#count;
  }

  countOf(listenerName: string): number {
    return this.#countByListener.get(listenerName) ?? 0;
  }

  /** New limits; they hold for connections to come. */
  reconfigure(config: KafkaConfig): void {
    this.#config = config;
    this.#tokens = Math.min(this.#tokens, config.maxConnectionCreationRate);
  }

  /** Asks for one more connection; when admitted it is counted, and must be released. */
  admit(listenerName: string, address: string): Admission {
    const limit = this.#limitPerAddress(address);
    if ((this.#countByAddress.get(address) ?? 0) >= limit) return { outcome: 'too-many-per-ip', limit };
    const listenerLimit = this.#listenerLimit(listenerName);
    if (this.countOf(listenerName) >= listenerLimit) return { outcome: 'wait', retryMs: undefined };
    const isProtected = this.#isProtected(listenerName);
    const isFull = this.#count >= this.#config.maxConnections;
    if (isFull && !isProtected) return { outcome: 'wait', retryMs: undefined };
    const retryMs = this.#takeToken();
    if (retryMs > 0) return { outcome: 'wait', retryMs };
    this.#count++;
    increment(this.#countByListener, listenerName, 1);
    increment(this.#countByAddress, address, 1);
    return { outcome: isFull ? 'admitted-over-limit' : 'admitted' };
  }

  release(listenerName: string, address: string): void {
    this.#count--;
    increment(this.#countByListener, listenerName, -1);
    increment(this.#countByAddress, address, -1);
  }

  #limitPerAddress(address: string): number {
    const { maxConnectionsPerIp, maxConnectionsPerIpOverrides: overrides } = this.#config;
    const isLoopback = address === '127.0.0.1' || address === '::1';
    return overrides.get(address) ?? (isLoopback ? overrides.get('localhost') : undefined) ?? maxConnectionsPerIp;
  }

  #listenerLimit(listenerName: string): number {
    const text = listenerText(this.#config, listenerName, 'max.connections');
    return text === undefined ? INT_MAX : Number(text);
  }

  #isProtected(listenerName: string): boolean {
    return this.#config.listeners.length > 1 && listenerName === this.#config.interBrokerListenerName;
  }

  /** 0 when there is a token, else how long until there is one. */
  #takeToken(): number {
    const rate = this.#config.maxConnectionCreationRate;
    if (rate >= INT_MAX) return 0;
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(rate, this.#tokens + ((nowMs - this.#tokensAtMs) / 1000) * rate);
    this.#tokensAtMs = nowMs;
    if (this.#tokens >= 1) {
      this.#tokens--;
      return 0;
    }
    return rate === 0 ? 1000 : Math.max(1, Math.ceil(((1 - this.#tokens) / rate) * 1000));
  }
}

function increment(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
