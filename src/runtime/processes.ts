/**
 * Other processes of this machine: children of ours, and who else is there. Only the supervisor and the folder lock
 * need it, so it is not part of `Runtime`.
 */
export interface ChildCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** All are called after `spawn` has returned; `onExit` is the last, exactly once, also when nothing could be started. */
export interface ChildHandler {
  /** What the child said over its IPC channel. */
  onMessage(message: unknown): void;
  /** A line of its standard output or error. */
  onOutput(line: string): void;
  /** `error` when it could not be started at all. */
  onExit(code: number | null, signal: string | null, error?: Error): void;
}

export interface Child {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** Over the IPC channel; false when that is closed. */
  send(message: object): boolean;
  /** False when the process is gone. */
  signal(signal: ChildSignal): boolean;
}

export type ChildSignal = 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT';

export interface PortHolder {
  readonly pid: number;
  readonly command: string;
}

export interface Processes {
  readonly ownPid: number;
  /** Starts a child with an IPC channel, which closes when this process ends however it ends. */
  spawn(command: ChildCommand, handler: ChildHandler): Child;
  /**
   * What tells the process of that id from an earlier one that had it. Undefined when there is no such process;
   * '' where the system doesn't tell.
   */
  identityOf(pid: number): string | undefined;
  /** False when there is no such process. */
  signal(pid: number, signal: ChildSignal): boolean;
  /** Who listens on a local TCP port; undefined when nobody does, or the system doesn't tell us. */
  portHolder(port: number): PortHolder | undefined;
}
