import { describe, expect, it } from 'vitest';
import { allApis, apiByKey } from './apis.ts';
import { decodeRequestBody, decodeRequestHeader, decodeResponse, encodeRequest, encodeResponse, responseCorrelationId } from './frames.ts';
import { AllocateProducerIds } from './generated/allocate-producer-ids.ts';
import { ApiVersions } from './generated/api-versions.ts';
import { ControlledShutdown } from './generated/controlled-shutdown.ts';
import { Fetch } from './generated/fetch.ts';
import { Metadata } from './generated/metadata.ts';
import { Produce } from './generated/produce.ts';
import { ProtocolError } from './protocol-error.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** Parts of a hex text, kept apart for the reader. */
const spaced = (...parts: string[]): string => parts.join('');
const joined = (parts: readonly Buffer[]): Buffer => Buffer.concat(parts);

describe('request headers', () => {
  it('are version 1 before flexible versions, with a client id that may be null', () => {
    expect(joined(encodeRequest(Metadata, 1, 5, 'me', { topics: null })).toString('hex')).toBe(
      spaced('0000001000030001000000050002', '6d65', 'ffffffff'),
    );
    expect(joined(encodeRequest(Metadata, 1, 5, null, { topics: [] })).toString('hex')).toBe(
      spaced('0000000e0003000100000005ffff', '00000000'),
    );
  });

  it('are version 2 from the first flexible version on, in which the client id is still not compact', () => {
    const frame = joined(encodeRequest(ApiVersions, 3, 1, 'me', { clientSoftwareName: 'n', clientSoftwareVersion: 'v' }));
    expect(frame.toString('hex')).toBe(spaced('0000001200120003000000010002', '6d65', '00', '026e', '0276', '00'));
  });

  it('are version 0, without a client id, for ControlledShutdown v0 alone', () => {
    expect(joined(encodeRequest(ControlledShutdown, 0, 1, 'me', { brokerId: 9 })).toString('hex')).toBe('0000000c000700000000000100000009');
    const header = decodeRequestHeader(Buffer.from('000700000000000100000009', 'hex'));
    expect(header).toEqual({ apiKey: 7, apiVersion: 0, correlationId: 1, clientId: null, bodyOffset: 8 });
  });

  it('are read of APIs and versions that we do not know, down to the client id', () => {
    expect(decodeRequestHeader(Buffer.from(spaced('03e70003000000090002', '6d65', 'ff'), 'hex'))).toMatchObject({
      apiKey: 999,
      correlationId: 9,
      clientId: 'me',
    });
    expect(decodeRequestHeader(Buffer.from(spaced('00120063000000090002', '6d65', '00ff'), 'hex'))).toMatchObject({
      apiKey: 18,
      apiVersion: 99,
      clientId: 'me',
    });
    expect(decodeRequestHeader(Buffer.from('ffff800000000009', 'hex'))).toMatchObject({ apiKey: -1, apiVersion: -32768 });
  });

  it('skip tagged fields, and refuse a frame that ends early', () => {
    const header = decodeRequestHeader(Buffer.from(spaced('00120003000000010002', '6d65', '01', '0502aabb', '026e027600'), 'hex'));
    expect(header.bodyOffset).toBe(17);
    for (let length = 0; length < 12; length++) {
      expect(() => decodeRequestHeader(Buffer.from(spaced('00120003000000010002', '6d65', '00'), 'hex').subarray(0, length))).toThrow(
        ProtocolError,
      );
    }
  });
});

describe('response headers', () => {
  it('have tagged fields in flexible versions, but never for ApiVersions', () => {
    expect(
      joined(encodeResponse(AllocateProducerIds, 0, 3, { errorCode: 0, producerIdStart: 1, producerIdLen: 2, throttleTimeMs: 0 })).toString(
        'hex',
      ),
    ).toBe(spaced('00000018', '00000003', '00', '00000000', '0000', '0000000000000001', '00000002', '00'));
    for (const version of [0, 3, 4]) {
      const frame = joined(encodeResponse(ApiVersions, version, 3, { errorCode: 35, apiKeys: [] }));
      expect(frame.subarray(4, 10).toString('hex')).toBe(spaced('00000003', '0023'));
      expect(decodeResponse(ApiVersions, version, frame.subarray(4))).toMatchObject({ correlationId: 3, body: { errorCode: 35 } });
    }
  });

  it('give the correlation id without the body', () => {
    expect(responseCorrelationId(Buffer.from('0000002aff', 'hex'))).toBe(42);
    expect(() => responseCorrelationId(Buffer.alloc(3))).toThrow(ProtocolError);
  });
});

describe('frames', () => {
  it('announce their size with records that were never copied', () => {
    const records = Buffer.alloc(100_000, 'r');
    const parts = encodeResponse(Fetch, 12, 1, {
      responses: [{ topic: 't', partitions: [{ partitionIndex: 0, errorCode: 0, highWatermark: 1, records: [records] }] }],
    });
    expect(parts).toContain(records);
    const frame = joined(parts);
    expect(frame.readInt32BE(0)).toBe(frame.length - 4);
    const { body } = decodeResponse(Fetch, 12, frame.subarray(4));
    expect(body.responses[0]!.partitions[0]!.records![0]!.equals(records)).toBe(true);
  });

  it('are read back as they were asked', () => {
    const body = { acks: -1, timeoutMs: 5, topicData: [{ name: 't', partitionData: [{ index: 0, records: [Buffer.from('xy')] }] }] };
    const frame = joined(encodeRequest(Produce, 9, 77, 'me', body)).subarray(4);
    const header = decodeRequestHeader(frame);
    expect(header).toMatchObject({ apiKey: 0, apiVersion: 9, correlationId: 77, clientId: 'me' });
    expect(decodeRequestBody(Produce, header, frame)).toEqual({ transactionalId: null, ...body });
  });
});

describe('messages in a version that can not carry them', () => {
  it('are refused when a value would be lost that changes the meaning, and cut when it would not', () => {
    const topics = [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1, lastFetchedEpoch: 3 }] }];
    const fetch = { maxWaitMs: 1, minBytes: 1, topics };
    expect(() => encodeRequest(Fetch, 11, 1, null, fetch)).toThrow(
      'FetchPartition.lastFetchedEpoch was set, but version 11 has no such field',
    );
    expect(() => encodeRequest(Fetch, 12, 1, null, fetch)).not.toThrow();
    const metadata = { brokers: [], topics: [], clusterId: 'ignorable' };
    expect(() => encodeResponse(Metadata, 1, 1, metadata)).not.toThrow();
  });

  it('are refused when null stands where the version does not allow it', () => {
    expect(() => encodeRequest(Metadata, 0, 1, null, { topics: null })).toThrow(
      'MetadataRequest.topics is null, which version 0 does not allow',
    );
  });

  it('are refused when the version does not exist', () => {
    expect(() => encodeRequest(Fetch, 3, 1, null, { maxWaitMs: 1, minBytes: 1, topics: [] })).toThrow(
      'FetchRequest has no version 3: 4 to 17 are known',
    );
    expect(() => encodeRequest(Produce, 12, 1, null, { acks: 1, timeoutMs: 1, topicData: [] })).toThrow(ProtocolError);
  });
});

describe('tagged fields', () => {
  it('that are unknown are passed over, before and behind known ones', () => {
    const writer = new Writer();
    Fetch.request.encode(writer, { maxWaitMs: 1, minBytes: 1, topics: [], clusterId: 'abc' }, 12);
    const bytes = writer.toBuffer();
    expect(bytes.subarray(-7).toString('hex')).toBe(spaced('01', '000404616263'));
    const extended = Buffer.concat([bytes.subarray(0, -7), Buffer.from(spaced('03', '000404616263', '6401ff', '650100'), 'hex')]);
    const reader = new Reader(extended);
    expect(Fetch.request.decode(reader, 12)).toMatchObject({ clusterId: 'abc' });
    expect(reader.remaining).toBe(0);
  });

  it('that do not fill their announced size are refused', () => {
    const writer = new Writer();
    Fetch.request.encode(writer, { maxWaitMs: 1, minBytes: 1, topics: [] }, 12);
    const start = writer.toBuffer().subarray(0, -1);
    expect(() => Fetch.request.decode(new Reader(Buffer.concat([start, Buffer.from(spaced('01', '000504616263ff'), 'hex')])), 12)).toThrow(
      /announced its end/,
    );
  });
});

describe('the table of APIs', () => {
  it('finds each by its key, and nothing else', () => {
    for (const api of allApis) expect(apiByKey(api.key)).toBe(api);
    for (const key of [-1, 38, 55, 68, 999]) expect(apiByKey(key)).toBeUndefined();
  });

  it('has the versions that a broker of ours advertises', () => {
    const ranges = Object.fromEntries(allApis.map((api) => [api.name, `${api.minVersion}-${api.maxVersion}`]));
    expect(ranges).toMatchObject({
      Produce: '0-11',
      Fetch: '4-17',
      ListOffsets: '0-9',
      Metadata: '0-12',
      OffsetCommit: '0-9',
      OffsetFetch: '1-9',
      FindCoordinator: '0-6',
      JoinGroup: '0-9',
      Heartbeat: '0-4',
      LeaveGroup: '0-5',
      SyncGroup: '0-5',
      ApiVersions: '0-4',
      CreateTopics: '0-7',
      DeleteTopics: '0-6',
      InitProducerId: '0-5',
      EndTxn: '0-4',
      TxnOffsetCommit: '0-4',
      DescribeLogDirs: '0-4',
      AlterPartition: '0-3',
      LeaderAndIsr: '0-7',
    });
    expect(allApis).toHaveLength(55);
  });
});
