/** What the operating system says of the server's process, for `envi` and `mntr`. The process itself fills it in (main.ts). */
export interface ProcessInfo {
  /** `Environment.list`'s keys with what corresponds to them. */
  environment(): ReadonlyMap<string, string>;
  /** -1 where the system doesn't tell. */
  openFileDescriptors(): number;
  readonly maxFileDescriptors: number;
}

export const UNKNOWN_PROCESS: ProcessInfo = {
  environment: () => new Map(),
  openFileDescriptors: () => -1,
  maxFileDescriptors: -1,
};
