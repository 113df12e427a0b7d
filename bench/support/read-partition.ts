/** Reads a partition by fetch requests that are changed in place, walking the batches by their headers only. */
import { encodeRequest } from '../../src/protocol/frames.ts';
import { Fetch } from '../../src/protocol/generated/fetch.ts';
import { errorByCode } from '../../src/protocol/errors.ts';
import { FETCH_VERSION, withConnection } from './kafka-calls.ts';
import { RawConnection } from './raw-connection.ts';

/** A consumer's defaults: max.partition.fetch.bytes, fetch.max.bytes, fetch.min.bytes, fetch.max.wait.ms. */
const PARTITION_MAX_BYTES = 1024 * 1024;
const MAX_BYTES = 50 * 1024 * 1024;
const MIN_BYTES = 1;
const MAX_WAIT_MS = 500;

/** Stands in the frame where the fetch offset goes, to be found there once. */
const MARKER_OFFSET = 0x5a5a_5a5a_5a5a;

export interface Fetched {
  readonly nextOffset: number;
  readonly records: number;
  readonly bytes: number;
  readonly highWatermark: number;
}

/** One partition's reader on a connection of its own choosing; one request at a time. */
export class PartitionReader {
  readonly #connection: RawConnection;
  readonly #frame: Buffer;
  readonly #offsetAt: number;

  constructor(connection: RawConnection, topic: string, partition: number, maxWaitMs = MAX_WAIT_MS) {
    this.#connection = connection;
    this.#frame = Buffer.concat(
      encodeRequest(Fetch, FETCH_VERSION, 1, 'samsa-bench', {
        maxWaitMs,
        minBytes: MIN_BYTES,
        maxBytes: MAX_BYTES,
        isolationLevel: 0,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [
          {
            topic,
            partitions: [
              {
                partition,
                currentLeaderEpoch: -1,
                fetchOffset: MARKER_OFFSET,
                lastFetchedEpoch: -1,
                logStartOffset: -1,
                partitionMaxBytes: PARTITION_MAX_BYTES,
              },
            ],
          },
        ],
        forgottenTopicsData: [],
        rackId: '',
      }),
    );
    const marker = Buffer.alloc(8);
    marker.writeBigInt64BE(BigInt(MARKER_OFFSET));
    this.#offsetAt = this.#frame.indexOf(marker);
  }

  fetch(offset: number, onFetched: (fetched: Fetched) => void): void {
    this.#frame.writeUInt32BE(Math.floor(offset / 2 ** 32), this.#offsetAt);
    this.#frame.writeUInt32BE(offset >>> 0, this.#offsetAt + 4);
    this.#connection.send(this.#frame, (answer) => onFetched(readAnswer(answer, offset)));
  }
}

/** From an answer with one topic and one partition. The layout is that of Fetch 12, flexible, after correlation id and tags. */
function readAnswer(answer: Buffer, offset: number): Fetched {
  let at = 4 + 1 + 4; // correlation id, tags, throttle time
  const topLevelError = answer.readInt16BE(at);
  at += 2 + 4 + 1; // error, session id, topic count
  at += answer[at] ?? 0; // the name, with its length + 1 in one byte
  at += 1 + 4; // partition count, index
  const error = answer.readInt16BE(at);
  const highWatermark = int64(answer, at + 2);
  at += 2 + 8 + 8 + 8; // error, high watermark, last stable offset, log start offset
  if (topLevelError !== 0 || error !== 0) throw new Error(`fetching at ${offset}: ${errorByCode(topLevelError || error).name}`);
  at = afterVarint(answer, at); // aborted transactions: null or none
  at += 4; // preferred read replica
  const length = varint(answer, at) - 1;
  at = afterVarint(answer, at);
  const end = at + Math.max(0, length);
  let records = 0;
  let nextOffset = offset;
  let bytes = 0;
  while (at + 61 <= end) {
    const size = 12 + answer.readInt32BE(at + 8);
    // The last one may be cut off.
    if (at + size > end) break;
    nextOffset = int64(answer, at) + answer.readInt32BE(at + 23) + 1;
    records += answer.readInt32BE(at + 57);
    bytes += size;
    at += size;
  }
  return { nextOffset, records, bytes, highWatermark };
}

function int64(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 2 ** 32 + buffer.readUInt32BE(at + 4);
}

function varint(buffer: Buffer, at: number): number {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = buffer[at + index] ?? 0;
    value |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) break;
  }
  return value >>> 0;
}

function afterVarint(buffer: Buffer, at: number): number {
  let index = at;
  while ((buffer[index] ?? 0) >= 0x80) index++;
  return index + 1;
}

/** All of a partition, from offset 0 to its high watermark. */
export function readPartition(port: number, topic: string, partition: number): Promise<{ records: number; bytes: number }> {
  return withConnection(
    port,
    (connection) =>
      new Promise((resolve, reject) => {
        connection.onFailure(reject);
        const reader = new PartitionReader(connection, topic, partition);
        const total = { records: 0, bytes: 0 };
        const next = (offset: number): void =>
          reader.fetch(offset, (fetched) => {
            total.records += fetched.records;
            total.bytes += fetched.bytes;
            if (fetched.nextOffset >= fetched.highWatermark) resolve(total);
            else next(fetched.nextOffset);
          });
        next(0);
      }),
  );
}
