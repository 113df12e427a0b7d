/**
 * What must be true when the faults are over and everything has settled: replicas agree byte for byte from where all of them begin, offsets
 * are dense, and the logs hold what was acknowledged, where it was said to be, once and in order.
 */
import { iterateBatches, readBatchHeader } from '../../../src/protocol/records/record-batch.ts';
import { forEachRecord } from '../../../src/protocol/records/record-reader.ts';
import type { SimCluster } from '../cluster/sim-cluster.ts';
import type { SimConsumer } from '../workload/sim-consumer.ts';
import type { Machine } from '../world/machine.ts';
import type { GroupHistory } from './group-history.ts';
import { checkCompacted } from './compacted-logs.ts';
import { readSegments } from './held-batches.ts';
import { ACKED_WITHOUT_OFFSET, decodeValue, type History, type Lane, placeOf, recordOf } from './history.ts';

const MAX_RECORD_BYTES = 1 << 20;

interface Replica {
  readonly machine: Machine;
  readonly topicId: string | undefined;
  readonly logStartOffset: number;
  readonly bytes: Buffer;
}

/** A partition's log, as far as it isn't deleted: the record at each offset. */
interface LogRecords {
  readonly logStartOffset: number;
  readonly records: readonly number[];
}

export function checkLogs(options: {
  cluster: SimCluster;
  history: History;
  topics: ReadonlyMap<string, number>;
  consumers: readonly SimConsumer[];
  groups: readonly GroupHistory[];
}): void {
  const { cluster, history, topics, consumers, groups } = options;
  for (const [topic, count] of topics) {
    for (let partition = 0; partition < count; partition++) {
      const name = `${topic}-${partition}`;
      const replicas = replicasOf(cluster, topic, partition);
      const first = replicas[0];
      if (first === undefined) continue;
      if (history.compactedTopics.has(topic)) {
        checkCompacted(history, topic, partition, replicas);
        continue;
      }
      const logStartOffset = Math.max(...replicas.map((replica) => replica.logStartOffset));
      if (logStartOffset > history.deletedTo(topic, partition) && !history.isLoose(topic))
        history.violate(
          `${name} begins later than anybody asked for: ${replicas.map((replica) => `${replica.logStartOffset} on ${replica.machine.name}`).join(', ')}`,
        );
      const bytes = bytesFrom(first, logStartOffset);
      for (const other of replicas.slice(1)) {
        const at = firstDifference(bytes, bytesFrom(other, logStartOffset));
        if (at !== undefined)
          history.violate(`the logs of ${name} on ${first.machine.name} and ${other.machine.name} differ from byte ${at} on`);
      }
      const log = { logStartOffset, records: recordsOf(history, name, bytes) };
      if (!history.isLoose(topic)) checkAcknowledged(history, topic, partition, log);
      checkConsumers({ history, consumers, topicId: first.topicId, topic, partition, log });
      for (const group of groups) if (group.topics.includes(topic)) group.checkDelivered(name, logStartOffset, log.records);
    }
  }
}

function replicasOf(cluster: SimCluster, topic: string, partition: number): Replica[] {
  const replicas: Replica[] = [];
  const hosted = cluster.brokers.map((machine) => cluster.server(machine)?.parts?.replicaManager.partition({ topic, partition }));
  // A broker whose replica was moved away while nothing reached it goes on as the leader that it was until it restarts, as in Kafka.
  const leaders = hosted
    .flatMap((replica) => (replica?.isLeader === true ? [replica] : []))
    .toSorted((a, b) => b.leaderEpoch - a.leaderEpoch);
  const assigned = leaders[0]?.replicas ?? [];
  for (const machine of cluster.brokers) {
    if (!assigned.includes(cluster.brokerId(machine))) continue;
    const held = cluster.server(machine)?.parts?.replicaManager.partition({ topic, partition });
    const directory = held?.log?.directory;
    if (directory !== undefined)
      replicas.push({
        machine,
        topicId: held?.topicId,
        logStartOffset: held?.log?.logStartOffset ?? 0,
        bytes: readSegments(machine.disk, directory),
      });
  }
  return replicas;
}

/** From the batch on that holds `offset`. */
function bytesFrom({ bytes }: Replica, offset: number): Buffer {
  let at = 0;
  for (const batch of iterateBatches(bytes)) {
    if (readBatchHeader(batch, 0).lastOffset >= offset) break;
    at += batch.length;
  }
  return bytes.subarray(at);
}

function firstDifference(a: Buffer, b: Buffer): number | undefined {
  if (a.equals(b)) return undefined;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return at;
  return length;
}

/** The record at each offset. */
function recordsOf(history: History, name: string, bytes: Buffer): number[] {
  const records: number[] = [];
  let isFirst = true;
  for (const batch of iterateBatches(bytes)) {
    const { baseOffset } = readBatchHeader(batch, 0);
    if (baseOffset !== records.length && !isFirst)
      history.violate(`the log of ${name} has a gap: offset ${records.length} is followed by ${baseOffset}`);
    isFirst = false;
    forEachRecord(batch, MAX_RECORD_BYTES, ({ offset, value }) => {
      records[offset] = decodeValue(value) ?? -1;
    });
  }
  return records;
}

function checkAcknowledged(history: History, topic: string, partition: number, log: LogRecords): void {
  const offsets = new Map<number, number[]>();
  for (const [offset, record] of log.records.entries()) {
    if (record === undefined) continue;
    const known = offsets.get(record);
    if (known === undefined) offsets.set(record, [offset]);
    else known.push(offset);
  }
  for (const lane of history.lanes) {
    if (lane.topic !== topic || lane.partition !== partition) continue;
    if (lane.spec.acks === -1) checkLoss(history, lane, log, offsets);
    // Those with acks 0 and 1 send nothing twice, so that nothing of theirs is there twice, whatever fails. What is under way to a leader that is
    // deposed and elected again may come behind what the leader between has taken.
    if (lane.spec.isIdempotent || lane.spec.acks !== -1) checkOnce(history, lane, log, offsets);
    if (lane.spec.isIdempotent || (lane.spec.acks !== -1 && history.isCalm)) checkOrder(history, lane, log);
    if (history.isCalm) checkNothingMissing(history, lane, offsets);
  }
}

function checkLoss(history: History, lane: Lane, { logStartOffset, records }: LogRecords, offsets: ReadonlyMap<number, number[]>): void {
  for (const [place, offset] of lane.acked.entries()) {
    // Deleted, or a duplicate of what may be.
    if (offset === undefined || (offset < logStartOffset && (offset >= 0 || logStartOffset > 0))) continue;
    const record = recordOf(lane, place);
    if (!offsets.has(record)) history.violate(`LOST: ${history.nameOf(record)} was acknowledged at offset ${offset} and is nowhere`);
    else if (offset !== ACKED_WITHOUT_OFFSET && records[offset] !== record)
      history.violate(`${history.nameOf(record)} was acknowledged at offset ${offset}, where ${history.nameOf(records[offset] ?? -1)} is`);
    else continue;
    return;
  }
}

function checkOnce(history: History, lane: Lane, { records }: LogRecords, offsets: ReadonlyMap<number, number[]>): void {
  for (const record of records) {
    if (record === undefined || history.laneOf(record) !== lane || (offsets.get(record)?.length ?? 0) <= 1) continue;
    history.violate(`DOUBLED: ${history.nameOf(record)} is at offsets ${offsets.get(record)?.join(' and ')}`);
    return;
  }
}

/** Without faults even acks=0 loses nothing. */
function checkNothingMissing(history: History, lane: Lane, offsets: ReadonlyMap<number, number[]>): void {
  for (let place = 0; place < lane.made; place++) {
    const record = recordOf(lane, place);
    if (offsets.has(record)) continue;
    history.violate(`LOST: ${history.nameOf(record)} is nowhere, and nothing ever failed`);
    return;
  }
}

function checkOrder(history: History, lane: Lane, { records }: LogRecords): void {
  let last = -1;
  for (const [offset, record] of records.entries()) {
    if (record === undefined) continue;
    if (history.laneOf(record) !== lane) continue;
    if (placeOf(record) <= last) {
      history.violate(`REORDERED: ${history.nameOf(record)} at offset ${offset} comes behind #${last} of its lane`);
      return;
    }
    last = placeOf(record);
  }
}

/** What each consumer believes must be what the log holds: it was told of whatever was cut away under it. */
function checkConsumers(options: {
  history: History;
  consumers: readonly SimConsumer[];
  topicId: string | undefined;
  topic: string;
  partition: number;
  log: LogRecords;
}): void {
  const { history, consumers, topicId, topic, partition } = options;
  const { logStartOffset, records } = options.log;
  for (const consumer of consumers) {
    for (const position of consumer.positions.values()) {
      if (position.topicId !== topicId || position.partition !== partition) continue;
      const wrong = position.read.findIndex(
        (record, offset) => record !== undefined && offset >= logStartOffset && record !== records[offset],
      );
      if (wrong >= 0)
        history.violate(
          `${consumer.name} read ${history.nameOf(position.read[wrong] ?? -1)} at ${topic}-${partition} offset ${wrong}, where the log has ${history.nameOf(records[wrong] ?? -1)}, and was not told`,
        );
    }
  }
}
