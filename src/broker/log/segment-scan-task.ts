/**
 * The scan of a segment as a task for workers: data in, data out, the indexes' memory handed over. An error of the disk comes back as a value, since
 * a worker's lose their code.
 */
import { OffsetIndex } from '../../log-format/offset-index.ts';
import { TimeIndex } from '../../log-format/time-index.ts';
import type { AbortedTxn } from '../../log-format/txn-index.ts';
import { RECORD_BATCH_OVERHEAD } from '../../protocol/records/record-batch.ts';
import type { Disk } from '../../runtime/disk.ts';
import type { OffloadTask } from '../../runtime/offload.ts';
import { offloadModule } from '../../runtime/offload.ts';
import { IndexBuilder } from './index-builder.ts';
import { isDiskError } from './log-guard.ts';
import { ProducerStateManager } from './producer-state-manager.ts';
import { SCAN_BUFFER_BYTES, scanSegment } from './segment-scan.ts';
import type { EpochRun, ScanFindings, ScanTarget } from './segment-scan.ts';

export interface SegmentScanInput {
  readonly path: string;
  readonly target: ScanTarget;
  /** As `ProducerStateManager.toNumbers` gives them. */
  readonly producers: Float64Array;
  /** Shared: the bytes that were good so far, for who looks on. */
  readonly progress: Int32Array;
}

export interface ScannedSegment {
  readonly kind: 'scanned';
  readonly validBytes: number;
  readonly nextOffset: number;
  readonly reason: string | undefined;
  readonly endsInZeros: boolean;
  readonly overflows: boolean;
  readonly offsetEntries: Uint8Array<ArrayBuffer>;
  readonly timeEntries: Uint8Array<ArrayBuffer>;
  readonly maxTimestamp: number;
  readonly offsetOfMaxTimestamp: number;
  readonly bytesSinceLastIndexEntry: number;
  readonly epochs: EpochRun[];
  readonly abortedTxns: AbortedTxn[];
  readonly producers: Float64Array<ArrayBuffer>;
}

/** What an error of Node's file calls has. */
export interface DiskFault {
  readonly kind: 'disk-error';
  readonly message: string;
  readonly code: string | undefined;
  readonly syscall: string | undefined;
  readonly path: string | undefined;
}

export const scanTask: OffloadTask<SegmentScanInput, ScannedSegment | DiskFault> = {
  name: 'scan-segment',
  module: offloadModule(import.meta.url, './segment-scan-worker.ts', 'segment-scan-worker'),
  inPlace: (input, disk) => runSegmentScan(disk, input),
};

export async function runSegmentScan(disk: Disk, input: SegmentScanInput): Promise<ScannedSegment | DiskFault> {
  try {
    return await scanFile(disk, input);
  } catch (error) {
    if (!isDiskError(error)) throw error;
    const { message, code, syscall, path } = error as NodeJS.ErrnoException;
    return { kind: 'disk-error', message, code, syscall, path };
  }
}

async function scanFile(disk: Disk, { path, target, producers, progress }: SegmentScanInput): Promise<ScannedSegment> {
  const producerState = new ProducerStateManager();
  producerState.restore(producers);
  const file = disk.open(path, 'read');
  try {
    const { indexes, ...found } = await scanSegment(target, {
      read: (into, length, position) => file.read(into, 0, length, position),
      readHeader: (position) => {
        const header = Buffer.alloc(RECORD_BATCH_OVERHEAD);
        return header.subarray(0, file.read(header, 0, RECORD_BATCH_OVERHEAD, position));
      },
      buffer: Buffer.allocUnsafeSlow(Math.max(RECORD_BATCH_OVERHEAD, Math.min(SCAN_BUFFER_BYTES, target.fileBytes))),
      producerState,
      onBytes: (bytes) => void Atomics.add(progress, 0, bytes),
    });
    const { maxTimestamp, offsetOfMaxTimestamp, bytesSinceLastIndexEntry } = indexes;
    return {
      kind: 'scanned',
      ...found,
      offsetEntries: ownMemory(indexes.offsetIndex.bytes),
      timeEntries: ownMemory(indexes.timeIndex.bytes),
      maxTimestamp,
      offsetOfMaxTimestamp,
      bytesSinceLastIndexEntry,
      producers: producerState.toNumbers(),
    };
  } finally {
    file.close();
  }
}

/** The bytes in memory that nothing else lies in, so that it can be handed over. */
function ownMemory(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** What the scan gave, where it is applied. */
export function findingsOf(target: ScanTarget, scanned: ScannedSegment): ScanFindings {
  const { validBytes, nextOffset, reason, endsInZeros, overflows, epochs, abortedTxns } = scanned;
  const { maxTimestamp, offsetOfMaxTimestamp, bytesSinceLastIndexEntry } = scanned;
  const offset = OffsetIndex.fromFile(target.baseOffset, Buffer.from(scanned.offsetEntries.buffer));
  const time = TimeIndex.fromFile(target.baseOffset, Buffer.from(scanned.timeEntries.buffer));
  const indexes = new IndexBuilder(target.baseOffset, target.indexIntervalBytes, { offset, time });
  Object.assign(indexes, { maxTimestamp, offsetOfMaxTimestamp, bytesSinceLastIndexEntry });
  return { validBytes, nextOffset, reason, endsInZeros, overflows, epochs, abortedTxns, indexes };
}

/** The error as the disk would have thrown it here. */
export function diskErrorOf({ message, code, syscall, path }: DiskFault): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code, syscall, path });
}
