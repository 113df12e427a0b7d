import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { AlterConfigOpType, type ConfigRepository, ConfigResourceType } from '../config/config-resource.ts';
import { DynamicBrokerConfig } from '../config/dynamic-config.ts';
import { parseKafkaConfig } from '../config/kafka-config.ts';
import { ConfigAdmin } from './config-admin.ts';

const { TOPIC, BROKER, BROKER_LOGGER } = ConfigResourceType;

function newAdmin() {
  const stored = new Map<string, Record<string, string>>([['topics/t', { 'flush.ms': '100' }]]);
  const repository: ConfigRepository = {
    getEntityConfigs: (type, name) => Promise.resolve(stored.get(`${type}/${name}`) ?? {}),
    setEntityConfigs: (type, name, configs) => {
      stored.set(`${type}/${name}`, { ...configs });
      return Promise.resolve();
    },
  };
  const dynamicConfig = new DynamicBrokerConfig(parseKafkaConfig({ 'zookeeper.connect': 'zk', 'broker.id': '1' }), silentLogger);
  const admin = new ConfigAdmin({
    brokerId: 1,
    dynamicConfig,
    repository,
    topics: { topicExists: (name) => name === 't' },
    logger: silentLogger,
  });
  const set = (resourceType: number, resourceName: string, configs: Record<string, string>) => ({
    resourceType,
    resourceName,
    configs: Object.entries(configs).map(([name, value]) => ({ name, value, configOperation: AlterConfigOpType.SET })),
  });
  const alter = (...resources: ReturnType<typeof set>[]) => admin.alter(resources, { validateOnly: false, incremental: true });
  const describe = (resourceType: number, resourceName: string, configurationKeys: string[] | null = null) =>
    admin.describe({ resourceType, resourceName, configurationKeys }, { includeSynonyms: true, includeDocumentation: true });
  return { admin, stored, set, alter, describe };
}

describe('ConfigAdmin', () => {
  it('changes single settings of a topic and keeps the others', async () => {
    const { alter, set, stored } = newAdmin();
    expect(await alter(set(TOPIC, 't', { 'retention.ms': '5000' }))).toMatchObject([{ errorCode: ErrorCode.NONE }]);
    expect(stored.get('topics/t')).toEqual({ 'flush.ms': '100', 'retention.ms': '5000' });
  });

  it('replaces all settings for the older API', async () => {
    const { admin, set, stored } = newAdmin();
    await admin.alter([set(TOPIC, 't', { 'retention.ms': '5000' })], { validateOnly: false, incremental: false });
    expect(stored.get('topics/t')).toEqual({ 'retention.ms': '5000' });
  });

  it('writes nothing when it is only to check', async () => {
    const { admin, set, stored } = newAdmin();
    const [outcome] = await admin.alter([set(TOPIC, 't', { 'flush.ms': '-1' })], { validateOnly: true, incremental: true });
    expect(outcome?.errorCode).toBe(ErrorCode.INVALID_CONFIG);
    await admin.alter([set(TOPIC, 't', { 'flush.ms': '7' })], { validateOnly: true, incremental: true });
    expect(stored.get('topics/t')).toEqual({ 'flush.ms': '100' });
  });

  it('gives each resource an outcome of its own', async () => {
    const { alter, set, stored } = newAdmin();
    const outcomes = await alter(
      set(TOPIC, 't', { 'retention.ms': '5000' }),
      set(TOPIC, 'missing', { 'retention.ms': '1' }),
      set(TOPIC, '', { 'retention.ms': '1' }),
      set(TOPIC, 'a b', { 'retention.ms': '1' }),
      set(BROKER, '2', { 'num.io.threads': '9' }),
      set(BROKER, 'x', { 'num.io.threads': '9' }),
      set(BROKER, '', { 'broker.rack': 'r' }),
      set(BROKER_LOGGER, '1', { root: 'DEBUG' }),
      set(99, 'x', {}),
    );
    expect(outcomes.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.NONE,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_REQUEST,
    ]);
    expect(stored.get('topics/t')).toMatchObject({ 'retention.ms': '5000' });
  });

  it('stores the settings of this broker and of all brokers apart', async () => {
    const { alter, set, stored } = newAdmin();
    await alter(set(BROKER, '1', { 'num.io.threads': '9' }), set(BROKER, '', { 'log.retention.ms': '9' }));
    expect(stored.get('brokers/1')).toEqual({ 'num.io.threads': '9' });
    expect(stored.get('brokers/<default>')).toEqual({ 'log.retention.ms': '9' });
  });

  it('refuses both when a resource is named twice', async () => {
    const { alter, set, stored } = newAdmin();
    const outcomes = await alter(set(TOPIC, 't', { 'retention.ms': '1' }), set(TOPIC, 't', { 'retention.ms': '2' }));
    expect(outcomes.map(({ errorCode }) => errorCode)).toEqual([ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_REQUEST]);
    expect(stored.get('topics/t')).toEqual({ 'flush.ms': '100' });
  });

  it('describes a topic with documentation, and refuses what is not there', async () => {
    const { describe: ask } = newAdmin();
    const { configs } = await ask(TOPIC, 't', ['flush.ms']);
    expect(configs).toMatchObject([{ name: 'flush.ms', value: '100', documentation: expect.stringContaining('fsync') as string }]);
    expect((await ask(TOPIC, 'missing')).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await ask(BROKER, '2')).errorCode).toBe(ErrorCode.INVALID_REQUEST);
    expect((await ask(BROKER, '1')).configs.length).toBeGreaterThan(150);
    expect((await ask(BROKER, '')).configs).toEqual([]);
  });
});
