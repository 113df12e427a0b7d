/** Keys and values as Apache Kafka 3.6.2's own classes wrote them (kafka-facts 5.4). */
import { describe, expect, it } from 'vitest';
import { decodeVersioned, encodeVersioned, readStoredVersion, type VersionedCodec } from './api.ts';
import { ConsumerProtocolSubscription } from './generated/consumer-protocol-subscription.ts';
import { GroupMetadataKey } from './generated/group-metadata-key.ts';
import { GroupMetadataValue } from './generated/group-metadata-value.ts';
import { OffsetCommitKey } from './generated/offset-commit-key.ts';
import { OffsetCommitValue } from './generated/offset-commit-value.ts';
import { TransactionLogKey } from './generated/transaction-log-key.ts';
import { TransactionLogValue } from './generated/transaction-log-value.ts';
import { T } from './testing/golden-batches.ts';

function check<Value, In>(codec: VersionedCodec<Value, In>, version: number, message: In, hex: string): void {
  expect(encodeVersioned(codec, version, message).toString('hex')).toBe(hex);
  expect(decodeVersioned(codec, Buffer.from(hex, 'hex'))).toMatchObject(message as object);
  expect(readStoredVersion(Buffer.from(hex, 'hex'))).toBe(version);
}

describe('stored messages', () => {
  it('of offset commits', () => {
    check(OffsetCommitKey, 1, { group: 'g', topic: 't', partition: 2 }, '000100016700017400000002');
    const value = { offset: 42, metadata: 'm', commitTimestamp: T };
    check(OffsetCommitValue, 3, { ...value, leaderEpoch: 5 }, '0003000000000000002a0000000500016d0000018bcfe56800');
    check(OffsetCommitValue, 1, { ...value, expireTimestamp: T + 1 }, '0001000000000000002a00016d0000018bcfe568000000018bcfe56801');
  });

  it('of groups', () => {
    check(GroupMetadataKey, 2, { group: 'g' }, '0002000167');
    const member = {
      memberId: 'm-1',
      groupInstanceId: null,
      clientId: 'c',
      clientHost: '/127.0.0.1',
      rebalanceTimeout: 300_000,
      sessionTimeout: 45_000,
    };
    const value = {
      protocolType: 'consumer',
      generation: 1,
      protocol: 'range',
      leader: 'm-1',
      currentStateTimestamp: T,
      members: [{ ...member, subscription: Buffer.from('0001', 'hex'), assignment: Buffer.from('0002', 'hex') }],
    };
    check(
      GroupMetadataValue,
      3,
      value,
      '00030008636f6e73756d657200000001000572616e676500036d2d310000018bcfe568000000000100036d2d31ffff000163000a2f3132372e302e302e31000493e00000afc8000000020001000000020002',
    );
  });

  it('of transactions', () => {
    check(TransactionLogKey, 0, { transactionalId: 'tx' }, '000000027478');
    const value = { producerId: 1000, producerEpoch: 0, transactionTimeoutMs: 60_000, transactionLastUpdateTimestampMs: T };
    check(
      TransactionLogValue,
      0,
      { ...value, transactionStatus: 1, transactionPartitions: [{ topic: 't', partitionIds: [0] }], transactionStartTimestampMs: T },
      '000000000000000003e800000000ea60010000000100017400000001000000000000018bcfe568000000018bcfe56800',
    );
    check(
      TransactionLogValue,
      0,
      { ...value, transactionStatus: 0, transactionPartitions: null, transactionStartTimestampMs: -1 },
      '000000000000000003e800000000ea6000ffffffff0000018bcfe56800ffffffffffffffff',
    );
  });

  it('of an unknown version are refused, unless newer ones may be read as the newest known', () => {
    expect(() => decodeVersioned(OffsetCommitKey, Buffer.from('0002000167', 'hex'))).toThrow('OffsetCommitKey has no version 2');
    const newer = encodeVersioned(ConsumerProtocolSubscription, 3, { topics: ['t'], ownedPartitions: [], rackId: 'r' });
    newer.writeInt16BE(9, 0);
    const extended = Buffer.concat([newer, Buffer.from('more')]);
    expect(() => decodeVersioned(ConsumerProtocolSubscription, extended)).toThrow(/has no version 9/);
    expect(decodeVersioned(ConsumerProtocolSubscription, extended, { newerAsNewest: true })).toMatchObject({ topics: ['t'], rackId: 'r' });
    for (const hex of ['', '00', 'ffff']) expect(() => decodeVersioned(OffsetCommitKey, Buffer.from(hex, 'hex'))).toThrow();
  });
});
