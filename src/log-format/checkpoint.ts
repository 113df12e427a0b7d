/**
 * Checkpoint files: text, a version, a count and that many lines.
 *
 *   *-offset-checkpoint        0\n<count>\n<topic> <partition> <offset>\n…
 *   leader-epoch-checkpoint    0\n<count>\n<epoch> <startOffset>\n…
 *
 * Written to a temporary name, synced and renamed, so that a torn one is a fault of the disk: it is refused, never half read.
 * Source: Kafka's CheckpointFile, OffsetCheckpointFile, LeaderEpochCheckpointFile.
 */
import type { TopicPartition } from '../protocol/topic-partition.ts';
import { LogFormatError } from './log-format-error.ts';

const VERSION = '0';

export interface OffsetCheckpoint {
  readonly topicPartition: TopicPartition;
  readonly offset: number;
}

export interface EpochEntry {
  readonly epoch: number;
  readonly startOffset: number;
}

export function encodeOffsetCheckpoint(entries: readonly OffsetCheckpoint[]): string {
  return encode(entries.map(({ topicPartition, offset }) => `${topicPartition.topic} ${topicPartition.partition} ${offset}`));
}

/** @throws LogFormatError 'corrupt-checkpoint' on an unknown version, a wrong count, or a malformed line. */
export function decodeOffsetCheckpoint(text: string): OffsetCheckpoint[] {
  return decode(text, 3).map(([topic, partition, offset]) => ({
    topicPartition: { topic: topic ?? '', partition: integer(partition) },
    offset: integer(offset),
  }));
}

export function encodeEpochCheckpoint(entries: readonly EpochEntry[]): string {
  return encode(entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`));
}

/** @throws LogFormatError 'corrupt-checkpoint' on an unknown version, a wrong count, or a malformed line. */
export function decodeEpochCheckpoint(text: string): EpochEntry[] {
  return decode(text, 2).map(([epoch, startOffset]) => ({ epoch: integer(epoch), startOffset: integer(startOffset) }));
}

function encode(lines: readonly string[]): string {
  return [VERSION, String(lines.length), ...lines, ''].join('\n');
}

function decode(text: string, fields: number): string[][] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const [version, count, ...rest] = lines;
  if (version === undefined || integer(version) !== 0) {
    throw new LogFormatError('corrupt-checkpoint', `checkpoint has version ${JSON.stringify(version)}, known is 0`);
  }
  if (integer(count) !== rest.length) {
    throw new LogFormatError('corrupt-checkpoint', `checkpoint announces ${count} entries and has ${rest.length}`);
  }
  return rest.map((line) => {
    const parts = line.split(/\s+/);
    if (parts.length !== fields)
      throw new LogFormatError('corrupt-checkpoint', `checkpoint line ${JSON.stringify(line)} hasn't ${fields} fields`);
    return parts;
  });
}

function integer(text: string | undefined): number {
  if (text === undefined || !/^-?\d{1,16}$/.test(text)) {
    throw new LogFormatError('corrupt-checkpoint', `${JSON.stringify(text)} in a checkpoint isn't a whole number`);
  }
  return Number(text);
}
