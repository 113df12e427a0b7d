/**
 * `samsa dump-log`: prints what is in the files of a log folder in the form of kafka-dump-log 3.9, without a broker and without holding more than
 * a batch in memory. A file that can't be read or is damaged is named with the byte and the reason, and the next file follows.
 * Differs from Kafka's tool: it knows the folder's other files too, and its exit code tells whether something was wrong.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, parseSegmentFileName, segmentFileName } from '../../log-format/file-names.ts';
import type { SegmentFile } from '../../log-format/file-names.ts';
import type { FileBytes } from '../../log-format/index-file.ts';
import { LogFormatError } from '../../log-format/log-format-error.ts';
import { dumpBatches } from './dump-batches.ts';
import { DumpFindings } from './dump-findings.ts';
import { dumpOffsetIndex, dumpTimeIndex, dumpTxnIndex } from './dump-indexes.ts';
import type { DumpOptions } from './dump-options.ts';
import { dumpProducerSnapshot, MAX_SMALL_FILE_BYTES, smallFileDumper } from './dump-small-files.ts';
import { LineOutput } from './line-output.ts';

interface OpenFile extends FileBytes {
  close(): void;
}

/** Prints all files; true when nothing was wrong. */
export async function dumpLog(
  options: DumpOptions,
  streams: { readonly out: NodeJS.WritableStream; readonly error: NodeJS.WritableStream },
): Promise<boolean> {
  const out = new LineOutput(streams.out as NodeJS.WriteStream);
  const error = new LineOutput(streams.error as NodeJS.WriteStream);
  const findings = new DumpFindings();
  const say = async (lines: Iterable<string>): Promise<void> => {
    await out.flush();
    for (const line of lines) error.line(line);
    await error.flush();
  };
  for (const path of options.files) {
    try {
      for (const line of dumpFile(path, options, findings)) {
        if (out.line(line)) await out.flush();
        if (out.closed) return !findings.failed;
        if (findings.faults.length > 0) await say(findings.takeFaults().map((fault) => `samsa: ${fault}`));
      }
    } catch (thrown) {
      if (thrown instanceof LogFormatError) findings.fault(path, thrown.message, thrown.position);
      else if (thrown instanceof Error && 'code' in thrown) findings.fault(path, reasonOf(thrown));
      else throw thrown;
    }
    await say(findings.takeFaults().map((fault) => `samsa: ${fault}`));
  }
  await say(findings.summary());
  return !findings.failed;
}

function* dumpFile(path: string, options: DumpOptions, findings: DumpFindings): Generator<string, void, undefined> {
  const name = basename(path);
  const segmentFile = parseSegmentFileName(name);
  yield `Dumping ${path}`;
  if (segmentFile !== undefined) {
    yield* dumpSegmentFile(path, segmentFile, options, findings);
    return;
  }
  const dumper = smallFileDumper(name.replace(/\.tmp$/, ''));
  if (dumper !== undefined) {
    yield* dumper(readSmallFile(path));
    return;
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) findings.fault(path, 'is a folder; name the files in it');
  else if (name.endsWith('.checkpoint'))
    findings.fault(path, 'is a snapshot of KRaft, which Samsa (Kafka in ZooKeeper mode) does not read');
  else if (/^\d+\.log$/.test(name)) findings.fault(path, 'its base offset is above 2^53 - 1');
  else findings.fault(path, 'is no file of a log folder, by its name');
}

function* dumpSegmentFile(
  path: string,
  { suffix, offset: baseOffset, state }: SegmentFile,
  options: DumpOptions,
  findings: DumpFindings,
): Generator<string, void, undefined> {
  if (suffix === '.snapshot') {
    yield* dumpProducerSnapshot(readSmallFile(path));
    return;
  }
  const opened: OpenFile[] = [];
  const open = (of: string, mustExist: boolean): OpenFile | undefined => {
    const file = openFile(of, mustExist);
    if (file !== undefined) opened.push(file);
    return file;
  };
  try {
    const file = open(path, true);
    if (file === undefined) return;
    const absolutePath = resolve(path);
    if (suffix === '.log') {
      yield* dumpBatches({ path, absolutePath, name: basename(path), baseOffset, file }, options, findings);
      return;
    }
    // A renamed segment's files are renamed together.
    const sibling = (of: typeof LOG_SUFFIX | typeof OFFSET_INDEX_SUFFIX): OpenFile | undefined =>
      open(join(dirname(absolutePath), `${segmentFileName(baseOffset, of)}${state}`), false);
    const index = { path, absolutePath, baseOffset, file, log: sibling(LOG_SUFFIX), offsetIndex: sibling(OFFSET_INDEX_SUFFIX) };
    if (suffix === '.index') yield* dumpOffsetIndex(index, options, findings);
    else if (suffix === '.timeindex') yield* dumpTimeIndex(index, options, findings);
    else yield* dumpTxnIndex(index, findings);
  } finally {
    for (const file of opened) file.close();
  }
}

function openFile(path: string, mustExist: boolean): OpenFile | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (!mustExist && error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const { size } = fstatSync(fd);
  return {
    sizeBytes: size,
    readAt: (target, targetOffset, length, position) => readSync(fd, target, targetOffset, length, position),
    close: () => closeSync(fd),
  };
}

function readSmallFile(path: string): Buffer {
  const file = openFile(path, true);
  file?.close();
  if ((file?.sizeBytes ?? 0) > MAX_SMALL_FILE_BYTES)
    throw new LogFormatError('corrupt-checkpoint', `has ${file?.sizeBytes} bytes; such a file has at most ${MAX_SMALL_FILE_BYTES}`);
  return readFileSync(path);
}

function reasonOf(error: Error): string {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'is not there';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user';
  if (code === 'EISDIR') return 'is a folder; name the files in it';
  return error.message;
}
