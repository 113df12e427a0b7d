/**
 * The commands of four letters that monitoring tools and people send instead of a handshake, answered with ZooKeeper's
 * text (org.apache.zookeeper.server.command). The connection is closed after the answer.
 */
import type { ClientConnection } from './client-connection.ts';
import { SESSIONLESS_TIMEOUT_MS, type ZooKeeperConfig } from './config.ts';
import { shortHex } from './describe.ts';
import type { LongHex } from './jute/records.ts';
import type { ProcessInfo } from './process-info.ts';
import { javaDouble } from './server-metrics.ts';
import type { ServerStats } from './server-stats.ts';
import type { SessionTracker } from './session-tracker.ts';
import type { DataTree } from './tree/data-tree.ts';

/** What clients that parse the version expect: the release whose protocol and files these are. */
export const ZOOKEEPER_VERSION = '3.8.4';
const FULL_VERSION = `${ZOOKEEPER_VERSION}-samsa, built on 2024-02-12 22:16 UTC`;

export interface FourLetterContext {
  readonly config: ZooKeeperConfig;
  readonly clientPort: number;
  readonly tree: DataTree<ClientConnection>;
  readonly sessions: SessionTracker;
  readonly stats: ServerStats;
  readonly connections: ReadonlySet<ClientConnection>;
  readonly outstanding: number;
  readonly nowWallMs: number;
  readonly uptimeMs: number;
  readonly directorySizeBytes: () => number;
  readonly process: ProcessInfo;
  /** What came behind the word. */
  readonly argument: Buffer;
  readonly trace: { mask: number };
}

/** Client requests, sessions, warnings, outgoing proposals (ZooTrace). */
export const DEFAULT_TRACE_MASK = 306;

type Command = (context: FourLetterContext, asker: ClientConnection) => string;

const COMMANDS = new Map<string, Command>([
  ['ruok', () => 'imok'],
  ['isro', () => 'rw'],
  ['srvr', (context) => version() + statistics(context)],
  ['stat', (context, asker) => `${version()}Clients:\n${clientLines(context, asker, true)}\n${statistics(context)}`],
  ['cons', (context, asker) => `${clientLines(context, asker, false)}\n`],
  ['crst', resetConnections],
  ['srst', resetServer],
  ['conf', configuration],
  ['dirs', (context) => `datadir_size: ${context.directorySizeBytes()}\nlogdir_size: ${context.directorySizeBytes()}\n`],
  ['dump', dump],
  ['envi', environment],
  ['wchs', watchSummary],
  ['wchc', watchesByConnection],
  ['wchp', watchesByPath],
  ['mntr', monitor],
  ['gtmk', (context) => String(context.trace.mask)],
  ['stmk', setTraceMask],
  ['hash', ({ tree }) => tree.digestLog.map(({ zxid, digest }) => `${zxid.toString(16)}: ${digest}\n`).join('')],
]);

/** The answer to a word; undefined when it isn't one. `asker` is the connection it came on. */
export function answerFourLetterWord(word: string, context: FourLetterContext, asker: ClientConnection): string | undefined {
  const command = COMMANDS.get(word);
  if (command === undefined) return undefined;
  const allowed = context.config.fourLetterWordWhitelist.split(',').map((name) => name.trim());
  if (word !== 'srvr' && !allowed.includes('*') && !allowed.includes(word))
    return `${word} is not executed because it is not in the whitelist.\n`;
  return command(context, asker);
}

function version(): string {
  return `Zookeeper version: ${FULL_VERSION}\n`;
}

function statistics({ stats, connections, outstanding, tree }: FourLetterContext): string {
  return [
    `Latency min/avg/max: ${stats.latency.minMs}/${javaDouble(stats.latency.averageMs)}/${stats.latency.maxMs}`,
    `Received: ${stats.packetsReceived}`,
    `Sent: ${stats.packetsSent}`,
    `Connections: ${connections.size}`,
    `Outstanding: ${outstanding}`,
    `Zxid: 0x${tree.lastProcessedZxid.toString(16)}`,
    'Mode: standalone',
    `Node count: ${tree.nodeCount}\n`,
  ].join('\n');
}

function clientLines(context: FourLetterContext, asker: ClientConnection, brief: boolean): string {
  return Array.from(context.connections, (connection) => `${clientLine(connection, connection === asker, brief)}\n`).join('');
}

function clientLine(connection: ClientConnection, isAsker: boolean, brief: boolean): string {
  const address = connection.address.includes(':') ? `[${connection.address}]` : connection.address;
  const interest = isAsker ? '[0]' : '[1]';
  const counts = `queued=${connection.outstanding},recved=${connection.packetsReceived},sent=${connection.packetsSent}`;
  if (brief) return ` /${address}:${connection.port}${interest}(${counts})`;
  const details = [counts];
  if (connection.state === 'open') {
    details.push(
      `sid=0x${shortHex(connection.sessionId)}`,
      `lop=${connection.lastOperation}`,
      `est=${connection.acceptedAtMs}`,
      `to=${connection.sessionTimeoutMs}`,
      `lcxid=0x${(connection.lastXid >>> 0).toString(16)}`,
      `lzxid=0x${connection.lastZxid.toString(16)}`,
      `lresp=${connection.lastResponseMs}`,
      `llat=${connection.latency.maxMs}`,
      `minlat=${connection.latency.minMs}`,
      `avglat=${Math.floor(connection.latency.averageMs)}`,
      `maxlat=${connection.latency.maxMs}`,
    );
  }
  return ` /${address}:${connection.port}${interest}(${details.join(',')})`;
}

function resetConnections({ connections }: FourLetterContext): string {
  for (const connection of connections) {
    connection.packetsReceived = 0;
    connection.packetsSent = 0;
    connection.latency.reset();
  }
  return 'Connection stats reset.\n';
}

function resetServer({ stats }: FourLetterContext): string {
  stats.reset();
  return 'Server stats reset.\n';
}

function configuration({ config, clientPort, directorySizeBytes }: FourLetterContext): string {
  const sizeBytes = directorySizeBytes();
  const values: [string, string | number][] = [
    ['clientPort', clientPort],
    ['secureClientPort', -1],
    ['dataDir', `${config.dataDir}/version-2`],
    ['dataDirSize', sizeBytes],
    ['dataLogDir', `${config.dataDir}/version-2`],
    ['dataLogSize', sizeBytes],
    ['tickTime', config.tickTimeMs],
    ['maxClientCnxns', config.maxClientCnxns],
    ['minSessionTimeout', config.minSessionTimeoutMs],
    ['maxSessionTimeout', config.maxSessionTimeoutMs],
    ['clientPortListenBacklog', -1],
    ['serverId', 0],
  ];
  return values.map(([key, value]) => `${key}=${value}\n`).join('');
}

function environment({ process }: FourLetterContext): string {
  const values = new Map([['zookeeper.version', FULL_VERSION], ...process.environment()]);
  return `Environment:\n${Array.from(values, ([key, value]) => `${key}=${value}\n`).join('')}`;
}

/** Behind `stmk` comes the mask, an int64; without it there is no answer. */
function setTraceMask({ argument, trace }: FourLetterContext): string {
  if (argument.length < 8) return '';
  const mask = argument.readBigInt64BE(0);
  trace.mask = Number(mask);
  return String(mask);
}

function dump({ sessions, tree, connections, nowWallMs }: FourLetterContext): string {
  const buckets = sessions.expiryBuckets();
  const lines = ['SessionTracker dump:', `Session Sets (${buckets.length})/(${sessions.count}):`];
  for (const { inMs, sessions: ids } of buckets) {
    lines.push(`${ids.length} expire at ${javaDate(nowWallMs + inMs)}:`);
    for (const id of ids) lines.push(`\t0x${shortHex(id)}`);
  }
  const owners = Array.from(tree.sessionsWithEphemerals());
  lines.push('ephemeral nodes dump:', `Sessions with Ephemerals (${owners.length}):`);
  for (const [id, paths] of owners) {
    lines.push(`0x${shortHex(id)}:`);
    for (const path of paths) lines.push(`\t${path}`);
  }
  const sets = connectionsByExpiry(connections, buckets, nowWallMs);
  lines.push('Connections dump:', `Connections Sets (${sets.size})/(${connections.size}):`);
  for (const [when, members] of sets) {
    lines.push(`${members.length} expire at ${when}:`);
    for (const { address, port, sessionId } of members) lines.push(`\tip: /${address}:${port} sessionId: 0x${shortHex(sessionId)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** A connection goes with its session, one without a session when its time for a handshake is over. */
function connectionsByExpiry(
  connections: Iterable<ClientConnection>,
  buckets: readonly { inMs: number; sessions: readonly LongHex[] }[],
  nowWallMs: number,
): Map<string, ClientConnection[]> {
  const inMs = new Map<LongHex, number>();
  for (const bucket of buckets) for (const id of bucket.sessions) inMs.set(id, bucket.inMs);
  const sets = new Map<string, ClientConnection[]>();
  for (const connection of connections) {
    const sessionMs = inMs.get(connection.sessionId);
    const when = javaDate(sessionMs === undefined ? connection.acceptedAtMs + SESSIONLESS_TIMEOUT_MS : nowWallMs + sessionMs);
    const set = sets.get(when);
    if (set === undefined) sets.set(when, [connection]);
    else set.push(connection);
  }
  return sets;
}

/** java.util.Date.toString, in UTC. */
function javaDate(ms: number): string {
  const [day, date, month, year, time] = new Date(ms).toUTCString().replace(',', '').split(' ');
  return `${day} ${month} ${date} ${time} UTC ${year}`;
}

function watchSummary({ tree: { dataWatches } }: FourLetterContext): string {
  return `${dataWatches.watcherCount} connections watching ${dataWatches.pathCount} paths\nTotal watches:${dataWatches.watchCount}\n`;
}

function watchesByConnection({ tree: { dataWatches } }: FourLetterContext): string {
  const lines: string[] = [];
  for (const [connection, paths] of dataWatches.pathsByWatcher()) {
    lines.push(`0x${shortHex(connection.sessionId)}\n`);
    for (const path of paths) lines.push(`\t${path}\n`);
  }
  return `${lines.join('')}\n`;
}

function watchesByPath({ tree: { dataWatches } }: FourLetterContext): string {
  const lines: string[] = [];
  for (const [path, connections] of dataWatches.watchersByPath()) {
    lines.push(`${path}\n`);
    for (const connection of connections) lines.push(`\t0x${shortHex(connection.sessionId)}\n`);
  }
  return `${lines.join('')}\n`;
}

function monitor({ stats, connections, outstanding, tree, sessions, uptimeMs, process }: FourLetterContext): string {
  const values: (readonly [string, string | number])[] = [
    ['version', FULL_VERSION],
    ['server_state', 'standalone'],
    ['ephemerals_count', tree.ephemeralCount],
    ['num_alive_connections', connections.size],
    ['avg_latency', javaDouble(stats.latency.averageMs)],
    ['outstanding_requests', outstanding],
    ['znode_count', tree.nodeCount],
    ['global_sessions', sessions.count],
    ['non_mtls_remote_conn_count', 0],
    ['last_client_response_size', stats.replyBytes?.last ?? -1],
    ['packets_sent', stats.packetsSent],
    ['packets_received', stats.packetsReceived],
    ['max_client_response_size', stats.replyBytes?.max ?? -1],
    ['connection_drop_probability', '0.0'],
    ['watch_count', tree.dataWatches.watchCount + tree.childWatches.watchCount],
    ['auth_failed_count', stats.authFailed],
    ['min_latency', stats.latency.minMs],
    ['max_file_descriptor_count', process.maxFileDescriptors],
    ['approximate_data_size', tree.approximateDataSizeBytes],
    ['open_file_descriptor_count', process.openFileDescriptors()],
    ['local_sessions', 0],
    ['uptime', Math.floor(uptimeMs)],
    ['max_latency', stats.latency.maxMs],
    ['outstanding_tls_handshake', 0],
    ['min_client_response_size', stats.replyBytes?.min ?? -1],
    ['non_mtls_local_conn_count', 0],
    ...stats.metrics.lines(),
  ];
  return values.map(([key, value]) => `zk_${key}\t${value}\n`).join('');
}
