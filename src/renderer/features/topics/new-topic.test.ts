import { expect, it } from 'vitest';
import type { TopicConfigSpec } from '../../../console/contract/configs.ts';
import { checkPartitionCount, checkName, checkNewTopic, hasProblems } from './new-topic.ts';

const flush: TopicConfigSpec = {
  name: 'flush.messages',
  group: 'flush',
  type: 'long',
  defaultValue: '9223372036854775807',
  unit: 'messages',
  min: 1,
  max: null,
  allowed: null,
  documentation: '',
};
const specs = new Map([[flush.name, flush]]);
const topic = { name: 'orders', partitions: '', replicationFactor: '', configs: [] };

it('follows Kafka’s rules for names', () => {
  expect(['', '.', '..', 'a b', 'ä', 'x'.repeat(250)].map(checkName)).toEqual([
    'empty',
    'dots',
    'dots',
    'characters',
    'characters',
    'length',
  ]);
  expect(['a', 'A.b_c-9', '...', 'x'.repeat(249)].map(checkName)).toEqual([null, null, null, null]);
});

it('takes empty numbers as the broker’s defaults', () => {
  expect(hasProblems(checkNewTopic(topic, specs, 3))).toBe(false);
});

it('refuses numbers that cannot be', () => {
  expect(checkNewTopic({ ...topic, partitions: '0' }, specs, 3).partitions).toBe('number');
  expect(checkNewTopic({ ...topic, partitions: '1e3' }, specs, 3).partitions).toBe('number');
  expect(checkNewTopic({ ...topic, partitions: '10001' }, specs, 3).partitions).toBe('max');
  expect(checkNewTopic({ ...topic, replicationFactor: '4' }, specs, 3).replicationFactor).toBe('brokers');
  expect(checkNewTopic({ ...topic, replicationFactor: '4' }, specs, null).replicationFactor).toBeNull();
});

it('checks configs by the catalog, and leaves unknown keys to the broker', () => {
  const found = checkNewTopic(
    {
      ...topic,
      configs: [
        { name: 'flush.messages', value: '0' },
        { name: 'new.key', value: '?' },
      ],
    },
    specs,
    3,
  );
  expect([...found.configs.keys()]).toEqual(['flush.messages']);
});

it('takes a number of partitions only above the present one, up to the limit', () => {
  expect(['', 'x', '0', '3', '2.5', '-4'].map((text) => checkPartitionCount(text, 3))).toEqual(Array(6).fill('number'));
  expect(checkPartitionCount('4', 3)).toBeNull();
  expect(checkPartitionCount('10001', 3)).toBe('max');
});
