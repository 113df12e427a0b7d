/**
 * What a local cluster's processes can be asked about their inside: every query by name, with its input and its answer. The one
 * place where a query is declared; the child that answers registers a function under the name (`src/broker/introspection`,
 * `src/zookeeper/introspection.ts`), the console asks with `askBroker` and `askZooKeeper`, and both are held to the types here.
 *
 * An answer is plain JSON: no bigint, no Map, no NaN (JSON would make null of it). It says what is measured at that moment; nothing is
 * gathered for a query before it is asked, so that a cluster that nobody watches pays nothing. Counts only grow: a page that wants
 * a rate asks again and divides. A query over many things takes a topic, a partition or a `max`, so that its answer stays far below
 * `MAX_ANSWER_BYTES`; a longer one is refused, not cut.
 */
import type { BrokerInfo } from './answers/broker-info.ts';
import type { ControllerAnswer } from './answers/controller.ts';
import type { LogFlushAnswer } from './answers/log-flush.ts';
import type { LogRetentionAnswer } from './answers/log-retention.ts';
import type { ReassigningAnswer } from './answers/reassigning.ts';
import type { ReplicationAnswer } from './answers/replication.ts';
import type { ZooKeeperInfo } from './answers/zookeeper-info.ts';
import type { ZooKeeperServers } from './answers/zookeeper-servers.ts';
import type { ZooKeeperSessionDetails, ZooKeeperSessions, ZooKeeperWatches } from './answers/zookeeper-sessions.ts';

/** A question and what answers it. */
interface Query<Input, Answer> {
  readonly input: Input;
  readonly answer: Answer;
}

/** For a query that needs no input. */
export type NoInput = Readonly<Record<string, never>>;

export interface BrokerQueries {
  /** Who it is, since when, and what its process uses. */
  readonly 'broker.info': Query<NoInput, BrokerInfo>;
  /** Who is controller, what it does, what waits: events, reassignments and deletions under way (at most `max` of them). */
  readonly 'controller.describe': Query<{ readonly max: number }, ControllerAnswer>;
  /** How far the partitions that this broker leads have come in their reassignments; at most `max` of them. */
  readonly 'replication.reassigning': Query<{ readonly max: number }, ReassigningAnswer>;
  /**
   * The replicas of a topic here, of at most `max` (1 to 500) partitions from `from` on: how far each is, what it does to follow, and as leader how far
   * every follower is; and the `worst` (0 to 100) followers of all partitions of the topic.
   */
  readonly 'replication.describe': Query<
    { readonly topic: string; readonly from: number; readonly max: number; readonly worst: number },
    ReplicationAnswer
  >;
  /** How far the replicas of a topic are on the device (the first `max` of them, 1 to 1000), what flushing costs, what recovery found at the last start. */
  readonly 'log.flush': Query<{ readonly topic: string; readonly max: number }, LogFlushAnswer>;
  /** Which segments of a replica go, when and why; what compaction has done and will do. */
  readonly 'log.retention': Query<{ readonly topic: string; readonly partition: number }, LogRetentionAnswer>;
}

/** Asked of the process id `supervisor`, which knows where ZooKeeper is also when it isn't one of its children. */
export interface SupervisorQueries {
  /** Where ZooKeeper is, and what each of its servers says of itself. */
  readonly 'supervisor.zookeeper': Query<NoInput, ZooKeeperServers>;
}

export interface ZooKeeperQueries {
  /** What `srvr` tells, typed. */
  readonly 'zookeeper.info': Query<NoInput, ZooKeeperInfo>;
  /** At most `max` (1 to 1000) sessions. */
  readonly 'zookeeper.sessions': Query<{ readonly max: number }, ZooKeeperSessions>;
  /** One session (`0x…`), with at most `max` (1 to 1000) ephemeral nodes and watches. */
  readonly 'zookeeper.session': Query<{ readonly id: string; readonly max: number }, ZooKeeperSessionDetails>;
  /** Watched paths that begin with `prefix`, at most `max` (1 to 1000). */
  readonly 'zookeeper.watches': Query<{ readonly prefix: string; readonly max: number }, ZooKeeperWatches>;
}

/** What a table of queries is: for `Queries extends QueryTable<Queries>`. */
export type QueryTable<Queries> = { readonly [Name in keyof Queries]: Query<unknown, unknown> };

/** Bytes of an answer's JSON. */
export const MAX_ANSWER_BYTES = 1 << 20;
/** Queries that one process works on at a time; more are refused. */
export const MAX_OUTSTANDING_QUERIES = 64;
/** From the question to the answer, unless the asker says otherwise. */
export const QUERY_TIMEOUT_MS = 2_000;

export const QUERY_ERROR_CODES = [
  /** This version of the process knows no query of that name. */
  'unknown-query',
  /** The input isn't what the query takes. */
  'bad-input',
  /** It can't be told now: the process is still starting. */
  'not-ready',
  /** What was named (a topic, a partition, a session) isn't on this process. */
  'not-found',
  /** The answer is longer than `MAX_ANSWER_BYTES`. */
  'too-large',
  /** Too many queries at once. */
  'busy',
  /** It went wrong while answering. */
  'failed',
] as const;
export type QueryErrorCode = (typeof QUERY_ERROR_CODES)[number];

export class QueryError extends Error {
  readonly code: QueryErrorCode;

  constructor(code: QueryErrorCode, message: string) {
    super(message);
    this.name = 'QueryError';
    this.code = code;
  }
}

/** To the child. */
export interface QueryMessage {
  readonly type: 'query';
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

/** From the child. `json` is the answer as JSON text: written once by who knows it, read once by who asked, carried as it is between. */
export type AnswerMessage =
  | { readonly type: 'answer'; readonly id: number; readonly ok: true; readonly json: string }
  | { readonly type: 'answer'; readonly id: number; readonly ok: false; readonly code: QueryErrorCode; readonly message: string };

/** `message` as an answer of a child of this version; undefined when it is something else. */
export function asAnswer(message: object): AnswerMessage | undefined {
  if (!('type' in message) || message.type !== 'answer' || !('id' in message) || typeof message.id !== 'number') return undefined;
  const { id } = message;
  if ('json' in message && typeof message.json === 'string') return { type: 'answer', id, ok: true, json: message.json };
  const told = 'code' in message ? message.code : undefined;
  const code = QUERY_ERROR_CODES.find((known) => known === told) ?? 'failed';
  const text = 'message' in message && typeof message.message === 'string' ? message.message : 'it did not say why';
  return { type: 'answer', id, ok: false, code, message: text };
}
