/** The end of the process, when an invariant is broken: nothing more may be written after it. */
export interface Halt {
  /** Logs `reason` and ends the process with `exitCode` (1 or more) without running anything else. */
  halt(exitCode: number, reason: string, error?: unknown): never;
}
