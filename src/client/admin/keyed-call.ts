/**
 * The engine under every Admin call: many keys (topics, groups, partitions, brokers), each with a result of its own.
 *
 * Each round finds the broker for what is still open, sends one request per broker with all its keys, and sorts the
 * answers: done, failed for good, or to be tried again. Retriable errors and lost connections are tried again with
 * backoff until the deadline; then the last error is the key's result. Nothing is thrown for a key's failure.
 * A request that may have been carried out before its connection was lost is sent again, as Kafka's Admin does: a
 * created topic can then answer TOPIC_ALREADY_EXISTS.
 * Source: AdminApiDriver, KafkaAdminClient.
 */
import { sleep } from '../../runtime/scheduler.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { backoffMs } from '../backoff.ts';
import { ClientClosedError, RequestTimeoutError, UnsupportedVersionError } from '../errors.ts';
import type { Metadata } from '../metadata.ts';
import type { NetworkClient, NetworkClientRuntime, Node } from '../network-client.ts';

export interface AdminContext {
  readonly client: NetworkClient;
  readonly metadata: Metadata;
  readonly runtime: NetworkClientRuntime;
  /** `default.api.timeout.ms`: for a whole call, retries included. */
  readonly defaultApiTimeoutMs: number;
  /** `request.timeout.ms`: for one request. */
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
}

export interface CallOptions {
  /** For the whole call, retries included. Default: the Admin's `defaultApiTimeoutMs`. */
  readonly timeoutMs?: number;
  /** For one request of it. Default: the Admin's `requestTimeoutMs`. */
  readonly requestTimeoutMs?: number;
}

export type KeyResult<V> = V | KafkaError;
export type KeyResults<V> = Map<string, KeyResult<V>>;

export interface KeyedCall<V> {
  readonly name: string;
  /** Which node to ask for each key. A key may get an error instead. A key left out is looked up again in the next round. */
  lookup(keys: readonly string[], attempt: Attempt): Promise<Map<string, KeyResult<Node>>>;
  /** One request for `keys`, all at `node`. A key that the answer leaves out fails with UNKNOWN_SERVER_ERROR. */
  request(node: Node, keys: readonly string[], attempt: Attempt): Promise<Map<string, KeyResult<V>>>;
  /** Whether a retriable error of the broker is to be taken as final all the same. `tries` counts this one. */
  isFinal?(error: KafkaError, tries: number): boolean;
}

export interface Attempt {
  /** Rounds before this one; above 0 what is known from memory has misled us, so ask again. */
  readonly number: number;
  /** What a request of this round may take. */
  readonly timeoutMs: number;
}

/** Keys of one call: what can be asked at once is bounded by the brokers' `socket.request.max.bytes`, far above this. */
const MAX_KEYS_PER_REQUEST = 10_000;

/** Runs `call` for `keys` (duplicates are asked once). Every key has a result. Rejects only for a broken invariant. */
export async function runKeyed<V>(
  context: AdminContext,
  call: KeyedCall<V>,
  keys: Iterable<string>,
  options: CallOptions = {},
): Promise<KeyResults<V>> {
  const { clock, scheduler, random } = context.runtime;
  const deadlineMs = clock.monotonicMs() + (options.timeoutMs ?? context.defaultApiTimeoutMs);
  const open = new Set(keys);
  const results: KeyResults<V> = new Map(Array.from(open, (key) => [key, notYetTried(call.name)]));
  for (let number = 0; open.size > 0; number++) {
    const leftMs = deadlineMs - clock.monotonicMs();
    if (leftMs <= 0) break;
    // Whole milliseconds: some requests carry it on the wire.
    const attempt = { number, timeoutMs: Math.ceil(Math.min(leftMs, options.requestTimeoutMs ?? context.requestTimeoutMs)) };
    for (const [key, result] of await runRound(call, Array.from(open), attempt)) {
      results.set(key, result);
      if (!(result instanceof KafkaError) || isFinal(call, result, number + 1)) open.delete(key);
    }
    if (open.size === 0) break;
    const { retryBackoffMs: initialMs, retryBackoffMaxMs: maxMs } = context;
    const waitMs = Math.min(backoffMs({ initialMs, maxMs }, number, random), deadlineMs - clock.monotonicMs());
    if (waitMs > 0) await sleep(scheduler, waitMs);
  }
  return results;
}

/** As `runKeyed` for a single key; throws the error that is its result. */
export async function runSingle<V>(context: AdminContext, call: KeyedCall<V>, key: string, options: CallOptions = {}): Promise<V> {
  const result = (await runKeyed(context, call, [key], options)).get(key);
  if (result instanceof KafkaError) throw result;
  if (result === undefined) throw new Error(`${call.name} gave no result for '${key}'`);
  return result;
}

async function runRound<V>(call: KeyedCall<V>, keys: readonly string[], attempt: Attempt): Promise<KeyResults<V>> {
  const results: KeyResults<V> = new Map();
  const nodes = await settle(keys, () => call.lookup(keys, attempt));
  const byNode = new Map<number, { readonly node: Node; readonly keys: string[] }>();
  for (const key of keys) {
    const node = nodes.get(key);
    if (node === undefined) results.set(key, notYetTried(call.name));
    else if (node instanceof KafkaError) results.set(key, node);
    else {
      const group = byNode.get(node.id) ?? { node, keys: [] };
      group.keys.push(key);
      byNode.set(node.id, group);
    }
  }
  const requests = Array.from(byNode.values()).flatMap(({ node, keys: own }) => chunksOf(own).map((part) => ({ node, keys: part })));
  await Promise.all(
    requests.map(async ({ node, keys: own }) => {
      const answers = await settle(own, () => call.request(node, own, attempt));
      // A result may well be undefined: what matters is whether the key is there.
      for (const key of own) results.set(key, answers.has(key) ? (answers.get(key) as KeyResult<V>) : leftOut(call.name, key));
    }),
  );
  return results;
}

/** What `work` gives, or its KafkaError for each key. Anything else is a mistake of ours and goes on up. */
async function settle<T>(keys: readonly string[], work: () => Promise<Map<string, KeyResult<T>>>): Promise<Map<string, KeyResult<T>>> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    return new Map(keys.map((key) => [key, error]));
  }
}

function isFinal(
  call: KeyedCall<never> | { isFinal?(error: KafkaError, tries: number): boolean },
  error: KafkaError,
  tries: number,
): boolean {
  if (error instanceof UnsupportedVersionError || error instanceof ClientClosedError) return true;
  if (!error.retriable && error.code !== ErrorCode.NOT_CONTROLLER) return true;
  return call.isFinal?.(error, tries) ?? false;
}

function chunksOf(keys: readonly string[]): string[][] {
  const chunks: string[][] = [];
  for (let from = 0; from < keys.length; from += MAX_KEYS_PER_REQUEST) chunks.push(keys.slice(from, from + MAX_KEYS_PER_REQUEST));
  return chunks;
}

function notYetTried(name: string): KafkaError {
  return new RequestTimeoutError(`${name} found no broker to ask in time`);
}

function leftOut(name: string, key: string): KafkaError {
  return new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, `the broker's answer to ${name} leaves out '${key}'`);
}

/** `undefined` for no error, else the error with the broker's own message where it sent one. */
export function errorOf(code: number, message?: string | null): KafkaError | undefined {
  if (code === ErrorCode.NONE) return undefined;
  return message === undefined || message === null || message === '' ? new KafkaError(code) : new KafkaError(code, message);
}
