/**
 * What a broker writes down in the instant before it ends itself as if its machine had lost power: how far each file is on the device for
 * certain. Written by the broker (`{type:'power-loss', file}`), read by the supervisor, which cuts the files back to it.
 */
export interface UnsyncedFile {
  /** The name of a `.log` file in the partition's folder. */
  readonly name: string;
  readonly sizeBytes: number;
  /** An fsync has confirmed the begin of the file up to here. */
  readonly syncedBytes: number;
}

export interface UnsyncedLog {
  readonly topic: string;
  readonly partition: number;
  /** The partition's folder. */
  readonly directory: string;
  readonly recoveryPoint: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;
  /** Those with bytes behind `syncedBytes`. */
  readonly files: readonly UnsyncedFile[];
}

export interface PowerLossNote {
  readonly brokerId: number;
  readonly atMs: number;
  /** Logs that have something unsynced. */
  readonly logs: readonly UnsyncedLog[];
}
