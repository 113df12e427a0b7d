/**
 * A standalone ZooKeeper server on one data folder: real on the wire and on disk, so that any client, tool, or Apache
 * ZooKeeper itself, can take either end (ZooKeeperServer, NIOServerCnxnFactory).
 *
 * Differs from Apache, besides what the parts say: a wrong password doesn't close the connection of the session it names
 * (there, anyone who knows an id can).
 */
import type { ZooKeeperInfo } from '../introspection/answers/zookeeper-info.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Listener, Socket } from '../runtime/net.ts';
import type { Cancellable } from '../runtime/scheduler.ts';
import { ClientConnection, type ConnectionOwner } from './client-connection.ts';
import { SESSIONLESS_TIMEOUT_MS, type ZooKeeperConfig, type ZooKeeperConfigInput, zooKeeperConfig } from './config.ts';
import { startContainerManager } from './container-manager.ts';
import type { DescribedServer } from './describe.ts';
import { answerFourLetterWord, DEFAULT_TRACE_MASK, type FourLetterContext } from './four-letter-words.ts';
import { EventType } from './jute/constants.ts';
import { JuteError, JuteReader } from './jute/jute-reader.ts';
import { type LongHex, NO_OWNER, STAT_BYTES } from './jute/records.ts';
import { type ConnectRequest, encodeConnectResponse, readConnectRequest } from './jute/session-records.ts';
import { openDatabase } from './persistence/database.ts';
import { startDatadirCleanup } from './persistence/datadir-cleanup.ts';
import { FileTxnLog } from './persistence/file-txn-log.ts';
import { RequestPreparer } from './processor/prepare.ts';
import { type PendingWrite, RequestProcessor } from './processor/request-processor.ts';
import { TxnCommitter } from './processor/txn-committer.ts';
import { type ProcessInfo, UNKNOWN_PROCESS } from './process-info.ts';
import { type ServerMetrics } from './server-metrics.ts';
import { ServerStats } from './server-stats.ts';
import { sessionPassword } from './session-password.ts';
import { SessionTracker } from './session-tracker.ts';
import type { DataTree, TreeObserver } from './tree/data-tree.ts';

export type ZooKeeperServerRuntime = Pick<Runtime, 'clock' | 'scheduler' | 'disk' | 'net' | 'random' | 'halt' | 'logger'>;

export interface ZooKeeperServerOptions extends ZooKeeperConfigInput {
  readonly runtime: ZooKeeperServerRuntime;
  /** What `envi` and `mntr` tell of the process; without it those say they don't know. */
  readonly process?: ProcessInfo;
}

/** Bytes waiting for the log at which sockets are no longer read. */
const MAX_PENDING_LOG_BYTES = 16 * 1024 * 1024;
/** Errors of a listener that mean "this machine hasn't that address". */
const NO_SUCH_ADDRESS = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']);

/** All that exists while the server runs. */
interface Running {
  readonly directory: string;
  readonly tree: DataTree<ClientConnection>;
  readonly sessions: SessionTracker;
  readonly committer: TxnCommitter<PendingWrite>;
  readonly processor: RequestProcessor;
  readonly timers: readonly Cancellable[];
}

export class ZooKeeperServer implements ConnectionOwner {
  readonly config: ZooKeeperConfig;
  readonly #runtime: ZooKeeperServerRuntime;
  readonly #stats = new ServerStats();
  readonly #process: ProcessInfo;
  /** `stmk` sets it, `gtmk` tells it; nothing is traced by it. */
  readonly #trace = { mask: DEFAULT_TRACE_MASK };
  readonly #connections = new Set<ClientConnection>();
  /** The connection that a session is on. */
  readonly #bySession = new Map<LongHex, ClientConnection>();
  readonly #byAddress = new Map<string, number>();
  readonly #startedAtMs: number;
  #listeners: Listener[] = [];
  #running: Running | undefined;
  #throttled = false;

  /** Throws `ZooKeeperConfigError`. */
  constructor({ runtime, process = UNKNOWN_PROCESS, ...config }: ZooKeeperServerOptions) {
    this.#runtime = runtime;
    this.#process = process;
    this.config = zooKeeperConfig(config);
    this.#startedAtMs = runtime.clock.monotonicMs();
  }

  /** Opens the data folder and listens. Rejects with `DatabaseError` or the system's error (EADDRINUSE, EACCES, …). */
  async start(): Promise<void> {
    this.#running = await this.#open();
    try {
      await this.#listen();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#runtime.logger.info({ port: this.port, dataDir: this.config.dataDir }, `ZooKeeper listens on port ${this.port}`);
  }

  /** The port it listens on; 0 before `start` and after `close`. */
  get port(): number {
    return this.#listeners[0]?.port ?? 0;
  }

  /** For introspection; undefined while it doesn't run. */
  /** What views of sessions and watches are made from; undefined while it doesn't run. */
  described(): DescribedServer | undefined {
    if (this.#running === undefined) return undefined;
    const { tree, sessions } = this.#running;
    const { clock } = this.#runtime;
    const connectionOf = (session: LongHex): ClientConnection | undefined => this.#bySession.get(session);
    return { tree, sessions, connectionOf, nowWallMs: clock.wallMs(), nowMonotonicMs: clock.monotonicMs() };
  }

  describe(): ZooKeeperInfo | undefined {
    if (this.#running === undefined) return undefined;
    const { tree, sessions } = this.#running;
    const { clock } = this.#runtime;
    return {
      zxid: tree.lastProcessedZxid.toString(16),
      nodes: tree.nodeCount,
      ephemerals: tree.ephemeralCount,
      watches: tree.dataWatches.watchCount + tree.childWatches.watchCount,
      connections: this.#connections.size,
      sessions: sessions.count,
      nowMs: clock.wallMs(),
      uptimeMs: clock.monotonicMs() - this.#startedAtMs,
    };
  }

  /** Stops listening, commits what was accepted, closes connections and files. Sessions live on for the next start. */
  async close(): Promise<void> {
    const listeners = this.#listeners;
    this.#listeners = [];
    await Promise.all(listeners.map((listener) => listener.close()));
    const running = this.#running;
    if (running === undefined) return;
    for (const timer of running.timers) timer.cancel();
    running.sessions.stop();
    await running.committer.close();
    this.#running = undefined;
    for (const connection of Array.from(this.#connections)) connection.destroy();
  }

  async #open(): Promise<Running> {
    const { config } = this;
    const runtime = this.#runtime;
    const opened = await openDatabase<ClientConnection>(runtime, config);
    const { directory, tree, sessions: committedSessions, replayedTxns } = opened;
    const { metrics } = this.#stats;
    metrics.record('startup_snap_load_time', opened.snapshotLoadMs);
    metrics.record('startup_txns_load_time', opened.txnsLoadMs);
    metrics.record('startup_txns_loaded', replayedTxns);
    metrics.count('digest_mismatches_count', opened.digestMismatches);
    metrics.record('dbinittime', opened.snapshotLoadMs + opened.txnsLoadMs);
    tree.observer = treeObserver(metrics, runtime);
    const sessions = new SessionTracker(runtime, {
      tickTimeMs: config.tickTimeMs,
      restored: committedSessions,
      onExpired: (session) => this.#onExpired(session.id, session.timeoutMs),
    });
    const preparer = new RequestPreparer(tree, sessions, runtime.clock, config, metrics);
    const processor = new RequestProcessor({
      tree,
      sessions,
      preparer,
      committer: () => committer,
      clock: runtime.clock,
      config,
      stats: this.#stats,
      onSessionCreated: (id, timeoutMs, connection) => {
        committedSessions.set(id, timeoutMs);
        if (connection !== undefined) this.#openSession(connection, id, timeoutMs);
      },
      onSessionClosed: (id) => {
        committedSessions.delete(id);
        this.#onSessionClosed(id);
      },
      onOutstandingChanged: (outstanding) => this.#throttle(outstanding),
    });
    const log = new FileTxnLog(runtime.disk, directory, config.preAllocSizeBytes);
    const committer: TxnCommitter<PendingWrite> = new TxnCommitter(
      runtime,
      log,
      {
        directory,
        snapCount: config.snapCount,
        txnsSinceSnapshot: replayedTxns,
        snapshotSource: { tree, sessions: committedSessions },
        metrics,
      },
      (group) => processor.onCommitted(group),
    );
    const timers = [
      startContainerManager(runtime, tree, config.containerCheckIntervalMs, (path) => processor.deleteContainer(path)),
      runtime.scheduler.every(SESSIONLESS_TIMEOUT_MS / 2, () => this.#closeSessionless()),
      startDatadirCleanup(runtime, { directory, ...config }),
    ];
    return { directory, tree, sessions, committer, processor, timers };
  }

  async #listen(): Promise<void> {
    const { net, logger } = this.#runtime;
    let port = this.config.clientPort;
    for (const [index, host] of this.config.hosts.entries()) {
      try {
        const listener = await net.listen({ host, port }, (socket) => this.#accept(socket), { ipv6Only: true });
        this.#listeners.push(listener);
        port = listener.port;
      } catch (error) {
        if (index === 0 || !NO_SUCH_ADDRESS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
        logger.info({ host }, `this machine has no address ${host}, listening without it`);
      }
    }
  }

  // --- connections ---

  #accept(socket: Socket): void {
    const { maxClientCnxns, maxCnxns } = this.config;
    const fromAddress = this.#byAddress.get(socket.remoteAddress) ?? 0;
    if (this.#running === undefined || (maxClientCnxns > 0 && fromAddress >= maxClientCnxns) || this.#connections.size >= maxCnxns) {
      this.#stats.metrics.count('connection_rejected');
      this.#runtime.logger.warn({ address: socket.remoteAddress }, `too many connections from ${socket.remoteAddress}, refusing one more`);
      socket.destroy();
      return;
    }
    const { clock, scheduler } = this.#runtime;
    const connection = new ClientConnection(socket, scheduler, this, {
      maxFrameBytes: this.config.juteMaxBufferBytes,
      nowMs: clock.wallMs(),
    });
    this.#connections.add(connection);
    this.#byAddress.set(connection.address, fromAddress + 1);
    if (this.#throttled) connection.setThrottled(true);
  }

  onConnectionClosed(connection: ClientConnection, dropped: boolean): void {
    if (!this.#connections.delete(connection)) return;
    if (dropped) this.#stats.metrics.count('connection_drop_count');
    const left = (this.#byAddress.get(connection.address) ?? 1) - 1;
    if (left > 0) this.#byAddress.set(connection.address, left);
    else this.#byAddress.delete(connection.address);
    if (this.#bySession.get(connection.sessionId) === connection) this.#bySession.delete(connection.sessionId);
    this.#running?.tree.removeWatcher(connection);
  }

  onPacketSent(): void {
    this.#stats.packetsSent++;
  }

  onReplySent(bytes: number): void {
    this.#stats.onReply(bytes);
  }

  onNotificationSent(bytes: number): void {
    this.#stats.metrics.count('watch_bytes', bytes);
  }

  onFourLetterWord(connection: ClientConnection, word: string, argument: Buffer): boolean {
    this.#stats.packetsReceived++;
    this.#stats.metrics.count('bytes_received_count', 4);
    connection.packetsReceived++;
    const running = this.#running;
    const context = running === undefined ? undefined : this.#fourLetterContext(running, argument);
    const answer = context === undefined ? undefined : answerFourLetterWord(word, context, connection);
    if (answer === undefined) return false;
    connection.send(Buffer.from(answer, 'utf8'));
    connection.end();
    return true;
  }

  onRequest(connection: ClientConnection, frame: Buffer): void {
    this.#stats.packetsReceived++;
    this.#stats.metrics.count('bytes_received_count', frame.length + 4);
    connection.packetsReceived++;
    const running = this.#running;
    if (running === undefined) {
      this.#stats.metrics.count('cnxn_closed_without_zk_server_running');
      return connection.destroy();
    }
    running.sessions.touch(connection.sessionId, connection.sessionTimeoutMs);
    try {
      running.processor.handle(connection, frame);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.#runtime.logger.warn({ address: connection.address, err: error }, 'a request without a readable header, closing its connection');
      connection.destroy();
    }
  }

  onConnectRequest(connection: ClientConnection, frame: Buffer): void {
    this.#stats.packetsReceived++;
    this.#stats.metrics.count('bytes_received_count', frame.length + 4);
    this.#stats.metrics.count('connection_request_count');
    // Connections are let in at once: no throttle of theirs ever lacks tokens.
    this.#stats.metrics.record('connection_token_deficit', 0);
    connection.packetsReceived++;
    const running = this.#running;
    const request = readHandshake(frame);
    if (running === undefined || request === undefined || request.lastZxidSeen > running.tree.lastProcessedZxid) {
      // A client that has seen more than this server must look for another; it gets no answer.
      this.#runtime.logger.warn(
        { address: connection.address, lastZxidSeen: request?.lastZxidSeen },
        'a handshake that is refused, closing its connection',
      );
      connection.destroy();
      return;
    }
    connection.sendsReadOnly = request.readOnly !== undefined;
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.config;
    const timeoutMs = Math.min(Math.max(request.timeOut, minSessionTimeoutMs), maxSessionTimeoutMs);
    if (request.sessionId === NO_OWNER) running.processor.createSession(connection, timeoutMs);
    else this.#resumeSession(running, connection, request, timeoutMs);
  }

  // --- sessions ---

  #resumeSession(running: Running, connection: ClientConnection, request: ConnectRequest, timeoutMs: number): void {
    const { sessionId } = request;
    if (!request.passwd.equals(sessionPassword(sessionId)) || !running.sessions.touch(sessionId, timeoutMs)) {
      this.#answerHandshake(connection, NO_OWNER, 0, Buffer.alloc(16));
      connection.end();
      return;
    }
    this.#bySession.get(sessionId)?.destroy();
    running.processor.holdUntilApplied(connection);
    this.#openSession(connection, sessionId, timeoutMs);
  }

  #openSession(connection: ClientConnection, sessionId: LongHex, timeoutMs: number): void {
    this.#bySession.set(sessionId, connection);
    this.#answerHandshake(connection, sessionId, timeoutMs, sessionPassword(sessionId));
    connection.open(sessionId, timeoutMs);
  }

  #answerHandshake(connection: ClientConnection, sessionId: LongHex, timeOut: number, passwd: Buffer): void {
    const readOnly = connection.sendsReadOnly ? false : undefined;
    connection.send(encodeConnectResponse({ protocolVersion: 0, timeOut, sessionId, passwd, readOnly }));
  }

  #onExpired(sessionId: LongHex, timeoutMs: number): void {
    this.#runtime.logger.info({ sessionId, timeoutMs }, `session 0x${sessionId} has expired after ${timeoutMs} ms without a sign of life`);
    this.#stats.metrics.count('stale_sessions_expired');
    this.#running?.processor.closeSession(sessionId);
  }

  #onSessionClosed(sessionId: LongHex): void {
    const connection = this.#bySession.get(sessionId);
    this.#bySession.delete(sessionId);
    connection?.end();
  }

  #closeSessionless(): void {
    const oldestMs = this.#runtime.clock.wallMs() - SESSIONLESS_TIMEOUT_MS;
    for (const connection of Array.from(this.#connections)) {
      if (connection.state !== 'new' || connection.acceptedAtMs >= oldestMs) continue;
      this.#stats.metrics.count('sessionless_connections_expired');
      connection.destroy();
    }
  }

  /** Back-pressure: with too many requests in work, or too much for the log, sockets wait. */
  #throttle(outstanding: number): void {
    const pendingBytes = this.#running?.committer.pendingBytes ?? 0;
    // Once over, it goes on at half: sockets aren't stopped and started for each request.
    const share = this.#throttled ? 0.5 : 1;
    const over = outstanding > this.config.globalOutstandingLimit * share || pendingBytes > MAX_PENDING_LOG_BYTES * share;
    if (over === this.#throttled) return;
    this.#throttled = over;
    if (over) this.#stats.metrics.count('request_throttle_wait_count');
    for (const connection of this.#connections) connection.setThrottled(over);
  }

  #fourLetterContext(running: Running, argument: Buffer): FourLetterContext {
    const { clock, disk } = this.#runtime;
    return {
      config: this.config,
      clientPort: this.port,
      tree: running.tree,
      sessions: running.sessions,
      stats: this.#stats,
      connections: this.#connections,
      outstanding: running.processor.outstanding,
      nowWallMs: clock.wallMs(),
      uptimeMs: clock.monotonicMs() - this.#startedAtMs,
      directorySizeBytes: () => {
        let bytes = 0;
        for (const entry of disk.list(running.directory)) bytes += disk.stat(`${running.directory}/${entry.name}`)?.sizeBytes ?? 0;
        return bytes;
      },
      process: this.#process,
      argument,
      trace: this.#trace,
    };
  }
}

const WATCH_METRICS = {
  [EventType.NodeCreated]: 'node_created_watch_count',
  [EventType.NodeDeleted]: 'node_deleted_watch_count',
  [EventType.NodeDataChanged]: 'node_changed_watch_count',
  [EventType.NodeChildrenChanged]: 'node_children_watch_count',
  [EventType.DataWatchRemoved]: undefined,
  [EventType.ChildWatchRemoved]: undefined,
  [EventType.PersistentWatchRemoved]: undefined,
} as const;

/** How often the log tells of the same path's exceeded quota. */
const QUOTA_WARNING_MS = 10_000;
const MAX_QUOTAS_WARNED = 1000;

function treeObserver(metrics: ServerMetrics, { clock, logger }: Pick<Runtime, 'clock' | 'logger'>): TreeObserver {
  const warnedMs = new Map<string, number>();
  return {
    onQuotaExceeded({ target, what, use, limit }) {
      const key = `${target} ${what}`;
      const nowMs = clock.monotonicMs();
      if (nowMs - (warnedMs.get(key) ?? Number.NEGATIVE_INFINITY) < QUOTA_WARNING_MS) return;
      if (warnedMs.size >= MAX_QUOTAS_WARNED) warnedMs.clear();
      warnedMs.set(key, nowMs);
      logger.warn({ target, use, limit }, `the quota of ${target} is exceeded: ${use} ${what}, ${limit} allowed`);
    },
    onWatchesFired(type, watchers) {
      const name = WATCH_METRICS[type];
      if (name !== undefined) metrics.record(name, watchers);
    },
    onRead: (path, bytes) => metrics.recordNamespace('read_per_namespace', path, path.length + bytes + STAT_BYTES),
    onWritten: (path, dataBytes) => metrics.recordNamespace('write_per_namespace', path, path.length + dataBytes),
  };
}

function readHandshake(frame: Buffer): ConnectRequest | undefined {
  try {
    return readConnectRequest(new JuteReader(frame));
  } catch (error) {
    if (error instanceof JuteError) return undefined;
    throw error;
  }
}
