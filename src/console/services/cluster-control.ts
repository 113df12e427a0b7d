/**
 * What the console needs of a local cluster's supervisor, whoever holds it: the control socket's client in its adapter
 * (`supervisor-control.ts`), or a fake in a test. Every method rejects with a FailureError.
 */
import type { ClusterChange } from '../../cluster/cluster-change.ts';
import type { ClusterSpec } from '../../cluster/cluster-spec.ts';
import type { Reshaped } from '../../cluster/control-contract.ts';
import type { PowerLossReport } from '../contract/flush-lab.ts';
import type { LogPage, ProcessStatus } from '../contract/processes.ts';
import type { NewEntry } from './timeline.ts';

export type ProcessAction = 'start' | 'stop' | 'restart' | 'kill' | 'freeze' | 'thaw';

export interface ControlStatus {
  /** What its spec says people call it. */
  readonly name: string | null;
  readonly processes: readonly ProcessStatus[];
  readonly bootstrapServers: string;
  readonly zookeeperConnect: string | null;
  readonly dataFolder: string | null;
  readonly ephemeral: boolean;
  readonly supervisorPid: number | null;
  /** Log dirs of a broker on this machine, by broker id: known also while the broker is down. */
  readonly logDirs: ReadonlyMap<number, readonly string[]>;
  readonly stopping: boolean;
}

export interface LogQuery {
  readonly after: number;
  readonly max: number;
  readonly text: string | undefined;
}

export type ControlEvent =
  /** A process, or (null) the cluster as a whole, changed its state. */
  { readonly type: 'status'; readonly processId: string | null } | { readonly type: 'timeline'; readonly entry: NewEntry };

export interface ClusterControl {
  /** The last status the supervisor told; undefined before the first. */
  readonly lastStatus: ControlStatus | undefined;
  status(): Promise<ControlStatus>;
  act(processId: string, action: ProcessAction): Promise<ProcessStatus>;
  /** Asks a process about its inside: use `askBroker` and `askZooKeeper` (`ask-process.ts`), which know the types. */
  query(processId: string, name: string, input: unknown, timeoutMs?: number): Promise<unknown>;
  /** As the supervisor's (src/cluster/control-contract.ts). */
  losePower(processId: string): Promise<PowerLossReport>;
  configure(changes: Readonly<Record<string, string | null>>): Promise<void>;
  readSpec(): Promise<ClusterSpec>;
  reshape(change: ClusterChange): Promise<Reshaped>;
  /** As the contract's `cutOff`, of one side. */
  cutOff(processId: string, from: readonly string[]): Promise<ProcessStatus>;
  logs(processId: string, query: LogQuery): Promise<LogPage>;
  /** Calls `listener` for each event; returns how to stop that. */
  onEvent(listener: (event: ControlEvent) => void): () => void;
  close(): Promise<void>;
}
