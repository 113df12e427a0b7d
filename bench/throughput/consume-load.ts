/** Consumers: a reader per partition, from the beginning of what is there, or at the end of what is being written. */
import { RawConnection } from '../support/raw-connection.ts';
import { PartitionReader } from '../support/read-partition.ts';
import type { Leaders } from '../support/kafka-calls.ts';

export interface ConsumeResult {
  readonly bytes: number;
  readonly records: number;
  readonly bytesPerSecond: number;
  readonly recordsPerSecond: number;
}

/** Reads every partition from its beginning to its high watermark, all at once, each on its own connection. */
export async function consumeAll(topic: string, leaders: Leaders): Promise<ConsumeResult> {
  const startMs = performance.now();
  const totals = await Promise.all(leaders.map(({ port }, partition) => follow(port, topic, partition, (_nowMs, atEnd) => atEnd)));
  return resultOf(totals, performance.now() - startMs);
}

/** Reads every partition as it grows, for `measureMs` after `warmUpMs`. */
export async function consumeTail(topic: string, leaders: Leaders, warmUpMs: number, measureMs: number): Promise<ConsumeResult> {
  const fromMs = performance.now() + warmUpMs;
  const toMs = fromMs + measureMs;
  const totals = await Promise.all(leaders.map(({ port }, partition) => follow(port, topic, partition, (nowMs) => nowMs >= toMs, fromMs)));
  return resultOf(totals, measureMs);
}

interface Total {
  bytes: number;
  records: number;
}

async function follow(
  port: number,
  topic: string,
  partition: number,
  isDone: (nowMs: number, atEnd: boolean) => boolean,
  countFromMs = 0,
): Promise<Total> {
  const connection = await RawConnection.open(port);
  const reader = new PartitionReader(connection, topic, partition);
  const total: Total = { bytes: 0, records: 0 };
  await new Promise<void>((resolve, reject) => {
    connection.onFailure(reject);
    const fetchFrom = (offset: number): void =>
      reader.fetch(offset, ({ nextOffset, records, bytes, highWatermark }) => {
        const nowMs = performance.now();
        if (nowMs >= countFromMs) {
          total.bytes += bytes;
          total.records += records;
        }
        if (isDone(nowMs, nextOffset >= highWatermark)) resolve();
        else fetchFrom(nextOffset);
      });
    fetchFrom(0);
  });
  connection.close();
  return total;
}

function resultOf(totals: readonly Total[], tookMs: number): ConsumeResult {
  let bytes = 0;
  let records = 0;
  for (const total of totals) {
    bytes += total.bytes;
    records += total.records;
  }
  return { bytes, records, bytesPerSecond: (bytes / tookMs) * 1000, recordsPerSecond: (records / tookMs) * 1000 };
}
