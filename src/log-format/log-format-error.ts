/** A file of Kafka's that can't be read as what its name says. `path` is known to the caller, who may add it; `position` is a byte's where one is at fault. */
export type LogFormatErrorReason =
  | 'corrupt-index'
  | 'corrupt-snapshot'
  | 'corrupt-checkpoint'
  | 'corrupt-meta-properties'
  | 'corrupt-partition-metadata'
  | 'corrupt-batch';

export class LogFormatError extends Error {
  readonly reason: LogFormatErrorReason;
  readonly position: number | undefined;

  constructor(reason: LogFormatErrorReason, message: string, position?: number) {
    super(message);
    this.name = 'LogFormatError';
    this.reason = reason;
    this.position = position;
  }
}
