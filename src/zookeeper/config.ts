/** The server's configuration: ZooKeeper's names where it has one. Read, checked and frozen once. */
export interface ZooKeeperConfig {
  /** Holds `version-2` with the logs and snapshots. */
  readonly dataDir: string;
  /** Addresses to listen on. The first must work; a later one that the machine doesn't have is left out. */
  readonly hosts: readonly string[];
  /** 0 takes a free one. */
  readonly clientPort: number;
  /** The unit of session time-outs, and how often expiry is looked for. */
  readonly tickTimeMs: number;
  /** Bounds of what a client may ask for; -1 stands for 2 and 20 ticks. */
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  /** Connections from one address; 0 is no limit (as in Kafka's own zookeeper.properties; Apache ZooKeeper has 60). */
  readonly maxClientCnxns: number;
  /** Connections in all. */
  readonly maxCnxns: number;
  /** `jute.maxbuffer`: the largest request, and the largest node with it. */
  readonly juteMaxBufferBytes: number;
  /** Transactions from one snapshot to the next (less at random, by up to a half). */
  readonly snapCount: number;
  /** `autopurge.snapRetainCount`: snapshots that a purge leaves. Apache ZooKeeper takes 3 where less is configured. */
  readonly snapRetainCount: number;
  /** `autopurge.purgeInterval`: hours from one purge of old files to the next, the first being at the start; 0 is never. */
  readonly purgeIntervalHours: number;
  /** The log file grows by this much; it is a hole in the file, not space taken. */
  readonly preAllocSizeBytes: number;
  /** Requests in work over all connections before sockets are no longer read. */
  readonly globalOutstandingLimit: number;
  /** TTL nodes, `zookeeper.extendedTypesEnabled`. */
  readonly extendedTypesEnabled: boolean;
  /** `reconfigEnabled`: only which error a standalone server answers to a reconfig. */
  readonly reconfigEnabled: boolean;
  /** `zookeeper.enforceQuota`. */
  readonly enforceQuota: boolean;
  /** `4lw.commands.whitelist`: names with commas between, or `*`. */
  readonly fourLetterWordWhitelist: string;
  /** `zookeeper.DigestAuthenticationProvider.superDigest`: `user:base64(sha1(user:password))` of who may do everything. */
  readonly superDigest: string | undefined;
  /** How often empty containers and nodes past their TTL are looked for. */
  readonly containerCheckIntervalMs: number;
}

/** A connection without a session after this long is closed (zookeeper.nio.sessionlessCnxnTimeout). */
export const SESSIONLESS_TIMEOUT_MS = 10_000;

export type ZooKeeperConfigInput = Partial<ZooKeeperConfig> & Pick<ZooKeeperConfig, 'dataDir'>;

/** A value that can't be used; the message has the key, the value and what is allowed. */
export class ZooKeeperConfigError extends Error {
  override readonly name = 'ZooKeeperConfigError';
}

const DEFAULTS: Omit<ZooKeeperConfig, 'dataDir'> = {
  hosts: ['127.0.0.1', '::1'],
  clientPort: 2181,
  tickTimeMs: 2000,
  minSessionTimeoutMs: -1,
  maxSessionTimeoutMs: -1,
  maxClientCnxns: 0,
  maxCnxns: 10_000,
  juteMaxBufferBytes: 0xfffff,
  snapCount: 100_000,
  snapRetainCount: 3,
  purgeIntervalHours: 0,
  preAllocSizeBytes: 64 * 1024 * 1024,
  globalOutstandingLimit: 1000,
  extendedTypesEnabled: false,
  reconfigEnabled: false,
  enforceQuota: false,
  fourLetterWordWhitelist: '*',
  superDigest: undefined,
  containerCheckIntervalMs: 60_000,
};

/** [least, most] of each number. */
const RANGES: Partial<Record<keyof ZooKeeperConfig, readonly [number, number]>> = {
  clientPort: [0, 65_535],
  tickTimeMs: [1, 3_600_000],
  minSessionTimeoutMs: [-1, 2 ** 31 - 1],
  maxSessionTimeoutMs: [-1, 2 ** 31 - 1],
  maxClientCnxns: [0, 1_000_000],
  maxCnxns: [1, 1_000_000],
  juteMaxBufferBytes: [1024, 2 ** 30],
  snapCount: [2, 2 ** 31 - 1],
  snapRetainCount: [3, 10_000],
  // A timer takes 24 days.
  purgeIntervalHours: [0, 596],
  preAllocSizeBytes: [0, 2 ** 40],
  globalOutstandingLimit: [1, 1_000_000],
  containerCheckIntervalMs: [1, 2 ** 31 - 1],
};

/** Fills in defaults and checks. Throws `ZooKeeperConfigError`. */
export function zooKeeperConfig(input: ZooKeeperConfigInput): ZooKeeperConfig {
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as ZooKeeperConfigInput;
  const config: ZooKeeperConfig = { ...DEFAULTS, ...given };
  if (typeof config.dataDir !== 'string' || config.dataDir === '') throw refused('dataDir', config.dataDir, 'a path');
  if (!Array.isArray(config.hosts) || config.hosts.length === 0) throw refused('hosts', config.hosts, 'at least one address');
  for (const [key, [least, most]] of Object.entries(RANGES)) {
    const value = config[key as keyof ZooKeeperConfig];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
      throw refused(key, value, `an integer from ${least} to ${most}`);
  }
  const minSessionTimeoutMs = config.minSessionTimeoutMs === -1 ? config.tickTimeMs * 2 : config.minSessionTimeoutMs;
  const maxSessionTimeoutMs = config.maxSessionTimeoutMs === -1 ? config.tickTimeMs * 20 : config.maxSessionTimeoutMs;
  if (minSessionTimeoutMs > maxSessionTimeoutMs)
    throw refused('minSessionTimeoutMs', minSessionTimeoutMs, `at most maxSessionTimeoutMs, ${maxSessionTimeoutMs}`);
  return Object.freeze({ ...config, minSessionTimeoutMs, maxSessionTimeoutMs });
}

function refused(key: string, value: unknown, allowed: string): ZooKeeperConfigError {
  return new ZooKeeperConfigError(`${key} is ${JSON.stringify(value)}: allowed is ${allowed}`);
}
