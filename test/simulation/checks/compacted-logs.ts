/**
 * What must be true of a compacted topic when all has settled: each replica compacts by itself, so that their bytes differ, but the last value of each
 * key is the same on all, at the same offset, and no acknowledged value is gone but for a later one of its key.
 */
import { iterateBatches } from '../../../src/protocol/records/record-batch.ts';
import { forEachRecord } from '../../../src/protocol/records/record-reader.ts';
import { decodeValue, type History, keyOf, recordOf } from './history.ts';

const MAX_RECORD_BYTES = 1 << 20;

export interface CompactedReplica {
  readonly machine: { readonly name: string };
  readonly bytes: Buffer;
}

interface LastValue {
  readonly offset: number;
  readonly record: number;
}

export function checkCompacted(history: History, topic: string, partition: number, replicas: readonly CompactedReplica[]): void {
  const [first, ...others] = replicas.map((replica) => ({ name: replica.machine.name, last: lastValuesOf(history, replica) }));
  if (first === undefined) return;
  for (const other of others) {
    for (const key of new Set([...first.last.keys(), ...other.last.keys()])) {
      const [one, two] = [first.last.get(key), other.last.get(key)];
      if (one?.offset === two?.offset && one?.record === two?.record) continue;
      history.violate(
        `the last value of key ${key} in ${topic}-${partition} is ${textOf(history, one)} on ${first.name} and ${textOf(history, two)} on ${other.name}`,
      );
      return;
    }
  }
  for (const lane of history.lanes) {
    if (lane.topic !== topic || lane.partition !== partition || lane.spec.acks !== -1) continue;
    for (const [place, offset] of lane.acked.entries()) {
      const key = keyOf(lane.spec, place);
      if (offset === undefined || offset < 0 || key === undefined) continue;
      const last = first.last.get(key);
      const isThere = last !== undefined && (last.offset > offset || last.record === recordOf(lane, place));
      if (isThere) continue;
      history.violate(
        `LOST: ${history.nameOf(recordOf(lane, place))}, acknowledged at offset ${offset}, is gone, and the last value of its key ${key} is ${textOf(history, last)}`,
      );
      return;
    }
  }
}

function lastValuesOf(history: History, { machine, bytes }: CompactedReplica): Map<string, LastValue> {
  const last = new Map<string, LastValue>();
  let before = -1;
  for (const batch of iterateBatches(bytes)) {
    forEachRecord(batch, MAX_RECORD_BYTES, ({ offset, key, value }) => {
      if (offset <= before) history.violate(`on ${machine.name} offset ${before} is followed by ${offset}`);
      before = offset;
      if (key !== null) last.set(key.toString('latin1'), { offset, record: decodeValue(value) ?? -1 });
    });
  }
  return last;
}

function textOf(history: History, last: LastValue | undefined): string {
  return last === undefined ? 'nowhere' : `${history.nameOf(last.record)} at offset ${last.offset}`;
}
