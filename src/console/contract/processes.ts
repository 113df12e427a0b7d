/**
 * The processes of a local cluster (ZooKeeper and the brokers): their state as the supervisor knows it, what can be done to
 * each, and their logs. On a remote cluster each of these fails with `refused`.
 */
import { z } from 'zod';
import { clusterId, clusterInput, processId } from './inputs.ts';
import { bulk, destroy, read, write } from './procedure.ts';

export type ProcessState =
  | 'starting'
  | 'running'
  /** Stopped by SIGSTOP: alive, does nothing. */
  | 'frozen'
  /** Asked to stop, not ended yet. */
  | 'stopping'
  /** Ended because the user said so (`stop` or `kill`); not started again by itself. */
  | 'stopped'
  /** Died; will be started again at `restartAtMs`. */
  | 'backoff'
  /** Died too often, or cannot start: `reason` says why; waits for the user. */
  | 'failed';

export interface ProcessStatus {
  readonly id: string;
  readonly role: 'zookeeper' | 'broker';
  /** Null for ZooKeeper. */
  readonly brokerId: number | null;
  readonly state: ProcessState;
  readonly pid: number | null;
  readonly host: string;
  readonly port: number | null;
  /** Wall clock of the start of this generation. */
  readonly startedAtMs: number | null;
  /** 1 for the first start; goes up with each. */
  readonly generation: number;
  readonly lastExit: { readonly code: number | null; readonly signal: string | null; readonly atMs: number } | null;
  readonly restartAtMs: number | null;
  /** One line of prose on why it is not running, or which port was taken; null when there is nothing to say. */
  readonly reason: string | null;
  /** What its network is cut off from: process ids, and `clients` for whoever connects to it. Empty when all is well. */
  readonly cutOffFrom: readonly string[];
  /** What the cluster is made of was changed; this process runs as before until it is restarted. */
  readonly awaitsRestart: boolean;
}

export interface LogLine {
  /** Counts up per process: pass the last one seen to get only what is newer. */
  readonly sequence: number;
  readonly atMs: number | null;
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal' | null;
  readonly component: string | null;
  readonly text: string;
}

export interface LogPage {
  readonly lines: readonly LogLine[];
  /** Lines between `after` and the first one here that the ring buffer no longer had. */
  readonly dropped: number;
}

const processInput = z.object({ clusterId, processId });

export const processes = {
  list: read.input(clusterInput).output(bulk<readonly ProcessStatus[]>()),
  /** The lines after `after` (0 for the oldest kept), at most `max`, oldest first; of `text`, without regard to case, if given. */
  logs: read
    .input(
      z.object({
        clusterId,
        processId,
        after: z.int().min(0).default(0),
        max: z.int().min(1).max(2000).default(500),
        text: z.string().max(200).optional(),
      }),
    )
    .output(bulk<LogPage>()),
  /** Controlled stop: a broker hands over its leaders first. Answers when the process has ended. */
  stop: write.input(processInput).output(bulk<ProcessStatus>()),
  start: write.input(processInput).output(bulk<ProcessStatus>()),
  restart: write.input(processInput).output(bulk<ProcessStatus>()),
  /** SIGSTOP and SIGCONT. */
  freeze: write.input(processInput).output(bulk<ProcessStatus>()),
  thaw: write.input(processInput).output(bulk<ProcessStatus>()),
  /**
   * Cuts a running broker's network off from `from`, in place of what it was cut off from before; [] mends it. What it opened to a process stands
   * still both ways; what that process opened to it goes on, unless that one is cut off too (`mutual` does that for brokers).
   */
  cutOff: write
    .input(processInput.extend({ from: z.array(processId).max(100), mutual: z.boolean().default(false) }))
    .output(bulk<ProcessStatus>()),
  /** SIGKILL; it is not started again until the user says so. */
  kill: destroy.input(processInput).output(bulk<ProcessStatus>()),
};
