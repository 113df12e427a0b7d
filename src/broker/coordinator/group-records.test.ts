import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../protocol/protocol-error.ts';
import { T } from '../../protocol/testing/golden-batches.ts';
import { GroupMetadata } from './group-metadata.ts';
import { groupRecord, groupTombstone, offsetRecord, offsetTombstone, readGroupRecord } from './group-records.ts';
import { MemberMetadata } from './member-metadata.ts';
import { committed } from './testing/coordinator-fixture.ts';

/** Of kafka-facts 5.4, written by Kafka 3.6.2's classes. */
const GOLDEN = {
  offsetKey: '000100016700017400000002',
  offsetValue: '0003000000000000002a0000000500016d0000018bcfe56800',
  offsetValueWithExpiry: '0001000000000000002a00016d0000018bcfe568000000018bcfe56801',
  groupKey: '0002000167',
  groupValue:
    '00030008636f6e73756d657200000001000572616e676500036d2d310000018bcfe568000000000100036d2d31ffff000163000a2f3132372e302e302e31000493e00000afc8000000020001000000020002',
};

const hexOf = (buffer: Buffer | null | undefined): string | undefined => buffer?.toString('hex');
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

function goldenGroup(): GroupMetadata {
  const group = new GroupMetadata('g');
  group.transitionTo('PreparingRebalance', T);
  group.add(
    new MemberMetadata({
      memberId: 'm-1',
      groupInstanceId: null,
      clientId: 'c',
      clientHost: '/127.0.0.1',
      rebalanceTimeoutMs: 300_000,
      sessionTimeoutMs: 45_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: bytes('0001') }],
    }),
  );
  group.initNextGeneration(T);
  return group;
}

describe('records of __consumer_offsets', () => {
  it('of commits are those of Kafka', () => {
    const record = offsetRecord('g', 't', 2, committed(42, T, { leaderEpoch: 5, metadata: 'm' }), T + 9);
    expect([hexOf(record.key), hexOf(record.value), record.timestamp]).toEqual([GOLDEN.offsetKey, GOLDEN.offsetValue, T + 9]);
  });

  it('of commits with an explicit retention are those of Kafka', () => {
    const record = offsetRecord('g', 't', 2, committed(42, T, { metadata: 'm', expireTimestamp: T + 1 }), T);
    expect(hexOf(record.value)).toBe(GOLDEN.offsetValueWithExpiry);
  });

  it('of groups are those of Kafka', () => {
    const record = groupRecord(goldenGroup(), new Map([['m-1', bytes('0002')]]), T);
    expect([hexOf(record.key), hexOf(record.value)]).toEqual([GOLDEN.groupKey, GOLDEN.groupValue]);
  });

  it('that delete have the key alone', () => {
    const [offset, group] = [offsetTombstone('g', 't', 2, T), groupTombstone('g', T)];
    expect([hexOf(offset.key), offset.value, hexOf(group.key), group.value]).toEqual([GOLDEN.offsetKey, null, GOLDEN.groupKey, null]);
  });

  it('are read back', () => {
    expect(readGroupRecord(bytes(GOLDEN.offsetKey), bytes(GOLDEN.offsetValue))).toEqual({
      kind: 'offset',
      groupId: 'g',
      topic: 't',
      partition: 2,
      value: committed(42, T, { leaderEpoch: 5, metadata: 'm' }),
    });
    expect(readGroupRecord(bytes(GOLDEN.offsetKey), bytes(GOLDEN.offsetValueWithExpiry))).toMatchObject({
      value: { expireTimestamp: T + 1, leaderEpoch: -1 },
    });
    expect(readGroupRecord(bytes(GOLDEN.offsetKey), null)).toMatchObject({ kind: 'offset', value: null });
    const group = readGroupRecord(bytes(GOLDEN.groupKey), bytes(GOLDEN.groupValue));
    expect(group).toMatchObject({
      kind: 'group',
      groupId: 'g',
      value: { generationId: 1, protocolName: 'range', leaderId: 'm-1', currentStateTimestamp: T },
    });
    const member = group.kind === 'group' ? group.value?.members[0] : undefined;
    expect([
      member?.memberId,
      member?.rebalanceTimeoutMs,
      member?.sessionTimeoutMs,
      hexOf(member?.metadataOf('range')),
      hexOf(member?.assignment),
    ]).toEqual(['m-1', 300_000, 45_000, '0001', '0002']);
  });

  it('of KIP-848 groups and without a key are passed over', () => {
    for (const version of [3, 4, 5, 6, 7, 8, 99])
      expect(readGroupRecord(Buffer.of(0, version, 1, 2), Buffer.of(0, 0)).kind).toBe('unknown');
    expect(readGroupRecord(null, Buffer.of(1)).kind).toBe('unknown');
  });

  it('give a group or a ProtocolError whatever their bytes are', () => {
    const versioned = fc
      .tuple(fc.integer({ min: 0, max: 5 }), fc.uint8Array({ maxLength: 120 }))
      .map(([version, rest]) => Buffer.from([0, version, ...rest]));
    const keys = fc.oneof(versioned, fc.constantFrom(bytes(GOLDEN.offsetKey), bytes(GOLDEN.groupKey)));
    fc.assert(
      fc.property(keys, fc.option(versioned), (key, value) => {
        try {
          expect(['offset', 'group', 'unknown']).toContain(readGroupRecord(key, value).kind);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
