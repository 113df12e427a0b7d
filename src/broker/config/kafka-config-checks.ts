/** What broker keys must be to each other. Kafka 3.9: `KafkaConfig.validateValues`. */
import { ConfigException } from './config-def.ts';
import type { KafkaConfig } from './kafka-config.ts';

function require(holds: boolean, key: string, value: string | number, allowed: string): void {
  if (!holds) throw new ConfigException(key, String(value), allowed);
}

/** @throws ConfigException naming the key that doesn't fit the others. */
export function checkTogether(config: KafkaConfig): void {
  checkIdentity(config);
  checkLogs(config);
  checkReplication(config);
  checkListeners(config);
  checkConnections(config);
}

function checkIdentity(config: KafkaConfig): void {
  const { brokerId, reservedBrokerMaxId } = config;
  if (config.brokerIdGenerationEnable) {
    require(brokerId >= -1 && brokerId <= reservedBrokerMaxId, 'broker.id', brokerId, 'must be from -1 to reserved.broker.max.id');
  } else {
    require(brokerId >= 0, 'broker.id', brokerId, 'must be 0 or more when broker.id.generation.enable is off');
  }
}

function checkLogs(config: KafkaConfig): void {
  require(config.logDirs.length > 0, 'log.dirs', '', 'must name at least one folder');
  require(config.logRollMs >= 1, 'log.roll.ms', config.logRollMs, 'must be 1 or more');
  require(config.logRollJitterMs >= 0, 'log.roll.jitter.ms', config.logRollJitterMs, 'must be 0 or more');
  require(config.logRetentionMs !== 0, 'log.retention.ms', config.logRetentionMs, 'must be -1 (unlimited) or 1 or more');
  const { logCleanerDedupeBufferSize, logCleanerThreads } = config;
  require(logCleanerDedupeBufferSize / logCleanerThreads >
    1_048_576, 'log.cleaner.dedupe.buffer.size', logCleanerDedupeBufferSize, 'must be more than 1 MiB per cleaner thread');
  require(config.logCleanerMinCompactionLagMs <=
    config.logCleanerMaxCompactionLagMs, 'log.cleaner.min.compaction.lag.ms', config.logCleanerMinCompactionLagMs, 'must not be more than log.cleaner.max.compaction.lag.ms');
}

function checkReplication(config: KafkaConfig): void {
  const { replicaFetchWaitMaxMs } = config;
  const key = 'replica.fetch.wait.max.ms';
  require(replicaFetchWaitMaxMs <= config.replicaSocketTimeoutMs, key, replicaFetchWaitMaxMs, 'must be at most replica.socket.timeout.ms');
  require(replicaFetchWaitMaxMs <= config.replicaLagTimeMaxMs, key, replicaFetchWaitMaxMs, 'must be at most replica.lag.time.max.ms');
  const version = config.interBrokerProtocolVersion;
  require(/^3\.9(-IV0)?$/.test(version), 'inter.broker.protocol.version', version, 'must be 3.9: this broker speaks no other');
}

function checkListeners(config: KafkaConfig): void {
  const { listeners, advertisedListeners, interBrokerListenerName } = config;
  const names = listeners.map(({ listenerName }) => listenerName);
  const advertised = advertisedListeners.map(({ listenerName }) => listenerName);
  require(advertised.length > 0, 'advertised.listeners', '', 'must hold at least one listener');
  require(advertised.includes(
    interBrokerListenerName,
  ), 'inter.broker.listener.name', interBrokerListenerName, `must be one of the advertised listeners: ${advertised.join(', ')}`);
  const strangers = advertised.filter((name) => !names.includes(name));
  require(strangers.length === 0, 'advertised.listeners', strangers.join(','), `may hold only what listeners holds: ${names.join(', ')}`);
  const unroutable = advertisedListeners.some(({ host }) => host === '0.0.0.0' || host === '::');
  require(!unroutable, 'advertised.listeners', '0.0.0.0', 'must not be an address that nobody can connect to');
  const { controlPlaneListenerName } = config;
  if (controlPlaneListenerName !== null) {
    const upper = controlPlaneListenerName.toUpperCase();
    require(advertised.includes(upper) &&
      upper !==
        interBrokerListenerName, 'control.plane.listener.name', controlPlaneListenerName, 'must be an advertised listener other than the inter-broker one');
  }
}

function checkConnections(config: KafkaConfig): void {
  const { queuedMaxRequestBytes, socketRequestMaxBytes, maxConnectionsPerIp, connectionsMaxIdleMs } = config;
  require(queuedMaxRequestBytes <= 0 ||
    queuedMaxRequestBytes >=
      socketRequestMaxBytes, 'queued.max.request.bytes', queuedMaxRequestBytes, 'must be -1 or at least socket.request.max.bytes');
  require(maxConnectionsPerIp > 0 ||
    config.maxConnectionsPerIpOverrides.size >
      0, 'max.connections.per.ip', maxConnectionsPerIp, 'may be 0 only when max.connections.per.ip.overrides is set');
  const { connectionFailedAuthenticationDelayMs } = config;
  require(connectionsMaxIdleMs < 0 ||
    connectionFailedAuthenticationDelayMs <
      connectionsMaxIdleMs, 'connection.failed.authentication.delay.ms', connectionFailedAuthenticationDelayMs, 'must be less than connections.max.idle.ms');
}
