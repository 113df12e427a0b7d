/**
 * Opening and compressing large batches off the event loop, before they are appended. A leader must open a compressed batch when its topic is compacted
 * (records need keys) or has another codec: from some size on that takes longer than the way to a worker and back (0.1 to 0.2 ms), and the largest would
 * hold the loop for tens of milliseconds. The worker does all of `validateLeaderBatch`; what the log adds to it (offsets, sequences) stays where it was.
 *
 * Only for clients' batches: a coordinator's appends must keep their order. Kafka does this in the request handler's thread.
 */
import { attributesAt } from '../../log-format/batch-fields.ts';
import { CompressionCodec } from '../../protocol/records/compression.ts';
import { COMPRESSION_MASK } from '../../protocol/records/record-batch.ts';
import type { Offload, OffloadTask } from '../../runtime/offload.ts';
import { offloadModule } from '../../runtime/offload.ts';
import type { AppendConfig } from './append-config.ts';
import type { LogAppendError } from './log-errors.ts';
import { LZ4_FAST_LEVEL, targetCodecOf, validateLeaderBatch } from './log-validator.ts';
import type { ValidatedBatch } from './log-validator.ts';

/**
 * Measured on text that shrinks to a quarter (bench/log/batch-preparation.ts): opening 32 KiB takes 0.1 to 0.5 ms, compressing 64 KiB
 * 0.05 to 0.2 ms besides making the records, gzip 1.2 ms, LZ4's high compression 0.5 to 4 ms.
 */
const OPEN_BYTES = 32 * 1024;
const COMPRESS_BYTES = 64 * 1024;
const GZIP_BYTES = 16 * 1024;

export interface PreparationInput {
  readonly records: ArrayBuffer;
  readonly config: AppendConfig;
  readonly nowMs: number;
}

/** As `validateLeaderBatch` says, with the batch's bytes in memory of its own. */
export type PreparationOutput =
  | { readonly ok: true; readonly batch: ArrayBuffer; readonly maxTimestamp: number }
  | { readonly ok: false; readonly error: LogAppendError };

export const preparationTask: OffloadTask<PreparationInput, PreparationOutput> = {
  name: 'prepare-batch',
  module: offloadModule(import.meta.url, './batch-preparation-worker.ts', 'batch-preparation-worker'),
  inPlace: runPreparation,
};

/** Whether a client's batch takes so long to validate that a worker should. */
export function isWorkForWorker(records: Buffer, config: AppendConfig): boolean {
  // Nearly every topic, at the cost of two comparisons.
  if (!config.compact && config.compressionType === 'producer') return false;
  if (records.length < GZIP_BYTES) return false;
  const source = attributesAt(records, 0) & COMPRESSION_MASK;
  const target = targetCodecOf(config, records);
  if (source !== target) {
    if (target === CompressionCodec.GZIP) return true;
    if (target === CompressionCodec.LZ4 && config.compressionLz4Level !== LZ4_FAST_LEVEL) return true;
    return records.length >= (source === CompressionCodec.NONE ? COMPRESS_BYTES : OPEN_BYTES);
  }
  return config.compact && source !== CompressionCodec.NONE && records.length >= OPEN_BYTES;
}

/** Validates a client's batch in a worker. The input's bytes are left as they are. Rejects when no worker can take it. */
export async function prepareInWorker(
  offload: Offload,
  records: Buffer,
  config: AppendConfig,
  nowMs: number,
): Promise<ValidatedBatch | LogAppendError> {
  const copy = copyOf(records);
  const output = await offload.run(preparationTask, { records: copy, config, nowMs }, [copy]);
  if (!output.ok) return output.error;
  return { ok: true, batch: Buffer.from(output.batch), maxTimestamp: output.maxTimestamp };
}

export function runPreparation({ records, config, nowMs }: PreparationInput): PreparationOutput {
  const validated = validateLeaderBatch(Buffer.from(records), { config, origin: 'client', nowMs });
  if (!validated.ok) return { ok: false, error: validated };
  return { ok: true, batch: ownMemory(validated.batch), maxTimestamp: validated.maxTimestamp };
}

/** The bytes in an ArrayBuffer that holds nothing else, so that it can be handed over. */
function ownMemory(bytes: Buffer): ArrayBuffer {
  return bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : copyOf(bytes);
}

function copyOf(bytes: Buffer): ArrayBuffer {
  const memory = new ArrayBuffer(bytes.byteLength);
  Buffer.from(memory).set(bytes);
  return memory;
}
