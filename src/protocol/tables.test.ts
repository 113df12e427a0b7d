import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ErrorCode, errorByCode, KafkaError } from './errors.ts';
import { parseTopicPartitionKey, topicPartitionKey } from './topic-partition.ts';
import { randomUuid, uuidFromBytes, uuidToBytes, ZERO_UUID } from './uuid.ts';
import { coordinatorPartition, javaStringHash, murmur2, partitionForKey } from './records/partitioner.ts';

describe('error codes', () => {
  it('go from -1 to 127 without a gap, each known by its code', () => {
    const codes = Object.values(ErrorCode).sort((a, b) => a - b);
    expect(codes).toEqual(Array.from({ length: 129 }, (_, index) => index - 1));
    for (const [name, code] of Object.entries(ErrorCode)) expect(errorByCode(code)).toMatchObject({ name, code });
  });

  it('tell what a client may try again', () => {
    const retriable = Object.values(ErrorCode).filter((code) => errorByCode(code).retriable);
    expect(retriable.sort((a, b) => a - b)).toEqual([
      2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83, 84, 88, 89, 100, 103, 106, 122, 123,
    ]);
    expect(new KafkaError(ErrorCode.NOT_CONTROLLER)).toMatchObject({ code: 41, errorName: 'NOT_CONTROLLER', retriable: true });
  });

  it('of a newer broker are kept', () => {
    expect(new KafkaError(500, 'detail')).toMatchObject({
      code: 500,
      errorName: 'UNKNOWN_ERROR_CODE',
      retriable: false,
      message: 'detail',
    });
  });
});

describe('partition names', () => {
  it('are the last dash and what is before it', () => {
    expect(topicPartitionKey({ topic: 'a-1', partition: 2 })).toBe('a-1-2');
    expect(parseTopicPartitionKey('a-1-2')).toEqual({ topic: 'a-1', partition: 2 });
    for (const key of ['a', 'a-', '-1', 'a-01', 'a-2147483648', 'a--', 'a-1.x-delete']) expect(parseTopicPartitionKey(key)).toBeUndefined();
  });
});

describe('uuids', () => {
  it('are base64url of 16 bytes', () => {
    expect(uuidFromBytes(Buffer.alloc(16))).toBe(ZERO_UUID);
    expect(uuidToBytes(ZERO_UUID).equals(Buffer.alloc(16))).toBe(true);
    expect(uuidFromBytes(Buffer.alloc(16, 0xff))).toBe('_____________________w');
    for (const text of ['', 'AAAA', `${ZERO_UUID}A`, 'AAAAAAAAAAAAAAAAAAAAAB', '+AAAAAAAAAAAAAAAAAAAAA'])
      expect(() => uuidToBytes(text)).toThrow(/is no uuid/);
    expect(() => uuidFromBytes(Buffer.alloc(15))).toThrow();
  });

  it('that are generated are version 4, never begin with a dash, and leave the random bytes as they were', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.constantFrom(new Uint8Array(16).fill(0xfb), new Uint8Array(16))),
        (array) => {
          const bytes = Buffer.from(array);
          const uuid = randomUuid(bytes);
          expect(uuid).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
          expect(uuid).not.toBe(ZERO_UUID);
          expect(bytes.equals(Buffer.from(array))).toBe(true);
          expect(uuidToBytes(uuid)[6]! >> 4).toBe(4);
        },
      ),
    );
  });
});

describe('partitioners', () => {
  it('hash keys as murmur2 in Kafka does, for each length of the tail', () => {
    const known: [string, number][] = [
      ['21', -973932308],
      ['foobar', -790332482],
      ['a-little-bit-long-string', -985981536],
      ['a-little-bit-longer-string', -1486304829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
      ['abc', 479470107],
      ['key', -1079937367],
    ];
    for (const [key, hash] of known) expect(murmur2(Buffer.from(key))).toBe(hash);
    expect(partitionForKey(Buffer.from('key'), 10)).toBe(1);
  });

  it("find the coordinator by the absolute value of Java's hash", () => {
    expect(javaStringHash('polygenelubricants')).toBe(-(2 ** 31));
    expect(coordinatorPartition('polygenelubricants', 50)).toBe(0);
    expect(coordinatorPartition('g', 50)).toBe(3);
    expect(coordinatorPartition('my-group', 50)).toBe(12);
    // Its hash is negative, and dropping the sign bit would give another partition.
    const negative = ['group-a', 'consumer-1', 'orders-service', 'x1y2z3'].find((id) => javaStringHash(id) < 0)!;
    expect(coordinatorPartition(negative, 50)).toBe(-javaStringHash(negative) % 50);
    expect(coordinatorPartition(negative, 50)).not.toBe((javaStringHash(negative) & 0x7fffffff) % 50);
  });
});
