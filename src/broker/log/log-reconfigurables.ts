/**
 * What of the log's configuration may change while the broker runs, and what it is told then: the defaults of topics, and the cleaner.
 * The rest of it is asked for each time it is needed: `producer.id.expiration.ms`, limits of the cleaner. `num.recovery.threads.per.data.dir`
 * counts at the next start, as in Kafka. Source: Kafka's DynamicLogConfig, LogCleaner.
 */
import { ConfigException } from '../config/config-def.ts';
import type { BrokerReconfigurable } from '../config/dynamic-config.ts';
import type { KafkaConfig } from '../config/kafka-config.ts';
import { logReconfigurableConfigs } from '../config/log-config.ts';
import { cleanerReconfigurableConfigs, validateCleanerReconfiguration } from './cleaner/log-cleaner.ts';
import type { LogManager } from './log-manager.ts';

export function logReconfigurables(logManager: Pick<LogManager, 'reconfigureDefaults' | 'reconfigureCleaner'>): BrokerReconfigurable[] {
  return [
    {
      reconfigurableConfigs: logReconfigurableConfigs,
      validateReconfiguration: validateLocalRetention,
      reconfigure: () => logManager.reconfigureDefaults(),
    },
    {
      reconfigurableConfigs: cleanerReconfigurableConfigs,
      validateReconfiguration: validateCleanerReconfiguration,
      reconfigure: () => logManager.reconfigureCleaner(),
    },
    {
      reconfigurableConfigs: ['producer.id.expiration.ms'],
      validateReconfiguration: ({ producerIdExpirationMs }) => {
        if (producerIdExpirationMs < 0)
          throw new ConfigException('producer.id.expiration.ms', String(producerIdExpirationMs), 'must be at least 0');
      },
      reconfigure: () => {},
    },
  ];
}

/** What is kept here (-2: as much as in all) must not be more than what is kept in all (-1: without limit). */
function validateLocalRetention(config: KafkaConfig): void {
  for (const [key, local, total, totalKey] of [
    ['log.local.retention.ms', config.logLocalRetentionMs, config.logRetentionMs, 'log.retention.ms'],
    ['log.local.retention.bytes', config.logLocalRetentionBytes, config.logRetentionBytes, 'log.retention.bytes'],
  ] as const) {
    if (total === null || total === -1 || local === -2) continue;
    if (local === -1) throw new ConfigException(key, '-1', `must not be -1 while ${totalKey} is ${total}`);
    if (local > total) throw new ConfigException(key, String(local), `must not be more than ${totalKey} (${total})`);
  }
}
