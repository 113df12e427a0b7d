/** What must be true after a client has written or read, asked apart from the client. */
import { expect } from 'vitest';
import type { Admin } from '../../src/client/admin/admin.ts';
import { OffsetSpec } from '../../src/client/admin/offsets.ts';
import { KafkaError } from '../../src/protocol/errors.ts';
import { topicPartitionKey } from '../../src/protocol/topic-partition.ts';
import type { TopicPartition } from '../../src/protocol/topic-partition.ts';

/** Nothing here is about speed: a busy machine may take its time. */
const PATIENCE_MS = 90_000;

export interface ProducedRecord {
  readonly key: string;
  readonly value: Buffer;
}

export interface ConsumedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: Buffer;
}

/** The value, or the error thrown. */
export function valueOf<T>(result: T | KafkaError | undefined): T {
  if (result instanceof KafkaError) throw result;
  if (result === undefined) throw new Error('there is no answer for this key');
  return result;
}

/** Creates a topic that is ready when this resolves; by default with 6 partitions and 3 replicas. */
export async function createTopic(
  admin: Admin,
  name: string,
  options: { partitions?: number; replicas?: number; configs?: Record<string, string> } = {},
): Promise<void> {
  const { partitions = 6, replicas = 3, configs = {} } = options;
  valueOf((await admin.createTopics([{ name, numPartitions: partitions, replicationFactor: replicas, configs }])).get(name));
  // Metadata may name a leader that hasn't heard of it yet, and closes the connection of a client that wants no answer.
  await until(`${name} is served by its leaders`, async () => (await endOffsets(admin, name)).size === partitions);
}

/**
 * What was consumed is what was produced: each record once, byte for byte, and within each partition in the order of producing.
 * Records are told apart by their keys. A record that was consumed again after a rebalance must be the same and counts once.
 */
export function expectSameRecords(consumed: readonly ConsumedRecord[], produced: readonly ProducedRecord[]): void {
  const position = new Map(produced.map(({ key }, index) => [key, index]));
  expect(position.size, 'keys are distinct').toBe(produced.length);
  const byPartition = Map.groupBy(consumed, ({ partition }) => partition);
  const faults: string[] = [];
  let count = 0;
  for (const [partition, records] of byPartition) {
    const byOffset = new Map(records.map((record) => [record.offset, record]));
    let last = -1;
    for (let offset = 0; offset < byOffset.size; offset++) {
      const record = byOffset.get(offset);
      const index = record === undefined ? undefined : position.get(record.key);
      const expected = index === undefined ? undefined : produced[index];
      if (record === undefined || index === undefined || expected === undefined)
        faults.push(`partition ${partition}, offset ${offset}: ${record === undefined ? 'missing' : `unknown key ${record.key}`}`);
      else if (!record.value.equals(expected.value))
        faults.push(`partition ${partition}, offset ${offset}: another value under ${record.key}`);
      else if (index <= last) faults.push(`partition ${partition}, offset ${offset}: ${record.key} is out of order`);
      else last = index;
      if (faults.length > 5) break;
    }
    for (const record of records)
      if (byOffset.get(record.offset)?.key !== record.key) faults.push(`partition ${partition}, offset ${record.offset}: two records`);
    count += byOffset.size;
  }
  expect(faults).toEqual([]);
  expect(count, 'records').toBe(produced.length);
}

/** Where each partition of the topic ends. */
export async function endOffsets(admin: Admin, topic: string): Promise<Map<number, number>> {
  const partitions = await partitionsOf(admin, topic);
  const listed = await admin.listOffsets(partitions.map((topicPartition) => ({ ...topicPartition, timestamp: OffsetSpec.LATEST })));
  return new Map(
    partitions.map((topicPartition) => [topicPartition.partition, valueOf(listed.get(topicPartitionKey(topicPartition))).offset]),
  );
}

/** Waits until the topic holds `count` records: acks=0 doesn't say when. More than `count` is an error at once. */
export async function untilCount(admin: Admin, topic: string, count: number): Promise<void> {
  let ends: number[] = [];
  await until(
    () => `${topic} holds ${count} records, not ${ends.join(' + ')}`,
    async () => {
      ends = [...(await endOffsets(admin, topic)).values()];
      const sum = ends.reduce((total, end) => total + end, 0);
      if (sum > count) expect(ends, `${topic} holds more than ${count} records`).toEqual([]);
      return sum === count;
    },
  );
}

/** Waits until the group has committed the end of every partition that holds records, so that its lag is 0: clients commit behind one's back. */
export function untilNoLag(admin: Admin, groupId: string, topic: string): Promise<void> {
  return until(`${groupId} has no lag`, () => expectNoLag(admin, groupId, topic).then(() => true));
}

async function expectNoLag(admin: Admin, groupId: string, topic: string): Promise<void> {
  const partitions = await partitionsOf(admin, topic);
  const committed = valueOf((await admin.listGroupOffsets(new Map([[groupId, partitions]]))).get(groupId));
  const ends = await endOffsets(admin, topic);
  const lags = partitions.map((topicPartition) => {
    const end = ends.get(topicPartition.partition) ?? Number.NaN;
    const offset = committed.get(topicPartitionKey(topicPartition));
    return offset === undefined && end === 0 ? 0 : end - valueOf(offset).offset;
  });
  expect(lags, `lag of ${groupId}`).toEqual(partitions.map(() => 0));
}

/** Waits until `condition` holds (an error counts as no); throws after `timeoutMs`. */
export async function until(
  what: string | (() => string),
  condition: () => Promise<boolean> | boolean,
  timeoutMs = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown = false;
  for (;;) {
    try {
      last = await condition();
      if (last === true) return;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline)
      throw new Error(`not within ${timeoutMs} ms: ${typeof what === 'string' ? what : what()} (last: ${String(last)})`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Waits until whichever broker is asked names `replicas` in-sync replicas for every partition, and a leader. */
export function untilInSync(admin: Admin, topic: string, replicas: number): Promise<void> {
  return until(`all ${replicas} replicas of ${topic} are in sync`, async () =>
    valueOf((await admin.describeTopics([topic])).get(topic)).partitions.every(
      ({ isr, leaderId }) => leaderId >= 0 && isr.length === replicas,
    ),
  );
}

async function partitionsOf(admin: Admin, topic: string): Promise<TopicPartition[]> {
  const { partitions } = valueOf((await admin.describeTopics([topic])).get(topic));
  return partitions.map(({ partition }) => ({ topic, partition }));
}
