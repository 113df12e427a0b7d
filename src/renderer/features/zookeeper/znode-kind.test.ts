import { expect, it } from 'vitest';
import { ancestorsOf, tidyPath, znodeKind } from './znode-kind.ts';

it('knows Kafka’s nodes by their paths', () => {
  expect(['/brokers/ids/1', '/brokers/topics/t/partitions/0/state', '/config/topics/t', '/mine'].map(znodeKind)).toEqual([
    'brokerId',
    'state',
    'config',
    null,
  ]);
});

it('tidies a path that was typed, and knows what lies above it', () => {
  expect([' brokers//ids/ ', '/'].map(tidyPath)).toEqual(['/brokers/ids', '/']);
  expect(ancestorsOf('/brokers/ids/1')).toEqual(['/', '/brokers', '/brokers/ids']);
  expect(ancestorsOf('/')).toEqual([]);
});
