import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkClusterSpec, newClusterSpec, SpecError, withBrokerCount, withLogDirs } from './cluster-spec.ts';

describe('a new cluster spec', () => {
  it('has three brokers from 9092 and ZooKeeper on 2181', () => {
    const spec = newClusterSpec();
    expect(spec.brokers).toEqual([
      { id: 1, port: 9092 },
      { id: 2, port: 9093 },
      { id: 3, port: 9094 },
    ]);
    expect(spec.zookeeper).toEqual({ kind: 'embedded', port: 2181 });
  });

  it('survives being written and read', () => {
    const spec = newClusterSpec({
      brokers: 5,
      basePort: 19092,
      config: { 'num.partitions': '4' },
      logDirsPerBroker: 2,
      zookeeper: { kind: 'external', connect: 'a:1,b:2/chroot' },
    });
    expect(checkClusterSpec(JSON.parse(JSON.stringify(spec)), 'x')).toEqual(spec);
  });
});

describe('growing a cluster', () => {
  it('adds brokers behind the last, on ports behind the last', () => {
    const grown = withBrokerCount(newClusterSpec({ brokers: 1 }), 3);
    expect(grown.brokers.map(({ id, port }) => [id, port])).toEqual([
      [1, 9092],
      [2, 9093],
      [3, 9094],
    ]);
  });

  it('refuses to leave brokers out, whose partitions would be offline', () => {
    expect(() => withBrokerCount(newClusterSpec(), 2)).toThrow(/has a cluster of 3; 2 would leave partitions/);
  });
});

describe('the log dirs of a cluster', () => {
  it('become more, never fewer, and are at most eight', () => {
    const two = withLogDirs(newClusterSpec(), 2);
    expect(two.logDirsPerBroker).toBe(2);
    expect(() => withLogDirs(two, 1)).toThrow(/each broker of this data folder has 2; 1 would leave out partitions/);
    expect(() => withLogDirs(two, 9)).toThrow(/log dirs: is 9; a whole number from 1 to 8 is allowed/);
    expect(() => checkClusterSpec({ ...two, logDirsPerBroker: 0 }, 'c.json')).toThrow(/c\.json: logDirsPerBroker is 0/);
  });
});

describe('reading a cluster spec', () => {
  const good = JSON.parse(JSON.stringify(newClusterSpec())) as Record<string, unknown>;

  it.each([
    ['no object', 7, /c\.json must be an object, not 7/],
    ['a newer version', { ...good, version: 2 }, /c\.json: version is 2; this program knows 1/],
    [
      'an unknown key',
      { ...good, broker: [] },
      /c\.json\.broker is unknown; version, name, brokers, zookeeper, logDirsPerBroker, config are allowed/,
    ],
    ['no brokers', { ...good, brokers: [] }, /brokers must be a list of 1 to 32/],
    ['a port out of range', { ...good, brokers: [{ id: 1, port: 99_999 }] }, /brokers\[0\]\.port is 99999; a whole number from 1 to 65535/],
    [
      'an id twice',
      {
        ...good,
        brokers: [
          { id: 1, port: 1 },
          { id: 1, port: 2 },
        ],
      },
      /broker id 1 is there twice/,
    ],
    ['a port of two processes', { ...good, brokers: [{ id: 1, port: 2181 }] }, /port 2181 is there twice/],
    ['a key that the cluster sets', { ...good, config: { 'log.dirs': '/x' } }, /config\['log\.dirs'\] is set by the cluster itself/],
    ['a value that is no text', { ...good, config: { 'num.partitions': 3 } }, /config\['num\.partitions'\] is 3; text is allowed/],
    ['another kind of ZooKeeper', { ...good, zookeeper: { kind: 'raft' } }, /zookeeper\.kind is "raft"/],
    [
      'a connect string with a space',
      { ...good, zookeeper: { kind: 'external', connect: 'a b' } },
      /host:port,host:port\/chroot is the form/,
    ],
  ])('refuses %s and says where', (_name, value, message) => {
    expect(() => checkClusterSpec(value, 'c.json')).toThrow(message);
  });

  it('never fails with anything but a SpecError', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.jsonValue().map((value) => ({ ...good, brokers: value })),
          fc.jsonValue().map((value) => ({ ...good, zookeeper: value })),
        ),
        (value) => {
          try {
            checkClusterSpec(value, 'c.json');
          } catch (error) {
            expect(error).toBeInstanceOf(SpecError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
