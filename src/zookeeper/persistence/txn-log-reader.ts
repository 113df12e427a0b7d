/**
 * Reads one transaction log file from its start. Its end is either clean (zeros, or the end of the file after a whole
 * entry) or torn: an entry whose length, checksum, end mark or record is wrong. What that means is for the caller: in the
 * last log it is a write that a crash cut off, in an earlier one the file is damaged. Source: FileTxnLog.FileTxnIterator.
 */
import type { Disk } from '../../runtime/disk.ts';
import { JuteError } from '../jute/jute-reader.ts';
import { type TxnLogEntry, readTxnEntry } from '../txn.ts';
import { ADLER32_INITIAL, updateAdler32 } from './adler32.ts';
import { CorruptFileError, EndOfFileError, FileInput } from './file-input.ts';
import { ENTRY_END, LOG_HEADER_BYTES, LOG_MAGIC, LOG_VERSION } from './file-txn-log.ts';

export interface TxnLogEnd {
  /** Where the last whole entry ends; 0 when not even the file's header is whole. */
  readonly validBytes: number;
  readonly entries: number;
  /** What is wrong behind it; undefined when the file ends cleanly. */
  readonly torn: string | undefined;
}

/** Calls `onEntry` for each whole entry in order. Data in entries is a view, good until the next call. */
export function readTxnLog(disk: Disk, path: string, onEntry: (entry: TxnLogEntry) => void): TxnLogEnd {
  const file = disk.open(path, 'read');
  try {
    const input = new FileInput(file);
    const headerFault = readHeader(input);
    if (headerFault !== undefined) return { validBytes: 0, entries: 0, torn: headerFault };
    let validBytes = LOG_HEADER_BYTES;
    for (let entries = 0; ; entries++) {
      const next = readEntry(input);
      if (next === undefined || typeof next === 'string') return { validBytes, entries, torn: next };
      onEntry(next);
      validBytes = input.position;
    }
  } finally {
    file.close();
  }
}

function readHeader(input: FileInput): string | undefined {
  if (input.remaining < LOG_HEADER_BYTES) return `a header of ${input.remaining} bytes`;
  const magic = input.int();
  const version = input.int();
  input.long();
  if (magic === 0) return 'an empty header';
  if (magic !== LOG_MAGIC || version !== LOG_VERSION) throw new CorruptFileError(`not a transaction log of version ${LOG_VERSION}`);
  return undefined;
}

/** The next entry, undefined at a clean end, a string that tells the fault. */
function readEntry(input: FileInput): TxnLogEntry | string | undefined {
  if (input.remaining === 0) return undefined;
  try {
    const checksum = input.long();
    const length = input.int();
    if (length === 0 && checksum === 0) return undefined;
    if (length <= 0) return `an entry of ${length} bytes`;
    if (length + 1 > input.remaining) return `an entry of ${length} bytes with ${input.remaining} left`;
    const bytes = input.bytes(length);
    const actual = updateAdler32(ADLER32_INITIAL, bytes);
    if (actual !== checksum) return `a checksum of ${actual}, ${checksum} in the entry`;
    // The end mark is a separate read: it may move the window, so the entry is copied only when it must be.
    const entry = readTxnEntry(Buffer.from(bytes));
    return input.byte() === ENTRY_END ? entry : 'an entry without its end mark';
  } catch (error) {
    if (error instanceof EndOfFileError) return 'the end of the file inside an entry';
    if (error instanceof JuteError) return error.message;
    throw error;
  }
}
