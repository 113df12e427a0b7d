/**
 * Work that would hold the event loop goes to workers: started when first needed, ended when idle.
 * `task` names a module (an `export function run(input)`), known to the implementation's table.
 */
export interface Offload {
  /** Runs `task` on `input` (structured clone; `transfer` moves ArrayBuffers) and gives what it returns. */
  run<Input, Output>(task: OffloadTask<Input, Output>, input: Input, transfer?: readonly ArrayBuffer[]): Promise<Output>;
  close(): Promise<void>;
}

/** A task by its module. `module` is the URL of a file that exports `run`. */
export interface OffloadTask<Input, Output> {
  readonly name: string;
  readonly module: URL;
  /** Never read: it carries the types. */
  readonly types?: (input: Input) => Output;
}
