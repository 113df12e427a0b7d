/**
 * The options of `samsa dump-log`: those of kafka-dump-log 3.9, with files as plain arguments too. What only a broker in KRaft mode or with tiered
 * storage writes is refused by name; decoders are named, not loaded by class (Kafka's class names are understood).
 */
import { parseArgs } from 'node:util';
import { UsageError } from '../usage-error.ts';
import { decoderNames, isDecoderName } from './payload-decoders.ts';
import type { DecoderName } from './payload-decoders.ts';

export interface DumpOptions {
  readonly files: readonly string[];
  readonly printDataLog: boolean;
  readonly deepIteration: boolean;
  readonly skipRecordMetadata: boolean;
  readonly verifyIndexOnly: boolean;
  readonly indexSanityCheck: boolean;
  readonly maxMessageSizeBytes: number;
  /** Infinity: the whole file. */
  readonly maxBytes: number;
  readonly keyDecoder: DecoderName;
  readonly valueDecoder: DecoderName;
  readonly recordDecoder: 'offsets' | 'transactions' | undefined;
}

export const DUMP_LOG_HELP = `samsa dump-log FILE…: what is in the files of a log folder, as kafka-dump-log prints it

Files: .log, .index, .timeindex, .txnindex, .snapshot, leader-epoch-checkpoint, partition.metadata, and of the
log dir *-offset-checkpoint, meta.properties, .kafka_cleanshutdown. No broker is needed; one that runs is not disturbed.

  --files A,B                 files, as kafka-dump-log takes them
  --deep-iteration            each record of a batch, also of a compressed one
  --print-data-log            keys and values too (implies --deep-iteration)
  --skip-record-metadata      only keys and values of records
  --key-decoder-class NAME    ${decoderNames()}; or Kafka's class name
  --value-decoder-class NAME  the same for values (both imply --print-data-log; default string)
  --offsets-decoder           records of __consumer_offsets, decoded
  --transaction-log-decoder   records of __transaction_state, decoded
  --index-sanity-check        only what a broker checks of an index at its start
  --verify-index-only         index against log, without printing its entries
  --max-message-size BYTES    the largest batch that an index is checked against (default 5242880)
  --max-bytes BYTES           read so much of a .log file

Exit code: 0 all is well, 1 something is corrupt, doesn't match or can't be read, 2 the command line makes no sense.
`;

const OPTIONS = {
  files: { type: 'string', multiple: true },
  'print-data-log': { type: 'boolean' },
  'deep-iteration': { type: 'boolean' },
  'skip-record-metadata': { type: 'boolean' },
  'verify-index-only': { type: 'boolean' },
  'index-sanity-check': { type: 'boolean' },
  'max-message-size': { type: 'string' },
  'max-bytes': { type: 'string' },
  'key-decoder-class': { type: 'string' },
  'value-decoder-class': { type: 'string' },
  'offsets-decoder': { type: 'boolean' },
  'transaction-log-decoder': { type: 'boolean' },
  'cluster-metadata-decoder': { type: 'boolean' },
  'remote-log-metadata-decoder': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const REFUSED = {
  'cluster-metadata-decoder': 'it is for the metadata log of KRaft, which Samsa (Kafka in ZooKeeper mode) has not',
  'remote-log-metadata-decoder': 'it is for tiered storage, which Samsa has not',
} as const;
const DEFAULT_MAX_MESSAGE_SIZE_BYTES = 5 * 1024 * 1024;
const INT32_MAX = 0x7fff_ffff;

/** 'help' when that is what was asked for. Throws `UsageError`. */
export function parseDumpOptions(args: readonly string[]): DumpOptions | 'help' {
  const { values, positionals } = parse(args);
  if (values.help === true) return 'help';
  for (const [option, reason] of Object.entries(REFUSED))
    if (values[option as keyof typeof REFUSED] === true) throw misuse(`--${option} is not supported: ${reason}`);
  const files = [...positionals, ...(values.files ?? []).flatMap((list) => list.split(','))].filter((file) => file !== '');
  if (files.length === 0) throw misuse('samsa dump-log needs at least one file');
  const isOffsets = values['offsets-decoder'] === true;
  const isTransactions = values['transaction-log-decoder'] === true;
  if (isOffsets && isTransactions) throw misuse('--offsets-decoder and --transaction-log-decoder exclude each other');
  const keyDecoder = values['key-decoder-class'];
  const valueDecoder = values['value-decoder-class'];
  const printDataLog =
    values['print-data-log'] === true || isOffsets || isTransactions || keyDecoder !== undefined || valueDecoder !== undefined;
  return {
    files,
    printDataLog,
    deepIteration: printDataLog || values['deep-iteration'] === true,
    skipRecordMetadata: values['skip-record-metadata'] === true,
    verifyIndexOnly: values['verify-index-only'] === true,
    indexSanityCheck: values['index-sanity-check'] === true,
    maxMessageSizeBytes: bytesOf('max-message-size', values['max-message-size']) ?? DEFAULT_MAX_MESSAGE_SIZE_BYTES,
    maxBytes: bytesOf('max-bytes', values['max-bytes']) ?? Infinity,
    keyDecoder: decoderOf('key-decoder-class', keyDecoder),
    valueDecoder: decoderOf('value-decoder-class', valueDecoder),
    recordDecoder: isOffsets ? 'offsets' : isTransactions ? 'transactions' : undefined,
  };
}

function parse(args: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const unknown = /Unknown option '([^' =]+)/.exec(message)?.[1];
    if (unknown === undefined) throw misuse(message.split('\n')[0] ?? message);
    const known = Object.keys(OPTIONS)
      .filter((option) => !Object.hasOwn(REFUSED, option))
      .map((option) => `--${option}`);
    throw misuse(`samsa dump-log has no option ${unknown}; it has ${known.join(', ')}`);
  }
}

function bytesOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= INT32_MAX) return value;
  throw misuse(`--${option} ${text}: a whole number of bytes from 1 to ${INT32_MAX} is allowed`);
}

function decoderOf(option: string, name: string | undefined): DecoderName {
  if (name === undefined) return 'string';
  // org.apache.kafka.tools.api.LongDecoder, and the older kafka.serializer.LongDecoder.
  const known = /^(?:org\.apache\.kafka\.tools\.api|kafka\.serializer)\.(String|Long|Integer|Default)Decoder$/.exec(name)?.[1];
  const short = known === undefined ? name : known === 'Default' ? 'hex' : known.toLowerCase();
  if (isDecoderName(short)) return short;
  throw misuse(`--${option} ${name}: ${decoderNames()} are supported, classes can't be loaded`);
}

function misuse(message: string): UsageError {
  return new UsageError(message, 'samsa dump-log --help');
}
