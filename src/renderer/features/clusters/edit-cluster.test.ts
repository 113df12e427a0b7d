import { expect, test } from 'vitest';
import type { ClusterMakeUp } from '../../../console/contract/clusters.ts';
import { draftOf, readEdit, readSettings } from './edit-cluster.ts';

const before: ClusterMakeUp = {
  name: 'second',
  brokers: [
    { id: 1, port: 9092 },
    { id: 2, port: 9093 },
  ],
  logDirsPerBroker: 2,
  zookeeper: { kind: 'embedded', port: 2181 },
  config: { 'num.partitions': '4' },
};
const draft = draftOf(before);

test('what was not touched is no change, and neither is another way to write it', () => {
  expect(readEdit(draft, before)).toEqual({ change: {}, removed: [] });
  const same = { ...draft, name: ' second ', zookeeperPort: '', connect: 'x', config: '# mine\n\n num.partitions = 4 ' };
  expect(readEdit(same, before)).toEqual({ change: {}, removed: [] });
  const outside: ClusterMakeUp = { ...before, zookeeper: { kind: 'external', connect: 'zk:2181/a' } };
  expect(readEdit(draftOf(outside), outside)).toEqual({ change: {}, removed: [] });
});

test('names what differs: brokers as a whole, settings a key each', () => {
  const edit = {
    ...draft,
    name: 'Second try',
    brokers: [
      { id: 2, port: '9200' },
      { id: null, port: '' },
    ],
    logDirs: '3',
    zookeeper: 'external' as const,
    connect: ' zk:2181/here ',
    config: 'log.roll.ms=1000',
  };
  expect(readEdit(edit, before)).toEqual({
    change: {
      name: 'Second try',
      brokers: [
        { id: 2, port: 9200 },
        { id: null, port: null },
      ],
      logDirsPerBroker: 3,
      zookeeper: { kind: 'external', connect: 'zk:2181/here' },
      config: { 'num.partitions': null, 'log.roll.ms': '1000' },
    },
    removed: [1],
  });
});

test('names everything that is wrong at once, and where', () => {
  const bad = {
    ...draft,
    name: ' ',
    brokers: [
      { id: 1, port: '9092' },
      { id: 2, port: '' },
    ],
    logDirs: '1',
    zookeeperPort: '70000',
    config: 'a.b=1\nnothing',
  };
  expect(readEdit(bad, before)).toEqual({
    wrong: new Map([
      ['name', { at: '' }],
      ['brokers', { at: '1' }],
      ['logDirs', { at: '2' }],
      ['zookeeperPort', { at: '' }],
      ['config', { at: '2' }],
    ]),
  });
  expect(readEdit({ ...draft, brokers: [] }, before)).toEqual({ wrong: new Map([['brokers', { at: '' }]]) });
});

test('a value may be empty and hold an equals sign; a key that comes twice is told', () => {
  expect(readSettings('a=\nb.c = x=y')).toEqual({ config: { a: '', 'b.c': 'x=y' } });
  expect(readSettings('a=1\n\na=2')).toEqual({ line: 3 });
  expect(readSettings('constructor=1')).toEqual({ config: { constructor: '1' } });
});
