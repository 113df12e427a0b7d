/** What the user typed, as a command; or why it makes no sense. */
import { parseArgs } from 'node:util';
import type { ParseArgsOptionsConfig } from 'node:util';
import { UsageError } from './usage-error.ts';

export interface ClusterArguments {
  readonly home: string | undefined;
  readonly brokers: number | undefined;
  readonly ephemeral: boolean;
  readonly basePort: number | undefined;
  readonly zookeeper: { readonly port: number } | { readonly connect: string } | undefined;
  readonly logDirs: number | undefined;
  readonly config: Readonly<Record<string, string>> | undefined;
}

export type Command =
  | { readonly name: 'up'; readonly cluster: ClusterArguments }
  | { readonly name: 'serve'; readonly cluster: ClusterArguments; readonly open: boolean; readonly webPort: number | undefined }
  | { readonly name: 'status'; readonly home: string | undefined; readonly json: boolean }
  | { readonly name: 'down'; readonly home: string | undefined }
  | { readonly name: 'graduate'; readonly home: string | undefined; readonly to: string | undefined }
  /** Its own options are read by `dump-log/dump-options.ts`, when the command's code is loaded. */
  | { readonly name: 'dump-log'; readonly args: readonly string[] }
  | { readonly name: 'help' }
  | { readonly name: 'version' };

export const HELP = `samsa: Kafka with its own cluster, on this machine

  samsa up        start a cluster in the foreground; Ctrl+C stops it, a second Ctrl+C kills it
  samsa serve     the same, with the console in a browser; attaches to a cluster that runs already
  samsa status    what runs
  samsa down      stop the cluster that runs
  samsa graduate  write the configuration with which Apache Kafka 3.9 starts on the data folder
  samsa dump-log  what is in the files of a log folder; samsa dump-log --help tells its options

Options of up and serve:
  --brokers N          how many brokers (default: what the data folder has, else 3)
  --ephemeral          in a temporary folder that is removed at the end
  --port N             the first broker's port (default 9092), 0 for any free ports
  --zookeeper-port N   ZooKeeper's port (default 2181)
  --zookeeper CONNECT  use a ZooKeeper that runs elsewhere: host:port,host:port/chroot
  --log-dirs N         how many log dirs each broker has (default: what the data folder has, else 1)
  --config KEY=VALUE   a broker setting by Kafka's name, kept in the data folder; may be given several times
Options of serve:
  --web-port N         the console's port (default: any free one)
  --open               open the browser
Options of status:
  --json               for programs
Options of graduate:
  --to DIR             where the files go (default: apache-kafka in the data folder)
Everywhere:
  --home DIR           the data folder (default: SAMSA_HOME, else the platform's)
  --help, --version
`;

const HOME = { home: { type: 'string' } } as const;
const CLUSTER = {
  ...HOME,
  brokers: { type: 'string' },
  ephemeral: { type: 'boolean' },
  port: { type: 'string' },
  'zookeeper-port': { type: 'string' },
  zookeeper: { type: 'string' },
  'log-dirs': { type: 'string' },
  config: { type: 'string', multiple: true },
} as const;
const OPTIONS = {
  up: CLUSTER,
  serve: { ...CLUSTER, 'web-port': { type: 'string' }, open: { type: 'boolean' } },
  status: { ...HOME, json: { type: 'boolean' } },
  down: HOME,
  graduate: { ...HOME, to: { type: 'string' } },
} as const;

const MAX_PORT = 65_535;
/** A cluster on one machine; the spec has the same limits. */
const MAX_BROKERS = 32;
const MAX_LOG_DIRS = 8;

type Values = Readonly<Record<string, string | boolean | string[] | undefined>>;

/** Throws `UsageError`. */
export function parseCommand(args: readonly string[]): Command {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') return { name: 'help' };
  if (name === '--version' || name === '-v') return { name: 'version' };
  if (name === 'dump-log') return { name, args: rest };
  if (!isCommandName(name)) throw new UsageError(`'${name}' is no command: ${[...Object.keys(OPTIONS), 'dump-log'].join(', ')} are`);
  const values = optionsOf(name, rest);
  if (values['help'] === true) return { name: 'help' };
  const home = textOf(values, 'home');
  switch (name) {
    case 'up':
      return { name, cluster: clusterArguments(values) };
    case 'serve':
      return { name, cluster: clusterArguments(values), open: values['open'] === true, webPort: numberOf(values, 'web-port', 0, MAX_PORT) };
    case 'status':
      return { name, home, json: values['json'] === true };
    case 'graduate':
      return { name, home, to: textOf(values, 'to') };
    default:
      return { name, home };
  }
}

function isCommandName(name: string): name is keyof typeof OPTIONS {
  return Object.hasOwn(OPTIONS, name);
}

function optionsOf(name: keyof typeof OPTIONS, args: readonly string[]): Values {
  try {
    const options: ParseArgsOptionsConfig = { ...OPTIONS[name], help: { type: 'boolean', short: 'h' } };
    const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
    // None of the options is a list of booleans.
    return values as Values;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const message = error instanceof Error ? error.message : String(error);
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION')
      throw new UsageError(`samsa ${name} has no option ${/'([^' =]+)/.exec(message)?.[1] ?? ''}`);
    throw new UsageError(message.split('\n')[0] ?? message);
  }
}

function clusterArguments(values: Values): ClusterArguments {
  const connect = textOf(values, 'zookeeper');
  const zookeeperPort = numberOf(values, 'zookeeper-port', 0, MAX_PORT);
  if (connect !== undefined && zookeeperPort !== undefined) throw new UsageError('--zookeeper and --zookeeper-port exclude each other');
  const ephemeral = values['ephemeral'] === true;
  const home = textOf(values, 'home');
  if (ephemeral && home !== undefined) throw new UsageError('--ephemeral and --home exclude each other');
  return {
    home,
    ephemeral,
    brokers: numberOf(values, 'brokers', 1, MAX_BROKERS),
    basePort: numberOf(values, 'port', 0, MAX_PORT),
    zookeeper: connect !== undefined ? { connect } : zookeeperPort !== undefined ? { port: zookeeperPort } : undefined,
    logDirs: numberOf(values, 'log-dirs', 1, MAX_LOG_DIRS),
    config: configOf(values['config']),
  };
}

function configOf(entries: Values[string]): Readonly<Record<string, string>> | undefined {
  if (!Array.isArray(entries)) return undefined;
  return Object.fromEntries(
    entries.map((entry) => {
      const equals = entry.indexOf('=');
      if (equals < 1) throw new UsageError(`--config ${entry}: KEY=VALUE is the form`);
      return [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}

function textOf(values: Values, option: string): string | undefined {
  const value = values[option];
  if (value === '') throw new UsageError(`--${option} needs a value`);
  return typeof value === 'string' ? value : undefined;
}

function numberOf(values: Values, option: string, min: number, max: number): number | undefined {
  const text = textOf(values, option);
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`--${option} ${text}: a whole number from ${min} to ${max} is allowed`);
}
