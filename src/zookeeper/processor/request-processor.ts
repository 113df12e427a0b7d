/**
 * The way of a request: reads are answered from the committed tree; writes are prepared at once (so their order and their
 * zxids are the order of arrival), logged, and applied and answered when their group is durable. Answers on one connection
 * keep the order of its requests (PrepRequestProcessor, SyncRequestProcessor, FinalRequestProcessor in one).
 */
import type { Clock } from '../../runtime/clock.ts';
import { authenticate } from '../auth.ts';
import type { ClientConnection } from '../client-connection.ts';
import type { ZooKeeperConfig } from '../config.ts';
import { KeeperCode, OpCode, Xid } from '../jute/constants.ts';
import { JuteError, JuteReader } from '../jute/jute-reader.ts';
import { finishFrame } from '../jute/jute-writer.ts';
import type { LongHex } from '../jute/records.ts';
import { readAuth, readCheck, readCreate, readDelete, readMulti, readSetAcl, readSetData } from '../jute/requests.ts';
import { replyFrame } from '../jute/session-records.ts';
import type { SummaryName } from '../server-metrics.ts';
import type { ServerStats } from '../server-stats.ts';
import type { SessionTracker } from '../session-tracker.ts';
import type { DataTree, TxnResult } from '../tree/data-tree.ts';
import type { Txn, TxnHeader } from '../txn.ts';
import type { RequestPreparer, WriteRequest } from './prepare.ts';
import { executeRead, isRead } from './read-requests.ts';
import type { TxnCommitter } from './txn-committer.ts';
import { writeReplyBody } from './write-replies.ts';

/** A write on its way to the log. */
export interface PendingWrite {
  readonly header: TxnHeader;
  readonly txn: Txn;
  readonly digest: number | undefined;
  /** undefined when the server itself asked (expiry, containers). */
  readonly connection: ClientConnection | undefined;
  readonly xid: number;
  readonly requestType: number;
  readonly startMs: number;
}

export interface RequestProcessorDeps {
  readonly tree: DataTree<ClientConnection>;
  readonly sessions: SessionTracker;
  readonly preparer: RequestPreparer;
  readonly committer: () => TxnCommitter<PendingWrite>;
  readonly clock: Clock;
  readonly config: ZooKeeperConfig;
  readonly stats: ServerStats;
  /** A session's creation is durable; `connection` is undefined when its client has gone meanwhile. */
  readonly onSessionCreated: (sessionId: LongHex, timeoutMs: number, connection: ClientConnection | undefined) => void;
  readonly onSessionClosed: (sessionId: LongHex) => void;
  /** The number of requests in work has changed. */
  readonly onOutstandingChanged: (outstanding: number) => void;
}

/** Operations by the names that `cons` shows. */
const OPERATION_NAMES = new Map<number, string>([
  [OpCode.ping, 'PING'],
  [OpCode.createSession, 'SESS'],
  [OpCode.multi, 'MULT'],
  [OpCode.multiRead, 'MLTR'],
  [OpCode.create, 'CREA'],
  [OpCode.create2, 'CREA'],
  [OpCode.createTTL, 'CREA'],
  [OpCode.createContainer, 'CREA'],
  [OpCode.delete, 'DELE'],
  [OpCode.setData, 'SETD'],
  [OpCode.setACL, 'SETA'],
  [OpCode.closeSession, 'CLOS'],
  [OpCode.sync, 'SYNC'],
  [OpCode.check, 'CHEC'],
  [OpCode.exists, 'EXIS'],
  [OpCode.getData, 'GETD'],
  [OpCode.setWatches, 'SETW'],
  [OpCode.setWatches2, 'STW2'],
  [OpCode.addWatch, 'ADDW'],
  [OpCode.getACL, 'GETA'],
  [OpCode.getChildren, 'GETC'],
  [OpCode.getChildren2, 'GETC'],
  [OpCode.getAllChildrenNumber, 'GETACN'],
  [OpCode.checkWatches, 'CHKW'],
  [OpCode.removeWatches, 'REMW'],
  [OpCode.whoAmI, 'HOMI'],
  [OpCode.getEphemerals, 'GETE'],
]);

export class RequestProcessor {
  readonly #deps: RequestProcessorDeps;
  #outstanding = 0;
  /** Connections whose requests wait until the transaction `zxid` is applied, in its order. */
  #held: { readonly zxid: number; readonly connection: ClientConnection }[] = [];

  constructor(deps: RequestProcessorDeps) {
    this.#deps = deps;
  }

  /** Requests whose answers are still to come. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Handles a frame of an open connection. Throws `JuteError` when not even its header can be read. */
  handle(connection: ClientConnection, frame: Buffer): void {
    this.#deps.stats.metrics.count('prep_processor_request_queued');
    const reader = new JuteReader(frame);
    const xid = reader.int();
    const type = reader.int();
    if (type === OpCode.auth) this.#authenticate(connection, xid, reader);
    else if (type === OpCode.sasl) this.#refuseSasl(connection, xid, reader);
    else if (type === OpCode.reconfig && !isReconfig(reader)) this.#refuseReconfig(connection, xid);
    else if (isRead(type)) this.#read(connection, xid, type, reader);
    else {
      const write = readWrite(type, reader, this.#deps.config);
      if (write === undefined) this.#refuseUnknown(connection, xid);
      else this.#write(connection, xid, type, write);
    }
  }

  /** Begins a session for a connection; `onSessionCreated` follows when it is durable. */
  createSession(connection: ClientConnection, timeoutMs: number): void {
    const sessionId = this.#deps.sessions.nextId();
    this.#deps.sessions.track(sessionId, timeoutMs);
    connection.enqueueWrite();
    this.#submit({ type: OpCode.createSession, timeOut: timeoutMs }, sessionId, connection, 0, OpCode.createSession);
  }

  /**
   * Answers what comes on `connection` when all that is in flight is applied: its session may have written on a connection before this one,
   * and a client that looks whether that has happened must not be told "no" and see it happen after all.
   */
  holdUntilApplied(connection: ClientConnection): void {
    const { preparer, tree } = this.#deps;
    if (preparer.lastZxid <= tree.lastProcessedZxid) return;
    connection.enqueueWrite();
    this.#held.push({ zxid: preparer.lastZxid, connection });
  }

  /** Ends a session for the server: it has expired. */
  closeSession(sessionId: LongHex): void {
    this.#submit({ type: OpCode.closeSession }, sessionId, undefined, 0, OpCode.closeSession);
  }

  /** Deletes a container or TTL node if it is still empty. */
  deleteContainer(path: string): void {
    this.#submit({ type: OpCode.deleteContainer, path }, '0000000000000000', undefined, 0, OpCode.deleteContainer);
  }

  /** Applies a durable group and answers it. */
  onCommitted(group: readonly PendingWrite[]): void {
    const { tree, preparer, onOutstandingChanged } = this.#deps;
    for (const write of group) {
      const result = tree.processTxn(write.header, write.txn);
      preparer.changes.applied(write.header.zxid);
      this.#outstanding--;
      const connection = write.connection?.state === 'closed' ? undefined : write.connection;
      if (connection !== undefined) {
        // As in Apache, a write that fails leaves no name.
        const name = result.err === KeeperCode.OK || write.txn.type === OpCode.multi ? write.requestType : OpCode.error;
        this.#recordAnswer(connection, name, write.xid, write.startMs, 'updatelatency');
        this.#deps.stats.metrics.record('propagation_latency', this.#deps.clock.wallMs() - write.header.time);
      }
      if (write.txn.type === OpCode.createSession) this.#deps.onSessionCreated(write.header.clientId, write.txn.timeOut, connection);
      connection?.onWriteCommitted(write.txn.type === OpCode.createSession ? undefined : () => sendWriteReply(connection, write, result));
      for (let held = this.#held[0]; held !== undefined && held.zxid <= write.header.zxid; held = this.#held[0]) {
        this.#held.shift();
        held.connection.onWriteCommitted();
      }
      if (write.requestType === OpCode.closeSession) {
        this.#deps.sessions.remove(write.header.clientId);
        this.#deps.onSessionClosed(write.header.clientId);
      }
    }
    onOutstandingChanged(this.#outstanding);
  }

  #read(connection: ClientConnection, xid: number, type: number, body: JuteReader): void {
    const startMs = this.#deps.clock.monotonicMs();
    // A ping is answered by its own xid, whatever xid it came with.
    const replyXid = type === OpCode.ping ? Xid.ping : xid;
    connection.enqueueRead(() => {
      const { tree } = this.#deps;
      const error = this.#sessionError(connection);
      const reply = replyFrame(replyXid, tree.lastProcessedZxid, 0);
      const err = error ?? executeRead(type, tree, connection, body, reply);
      this.#recordAnswer(connection, type, xid, startMs, 'readlatency');
      connection.sendReply(finishFrame(err === KeeperCode.OK ? reply : replyFrame(replyXid, tree.lastProcessedZxid, err)));
    });
  }

  #write(connection: ClientConnection, xid: number, type: number, write: WriteRequest): void {
    connection.enqueueWrite();
    this.#submit(write, connection.sessionId, connection, xid, type);
  }

  #submit(write: WriteRequest, sessionId: LongHex, connection: ClientConnection | undefined, xid: number, requestType: number): void {
    const { preparer, clock, committer, onOutstandingChanged, stats } = this.#deps;
    const startMs = clock.monotonicMs();
    const { header, txn, digest } = preparer.prepare(write, { sessionId, xid, authInfo: connection?.authInfo ?? [] });
    const preparedMs = clock.monotonicMs();
    stats.metrics.record('prep_process_time', preparedMs - startMs);
    if (requestType === OpCode.closeSession) stats.metrics.record('close_session_prep_time', preparedMs - startMs);
    this.#outstanding++;
    committer().submit({ header, txn, digest, connection, xid, requestType, startMs });
    stats.metrics.record('proposal_process_time', clock.monotonicMs() - preparedMs);
    onOutstandingChanged(this.#outstanding);
  }

  #sessionError(connection: ClientConnection): number | undefined {
    const session = this.#deps.sessions.get(connection.sessionId);
    return session === undefined || session.closing ? KeeperCode.SessionExpired : undefined;
  }

  /** Identities count from the next request on. A scheme that isn't known, or a proof that fails, ends the connection. */
  #authenticate(connection: ClientConnection, xid: number, body: JuteReader): void {
    const { scheme, auth } = readAuth(body);
    const ids = authenticate(scheme, auth, connection.address, this.#deps.config.superDigest);
    if (ids === undefined) {
      this.#deps.stats.authFailed++;
      connection.send(finishFrame(replyFrame(xid, 0, KeeperCode.AuthFailed)));
      connection.end();
      return;
    }
    connection.addAuth(ids);
    connection.send(finishFrame(replyFrame(xid, 0, KeeperCode.OK)));
  }

  /** No SASL mechanism is configured: like Apache without one, an answer without a token. */
  #refuseSasl(connection: ClientConnection, xid: number, body: JuteReader): void {
    body.buffer();
    connection.enqueueRead(() => connection.send(finishFrame(replyFrame(xid, 0, KeeperCode.OK).buffer(null))));
  }

  /** The one write that takes no zxid when its body can't be read. */
  #refuseReconfig(connection: ClientConnection, xid: number): void {
    connection.enqueueRead(() =>
      connection.sendReply(finishFrame(replyFrame(xid, this.#deps.tree.lastProcessedZxid, KeeperCode.MarshallingError))),
    );
  }

  #refuseUnknown(connection: ClientConnection, xid: number): void {
    connection.enqueueRead(() => {
      connection.send(finishFrame(replyFrame(xid, -1, KeeperCode.Unimplemented)));
      connection.end();
    });
  }

  #recordAnswer(connection: ClientConnection, type: number, xid: number, startMs: number, latency: SummaryName): void {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#deps.stats.metrics.record(latency, nowMs - startMs);
    this.#deps.stats.latency.record(nowMs - startMs);
    connection.latency.record(nowMs - startMs);
    connection.lastOperation = OPERATION_NAMES.get(type) ?? 'NA';
    connection.lastXid = xid;
    connection.lastZxid = this.#deps.tree.lastProcessedZxid;
    connection.lastResponseMs = this.#deps.clock.wallMs();
  }
}

/** A multi that failed says so in its body, not in its header. */
function sendWriteReply(connection: ClientConnection, write: PendingWrite, result: TxnResult): void {
  const err = write.txn.type === OpCode.multi ? KeeperCode.OK : result.err;
  const reply = replyFrame(write.xid, write.header.zxid, err);
  if (err === KeeperCode.OK) writeReplyBody(reply, write.requestType, result);
  connection.sendReply(finishFrame(reply));
}

/** Whether a body is a reconfig's: joining, leaving, new members, the configuration it is made from. */
function isReconfig(body: JuteReader): boolean {
  try {
    for (let i = 0; i < 3; i++) body.nullableString();
    body.longHex();
    return true;
  } catch (error) {
    if (error instanceof JuteError) return false;
    throw error;
  }
}

/** The write in a frame; undefined for an operation that doesn't exist. A body that makes no sense becomes a write that fails. */
function readWrite(type: number, body: JuteReader, config: ZooKeeperConfig): WriteRequest | undefined {
  try {
    switch (type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL:
        return readCreate(body, type);
      case OpCode.delete:
        return readDelete(body);
      case OpCode.setData:
        return readSetData(body);
      case OpCode.setACL:
        return readSetAcl(body);
      case OpCode.check:
        return readCheck(body);
      case OpCode.multi:
        return { type, ops: readMulti(body) };
      case OpCode.closeSession:
        return { type };
      case OpCode.reconfig:
        return { type: OpCode.error, err: config.reconfigEnabled ? KeeperCode.Unimplemented : KeeperCode.ReconfigDisabled };
      default:
        return undefined;
    }
  } catch (error) {
    if (error instanceof JuteError) return { type: OpCode.error, err: KeeperCode.MarshallingError };
    throw error;
  }
}
