/** Opening a read of a topic (its scope is fixed here: which offsets of which partitions), and whole values in pieces. */
import { OffsetSpec } from '../../client/admin/offsets.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { batchSizeAt, readBatchHeader } from '../../protocol/records/record-batch.ts';
import { iterateRecords } from '../../protocol/records/record-reader.ts';
import type { KafkaRecord } from '../../protocol/records/record-reader.ts';
import { topicPartitionKey } from '../../protocol/topic-partition.ts';
import type { PayloadPiece, ReadPartition, Seek } from '../contract/messages.ts';
import type { ClusterSession } from './cluster-session.ts';
import { FailureError, refuse, toFailure } from './failures.ts';
import { MessageReader } from './message-reader.ts';
import { MAX_DECOMPRESSED_BYTES } from './message-rows.ts';
import type { RecordSource } from './record-source.ts';
import { describe } from './topics-service.ts';

const LOOKUP_MS = 5_000;
const WHOLE_FETCH_BYTES = 1024 * 1024;
const WHOLE_TIMEOUT_MS = 10_000;

export interface ReadInput {
  readonly topic: string;
  readonly partitions: readonly number[] | undefined;
  readonly seek: Seek;
  readonly limit: number;
  readonly previewBytes: number;
  readonly isolation: 'readUncommitted' | 'readCommitted';
  readonly includeControl: boolean;
}

export interface OpenedReader {
  readonly reader: MessageReader;
  readonly partitions: readonly ReadPartition[];
}

/** Takes the snapshot of offsets that the read is bounded by. Throws a failure for a topic that isn't there. */
export async function openRead(session: ClusterSession, source: RecordSource, input: ReadInput): Promise<OpenedReader> {
  const topic = await describe(session, input.topic);
  session.interest.add([input.topic]);
  const wanted = input.partitions === undefined ? undefined : new Set(input.partitions);
  const chosen = topic.partitions.filter(({ partition }) => wanted?.has(partition) ?? true);
  const unknown = input.partitions?.find((partition) => !topic.partitions.some((candidate) => candidate.partition === partition));
  if (unknown !== undefined) throw refuse('notFound', `${input.topic} has no partition ${unknown}`);
  const readCommitted = input.isolation === 'readCommitted';
  const partitions = await scopeOf(
    session,
    input,
    chosen.map(({ partition }) => partition),
    readCommitted,
  );
  const { scheduler } = session.runtime;
  const { limit, previewBytes, includeControl, seek } = input;
  const last = seek.from === 'last' ? seek.count : undefined;
  const reader = new MessageReader({
    source,
    scheduler,
    topic: input.topic,
    partitions,
    limit,
    last,
    previewBytes,
    readCommitted,
    includeControl,
  });
  return { reader, partitions };
}

async function scopeOf(
  session: ClusterSession,
  { topic, seek }: ReadInput,
  partitions: readonly number[],
  readCommitted: boolean,
): Promise<ReadPartition[]> {
  const ask = (timestamp: number, isolationLevel: 0 | 1 = 0) =>
    session.admin.listOffsets(
      partitions.map((partition) => ({ topic, partition, timestamp })),
      { timeoutMs: LOOKUP_MS, isolationLevel },
    );
  const [starts, ends, times] = await Promise.all([
    ask(OffsetSpec.EARLIEST),
    ask(OffsetSpec.LATEST, readCommitted ? 1 : 0),
    seek.from === 'time' ? ask(seek.timestampMs) : undefined,
  ]);
  return partitions.map((partition) => {
    const key = topicPartitionKey({ topic, partition });
    const [start, end, time] = [starts.get(key), ends.get(key), times?.get(key)];
    const error = [start, end, time].find((result) => result instanceof KafkaError);
    if (error !== undefined || start === undefined || end === undefined || start instanceof KafkaError || end instanceof KafkaError) {
      const failure = toFailure(error ?? new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR), { api: 'ListOffsets', timeoutMs: LOOKUP_MS });
      return { partition, startOffset: null, endOffset: null, fromOffset: null, failure };
    }
    const timeOffset = time === undefined || time instanceof KafkaError || time.offset < 0 ? end.offset : time.offset;
    const from = { start: start.offset, last: start.offset, offset: seek.from === 'offset' ? seek.offset : 0, time: timeOffset }[seek.from];
    return {
      partition,
      startOffset: start.offset,
      endOffset: end.offset,
      fromOffset: Math.min(Math.max(from, start.offset), end.offset),
      failure: null,
    };
  });
}

export interface PayloadPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly part: { readonly of: 'key' } | { readonly of: 'value' } | { readonly of: 'header'; readonly index: number };
}

/** The last record whose bytes were asked for, whole: a page takes a 20 MB value in forty pieces, and it is fetched once. */
export class PayloadCache {
  #place: string | undefined;
  #record: Promise<KafkaRecord> | undefined;

  async piece(session: ClusterSession, source: RecordSource, place: PayloadPlace, position: number, length: number): Promise<PayloadPiece> {
    const key = `${session.id} ${place.topic}-${place.partition}@${place.offset}`;
    if (this.#place !== key || this.#record === undefined) {
      this.#place = key;
      this.#record = fetchRecord(source, place);
      // A failure is told by the await below, and not kept.
      this.#record.catch(() => this.clear());
    }
    const bytes = partOf(await this.#record, place);
    return { sizeBytes: bytes.length, position, bytes: bytes.subarray(position, position + length) };
  }

  clear(): void {
    this.#place = undefined;
    this.#record = undefined;
  }
}

async function fetchRecord(source: RecordSource, { topic, partition, offset }: PayloadPlace): Promise<KafkaRecord> {
  try {
    const options = { maxBytes: WHOLE_FETCH_BYTES, readCommitted: false, timeoutMs: WHOLE_TIMEOUT_MS };
    const { records } = await source.fetch({ topic, partition }, offset, options);
    for (let position = 0; ;) {
      const size = batchSizeAt(records, position);
      if (size === undefined || size <= 0 || position + size > records.length) break;
      const header = readBatchHeader(records, position);
      if (header.baseOffset > offset) break;
      if (header.lastOffset >= offset) {
        for (const record of iterateRecords(records.subarray(position, position + size), MAX_DECOMPRESSED_BYTES))
          if (record.offset === offset) return record;
        break;
      }
      position += size;
    }
  } catch (error) {
    throw new FailureError(toFailure(error, { api: 'Fetch', timeoutMs: WHOLE_TIMEOUT_MS }));
  }
  throw refuse('notFound', `${topic}-${partition} has no record at offset ${offset} any more`);
}

function partOf(record: KafkaRecord, { part, topic, partition, offset }: PayloadPlace): Buffer {
  const bytes = part.of === 'header' ? record.headers[part.index]?.value : record[part.of];
  if (bytes == null) throw refuse('notFound', `The ${part.of} of ${topic}-${partition} at offset ${offset} is null`);
  return bytes;
}
