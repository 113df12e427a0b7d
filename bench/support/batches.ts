/** Requests made before the clock starts: one produce request with a full batch, sent again and again. */
import { encodeRequest } from '../../src/protocol/frames.ts';
import { Produce } from '../../src/protocol/generated/produce.ts';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import type { RecordInput } from '../../src/protocol/records/record-batch-builder.ts';
import { PRODUCE_VERSION } from './kafka-calls.ts';

/** As a producer gives the broker: linger and batch.size have been reached. */
export const BATCH_BYTES = 64 * 1024;
/** What a record costs in a batch beside its value: length, attributes, deltas, key and value lengths, header count. */
const RECORD_OVERHEAD_BYTES = 12;
const PRODUCE_TIMEOUT_MS = 30_000;

export interface ProduceFrame {
  readonly frame: Buffer;
  readonly records: number;
  /** Of the batch. */
  readonly bytes: number;
}

/** As many records of `valueBytes` as fit a batch, at least one. Values are text-like, not zeros: both brokers write them as they are. */
export function batchOf(valueBytes: number, batchBytes = BATCH_BYTES): { batch: Buffer; records: number } {
  const records: RecordInput[] = [];
  const timestamp = Date.now();
  const wanted = Math.max(1, Math.floor((batchBytes - 61) / (valueBytes + RECORD_OVERHEAD_BYTES)));
  for (let index = 0; index < wanted; index++) records.push({ timestamp, value: valueOf(valueBytes, index) });
  return { batch: buildRecordBatch(records), records: records.length };
}

function valueOf(bytes: number, seed: number): Buffer {
  const value = Buffer.allocUnsafe(bytes);
  for (let index = 0; index < bytes; index++) value[index] = 97 + ((seed * 31 + index * 7) % 26);
  return value;
}

export function produceFrame(topic: string, partition: number, acks: number, valueBytes: number, batchBytes?: number): ProduceFrame {
  const { batch, records } = batchOf(valueBytes, batchBytes);
  const body = {
    transactionalId: null,
    acks,
    timeoutMs: PRODUCE_TIMEOUT_MS,
    topicData: [{ name: topic, partitionData: [{ index: partition, records: [batch] }] }],
  };
  return { frame: Buffer.concat(encodeRequest(Produce, PRODUCE_VERSION, 1, 'samsa-bench', body)), records, bytes: batch.length };
}
