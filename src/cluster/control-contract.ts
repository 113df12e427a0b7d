/**
 * What a running cluster can be asked for, from inside the supervisor's process or through its control socket: the same
 * interface for both. On the socket it is JSON lines:
 *
 *     ◄ {"samsa":1,"pid":123}                                  the greeting, at once
 *     ► {"id":1,"verb":"status"}                               also: act, cutOff, losePower, configure, spec, reshape, query, logs, stop, subscribe
 *     ◄ {"id":1,"ok":true,"result":{…}} | {"id":1,"ok":false,"error":{"code":"…","message":"…"}}
 *     ◄ {"event":{…}}                                          after subscribe
 *
 * A request is at most `MAX_REQUEST_BYTES`, what comes back `MAX_REPLY_BYTES` a line; a peer that sends a longer or unreadable
 * one is cut off. `CONTROL_VERSION` goes up
 * when an older client would misunderstand; additions don't.
 */
import { checkClusterChange } from './cluster-change.ts';
import type { ClusterChange } from './cluster-change.ts';
import type { ClusterSpec } from './cluster-spec.ts';
import { SpecError } from './spec-values.ts';

export const CONTROL_VERSION = 1;
export const MAX_REQUEST_BYTES = 1 << 16;
export const MAX_REPLY_BYTES = 1 << 22;

export type ProcessState =
  | 'starting'
  | 'running'
  /** Stopped by SIGSTOP: alive, does nothing. */
  | 'frozen'
  /** Asked to stop, not ended yet. */
  | 'stopping'
  /** Ended because the user said so; not started again by itself. */
  | 'stopped'
  /** Died; will be started again at `restartAtMs`. */
  | 'backoff'
  /** Died too often, or can't start: `reason` says why; waits for the user. */
  | 'failed';

export const PROCESS_ACTIONS = ['start', 'stop', 'restart', 'kill', 'freeze', 'thaw'] as const;
export type ProcessAction = (typeof PROCESS_ACTIONS)[number];

/** In `cutOff`: the connections that others (clients, other brokers) opened to the process. */
export const CLIENTS = 'clients';

export interface ProcessStatus {
  /** `zookeeper`, `broker-1`, … */
  readonly id: string;
  readonly role: 'zookeeper' | 'broker';
  /** Null for ZooKeeper. */
  readonly brokerId: number | null;
  readonly state: ProcessState;
  readonly pid: number | null;
  readonly host: string;
  readonly port: number | null;
  /** Wall clock of this generation's start. */
  readonly startedAtMs: number | null;
  /** From start to ready, of this generation. */
  readonly readyAfterMs: number | null;
  /** 1 for the first start; goes up with each. 0 before. */
  readonly generation: number;
  readonly lastExit: { readonly code: number | null; readonly signal: string | null; readonly atMs: number } | null;
  readonly restartAtMs: number | null;
  /** One line on why it isn't running, or which port was taken; null when there is nothing to say. */
  readonly reason: string | null;
  /** What its network is cut off from: process ids, and CLIENTS for whoever connected to it. Empty when all is well. */
  readonly cutOffFrom: readonly string[];
  /** Where its data lies: a broker's log dirs, or ZooKeeper's folder. */
  readonly dataDirs: readonly string[];
  readonly logFile: string;
  /** What it is made of was changed, and it still runs as before. */
  readonly awaitsRestart: boolean;
}

export type ClusterState = 'starting' | 'running' | 'stopping' | 'stopped';

export interface ClusterStatus {
  readonly version: typeof CONTROL_VERSION;
  /** What its spec says people call it. */
  readonly name: string | null;
  readonly supervisorPid: number;
  readonly state: ClusterState;
  readonly startedAtMs: number;
  readonly home: string;
  readonly ephemeral: boolean;
  readonly bootstrapServers: string;
  readonly zookeeperConnect: string;
  readonly processes: readonly ProcessStatus[];
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export interface LogLine {
  /** Counts up per process: pass the last one seen to get only what is newer. */
  readonly sequence: number;
  readonly atMs: number | null;
  readonly level: LogLevel | null;
  readonly component: string | null;
  readonly text: string;
}

export interface LogQuery {
  /** 0 for the oldest kept. */
  readonly after: number;
  readonly max: number;
  readonly text?: string | undefined;
}

export interface LogPage {
  readonly lines: readonly LogLine[];
  /** Lines after `after` that are no longer kept. */
  readonly dropped: number;
}

export type ClusterEvent =
  /** The cluster as a whole went to another state. */
  | { readonly type: 'cluster'; readonly state: ClusterState; readonly atMs: number }
  /** A process went to another state; `previous` is the state before. */
  | { readonly type: 'process'; readonly process: ProcessStatus; readonly previous: ProcessState; readonly atMs: number }
  /** What a child told of itself over its channel (an election, an ISR change, …); its form is the child's. */
  | { readonly type: 'child'; readonly processId: string; readonly event: unknown; readonly atMs: number };

/** What a change of the make-up has led to. */
export interface Reshaped {
  /** Processes that run and have it only when they are started again. */
  readonly awaitRestart: readonly string[];
}

/** What was cut off the files of a broker whose machine seemed to lose power. */
export interface PowerLoss {
  readonly brokerId: number;
  readonly atMs: number;
  /** Logs that had something that no fsync had confirmed; offsets are those of the broker's last moment. */
  readonly logs: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly recoveryPoint: number;
    readonly highWatermark: number;
    readonly logEndOffset: number;
    readonly lostBytes: number;
    readonly files: readonly { readonly name: string; readonly sizeBytes: number; readonly keptBytes: number }[];
  }[];
}

export interface ClusterControl {
  status(): Promise<ClusterStatus>;
  /** Resolves when it is done: ready, ended, frozen. Rejects with `ControlError`. */
  act(processId: string, action: ProcessAction): Promise<ProcessStatus>;
  /**
   * Cuts a running broker's network off from `from` (process ids, CLIENTS), in place of what it was cut off from before; [] mends it.
   * What it opened to a process stands still both ways; what that process opened to it goes on, unless that one is cut off too.
   * Rejects with `ControlError`: 'unknown-process', 'refused' when it isn't running. Holds until mended or the process has ended.
   */
  cutOff(processId: string, from: readonly string[]): Promise<ProcessStatus>;
  /**
   * Asks a process about its inside (`src/introspection/queries.ts` has the names and types; `askBroker` there is the typed way). Resolves with the
   * answer's JSON text. Rejects with `ControlError`: 'unavailable' when the process is down, frozen or not ready, 'timeout' when it does not
   * answer within `timeoutMs` (default `QUERY_TIMEOUT_MS`), 'bad-request', 'not-found', 'refused', 'failed' as the process says.
   */
  query(processId: string, name: string, input: unknown, timeoutMs?: number): Promise<string>;
  /**
   * Ends a running broker as a power loss would: it notes what is on the device and dies by SIGKILL in the same turn, then its log files
   * are cut back to that. It stays down until `start`. Rejects with `ControlError`: 'refused' when it isn't running, 'timeout' when it doesn't
   * answer (it goes on then, uncut).
   */
  losePower(processId: string): Promise<PowerLoss>;
  /**
   * Changes keys of all brokers' static configuration (null: back to the default of a local cluster), and restarts the running brokers one after
   * another. When one does not start with it, what was before is put back and all are started with that: rejects with `ControlError` then.
   */
  configure(changes: Readonly<Record<string, string | null>>): Promise<void>;
  /** What the cluster is made of, as it is kept: what runs may still run as before. */
  readSpec(): Promise<ClusterSpec>;
  /**
   * Changes what the cluster is made of and keeps it. Added brokers are started where others run; removed ones are stopped, if nothing lies on them;
   * whatever else runs takes its part over when it is restarted. Rejects with `ControlError`: 'bad-request' for what can't be, 'refused' for what
   * is in the way (replicas on a broker that is to go, metadata in the ZooKeeper, ports that are taken). Nothing is changed then.
   */
  reshape(change: ClusterChange): Promise<Reshaped>;
  logs(processId: string, query: LogQuery): Promise<LogPage>;
  /** Stops everything in order, the supervisor too; resolves when all processes have ended. */
  stop(): Promise<void>;
  /** Calls `listener` for each event from now on; returns how to stop that. */
  onEvent(listener: (event: ClusterEvent) => void): () => void;
}

export type ControlErrorCode =
  | 'bad-request'
  | 'unknown-process'
  /** What a query names isn't there. */
  | 'not-found'
  /** The process can't answer: it is down, frozen or still starting. */
  | 'unavailable'
  /** The process isn't in a state for that. */
  | 'refused'
  /** It was tried and did not work. */
  | 'failed'
  /** The supervisor is gone, or does not answer. */
  | 'disconnected'
  | 'timeout';

export class ControlError extends Error {
  readonly code: ControlErrorCode;

  constructor(code: ControlErrorCode, message: string) {
    super(message);
    this.name = 'ControlError';
    this.code = code;
  }
}

export type ControlRequest = { readonly id: number } & (
  | { readonly verb: 'status' }
  | { readonly verb: 'act'; readonly processId: string; readonly action: ProcessAction }
  | { readonly verb: 'cutOff'; readonly processId: string; readonly from: readonly string[] }
  | { readonly verb: 'query'; readonly processId: string; readonly name: string; readonly input: unknown; readonly timeoutMs: number }
  | { readonly verb: 'losePower'; readonly processId: string }
  | { readonly verb: 'configure'; readonly changes: Readonly<Record<string, string | null>> }
  | { readonly verb: 'spec' }
  | { readonly verb: 'reshape'; readonly change: ClusterChange }
  | { readonly verb: 'logs'; readonly processId: string; readonly query: LogQuery }
  | { readonly verb: 'stop' }
  | { readonly verb: 'subscribe' }
);

export type ControlReply =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: { readonly code: ControlErrorCode; readonly message: string } };

const MAX_LOG_LINES = 2_000;
const MAX_CUT_OFF = 1_000;
const MAX_CHANGES = 100;
const VERBS = ['status', 'act', 'cutOff', 'losePower', 'configure', 'spec', 'reshape', 'query', 'logs', 'stop', 'subscribe'];
const MAX_QUERY_TIMEOUT_MS = 60_000;

/** `value` as a request, or `ControlError` with code 'bad-request'. */
export function checkControlRequest(value: unknown): ControlRequest {
  if (typeof value !== 'object' || value === null) throw bad('a request is an object');
  const request = value as Record<string, unknown>;
  const { id, verb, processId, action } = request;
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) throw bad('id must be a whole number');
  if (verb === 'status' || verb === 'stop' || verb === 'subscribe' || verb === 'spec') return { id, verb };
  if (verb === 'reshape') return { id, verb, change: changeOf(request['change']) };
  if (verb === 'configure') return { id, verb, changes: checkChanges(request['changes']) };
  if (verb !== 'act' && verb !== 'logs' && verb !== 'cutOff' && verb !== 'losePower' && verb !== 'query')
    throw bad(`verb ${JSON.stringify(verb)} is unknown; ${VERBS.join(', ')} are allowed`);
  if (typeof processId !== 'string') throw bad('processId must be text');
  if (verb === 'cutOff') return { id, verb, processId, from: checkCutOff(request['from']) };
  if (verb === 'losePower') return { id, verb, processId };
  if (verb === 'query') return { id, verb, processId, ...checkQuery(request) };
  if (verb === 'logs') return { id, verb, processId, query: checkLogQuery(request['query']) };
  const known = PROCESS_ACTIONS.find((candidate) => candidate === action);
  if (known === undefined) throw bad(`action ${JSON.stringify(action)} is unknown; ${PROCESS_ACTIONS.join(', ')} are allowed`);
  return { id, verb, processId, action: known };
}

function changeOf(value: unknown): ClusterChange {
  try {
    return checkClusterChange(value);
  } catch (error) {
    throw error instanceof SpecError ? bad(error.message) : error;
  }
}

function checkCutOff(value: unknown): string[] {
  if (Array.isArray(value) && value.length <= MAX_CUT_OFF && value.every((name) => typeof name === 'string')) return value;
  throw bad(`from is a list of at most ${MAX_CUT_OFF} process ids, or '${CLIENTS}'`);
}

function checkQuery({ name, input, timeoutMs }: Record<string, unknown>): { name: string; input: unknown; timeoutMs: number } {
  if (typeof name !== 'string') throw bad('name must be text');
  if (typeof timeoutMs !== 'number' || !(timeoutMs > 0 && timeoutMs <= MAX_QUERY_TIMEOUT_MS))
    throw bad(`timeoutMs is a number above 0, at most ${MAX_QUERY_TIMEOUT_MS}`);
  return { name, input, timeoutMs };
}

function checkChanges(value: unknown): Readonly<Record<string, string | null>> {
  if (typeof value !== 'object' || value === null || Object.keys(value).length > MAX_CHANGES)
    throw bad(`changes is an object of at most ${MAX_CHANGES} keys`);
  for (const [key, text] of Object.entries(value))
    if (text !== null && typeof text !== 'string') throw bad(`the value of ${key} must be text, or null for its default`);
  return value as Record<string, string | null>;
}

function checkLogQuery(value: unknown): LogQuery {
  if (typeof value !== 'object' || value === null) throw bad('query is an object');
  const { after, max, text } = value as Record<string, unknown>;
  if (typeof after !== 'number' || after < 0) throw bad('after is a number, 0 or more');
  if (typeof max !== 'number' || max < 1 || max > MAX_LOG_LINES) throw bad(`max is a number from 1 to ${MAX_LOG_LINES}`);
  if (text !== undefined && typeof text !== 'string') throw bad('text is text');
  return { after, max, text };
}

function bad(message: string): ControlError {
  return new ControlError('bad-request', message);
}
