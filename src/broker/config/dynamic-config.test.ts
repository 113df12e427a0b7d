import { describe, expect, it } from 'vitest';
import { KafkaError } from '../../protocol/errors.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { applyAlterConfigOps, checkWellFormed, duplicateResources } from './config-alter.ts';
import { describeBrokerConfigs, describeDefaultBrokerConfigs, describeTopicConfigs } from './config-describe.ts';
import { AlterConfigOpType, ConfigSource } from './config-resource.ts';
import { DynamicBrokerConfig } from './dynamic-config.ts';
import { brokerKey, parseKafkaConfig } from './kafka-config.ts';
import { topicKey } from './log-config.ts';

function newDynamic(properties: Record<string, string> = {}): DynamicBrokerConfig {
  return new DynamicBrokerConfig(parseKafkaConfig({ 'zookeeper.connect': 'zk:2181', 'broker.id': '1', ...properties }), silentLogger);
}

const all = { includeSynonyms: true, includeDocumentation: false, keys: null };

describe('DynamicBrokerConfig', () => {
  it('stands the broker’s own settings over the cluster’s, and those over the static ones', () => {
    const dynamic = newDynamic({ 'log.retention.ms': '1' });
    dynamic.updateDefaultConfig({ 'log.retention.ms': '2' });
    expect(dynamic.current.logRetentionMs).toBe(2);
    dynamic.updateBrokerConfig({ 'log.retention.ms': '3' });
    expect(dynamic.current.logRetentionMs).toBe(3);
    dynamic.updateBrokerConfig({});
    dynamic.updateDefaultConfig({});
    expect(dynamic.current.logRetentionMs).toBe(1);
  });

  it('lets a dynamic setting win over a static synonym that would count more', () => {
    const dynamic = newDynamic({ 'log.flush.interval.ms': '5', 'log.flush.scheduler.interval.ms': '6' });
    dynamic.updateBrokerConfig({ 'log.flush.interval.ms': '7' });
    expect(dynamic.current.logFlushIntervalMs).toBe(7);
    expect(dynamic.current.logFlushSchedulerIntervalMs).toBeGreaterThan(1e18);
  });

  it('tells those who depend on a key, and only when it has changed', () => {
    const dynamic = newDynamic();
    const calls: string[][] = [];
    const end = dynamic.addReconfigurable({
      reconfigurableConfigs: ['num.io.threads', 'max.connections'],
      reconfigure: (_, newConfig, changed) => calls.push([...changed, String(newConfig.numIoThreads)]),
    });
    dynamic.updateDefaultConfig({ 'num.io.threads': '9' });
    dynamic.updateDefaultConfig({ 'num.io.threads': '9', 'log.retention.ms': '5' });
    end();
    dynamic.updateDefaultConfig({});
    expect(calls).toEqual([['num.io.threads', '9']]);
  });

  it.each([
    [{ 'broker.rack': 'b' }, /dynamically/],
    [{ listeners: 'PLAINTEXT://:1' }, /dynamically/],
    [{ 'num.io.threads': '17' }, /double/],
    [{ 'num.io.threads': '3' }, /half/],
    [{ 'log.retention.ms': 'x' }, /LONG/],
    [{ 'listener.name.plaintext.ssl.keystore.location': '/k' }, /dynamically/],
  ])('refuses the change %j', (texts, message) => {
    expect(() => newDynamic().validate(texts as Record<string, string>, true)).toThrow(message);
  });

  it('asks those who depend on a key before it is changed', () => {
    const dynamic = newDynamic();
    dynamic.addReconfigurable({
      reconfigurableConfigs: ['max.connections'],
      validateReconfiguration: () => {
        throw new Error('not now');
      },
      reconfigure: () => {},
    });
    expect(() => dynamic.validate({ 'max.connections': '5' }, true)).toThrow('not now');
    expect(() => dynamic.validate({ 'log.retention.ms': '5' }, true)).not.toThrow();
  });

  it('starts in spite of stored settings that make no sense', () => {
    const dynamic = newDynamic();
    dynamic.updateBrokerConfig({ 'broker.id': '9', 'log.retention.ms': 'x', 'log.segment.bytes': '1000000' });
    expect(dynamic.current).toMatchObject({ brokerId: 1, logSegmentBytes: 1_000_000 });
    expect(dynamic.dynamicBrokerConfigs).toEqual({ 'log.segment.bytes': '1000000' });
  });
});

describe('describing', () => {
  it('gives a topic’s value and what it stands over, in the order of Kafka', () => {
    const dynamic = newDynamic({ 'log.segment.bytes': '2000000' });
    dynamic.updateDefaultConfig({ 'log.segment.bytes': '3000000' });
    dynamic.updateBrokerConfig({ 'log.segment.bytes': '4000000' });
    const [entry] = describeTopicConfigs(dynamic, { 'segment.bytes': '1000000' }, { ...all, keys: ['segment.bytes'] });
    expect(entry).toMatchObject({
      name: 'segment.bytes',
      value: '1000000',
      configSource: ConfigSource.TOPIC_CONFIG,
      readOnly: false,
      isSensitive: false,
      configType: 3,
    });
    expect(entry?.synonyms).toEqual([
      { name: 'segment.bytes', value: '1000000', source: ConfigSource.TOPIC_CONFIG },
      { name: 'log.segment.bytes', value: '4000000', source: ConfigSource.DYNAMIC_BROKER_CONFIG },
      { name: 'log.segment.bytes', value: '3000000', source: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG },
      { name: 'log.segment.bytes', value: '2000000', source: ConfigSource.STATIC_BROKER_CONFIG },
      { name: 'log.segment.bytes', value: '1073741824', source: ConfigSource.DEFAULT_CONFIG },
    ]);
  });

  it('shows every topic key of Kafka 3.9, with long limits in full', () => {
    const entries = describeTopicConfigs(newDynamic(), {}, all);
    expect(entries).toHaveLength(36);
    expect(entries.find(({ name }) => name === 'flush.ms')).toMatchObject({
      value: '9223372036854775807',
      configSource: ConfigSource.DEFAULT_CONFIG,
      synonyms: [],
    });
    expect(entries.find(({ name }) => name === 'min.cleanable.dirty.ratio')?.value).toBe('0.5');
  });

  it('hides passwords and what it does not know', () => {
    const dynamic = newDynamic({ 'ssl.keystore.password': 'hunter2', 'my.token': 'hunter2' });
    const entries = describeBrokerConfigs(dynamic, all);
    for (const name of ['ssl.keystore.password', 'my.token']) {
      expect(entries.find((entry) => entry.name === name)).toMatchObject({ value: null, isSensitive: true });
    }
    expect(JSON.stringify(entries)).not.toContain('hunter2');
  });

  it('tells what can be changed while the broker runs', () => {
    const entries = describeBrokerConfigs(newDynamic(), { ...all, keys: ['broker.id', 'num.io.threads'] });
    expect(entries.map(({ name, readOnly, value, configSource }) => ({ name, readOnly, value, configSource }))).toEqual([
      { name: 'broker.id', readOnly: true, value: '1', configSource: ConfigSource.STATIC_BROKER_CONFIG },
      { name: 'num.io.threads', readOnly: false, value: '8', configSource: ConfigSource.DEFAULT_CONFIG },
    ]);
  });

  it('shows of the cluster-wide settings only those that are set', () => {
    const dynamic = newDynamic({ 'log.retention.ms': '1' });
    dynamic.updateDefaultConfig({ 'log.retention.ms': '2' });
    expect(describeDefaultBrokerConfigs(dynamic, all)).toMatchObject([
      { name: 'log.retention.ms', value: '2', configSource: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG, synonyms: [{ value: '2' }] },
    ]);
  });
});

describe('altering', () => {
  const { SET, DELETE, APPEND, SUBTRACT } = AlterConfigOpType;
  const apply = (configOperation: number, name: string, value: string | null, current: Record<string, string> = {}) =>
    applyAlterConfigOps([{ name, configOperation, value }], current, topicKey);

  it('sets, deletes, appends and subtracts', () => {
    expect(apply(SET, 'flush.ms', '5', { 'flush.ms': '1', a: 'b' })).toEqual({ 'flush.ms': '5', a: 'b' });
    expect(apply(DELETE, 'flush.ms', null, { 'flush.ms': '1' })).toEqual({});
    expect(apply(APPEND, 'cleanup.policy', 'compact')).toEqual({ 'cleanup.policy': 'delete,compact' });
    expect(apply(APPEND, 'cleanup.policy', 'delete', { 'cleanup.policy': 'delete' })).toEqual({ 'cleanup.policy': 'delete' });
    expect(apply(SUBTRACT, 'cleanup.policy', 'delete', { 'cleanup.policy': 'delete,compact' })).toEqual({ 'cleanup.policy': 'compact' });
  });

  it('refuses to append to what is no list, and operations that do not exist', () => {
    expect(() => apply(APPEND, 'flush.ms', '5')).toThrow(KafkaError);
    expect(() => apply(SUBTRACT, 'no.such.key', '5')).toThrow(/Unknown config name/);
    expect(() => apply(9, 'flush.ms', '5')).toThrow(/Unknown operations type/);
    expect(() => applyAlterConfigOps([{ name: 'num.io.threads', configOperation: APPEND, value: '1' }], {}, brokerKey)).toThrow(
      /append is not allowed/,
    );
  });

  it('refuses a key that comes twice and a value that is missing', () => {
    expect(() =>
      checkWellFormed([
        { name: 'a', value: '1' },
        { name: 'a', value: '2' },
      ]),
    ).toThrow(/duplicate/);
    expect(() => checkWellFormed([{ name: 'a', value: null, configOperation: SET }])).toThrow(/Null value/);
    expect(() => checkWellFormed([{ name: 'a', value: null, configOperation: DELETE }])).not.toThrow();
  });

  it('finds all places of a resource that is named twice', () => {
    const topic = (resourceName: string) => ({ resourceType: 2, resourceName });
    expect(Array.from(duplicateResources([topic('a'), topic('b'), topic('a'), { resourceType: 4, resourceName: 'b' }]))).toEqual([0, 2]);
  });
});
