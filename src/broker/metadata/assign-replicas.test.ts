import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Random } from '../../runtime/random.ts';
import { nodeRandom } from '../../runtime/node/node-random.ts';
import { assignReplicasToBrokers, type BrokerMetadata } from './assign-replicas.ts';

const brokersOf = (...racks: readonly (string | undefined)[]): BrokerMetadata[] => racks.map((rack, id) => ({ id, rack }));
const NO_RANDOM: Random = {
  next: () => 0,
  int: () => 0,
  bytes: (length) => Buffer.alloc(length),
};

describe('without racks', () => {
  it('places leaders in turn and shifts the followers further with each round, as Apache Kafka does', () => {
    const brokers = brokersOf(...Array.from({ length: 5 }, () => undefined));
    const assignment = assignReplicasToBrokers(brokers, {
      partitionCount: 10,
      replicationFactor: 3,
      fixedStartIndex: 0,
      random: NO_RANDOM,
    });
    expect([...assignment.values()]).toEqual([
      [0, 1, 2],
      [1, 2, 3],
      [2, 3, 4],
      [3, 4, 0],
      [4, 0, 1],
      [0, 2, 3],
      [1, 3, 4],
      [2, 4, 0],
      [3, 0, 1],
      [4, 1, 2],
    ]);
  });

  it('goes on where a topic ends when partitions are added', () => {
    const brokers = brokersOf(...Array.from({ length: 5 }, () => undefined));
    const options = { partitionCount: 5, replicationFactor: 3, fixedStartIndex: 0, startPartitionId: 5, random: NO_RANDOM };
    expect([...assignReplicasToBrokers(brokers, options).keys()]).toEqual([5, 6, 7, 8, 9]);
  });

  it('works with one broker', () => {
    expect([
      ...assignReplicasToBrokers(brokersOf(undefined), { partitionCount: 2, replicationFactor: 1, random: nodeRandom }).values(),
    ]).toEqual([[0], [0]]);
  });
});

describe('with racks', () => {
  it("places a partition's replicas on different racks, as in the example of KIP-36", () => {
    const brokers = brokersOf('rack1', 'rack3', 'rack3', 'rack2', 'rack2', 'rack1');
    const assignment = assignReplicasToBrokers(brokers, { partitionCount: 6, replicationFactor: 3, fixedStartIndex: 0, random: NO_RANDOM });
    expect([...assignment.values()]).toEqual([
      [0, 3, 1],
      [3, 1, 5],
      [1, 5, 4],
      [5, 4, 2],
      [4, 2, 0],
      [2, 0, 3],
    ]);
  });

  it('gives a rack a second replica only when every rack has one', () => {
    const anyRacks = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(anyRacks, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 }), (racks, wanted, partitionCount) => {
        const replicationFactor = Math.min(wanted, racks.length);
        const assignment = assignReplicasToBrokers(brokersOf(...racks), { partitionCount, replicationFactor, random: nodeRandom });
        for (const replicas of assignment.values()) {
          expect(new Set(replicas).size).toBe(replicationFactor);
          const used = new Set(replicas.map((id) => racks[id]));
          expect(used.size).toBe(Math.min(replicationFactor, new Set(racks).size));
        }
      }),
    );
  });
});

it('spreads leaders evenly whatever the random start', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 5 }), (brokerCount, rounds) => {
      const brokers = brokersOf(...Array.from({ length: brokerCount }, () => undefined));
      const assignment = assignReplicasToBrokers(brokers, {
        partitionCount: brokerCount * rounds,
        replicationFactor: 1,
        random: nodeRandom,
      });
      for (const { id } of brokers) expect([...assignment.values()].filter(([leader]) => leader === id)).toHaveLength(rounds);
    }),
  );
});

it.each([
  ['INVALID_PARTITIONS', { partitionCount: 0, replicationFactor: 1 }, [undefined]],
  ['INVALID_REPLICATION_FACTOR', { partitionCount: 1, replicationFactor: 0 }, [undefined]],
  ['INVALID_REPLICATION_FACTOR', { partitionCount: 1, replicationFactor: 2 }, [undefined]],
  ['INVALID_REPLICATION_FACTOR', { partitionCount: 1, replicationFactor: 1 }, []],
  ['INVALID_REQUEST', { partitionCount: 1, replicationFactor: 1 }, ['a', undefined]],
])('refuses with %s: %j', (errorName, counts, racks) => {
  expect(() => assignReplicasToBrokers(brokersOf(...racks), { ...counts, random: nodeRandom })).toThrow(
    expect.objectContaining({ errorName }),
  );
});
