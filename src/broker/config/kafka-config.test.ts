import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigException, LONG_MAX, LONG_MAX_TEXT, parseValue, propertyNameOf, textOf } from './config-def.ts';
import { brokerKeys, parseKafkaConfig } from './kafka-config.ts';
import { LogConfig, logReconfigurableConfigs, topicKeys, validateTopicConfig } from './log-config.ts';
import { serverSynonyms } from './keys/topic-keys.ts';

const minimal = { 'zookeeper.connect': 'localhost:2181' };
const parse = (properties: Record<string, string> = {}) => parseKafkaConfig({ ...minimal, ...properties });

function refusal(properties: Record<string, string>): ConfigException | undefined {
  try {
    parse(properties);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigException) return error;
    throw error;
  }
}

describe('parseKafkaConfig', () => {
  it("has Kafka 3.9's defaults", () => {
    expect(parse()).toMatchObject({
      brokerId: -1,
      numNetworkThreads: 3,
      numIoThreads: 8,
      queuedMaxRequests: 500,
      socketRequestMaxBytes: 104_857_600,
      messageMaxBytes: 1_048_588,
      logSegmentBytes: 1_073_741_824,
      logRetentionMs: 604_800_000,
      logRollMs: 604_800_000,
      logFlushIntervalMessages: LONG_MAX,
      logFlushIntervalMs: LONG_MAX,
      replicaLagTimeMaxMs: 30_000,
      offsetsTopicNumPartitions: 50,
      offsetsTopicReplicationFactor: 3,
      groupInitialRebalanceDelayMs: 3000,
      zookeeperConnectionTimeoutMs: 18_000,
      logDirs: ['/tmp/kafka-logs'],
      interBrokerListenerName: 'PLAINTEXT',
    });
  });

  it.each([
    [{ 'num.io.threads': '0' }, 'num.io.threads', /at least 1/],
    [{ 'num.io.threads': 'many' }, 'num.io.threads', /type INT/],
    [{ 'num.io.threads': '2147483648' }, 'num.io.threads', /type INT/],
    [{ 'log.retention.bytes': '9223372036854775808' }, 'log.retention.bytes', /type LONG/],
    [{ 'delete.topic.enable': 'yes' }, 'delete.topic.enable', /true or false/],
    [{ 'log.cleanup.policy': 'shred' }, 'log.cleanup.policy', /compact, delete/],
    [{ 'compression.type': 'rar' }, 'compression.type', /one of/],
    [{ 'compression.gzip.level': '0' }, 'compression.gzip.level', /between 1 and 9 or equal to -1/],
    [{ 'log.retention.ms': '0' }, 'log.retention.ms', /-1 \(unlimited\) or 1/],
    [{ 'broker.id': '1001' }, 'broker.id', /reserved.broker.max.id/],
    [{ 'replica.fetch.wait.max.ms': '40000' }, 'replica.fetch.wait.max.ms', /replica.socket.timeout.ms/],
    [{ 'queued.max.request.bytes': '10' }, 'queued.max.request.bytes', /socket.request.max.bytes/],
    [{ listeners: 'PLAINTEXT://localhost' }, 'listeners', /NAME:\/\/host:port/],
    [{ listeners: 'PLAINTEXT://a:1,SSL://b:1' }, 'listeners', /different port/],
    [{ listeners: 'EXTERNAL://a:1' }, 'listeners', /EXTERNAL/],
    [{ 'advertised.listeners': 'PLAINTEXT://0.0.0.0:9092' }, 'advertised.listeners', /nobody can connect/],
    [{ 'advertised.listeners': 'SSL://a:1' }, 'inter.broker.listener.name', /advertised listeners/],
    [{ 'inter.broker.protocol.version': '2.8' }, 'inter.broker.protocol.version', /3.9/],
    [{ 'listener.name.plaintext.max.connections': 'x' }, 'listener.name.plaintext.max.connections', /type INT/],
    [{ 'max.connections.per.ip.overrides': 'localhost' }, 'max.connections.per.ip.overrides', /address:count/],
  ])('refuses %j, naming the key, the value and what is allowed', (properties, key, allowed) => {
    const error = refusal(properties);
    expect(error?.key).toBe(key);
    expect(error?.message).toContain(key);
    expect(error?.allowed).toMatch(allowed);
  });

  it('needs zookeeper.connect', () => {
    expect(() => parseKafkaConfig({})).toThrow(/zookeeper.connect/);
  });

  it('keeps keys it does not know, and says which', () => {
    const config = parse({ 'my.plugin.key': 'x', 'listener.name.plaintext.max.connections': '5' });
    expect(config.unknownKeys).toEqual(['my.plugin.key']);
    expect(config.originals['my.plugin.key']).toBe('x');
  });

  it('is frozen', () => {
    const config = parse();
    expect(() => Object.assign(config, { brokerId: 5 })).toThrow(TypeError);
    expect(Object.isFrozen(config.listeners)).toBe(true);
  });

  it('derives a value from the key that counts most', () => {
    expect(parse({ 'log.retention.hours': '1' }).logRetentionMs).toBe(3_600_000);
    expect(parse({ 'log.retention.hours': '1', 'log.retention.minutes': '2' }).logRetentionMs).toBe(120_000);
    expect(parse({ 'log.retention.minutes': '2', 'log.retention.ms': '3' }).logRetentionMs).toBe(3);
    expect(parse({ 'log.retention.hours': '-1' }).logRetentionMs).toBe(-1);
    expect(parse({ 'log.dirs': '/a, /b' }).logDirs).toEqual(['/a', '/b']);
    expect(parse({ 'log.dir': '/c' }).logDirs).toEqual(['/c']);
    expect(parse({ 'log.flush.scheduler.interval.ms': '77' }).logFlushIntervalMs).toBe(77);
  });

  it('reads listeners with names of its own, and IPv6 addresses', () => {
    const config = parse({
      listeners: 'internal://[::1]:9092,EXTERNAL://0.0.0.0:9093',
      'advertised.listeners': 'INTERNAL://[::1]:9092,EXTERNAL://example.org:19093',
      'listener.security.protocol.map': 'INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT',
      'inter.broker.listener.name': 'internal',
    });
    expect(config.listeners[0]).toEqual({ listenerName: 'INTERNAL', securityProtocol: 'PLAINTEXT', host: '::1', port: 9092 });
    expect(config.advertisedListeners[1]).toMatchObject({ host: 'example.org', port: 19_093 });
    expect(config.interBrokerListenerName).toBe('INTERNAL');
  });

  it('has a default that its own rules allow, and a documentation, for every key', () => {
    for (const [name, key] of [...Object.entries(brokerKeys), ...Object.entries(topicKeys)]) {
      expect(() => parseValue(name, key, key.defaultText)).not.toThrow();
      expect(key.doc.length).toBeGreaterThan(20);
    }
  });

  it('parses any text into a value or a ConfigException', () => {
    const names = Object.keys(brokerKeys);
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.string(), (name, text) => {
        try {
          parse({ [name]: text });
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigException);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('text forms', () => {
  it.each([
    ['long', LONG_MAX, LONG_MAX_TEXT],
    ['long', -1, '-1'],
    ['double', 0.5, '0.5'],
    ['double', 1, '1.0'],
    ['double', Number.MAX_VALUE, '1.7976931348623157E308'],
    ['double', 1e7, '1.0E7'],
    ['list', ['a', 'b'], 'a,b'],
    ['boolean', true, 'true'],
    ['string', null, null],
  ] as const)('writes a %s %s as Kafka does', (type, value, text) => {
    expect(textOf(type, value)).toBe(text);
  });

  it('names properties after keys', () => {
    expect(propertyNameOf('log.segment.bytes')).toBe('logSegmentBytes');
    expect(propertyNameOf('preallocate')).toBe('preallocate');
  });
});

describe('LogConfig', () => {
  it("stands the topic's settings over the broker's", () => {
    const broker = parse({ 'log.retention.hours': '2', 'log.flush.interval.messages': '10', 'log.cleanup.policy': 'compact' });
    const config = LogConfig.from(broker, { 'flush.messages': '1', 'segment.bytes': '1048576' });
    expect(config).toMatchObject({ retentionMs: 7_200_000, flushMessages: 1, segmentBytes: 1_048_576, compact: true, delete: false });
    expect(config.overriddenConfigs).toEqual(new Set(['flush.messages', 'segment.bytes']));
    expect(config.texts['flush.ms']).toBe(LONG_MAX_TEXT);
  });

  it('gives every topic key its default from an existing broker key of the same type', () => {
    for (const [name, synonyms] of Object.entries(serverSynonyms)) {
      for (const { brokerKey } of synonyms) expect(brokerKeys[brokerKey], `${name} ← ${brokerKey}`).toBeDefined();
    }
    const fromBroker = LogConfig.from(parse());
    expect(fromBroker.texts).toEqual(LogConfig.fromDefaults().texts);
  });

  it('names the broker keys that are defaults of topics and can change', () => {
    expect(logReconfigurableConfigs).toHaveLength(30);
    expect(logReconfigurableConfigs).toContain('log.flush.interval.ms');
    expect(logReconfigurableConfigs).not.toContain('log.message.format.version');
  });

  it('ignores settings that are no topic keys, as a newer broker may have written them', () => {
    expect(LogConfig.from(parse(), { 'errors.ahead': '1' }).overriddenConfigs.size).toBe(0);
  });

  it.each([
    [{ 'no.such.key': '1' }, /Unknown topic config name/],
    [{ 'retention.ms': '-2' }, /at least -1/],
    [{ 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '5' }, /max.compaction.lag.ms/],
    [{ 'leader.replication.throttled.replicas': '0:1,x' }, /partitionId/],
    [{ 'remote.storage.enable': 'true' }, /Tiered Storage/],
  ])('refuses %j for a topic', (overrides, message) => {
    expect(() => validateTopicConfig(parse(), overrides as Record<string, string>)).toThrow(message);
  });

  it.each([
    ['compression.gzip.level', [-1, 1, 9], [0, 10, -2]],
    ['compression.lz4.level', [1, 17], [0, 18]],
    ['compression.zstd.level', [-131_072, 0, 22], [-131_073, 23]],
  ])('takes %s in the codec’s range only, of a topic and of the broker', (key, good, bad) => {
    for (const level of good) {
      expect(() => validateTopicConfig(parse(), { [key]: String(level) })).not.toThrow();
      expect(() => parse({ [key]: String(level) })).not.toThrow();
    }
    for (const level of bad) {
      expect(() => validateTopicConfig(parse(), { [key]: String(level) }), String(level)).toThrow(key);
      expect(() => parse({ [key]: String(level) }), String(level)).toThrow(key);
    }
  });

  it('takes throttled replicas as a list or as *', () => {
    for (const text of ['', '*', '0:1,1:2']) {
      expect(() => validateTopicConfig(parse(), { 'leader.replication.throttled.replicas': text })).not.toThrow();
    }
  });

  it('lets the deprecated timestamp difference stand in for the limits that replaced it', () => {
    expect(LogConfig.from(parse(), { 'message.timestamp.difference.max.ms': '5' })).toMatchObject({
      messageTimestampBeforeMaxMs: 5,
      messageTimestampAfterMaxMs: 5,
    });
    expect(LogConfig.from(parse(), { 'message.timestamp.difference.max.ms': '5', 'message.timestamp.after.max.ms': '9' })).toMatchObject({
      messageTimestampBeforeMaxMs: 5,
      messageTimestampAfterMaxMs: 9,
    });
  });
});
