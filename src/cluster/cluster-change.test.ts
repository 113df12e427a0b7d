import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkClusterChange, planChange } from './cluster-change.ts';
import { newClusterSpec, SpecError } from './cluster-spec.ts';

const before = newClusterSpec({ brokers: 3, config: { 'num.partitions': '4', 'log.flush.interval.ms': '9' } });
const stay = before.brokers.map(({ id }) => ({ id, port: null }));

describe('a change of a cluster’s make-up', () => {
  it('leaves alone what it does not name', () => {
    expect(planChange(before, {})).toEqual({ spec: before, movable: new Set(), removed: [], zookeeper: 'same' });
  });

  it('gives a new broker the next id, and a port behind the others that may be moved unless it was asked for', () => {
    const { spec, movable } = planChange(before, {
      brokers: [...stay, { id: null, port: null }, { id: null, port: 9200 }, { id: null, port: null }],
    });
    expect(spec.brokers.slice(3)).toEqual([
      { id: 4, port: 9201 },
      { id: 5, port: 9200 },
      { id: 6, port: 9202 },
    ]);
    expect(movable).toEqual(new Set(['broker-4', 'broker-6']));
  });

  it('keeps what else is known of a broker when its port changes', () => {
    const racked = { ...before, brokers: [{ id: 7, port: 9092, rack: 'a', config: { 'log.roll.ms': '5' } }] };
    expect(planChange(racked, { brokers: [{ id: 7, port: 9300 }] }).spec.brokers).toEqual([
      { id: 7, port: 9300, rack: 'a', config: { 'log.roll.ms': '5' } },
    ]);
  });

  it('tells which brokers would go', () => {
    const { spec, removed } = planChange(before, {
      brokers: [
        { id: 1, port: null },
        { id: 3, port: null },
      ],
    });
    expect([spec.brokers.map(({ id }) => id), removed.map(({ id }) => id)]).toEqual([[1, 3], [2]]);
  });

  it('sets settings and takes them back, a key each', () => {
    const { spec } = planChange(before, { config: { 'num.partitions': null, 'log.roll.ms': '100' } });
    expect(spec.config).toEqual({ 'log.flush.interval.ms': '9', 'log.roll.ms': '100' });
  });

  it('tells a ZooKeeper that listens elsewhere from another one', () => {
    expect(planChange(before, { zookeeper: { kind: 'embedded', port: null } }).zookeeper).toBe('same');
    expect(planChange(before, { zookeeper: { kind: 'embedded', port: 2999 } }).zookeeper).toBe('moved');
    const outside = { kind: 'external', connect: 'zk:2181/a' } as const;
    const { spec, zookeeper } = planChange(before, { zookeeper: outside });
    expect([spec.zookeeper, zookeeper]).toEqual([outside, 'other']);
    expect(planChange(spec, { zookeeper: outside }).zookeeper).toBe('same');
    expect(planChange(spec, { zookeeper: { ...outside, connect: 'zk:2181/b' } }).zookeeper).toBe('other');
  });

  it.each([
    ['no broker at all', { brokers: [] }, /brokers must be a list of 1 to 32/],
    ['a broker that is not there', { brokers: [{ id: 9, port: null }] }, /has no broker 9; 1, 2, 3 are there/],
    ['one broker twice', { brokers: [...stay, { id: 1, port: 9999 }] }, /broker id 1 is there twice/],
    ['a port of two', { brokers: [...stay, { id: null, port: 9092 }] }, /port 9092 is there twice/],
    [
      'more brokers than may be',
      { brokers: [...stay, ...Array.from({ length: 30 }, () => ({ id: null, port: null }))] },
      /list of 1 to 32/,
    ],
    ['fewer log dirs', { logDirsPerBroker: 0 }, /log dirs: is 0; a whole number from 1 to 8/],
    ['a name of two lines', { name: 'a\nb' }, /name is "a\\nb"; at most 40 characters on one line/],
    ['a key of the cluster itself', { config: { listeners: 'x' } }, /config\['listeners'\] is set by the cluster itself/],
  ])('refuses %s as a new cluster’s would be', (_what, change, message) => {
    expect(() => planChange(before, change)).toThrow(message);
  });
});

describe('a change from another process', () => {
  it('is taken as it is when it is one', () => {
    const change = {
      name: 'x',
      brokers: [
        { id: 1, port: 1 },
        { id: null, port: null },
      ],
      logDirsPerBroker: 2,
      zookeeper: { kind: 'external' as const, connect: 'a:1' },
      config: { 'a.b': null, c: '' },
    };
    expect(checkClusterChange(change)).toEqual(change);
  });

  it.each([
    [7, /the change must be an object, not 7/],
    [{ broker: 1 }, /the change\.broker is unknown; name, brokers/],
    [{ brokers: [{ id: 1, port: 0 }] }, /brokers\[0\]\.port is 0; a whole number from 1 to 65535/],
    [{ config: { a: 1 } }, /config\['a'\] is 1; text is allowed/],
    [{ zookeeper: { kind: 'raft' } }, /neither 'embedded' nor 'external'/],
  ])('%j is refused with the place', (value, message) => {
    expect(() => checkClusterChange(value)).toThrow(message);
  });

  it('never fails, read or planned, with anything but a SpecError', () => {
    const part = fc.oneof(fc.jsonValue(), fc.array(fc.record({ id: fc.oneof(fc.nat(5), fc.constant(null)), port: fc.constant(null) })));
    fc.assert(
      fc.property(fc.record({ brokers: part, zookeeper: part, config: part, name: part }, { requiredKeys: [] }), (value) => {
        try {
          planChange(before, checkClusterChange(value));
        } catch (error) {
          expect(error).toBeInstanceOf(SpecError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
