/** One log dir: its lock, whose it is, how the last broker left it, and its checkpoints. */
import { decodeCleanShutdown, encodeCleanShutdown } from '../../log-format/clean-shutdown.ts';
import {
  CLEAN_SHUTDOWN_FILE,
  CLEANER_OFFSET_CHECKPOINT,
  LOG_START_OFFSET_CHECKPOINT,
  META_PROPERTIES,
  RECOVERY_POINT_CHECKPOINT,
} from '../../log-format/file-names.ts';
import { LogFormatError } from '../../log-format/log-format-error.ts';
import { decodeMetaProperties, encodeMetaProperties } from '../../log-format/meta-properties.ts';
import { writeFileAtomically } from '../../runtime/disk.ts';
import type { Disk } from '../../runtime/disk.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { LogDirLock } from './log-dir-lock.ts';
import { LogDirRefusedError, LogStorageError } from './log-errors.ts';
import { OffsetCheckpointFile } from './offset-checkpoint-file.ts';

export class LogDir {
  readonly path: string;
  readonly recoveryPoints: OffsetCheckpointFile;
  readonly logStartOffsets: OffsetCheckpointFile;
  /** Which logs a cleaner has been at, and how far. */
  readonly cleanerOffsets: OffsetCheckpointFile;
  readonly #disk: Disk;
  #lock: LogDirLock | undefined;
  /** Why it is offline. */
  #failure: string | undefined;
  #hadCleanShutdown = false;
  #previousBrokerEpoch = -1;

  constructor(disk: Disk, path: string, logger: Logger) {
    this.#disk = disk;
    this.path = path;
    this.recoveryPoints = new OffsetCheckpointFile(disk, path, RECOVERY_POINT_CHECKPOINT, logger);
    this.logStartOffsets = new OffsetCheckpointFile(disk, path, LOG_START_OFFSET_CHECKPOINT, logger);
    this.cleanerOffsets = new OffsetCheckpointFile(disk, path, CLEANER_OFFSET_CHECKPOINT, logger);
  }

  get isOffline(): boolean {
    return this.#failure !== undefined;
  }
  get failure(): string | undefined {
    return this.#failure;
  }
  /** Whether the last broker closed all logs in order. */
  get hadCleanShutdown(): boolean {
    return this.#hadCleanShutdown;
  }
  /** Of the last broker, from the mark of its clean shutdown (KIP-966); -1 when there is none. */
  get previousBrokerEpoch(): number {
    return this.#previousBrokerEpoch;
  }

  setLock(lock: LogDirLock): void {
    this.#lock = lock;
  }

  async unlock(): Promise<void> {
    await this.#lock?.release();
    this.#lock = undefined;
  }

  goOffline(reason: string): void {
    this.#failure ??= reason;
  }

  /** Checks that the folder is this broker's, and marks a new one as such. @throws LogDirRefusedError; LogStorageError when that can't be told. */
  claim(identity: { brokerId: number; clusterId: string; nowMs: number }): void {
    const { brokerId, clusterId } = identity;
    const path = `${this.path}/${META_PROPERTIES}`;
    const found = this.#disk.exists(path) ? this.#readMetaProperties(path) : undefined;
    if (found?.brokerId !== undefined && found.brokerId !== brokerId) {
      throw new LogDirRefusedError(
        this.path,
        `${path} says broker.id=${found.brokerId}, but this is broker ${brokerId}: the folder belongs to another broker`,
      );
    }
    if (found?.clusterId !== undefined && found.clusterId !== clusterId) {
      throw new LogDirRefusedError(
        this.path,
        `${path} says cluster.id=${found.clusterId}, but ZooKeeper's cluster is ${clusterId}: the folder belongs to another cluster, or zookeeper.connect is wrong`,
      );
    }
    if (found?.brokerId === brokerId && found.clusterId === clusterId) return;
    writeFileAtomically(this.#disk, path, encodeMetaProperties({ ...found, brokerId, clusterId }, javaDate(identity.nowMs)));
  }

  #readMetaProperties(path: string): ReturnType<typeof decodeMetaProperties> {
    try {
      return decodeMetaProperties(this.#disk.readFile(path).toString('utf8'));
    } catch (error) {
      // Whose folder it is can't be told: it stays offline, the others are used.
      if (error instanceof LogFormatError) throw new LogStorageError(this.path, `${path} can't be read: ${error.message}`, error);
      throw error;
    }
  }

  /** Reads and removes the mark of a clean shutdown: from now on an end is unclean until the logs are closed. */
  takeCleanShutdownMark(): void {
    const path = `${this.path}/${CLEAN_SHUTDOWN_FILE}`;
    if (!this.#disk.exists(path)) return;
    this.#previousBrokerEpoch = decodeCleanShutdown(this.#disk.readFile(path).toString('utf8'));
    this.#hadCleanShutdown = true;
    this.#disk.remove(path);
    this.#disk.syncDirectory(this.path);
  }

  /** All logs here are closed and synced. */
  markCleanShutdown(brokerEpoch: number): void {
    writeFileAtomically(this.#disk, `${this.path}/${CLEAN_SHUTDOWN_FILE}`, encodeCleanShutdown(brokerEpoch));
  }
}

/** As java.util.Date prints itself: `Fri Nov 24 10:00:00 UTC 2023`. */
function javaDate(wallMs: number): string {
  const [weekday, day, month, year, time] = new Date(wallMs).toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${day} ${time} UTC ${year}`;
}
