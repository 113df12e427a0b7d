/**
 * The transaction log being written (FileTxnLog, FilePadding).
 *
 *   file    magic "ZKLG" int32 | version 2 int32 | dbid 0 int64 | entries | zeros to the preallocated end
 *   entry   Adler-32 of the bytes int64 | length int32 | bytes (TxnHeader, record, digest) | 'B'
 *
 * Entries are gathered in memory (`append`) and go out as one write and one fsync (`flush`, `sync`): what `sync` has
 * returned for is there after a crash. An entry torn by a crash fails its length, its checksum or its end mark; it is the
 * last one and was never acknowledged. A new file begins after each start and each snapshot.
 *
 * Differs from Apache: the folder is synced when a file is made; the padding is cut off when a file is finished.
 */
import { type Disk, type DiskFile, shortWriteError } from '../../runtime/disk.ts';
import { JuteWriter } from '../jute/jute-writer.ts';
import { type TxnLogEntry, writeTxnEntry } from '../txn.ts';
import { ADLER32_INITIAL, updateAdler32 } from './adler32.ts';
import { logName } from './file-names.ts';

export const LOG_MAGIC = 0x5a4b4c47;
export const LOG_VERSION = 2;
export const LOG_HEADER_BYTES = 16;
export const ENTRY_END = 0x42;
/** As close to the preallocated end as this, the file is grown. */
const PADDING_MARGIN_BYTES = 4096;

export class FileTxnLog {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #preAllocBytes: number;
  #file: DiskFile | undefined;
  #position = 0;
  #allocatedBytes = 0;
  #pending = new JuteWriter(4096);
  #firstPendingZxid: number | undefined;

  /** `preAllocBytes`: the file grows by multiples of it; 0 preallocates nothing. */
  constructor(disk: Disk, directory: string, preAllocBytes: number) {
    this.#disk = disk;
    this.#directory = directory;
    this.#preAllocBytes = preAllocBytes;
  }

  /** Bytes appended and not yet flushed. */
  get pendingBytes(): number {
    return this.#pending.length;
  }

  /** Bytes of entries in the current file. */
  get sizeBytes(): number {
    return this.#position;
  }

  /** Encodes an entry into the pending group. */
  append(entry: TxnLogEntry): void {
    this.#firstPendingZxid ??= entry.header.zxid;
    const writer = this.#pending;
    const start = writer.length;
    writer.long(0).int(0);
    writeTxnEntry(writer, entry);
    const end = writer.length;
    writer.byte(ENTRY_END);
    const bytes = writer.finish();
    const adler = updateAdler32(ADLER32_INITIAL, bytes, start + 12, end);
    writer.setInt(start + 4, adler | 0);
    writer.setInt(start + 8, end - start - 12);
  }

  /** Writes the pending group to the file, making one when there is none. Throws the disk's errors, ENOSPC for a short write. */
  flush(): void {
    if (this.#firstPendingZxid === undefined) return;
    const file = this.#file ?? this.#create(this.#firstPendingZxid);
    const group = this.#pending.finish();
    this.#preallocate(file, group.length);
    const written = file.writeGathered([group], this.#position);
    if (written !== group.length) throw shortWriteError(file.path, written, group.length);
    this.#position += group.length;
    // A writer that grew for one large group is not kept.
    this.#pending = new JuteWriter(4096);
    this.#firstPendingZxid = undefined;
  }

  /** fsync, off the event loop: all that was flushed before the call is on the device when it resolves. */
  sync(): Promise<void> {
    return this.#file?.syncAsync() ?? Promise.resolve();
  }

  /** Ends the current file; the next group begins another. Nothing may be pending or being synced. */
  roll(): void {
    const file = this.#file;
    if (file === undefined) return;
    if (this.#allocatedBytes > this.#position) file.truncate(this.#position);
    file.close();
    this.#file = undefined;
  }

  close(): void {
    this.roll();
  }

  #create(zxid: number): DiskFile {
    const file = this.#disk.open(`${this.#directory}/${logName(zxid)}`, 'truncate');
    const header = new JuteWriter(LOG_HEADER_BYTES).int(LOG_MAGIC).int(LOG_VERSION).long(0).finish();
    const written = file.writeGathered([header], 0);
    if (written !== header.length) throw shortWriteError(file.path, written, header.length);
    this.#disk.syncDirectory(this.#directory);
    this.#file = file;
    this.#position = LOG_HEADER_BYTES;
    this.#allocatedBytes = LOG_HEADER_BYTES;
    return file;
  }

  #preallocate(file: DiskFile, groupBytes: number): void {
    if (this.#preAllocBytes <= 0) return;
    const needed = this.#position + groupBytes + PADDING_MARGIN_BYTES;
    if (needed < this.#allocatedBytes) return;
    this.#allocatedBytes = Math.ceil((needed + 1) / this.#preAllocBytes) * this.#preAllocBytes;
    file.truncate(this.#allocatedBytes);
  }
}
