import { expect, test } from 'vitest';
import { ConfigSource } from '../../client/admin/configs.ts';
import type { ConfigEntry } from '../../client/admin/configs.ts';
import { configEntries } from './config-entries.ts';

const { DYNAMIC_TOPIC_CONFIG, STATIC_BROKER_CONFIG, DEFAULT_CONFIG } = ConfigSource;
const entry = (name: string, value: string, synonyms: readonly (readonly [string, string, number])[]): ConfigEntry => ({
  name,
  value,
  source: synonyms[0]?.[2] ?? DEFAULT_CONFIG,
  isSensitive: false,
  isDefault: false,
  isReadOnly: false,
  synonyms: synonyms.map(([synonym, of, source]) => ({ name: synonym, value: of, source })),
  type: 5,
  documentation: null,
});
const defaultOf = (one: ConfigEntry): string | null | undefined => configEntries([one], () => undefined)[0]?.defaultValue;

test('the default is what stays when the override here is removed', () => {
  const broker = ['log.flush.interval.ms', '1000', STATIC_BROKER_CONFIG] as const;
  const scheduler = ['log.flush.scheduler.interval.ms', '500', STATIC_BROKER_CONFIG] as const;
  expect(defaultOf(entry('flush.ms', '7', [['flush.ms', '7', DYNAMIC_TOPIC_CONFIG], broker, scheduler]))).toBe('1000');
  // Not overridden: what the broker has is what the topic has, and no line below it.
  expect(defaultOf(entry('flush.ms', '1000', [broker, scheduler]))).toBe('1000');
  expect(
    defaultOf(
      entry('broker.id', '1', [
        ['broker.id', '1', STATIC_BROKER_CONFIG],
        ['broker.id', '-1', DEFAULT_CONFIG],
      ]),
    ),
  ).toBe('-1');
});
