/**
 * What an append goes by of a topic's configuration, as an object of its own: LogConfig is built key by key from a table, and reading
 * such an object takes V8 20 ns a property, which for batches of 1 KiB came to more than their checksum.
 */
import type { LogConfig } from '../config/log-config.ts';

export type AppendConfig = Pick<
  LogConfig,
  | 'compact'
  | 'compressionType'
  | 'compressionGzipLevel'
  | 'compressionLz4Level'
  | 'compressionZstdLevel'
  | 'maxMessageBytes'
  | 'messageTimestampType'
  | 'messageTimestampBeforeMaxMs'
  | 'messageTimestampAfterMaxMs'
  | 'segmentBytes'
  | 'segmentMs'
> & {
  /** An uncompressed batch from a client is written with the bytes that it came with: no other codec, no keys asked for, its own timestamps. */
  readonly takesBatchesAsTheyAre: boolean;
};

export function appendConfigOf(config: LogConfig): AppendConfig {
  return {
    compact: config.compact,
    compressionType: config.compressionType,
    compressionGzipLevel: config.compressionGzipLevel,
    compressionLz4Level: config.compressionLz4Level,
    compressionZstdLevel: config.compressionZstdLevel,
    maxMessageBytes: config.maxMessageBytes,
    messageTimestampType: config.messageTimestampType,
    messageTimestampBeforeMaxMs: config.messageTimestampBeforeMaxMs,
    messageTimestampAfterMaxMs: config.messageTimestampAfterMaxMs,
    segmentBytes: config.segmentBytes,
    segmentMs: config.segmentMs,
    takesBatchesAsTheyAre:
      !config.compact &&
      config.messageTimestampType === 'CreateTime' &&
      (config.compressionType === 'producer' || config.compressionType === 'uncompressed'),
  };
}
