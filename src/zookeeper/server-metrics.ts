/**
 * What a ZooKeeper server counts, by the names that `mntr` prints (ServerMetrics, DefaultMetricsProvider): counters,
 * summaries (avg, min, max, cnt, sum), summaries with quantiles, summaries per top-level node ("namespace").
 *
 * The tables hold every name of a standalone 3.8 server, in its order. Names of what this server doesn't have (a quorum,
 * a commit processor, Netty, TLS, a cache of packed replies) stay at what a fresh server prints, 0.
 * Quantiles come from logarithmic buckets (within 12.5 %), Apache's from a sample of 4096 values.
 */
import { Counter, Histogram } from '../runtime/metrics.ts';

/** Counters. */
const COUNTERS = [
  'proposal_count',
  'watch_bytes',
  'outstanding_changes_removed',
  'throttled_ops',
  'stale_requests_dropped',
  'large_requests_rejected',
  'insecure_admin_count',
  'connection_rejected',
  'cnxn_closed_without_zk_server_running',
  'sessionless_connections_expired',
  'looking_count',
  'dead_watchers_queued',
  'stale_requests',
  'connection_drop_count',
  'learner_proposal_received_count',
  'digest_mismatches_count',
  'dead_watchers_cleared',
  'response_packet_cache_hits',
  'bytes_received_count',
  'add_dead_watcher_stall_time',
  'request_throttle_wait_count',
  'requests_not_forwarded_to_commit_processor',
  'response_packet_cache_misses',
  'ensemble_auth_success',
  'prep_processor_request_queued',
  'learner_commit_received_count',
  'stale_replies',
  'connection_request_count',
  'response_bytes',
  'ensemble_auth_fail',
  'diff_count',
  'response_packet_get_children_cache_misses',
  'connection_revalidate_count',
  'quit_leading_due_to_disloyal_voter',
  'snap_count',
  'unrecoverable_error_count',
  'unsuccessful_handshake',
  'commit_count',
  'stale_sessions_expired',
  'response_packet_get_children_cache_hits',
  'sync_processor_request_queued',
  'outstanding_changes_queued',
  'request_commit_queued',
  'ensemble_auth_skip',
  'skip_learner_request_to_next_processor_count',
  'tls_handshake_exceeded',
  'revalidate_count',
] as const;

/** Summaries without quantiles. */
const SUMMARIES = [
  'socket_closing_time',
  'proposal_process_time',
  'leader_unavailable_time',
  'node_created_watch_count',
  'session_queues_drained',
  'write_commit_proc_req_queued',
  'connection_token_deficit',
  'read_commit_proc_req_queued',
  'node_deleted_watch_count',
  'startup_txns_load_time',
  'sync_processor_queue_size',
  'follower_sync_time',
  'prep_processor_queue_size',
  'fsynctime',
  'inflight_snap_count',
  'reads_issued_from_session_queue',
  'learner_request_processor_queue_size',
  'snapshottime',
  'unavailable_time',
  'startup_txns_loaded',
  'reads_after_write_in_session_queue',
  'requests_in_session_queue',
  'write_commit_proc_issued',
  'prep_process_time',
  'pending_session_queue_size',
  'time_waiting_empty_pool_in_commit_processor_read_ms',
  'commit_process_time',
  'dbinittime',
  'inflight_diff_count',
  'netty_queued_buffer_capacity',
  'election_time',
  'commit_commit_proc_req_queued',
  'sync_processor_batch_size',
  'node_children_watch_count',
  'write_batch_time_in_commit_processor',
  'read_commit_proc_issued',
  'concurrent_request_processing_in_commit_processor',
  'observer_sync_time',
  'node_changed_watch_count',
  'sync_process_time',
  'startup_snap_load_time',
] as const;

/** Summaries with quantiles. */
const QUANTILE_SUMMARIES = [
  'prep_processor_queue_time_ms',
  'jvm_pause_time_ms',
  'close_session_prep_time',
  'read_commitproc_time_ms',
  'updatelatency',
  'local_write_committed_time_ms',
  'request_throttle_queue_time_ms',
  'readlatency',
  'quorum_ack_latency',
  'om_commit_process_time_ms',
  'read_final_proc_time_ms',
  'commit_propagation_latency',
  'dead_watchers_cleaner_latency',
  'write_final_proc_time_ms',
  'proposal_ack_creation_latency',
  'proposal_latency',
  'om_proposal_process_time_ms',
  'sync_processor_queue_and_flush_time_ms',
  'propagation_latency',
  'server_write_committed_time_ms',
  'sync_processor_queue_time_ms',
  'sync_processor_queue_flush_time_ms',
  'write_commitproc_time_ms',
] as const;

export type CounterName = (typeof COUNTERS)[number];
export type SummaryName = (typeof SUMMARIES)[number] | (typeof QUANTILE_SUMMARIES)[number];
export type NamespaceSummaryName = 'read_per_namespace' | 'write_per_namespace';

const QUANTILES = [
  ['p50', 0.5],
  ['p95', 0.95],
  ['p99', 0.99],
  ['p999', 0.999],
] as const;
/** Namespaces that are told apart; what comes beyond is counted as `other`. Bounds what clients can make a server keep. */
const MAX_NAMESPACES = 100;

class Summary {
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;
  readonly #histogram: Histogram | undefined;

  constructor(withQuantiles: boolean) {
    this.#histogram = withQuantiles ? new Histogram() : undefined;
  }

  /** A value; times are milliseconds. Fractions are cut off, as Apache's clock does. */
  add(value: number): void {
    const whole = Math.max(0, Math.floor(value));
    this.#count++;
    this.#sum += whole;
    if (whole < this.#min) this.#min = whole;
    if (whole > this.#max) this.#max = whole;
    this.#histogram?.record(whole);
  }

  *lines(name: string): Iterable<MetricLine> {
    yield [`avg_${name}`, javaDouble(this.#count === 0 ? 0 : this.#sum / this.#count)];
    yield [`min_${name}`, this.#count === 0 ? 0 : this.#min];
    yield [`max_${name}`, this.#max];
    yield [`cnt_${name}`, this.#count];
    yield [`sum_${name}`, this.#sum];
    if (this.#histogram === undefined) return;
    for (const [quantile, share] of QUANTILES) yield [`${quantile}_${name}`, Math.floor(this.#histogram.quantile(share))];
  }
}

export type MetricLine = readonly [name: string, value: string | number];

export class ServerMetrics {
  readonly #counters = new Map<CounterName, Counter>();
  readonly #summaries = new Map<SummaryName, Summary>();
  readonly #namespaces: Record<NamespaceSummaryName, Map<string, Summary>> = {
    read_per_namespace: new Map(),
    write_per_namespace: new Map(),
  };

  constructor() {
    this.reset();
  }

  count(name: CounterName, amount = 1): void {
    this.#counters.get(name)?.add(amount);
  }

  record(name: SummaryName, value: number): void {
    this.#summaries.get(name)?.add(value);
  }

  /** Bytes read from or written to a node, by the top-level node that `path` is at or below; nothing for the root. */
  recordNamespace(name: NamespaceSummaryName, path: string, bytes: number): void {
    const slash = path.indexOf('/', 1);
    const namespace = slash < 0 ? path.slice(1) : path.slice(1, slash);
    if (namespace === '') return;
    const summaries = this.#namespaces[name];
    const key = summaries.has(namespace) || summaries.size < MAX_NAMESPACES ? namespace : 'other';
    let summary = summaries.get(key);
    if (summary === undefined) summaries.set(key, (summary = new Summary(false)));
    summary.add(bytes);
  }

  reset(): void {
    for (const name of COUNTERS) this.#counters.set(name, new Counter());
    for (const name of SUMMARIES) this.#summaries.set(name, new Summary(false));
    for (const name of QUANTILE_SUMMARIES) this.#summaries.set(name, new Summary(true));
    for (const summaries of Object.values(this.#namespaces)) summaries.clear();
  }

  *lines(): Iterable<MetricLine> {
    for (const [name, counter] of this.#counters) yield [name, counter.count];
    for (const [name, summary] of this.#summaries) yield* summary.lines(name);
    for (const [name, summaries] of Object.entries(this.#namespaces))
      for (const [namespace, summary] of summaries) yield* summary.lines(`${namespace}_${name}`);
  }
}

/** A double as Java prints it, to four places. */
export function javaDouble(value: number): string {
  const rounded = Math.round(value * 10_000) / 10_000;
  return Number.isInteger(rounded) ? `${rounded}.0` : String(rounded);
}
