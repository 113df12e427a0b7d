/**
 * Any file of a replica's folder, or of the log dir around it, as a table: fields and rows, a page at a time. Index files are read entry by entry, so a
 * page costs the same in a file of 10 MiB; the small ones are read whole, up to a bound. What is damaged is shown as far as it goes, with byte and reason.
 */
import { join } from 'node:path';
import { decodeEpochCheckpoint, decodeOffsetCheckpoint } from '../../log-format/checkpoint.ts';
import { decodeCleanShutdown } from '../../log-format/clean-shutdown.ts';
import {
  CLEAN_SHUTDOWN_FILE,
  LEADER_EPOCH_CHECKPOINT,
  META_PROPERTIES,
  PARTITION_METADATA,
  parseSegmentFileName,
} from '../../log-format/file-names.ts';
import { IndexFile, txnIndexEntries } from '../../log-format/index-file.ts';
import type { FileBytes } from '../../log-format/index-file.ts';
import { LogFormatError } from '../../log-format/log-format-error.ts';
import { decodeMetaProperties } from '../../log-format/meta-properties.ts';
import { decodePartitionMetadata } from '../../log-format/partition-metadata.ts';
import { decodeProducerSnapshot } from '../../log-format/producer-snapshot.ts';
import { TXN_INDEX_ENTRY_BYTES } from '../../log-format/txn-index.ts';
import type { FileCell, FileField, FilePage } from '../contract/segments.ts';
import type { ClusterSession } from './cluster-session.ts';
import { refuse } from './failures.ts';
import { placeOf, withFile } from './replica-folder.ts';
import type { Replica } from './replica-folder.ts';

/** Files that are decoded whole: 46 bytes a producer, some 40 a partition. */
const MAX_WHOLE_BYTES = 32 * 1024 * 1024;
const HEX_BYTES_A_ROW = 16;

export interface FileQuery extends Replica {
  readonly name: string;
  readonly in: 'partition' | 'logDir';
  readonly from: number;
  readonly max: number;
}

interface Table {
  readonly fields: readonly FileField[];
  readonly rows: FileCell[][];
  readonly total: number;
  readonly zeroEntries?: number;
  readonly problem?: FilePage['problem'];
}

export async function segmentFile(session: ClusterSession, query: FileQuery): Promise<FilePage> {
  const { path, logDir } = await placeOf(session, query);
  const folder = query.in === 'partition' ? path : logDir;
  // Only what lies right in the folder: a name is no way to other places.
  if (!session.runtime.disk.list(folder).some(({ name, isDirectory }) => name === query.name && !isDirectory))
    throw refuse('notFound', `${query.name} is not in ${folder} any more`);
  return withFile(session, join(folder, query.name), (file) => {
    const common = { sizeBytes: file.sizeBytes, from: query.from };
    try {
      const { fields, rows, total, zeroEntries = 0, problem = null } = tableOf(query, file);
      return { ...common, fields, rows, total, zeroEntries, problem };
    } catch (error) {
      if (!(error instanceof LogFormatError)) throw error;
      const problem = { position: error.position ?? null, reason: error.message };
      return { ...common, ...hex(file, query), zeroEntries: 0, problem };
    }
  });
}

function tableOf(query: FileQuery, file: FileBytes): Table {
  const segment = parseSegmentFileName(query.name);
  switch (segment?.suffix) {
    case '.index':
    case '.timeindex':
      return index(new IndexFile(segment.suffix === '.index' ? 'offset' : 'time', segment.offset, file), query);
    case '.txnindex':
      return txnIndex(file, query);
    case '.snapshot':
      return producers(file, query);
    case '.log':
      return hex(file, query);
    default:
  }
  switch (query.name) {
    case LEADER_EPOCH_CHECKPOINT:
      return paged(
        ['epoch', 'startOffset'],
        decodeEpochCheckpoint(textOf(file)).map((entry) => [entry.epoch, entry.startOffset]),
        query,
      );
    case PARTITION_METADATA:
      return properties(
        [
          ['version', '0'],
          ['topic_id', decodePartitionMetadata(textOf(file))],
        ],
        query,
      );
    case META_PROPERTIES: {
      const { brokerId, clusterId, directoryId } = decodeMetaProperties(textOf(file));
      return properties(
        [
          ['version', '0'],
          ['broker.id', brokerId ?? null],
          ['cluster.id', clusterId ?? null],
          ['directory.id', directoryId ?? null],
        ],
        query,
      );
    }
    case CLEAN_SHUTDOWN_FILE:
      return properties([['brokerEpoch', decodeCleanShutdown(textOf(file))]], query);
    default:
      if (!query.name.endsWith('-offset-checkpoint')) return hex(file, query);
      return paged(
        ['topic', 'partition', 'offset'],
        decodeOffsetCheckpoint(textOf(file)).map(({ topicPartition, offset }) => [topicPartition.topic, topicPartition.partition, offset]),
        query,
      );
  }
}

function index(entries: IndexFile, { from, max }: FileQuery): Table {
  const isOffset = entries.kind === 'offset';
  const rows: FileCell[][] = [];
  for (const entry of entries.entries(from, max))
    rows.push(isOffset ? [entry.slot, entry.offset, entry.position] : [entry.slot, entry.timestamp, entry.offset]);
  const entryBytes = isOffset ? 8 : 12;
  return {
    fields: isOffset ? ['slot', 'offset', 'position'] : ['slot', 'timestampMs', 'offset'],
    rows,
    total: entries.count,
    zeroEntries: entries.zeroEntries,
    problem: tornProblem(entries.tornBytes, entryBytes, (entries.count + entries.zeroEntries) * entryBytes),
  };
}

function txnIndex(file: FileBytes, { from, max }: FileQuery): Table {
  const rows: FileCell[][] = [];
  for (const { slot, producerId, firstOffset, lastOffset, lastStableOffset } of txnIndexEntries(file, from, max))
    rows.push([slot, producerId, firstOffset, lastOffset, lastStableOffset]);
  const total = Math.floor(file.sizeBytes / TXN_INDEX_ENTRY_BYTES);
  return {
    fields: ['slot', 'producerId', 'firstOffset', 'lastOffset', 'lastStableOffset'],
    rows,
    total,
    problem: tornProblem(file.sizeBytes % TXN_INDEX_ENTRY_BYTES, TXN_INDEX_ENTRY_BYTES, total * TXN_INDEX_ENTRY_BYTES),
  };
}

function producers(file: FileBytes, query: FileQuery): Table {
  return paged(
    ['producerId', 'producerEpoch', 'lastSequence', 'lastOffset', 'timestampMs', 'coordinatorEpoch', 'currentTxnFirstOffset'],
    decodeProducerSnapshot(whole(file)).map((entry) => [
      entry.producerId,
      entry.producerEpoch,
      known(entry.lastSequence),
      known(entry.lastOffset),
      known(entry.timestamp),
      known(entry.coordinatorEpoch),
      known(entry.currentTxnFirstOffset),
    ]),
    query,
  );
}

/** A file that is no table, or a damaged one: its bytes. */
function hex(file: FileBytes, { from, max }: FileQuery): Table {
  const total = Math.ceil(file.sizeBytes / HEX_BYTES_A_ROW);
  const start = from * HEX_BYTES_A_ROW;
  const bytes = read(file, start, Math.max(0, Math.min(max * HEX_BYTES_A_ROW, file.sizeBytes - start)));
  const rows: FileCell[][] = [];
  for (let at = 0; at < bytes.length; at += HEX_BYTES_A_ROW) {
    const row = bytes.subarray(at, at + HEX_BYTES_A_ROW);
    rows.push([start + at, row.toString('hex').replace(/..(?=.)/g, '$& '), row.toString('latin1').replace(/[^\x20-\x7e]/g, '.')]);
  }
  return { fields: ['position', 'hex', 'text'], rows, total };
}

function properties(rows: FileCell[][], query: FileQuery): Table {
  return paged(
    ['name', 'value'],
    rows.filter(([, value]) => value !== null),
    query,
  );
}

function paged(fields: readonly FileField[], rows: FileCell[][], { from, max }: FileQuery): Table {
  return { fields, rows: rows.slice(from, from + max), total: rows.length };
}

function tornProblem(tornBytes: number, entryBytes: number, position: number): FilePage['problem'] {
  return tornBytes === 0 ? null : { position, reason: `${tornBytes} bytes are left, an entry has ${entryBytes}` };
}

function textOf(file: FileBytes): string {
  return whole(file).toString('utf8');
}

function whole(file: FileBytes): Buffer {
  if (file.sizeBytes > MAX_WHOLE_BYTES)
    throw new LogFormatError('corrupt-checkpoint', `the file has ${file.sizeBytes} bytes, at most ${MAX_WHOLE_BYTES} are read`);
  return read(file, 0, file.sizeBytes);
}

function read(file: FileBytes, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  const count = length === 0 ? 0 : file.readAt(bytes, 0, length, position);
  return bytes.subarray(0, count);
}

function known(value: number): number | null {
  return value === -1 ? null : value;
}
