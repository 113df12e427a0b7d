/**
 * The handlers that read and write logs (0, 1, 2, 21, 23, 35), and 4 and 5, in each of their versions, on a replica manager whose log
 * is in memory: what they answer, and that each version can carry it.
 */
import { describe, expect, it } from 'vitest';
import type { Api } from '../../../protocol/api.ts';
import { ErrorCode, errorByCode } from '../../../protocol/errors.ts';
import { decodeResponse, encodeRequest, encodeResponse } from '../../../protocol/frames.ts';
import { DeleteRecords } from '../../../protocol/generated/delete-records.ts';
import { DescribeLogDirs } from '../../../protocol/generated/describe-log-dirs.ts';
import { Fetch } from '../../../protocol/generated/fetch.ts';
import { LeaderAndIsr } from '../../../protocol/generated/leader-and-isr.ts';
import { ListOffsets } from '../../../protocol/generated/list-offsets.ts';
import { OffsetForLeaderEpoch } from '../../../protocol/generated/offset-for-leader-epoch.ts';
import { Produce } from '../../../protocol/generated/produce.ts';
import { StopReplica } from '../../../protocol/generated/stop-replica.ts';
import { Reader } from '../../../protocol/reader.ts';
import { CompressionCodec } from '../../../protocol/records/compression.ts';
import type { LogManager } from '../../log/log-manager.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import { batchOf, replicaManagerFixture, stateOf, TOPIC, TOPIC_ID, TP, valuesOf } from '../../replication/testing/replication-fixture.ts';
import type { ReplicaManagerFixture } from '../../replication/testing/replication-fixture.ts';
import { RecordDeleter } from '../../replication/record-deleter.ts';
import { silentLogger } from '../../../runtime/node/node-logger.ts';
import { fakeRequest } from '../testing/fake-request.ts';
import { createProduceHandler } from './00-produce.ts';
import { createFetchHandler } from './01-fetch.ts';
import { createListOffsetsHandler } from './02-list-offsets.ts';
import { createLeaderAndIsrHandler } from './04-leader-and-isr.ts';
import { createStopReplicaHandler } from './05-stop-replica.ts';
import { createDeleteRecordsHandler } from './21-delete-records.ts';
import { createOffsetForLeaderEpochHandler } from './23-offset-for-leader-epoch.ts';
import { createDescribeLogDirsHandler } from './35-describe-log-dirs.ts';
import type { BrokerDirectory } from './broker-directory.ts';

const ELSEWHERE = 'elsewhere';
const nameOf = (code: number | undefined): string => (code === undefined ? 'no code' : errorByCode(code).name);

/** Knows the topic that is hosted here, one that broker 2 leads, and an internal one. */
const directory: BrokerDirectory = {
  absentPartitionError: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  partitionExists: ({ topic, partition }) => partition === 0 && [TOPIC, ELSEWHERE, '__consumer_offsets'].includes(topic),
  topicNameOf: (id) => (id === TOPIC_ID ? TOPIC : undefined),
  topicIdOf: (topic) => (topic === TOPIC ? TOPIC_ID : undefined),
  leaderOf: () => ({ leaderId: 2, leaderEpoch: 9 }),
  endpointsOf: (ids) => [...ids].map((nodeId) => ({ nodeId, host: 'two', port: 9093, rack: null })),
};

/** Sends `body` over the wire's bytes and back, both ways; resolves with what a client would read. */
async function ask<Req, Res, ReqIn extends object, ResIn>(
  api: Api<Req, Res, ReqIn, ResIn>,
  handler: ApiHandler<Req>,
  version: number,
  body: ReqIn,
  settle: () => void = () => {},
): Promise<Res> {
  const whole = Buffer.concat(encodeRequest(api, version, 1, null, body));
  // Size, header of version 1 without a client id; flexible ones have tags behind it.
  const request = fakeRequest<Req, ResIn>(
    api.key,
    version,
    api.request.decode(new Reader(whole.subarray(version >= api.flexibleFrom ? 15 : 14)), version),
  );
  await handler(request);
  settle();
  return decodeResponse(api, version, Buffer.concat(encodeResponse(api, version, 1, await request.response)).subarray(4)).body;
}

function versionsOf(api: { readonly minVersion: number; readonly maxVersion: number }): number[] {
  return Array.from({ length: api.maxVersion - api.minVersion + 1 }, (_, index) => api.minVersion + index);
}

/** Leads the topic alone, with these records in it. */
function leading(...values: string[]): ReplicaManagerFixture {
  const fixture = replicaManagerFixture();
  fixture.lead({ isr: [1] });
  for (const value of values) fixture.append(batchOf([value]), { acks: 1 });
  return fixture;
}

describe('DeleteRecords', () => {
  it.each(versionsOf(DeleteRecords))('version %i', async (version) => {
    const fixture = leading('a', 'b', 'c');
    const recordDeleter = new RecordDeleter({ replicaManager: fixture.manager, logger: silentLogger });
    // Broker 2 is a replica that has not fetched yet: it would be waited for.
    fixture.fetch({ replicaId: 2, maxWaitMs: 0 }, { fetchOffset: 3, logStartOffset: 3 });
    fixture.fetch({ replicaId: 3, maxWaitMs: 0 }, { fetchOffset: 3, logStartOffset: 3 });
    const handler = createDeleteRecordsHandler({ recordDeleter, directory });
    const { topics } = await ask(DeleteRecords, handler, version, {
      topics: [
        { name: TOPIC, partitions: [{ partitionIndex: 0, offset: 2 }] },
        { name: 'unknown', partitions: [{ partitionIndex: 0, offset: 2 }] },
      ],
      timeoutMs: 100,
    });
    expect(topics).toEqual([
      { name: 'unknown', partitions: [{ partitionIndex: 0, lowWatermark: -1, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }] },
      { name: TOPIC, partitions: [{ partitionIndex: 0, lowWatermark: 2, errorCode: ErrorCode.NONE }] },
    ]);
  });
});

describe('Produce', () => {
  const send = async (
    fixture: ReplicaManagerFixture,
    version: number,
    records: Buffer | null,
    { name = TOPIC, acks = 1, knows = directory } = {},
  ) => {
    const handler = createProduceHandler({ appender: fixture.appender, directory: knows });
    const body = {
      acks,
      timeoutMs: 100,
      topicData: [{ name, partitionData: [{ index: 0, records: records === null ? null : [records] }] }],
    };
    const response = await ask(Produce, handler, version, body, () => fixture.time.runTurnEnd());
    return { ...response, answer: response.responses[0]?.partitionResponses[0] };
  };

  it('refuses what was sent behind a batch for a topic that it did not know yet in the same way', async () => {
    const fixture = leading();
    const knowsNothing = { ...directory, partitionExists: () => false };
    const sent = async (baseSequence: number, knows = directory): Promise<string> => {
      const batch = batchOf([`${baseSequence}`], { producerId: 7, producerEpoch: 0, baseSequence });
      return nameOf((await send(fixture, 9, batch, { knows })).answer?.errorCode);
    };
    expect(await sent(0)).toBe('NONE');
    expect(await sent(1, knowsNothing)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    expect(await sent(2)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    expect([await sent(1), await sent(2)]).toEqual(['NONE', 'NONE']);
  });

  it.each(versionsOf(Produce))('version %i', async (version) => {
    const fixture = leading('a');
    const old = version < 3;
    const or = (name: string): string => (old ? 'UNSUPPORTED_FOR_MESSAGE_FORMAT' : name);
    const written = await send(fixture, version, batchOf(['b']));
    expect(nameOf(written.answer?.errorCode)).toBe(or('NONE'));
    if (!old) expect(written.answer?.baseOffset).toBe(1);
    expect(nameOf((await send(fixture, version, null)).answer?.errorCode)).toBe(or('CORRUPT_MESSAGE'));
    expect(nameOf((await send(fixture, version, batchOf(['x']), { name: 'unknown' })).answer?.errorCode)).toBe(
      or('UNKNOWN_TOPIC_OR_PARTITION'),
    );
    expect(nameOf((await send(fixture, version, batchOf(['x']), { name: '__consumer_offsets' })).answer?.errorCode)).toBe(
      or('INVALID_TOPIC_EXCEPTION'),
    );
    expect(nameOf((await send(fixture, version, batchOf(['x']), { acks: 2 })).answer?.errorCode)).toBe('INVALID_REQUIRED_ACKS');
    const moved = await send(fixture, version, batchOf(['x']), { name: ELSEWHERE });
    expect(nameOf(moved.answer?.errorCode)).toBe(or('NOT_LEADER_OR_FOLLOWER'));
    // KIP-951.
    if (version >= 10)
      expect([moved.answer?.currentLeader, moved.nodeEndpoints]).toEqual([{ leaderId: 2, leaderEpoch: 9 }, directory.endpointsOf([2], '')]);
    const zstd = batchOf(['z'], { codec: CompressionCodec.ZSTD });
    expect(nameOf((await send(fixture, version, zstd)).answer?.errorCode)).toBe(or(version < 7 ? 'UNSUPPORTED_COMPRESSION_TYPE' : 'NONE'));
    expect(fixture.partition().log?.logEndOffset).toBe(old ? 1 : version < 7 ? 2 : 3);
  });

  it('tells from version 8 on which records it refused', async () => {
    const fixture = replicaManagerFixture({ config: { 'message.timestamp.after.max.ms': '3600000' } });
    fixture.lead({ isr: [1] });
    const tomorrow = (): Buffer => batchOf(['a', 'b'], { timestamp: fixture.time.wallMs() + 86_400_000 });
    const { answer } = await send(fixture, 8, tomorrow());
    expect(nameOf(answer?.errorCode)).toBe('INVALID_TIMESTAMP');
    expect(answer?.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([0, 1]);
    expect((await send(fixture, 7, tomorrow())).answer).toMatchObject({ errorCode: ErrorCode.INVALID_TIMESTAMP, recordErrors: [] });
  });

  it('with acks=0 is not answered, or the connection closed', async () => {
    const fixture = leading();
    const handler = createProduceHandler({ appender: fixture.appender, directory });
    const send0 = async (name: string): Promise<unknown> => {
      const body = {
        transactionalId: null,
        acks: 0,
        timeoutMs: 100,
        topicData: [{ name, partitionData: [{ index: 0, records: [batchOf(['a'])] }] }],
      };
      const request = fakeRequest(Produce.key, 9, body);
      await handler(request);
      fixture.time.runTurnEnd();
      return request.response.catch((error: Error) => error.message);
    };
    expect(await send0(TOPIC)).toBe('no answer');
    expect(await send0('unknown')).toBe('connection closed');
  });

  it('refuses what is no one batch before the log looks', async () => {
    const fixture = leading();
    const code = async (records: Buffer): Promise<string> => nameOf((await send(fixture, 9, records)).answer?.errorCode);
    expect(await code(Buffer.concat([batchOf(['a']), batchOf(['b'])]))).toBe('INVALID_RECORD');
    expect(await code(batchOf(['a']).subarray(0, 50))).toBe('CORRUPT_MESSAGE');
    for (const length of [-13, 0, 48, 1 << 30]) {
      const batch = batchOf(['a']);
      batch.writeInt32BE(length, 8);
      expect(await code(batch)).toBe('CORRUPT_MESSAGE');
    }
    const torn = batchOf(['a']);
    torn.writeUInt32BE(7, 17);
    expect(await code(torn)).toBe('CORRUPT_MESSAGE');
    expect(fixture.partition().log?.appendEndOffset).toBe(0);
  });
});

describe('Fetch', () => {
  const send = async (fixture: ReplicaManagerFixture, version: number, partition: object = {}, more: object = {}, topic: object = {}) => {
    const handler = createFetchHandler({ replicaManager: fixture.manager, directory, fetchMaxBytes: 1 << 20, releaseRecords: () => {} });
    const named = version >= 13 ? { topicId: TOPIC_ID } : { topic: TOPIC };
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20, ...partition }];
    const body = {
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1 << 20,
      topics: [{ ...named, ...topic, partitions }],
      forgottenTopicsData: [],
      ...more,
    };
    const response = await ask(Fetch, handler, version, body);
    return { ...response, answer: response.responses[0]?.partitions[0] };
  };

  it.each(versionsOf(Fetch))('version %i', async (version) => {
    const fixture = leading('a', 'b');
    const byId = version >= 13;
    const { answer } = await send(fixture, version);
    expect(answer).toMatchObject({ errorCode: 0, highWatermark: 2, lastStableOffset: 2 });
    expect(valuesOf(answer?.records)).toEqual(['a', 'b']);
    expect((await send(fixture, version, {}, { isolationLevel: 1 })).answer?.errorCode).toBe(0);
    expect(nameOf((await send(fixture, version, { fetchOffset: 9 })).answer?.errorCode)).toBe('OFFSET_OUT_OF_RANGE');
    const unknown = byId ? { topicId: 'AAAAAAAAAAAAAAAAAAAAAg' } : { topic: 'unknown' };
    expect(nameOf((await send(fixture, version, {}, {}, unknown)).answer?.errorCode)).toBe(
      byId ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION',
    );
    if (!byId)
      expect(nameOf((await send(fixture, version, {}, {}, { topic: ELSEWHERE })).answer?.errorCode)).toBe('NOT_LEADER_OR_FOLLOWER');
    if (version >= 7) {
      expect(nameOf((await send(fixture, version, {}, { sessionId: 3, sessionEpoch: 4 })).errorCode)).toBe('FETCH_SESSION_ID_NOT_FOUND');
      expect(nameOf((await send(fixture, version, {}, { sessionId: 0, sessionEpoch: 4 })).errorCode)).toBe('FETCH_SESSION_ID_NOT_FOUND');
      expect(await send(fixture, version, {}, { sessionId: 0, sessionEpoch: 0 })).toMatchObject({ errorCode: 0, sessionId: 0 });
    }
    if (version >= 9)
      expect(nameOf((await send(fixture, version, { currentLeaderEpoch: 2 })).answer?.errorCode)).toBe('UNKNOWN_LEADER_EPOCH');
    if (version >= 12) {
      fixture.lead({ leaderEpoch: 3, isr: [1] });
      expect((await send(fixture, version, { fetchOffset: 5, lastFetchedEpoch: 2 })).answer?.divergingEpoch).toEqual({
        epoch: 1,
        endOffset: 2,
      });
    }
    if (version >= 16) {
      fixture.lead({ leaderEpoch: 4, leader: 2 });
      const moved = await send(fixture, version);
      expect([nameOf(moved.answer?.errorCode), moved.answer?.currentLeader.leaderId]).toEqual(['NOT_LEADER_OR_FOLLOWER', 2]);
      expect(moved.nodeEndpoints).toHaveLength(1);
    }
  });

  it.each(versionsOf(Fetch))('in version %i of a topic whose batches the broker stores as zstd', async (version) => {
    const fixture = replicaManagerFixture({ config: { 'compression.type': 'zstd' } });
    fixture.lead({ isr: [1] });
    fixture.append(batchOf(['a']), { acks: 1 });
    const { answer } = await send(fixture, version);
    expect(nameOf(answer?.errorCode)).toBe(version < 10 ? 'UNSUPPORTED_COMPRESSION_TYPE' : 'NONE');
    expect(valuesOf(answer?.records)).toEqual(version < 10 ? [] : ['a']);
  });

  it.each(versionsOf(Fetch))('of a follower in version %i moves the high watermark', async (version) => {
    const fixture = replicaManagerFixture();
    fixture.lead({ isr: [1, 2] });
    fixture.append(batchOf(['a']), { acks: 1 });
    const follower = version >= 15 ? { replicaState: { replicaId: 2, replicaEpoch: 102 } } : { replicaId: 2 };
    expect(valuesOf((await send(fixture, version, {}, follower)).answer?.records)).toEqual(['a']);
    await send(fixture, version, { fetchOffset: 1 }, follower);
    expect(fixture.partition().log?.highWatermark).toBe(1);
  });

  it('waits for no more bytes than fetch.max.bytes lets it answer', async () => {
    const fixture = leading('a');
    const handler = createFetchHandler({ replicaManager: fixture.manager, directory, fetchMaxBytes: 10, releaseRecords: () => {} });
    const topics = [{ topic: TOPIC, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }];
    const body = { maxWaitMs: 60_000, minBytes: 1 << 20, maxBytes: 1 << 20, topics, forgottenTopicsData: [] };
    expect(valuesOf((await ask(Fetch, handler, 11, body)).responses[0]?.partitions[0]?.records)).toEqual(['a']);
  });
});

describe('ListOffsets', () => {
  const send = async (
    fixture: ReplicaManagerFixture,
    version: number,
    timestamp: number,
    more: { name?: string; replicaId?: number; epoch?: number; twice?: boolean } = {},
  ) => {
    const handler = createListOffsetsHandler({ replicaManager: fixture.manager, directory });
    const { name = TOPIC, replicaId = -1, epoch = -1 } = more;
    const partitions = [{ partitionIndex: 0, timestamp, currentLeaderEpoch: epoch }];
    const response = await ask(ListOffsets, handler, version, { replicaId, isolationLevel: 0, topics: [{ name, partitions }] });
    const answer = response.topics[0]?.partitions[0];
    return [nameOf(answer?.errorCode), version === 0 ? (answer?.oldStyleOffsets[0] ?? -1) : answer?.offset];
  };

  it.each(versionsOf(ListOffsets))('version %i', async (version) => {
    const fixture = leading('a', 'b', 'c');
    const since = (first: number, offset: number) => (version >= first ? ['NONE', offset] : ['UNSUPPORTED_VERSION', -1]);
    expect(await send(fixture, version, -1)).toEqual(['NONE', 3]);
    expect(await send(fixture, version, -2)).toEqual(['NONE', 0]);
    expect(await send(fixture, version, -3)).toEqual(since(7, 0));
    expect(await send(fixture, version, -4)).toEqual(since(8, 0));
    expect(await send(fixture, version, -5)).toEqual(since(9, -1));
    expect(await send(fixture, version, -6)).toEqual(['UNSUPPORTED_VERSION', -1]);
    expect(await send(fixture, version, 1_700_000_000_000)).toEqual(['NONE', 0]);
    expect(await send(fixture, version, 1_700_000_000_001)).toEqual(['NONE', -1]);
    expect(await send(fixture, version, -1, { name: 'unknown' })).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', -1]);
    expect(await send(fixture, version, -1, { name: ELSEWHERE })).toEqual(['NOT_LEADER_OR_FOLLOWER', -1]);
    if (version >= 4) expect(await send(fixture, version, -1, { epoch: 9 })).toEqual(['UNKNOWN_LEADER_EPOCH', -1]);
  });

  it.each(versionsOf(ListOffsets))(
    'version %i has no end to tell a client before the high watermark has reached the epoch’s start (KIP-207)',
    async (version) => {
      const fixture = replicaManagerFixture();
      fixture.lead({ isr: [1, 2] });
      fixture.append(batchOf(['a']), { acks: 1 });
      fixture.lead({ leaderEpoch: 2, isr: [1, 2] });
      const notYet = [version >= 5 ? 'OFFSET_NOT_AVAILABLE' : 'LEADER_NOT_AVAILABLE', -1];
      expect(await send(fixture, version, -1)).toEqual(notYet);
      // Also for a time that no committed record has.
      expect(await send(fixture, version, 1)).toEqual(notYet);
      expect(await send(fixture, version, 1_800_000_000_000)).toEqual(notYet);
      expect(await send(fixture, version, -2)).toEqual(['NONE', 0]);
      expect(await send(fixture, version, -1, { replicaId: 2 })).toEqual(['NONE', 1]);
    },
  );
});

describe('OffsetForLeaderEpoch', () => {
  it.each(versionsOf(OffsetForLeaderEpoch))('version %i', async (version) => {
    const fixture = leading('a', 'b');
    fixture.lead({ leaderEpoch: 4, isr: [1] });
    const handler = createOffsetForLeaderEpochHandler({ replicaManager: fixture.manager, directory });
    const send = async (leaderEpoch: number, topic = TOPIC, currentLeaderEpoch = -1) => {
      const response = await ask(OffsetForLeaderEpoch, handler, version, {
        topics: [{ topic, partitions: [{ partition: 0, leaderEpoch, currentLeaderEpoch }] }],
      });
      const answer = response.topics[0]?.partitions[0];
      return [nameOf(answer?.errorCode), version >= 1 ? answer?.leaderEpoch : undefined, answer?.endOffset];
    };
    expect(await send(1)).toEqual(['NONE', version >= 1 ? 1 : undefined, 2]);
    expect(await send(9)).toEqual(['NONE', version >= 1 ? -1 : undefined, -1]);
    expect((await send(1, 'unknown'))[0]).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    expect((await send(1, ELSEWHERE))[0]).toBe('NOT_LEADER_OR_FOLLOWER');
    if (version >= 2) expect((await send(1, TOPIC, 3))[0]).toBe('FENCED_LEADER_EPOCH');
  });
});

describe('DescribeLogDirs', () => {
  it.each(versionsOf(DescribeLogDirs))('version %i', async (version) => {
    const fixture = leading('a');
    const { log } = fixture.partition();
    if (log === undefined) throw new Error('no log');
    const logManager: Pick<LogManager, 'describeLogDirs' | 'getLog'> = {
      getLog: () => log,
      describeLogDirs: () => [
        { path: '/data', isOffline: false, logs: [log], futureLogs: [], totalBytes: 1_000, usableBytes: 400 },
        { path: '/broken', isOffline: true, logs: [], futureLogs: [], totalBytes: -1, usableBytes: -1 },
      ],
    };
    const handler = createDescribeLogDirsHandler({ logManager });
    const send = (topics: { topic: string; partitions: number[] }[] | null) => ask(DescribeLogDirs, handler, version, { topics });
    const { results } = await send(null);
    expect(results).toMatchObject([
      {
        errorCode: 0,
        logDir: '/data',
        topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, partitionSize: log.sizeBytes, offsetLag: 0, isFutureKey: false }] }],
      },
      { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, logDir: '/broken', topics: [] },
    ]);
    expect(results[0]?.totalBytes).toBe(version >= 4 ? 1_000 : -1);
    expect((await send([{ topic: TOPIC, partitions: [1] }])).results[0]?.topics).toEqual([]);
    expect((await send([{ topic: TOPIC, partitions: [0] }])).results[0]?.topics).toHaveLength(1);
  });
});

describe('LeaderAndIsr', () => {
  it.each(versionsOf(LeaderAndIsr))('version %i', async (version) => {
    const fixture = replicaManagerFixture();
    const handler = createLeaderAndIsrHandler({ replicaManager: fixture.manager, onLeadershipChange: () => {} });
    const { topicName: _, ...state } = stateOf();
    const body = {
      controllerId: 2,
      controllerEpoch: 1,
      ...(version >= 2
        ? { topicStates: [{ topicName: TOPIC, topicId: TOPIC_ID, partitionStates: [state] }] }
        : { ungroupedPartitionStates: [{ ...state, topicName: TOPIC }] }),
      ...(version >= 5 ? { type: 0 } : {}),
      liveLeaders: [],
    };
    const response = await ask(LeaderAndIsr, handler, version, body);
    if (version < 2) {
      expect(nameOf(response.errorCode)).toBe('UNSUPPORTED_VERSION');
      return;
    }
    expect(response.errorCode).toBe(0);
    const [own] = version >= 5 ? (response.topics[0]?.partitionErrors ?? []) : response.partitionErrors;
    expect(own).toMatchObject({ partitionIndex: 0, errorCode: 0, topicName: version >= 5 ? '' : TOPIC });
    expect(fixture.partition().isLeader).toBe(true);
  });
});

describe('StopReplica', () => {
  it.each(versionsOf(StopReplica))('version %i', async (version) => {
    const fixture = leading('a');
    const stopped: unknown[] = [];
    const handler = createStopReplicaHandler({ replicaManager: fixture.manager, onStopped: (partitions) => stopped.push(...partitions) });
    const partitions =
      version >= 3
        ? { topicStates: [{ topicName: TOPIC, partitionStates: [{ partitionIndex: 0, leaderEpoch: 1, deletePartition: true }] }] }
        : version >= 1
          ? { topics: [{ name: TOPIC, partitionIndexes: [0] }], deletePartitions: true }
          : { ungroupedPartitions: [{ topicName: TOPIC, partitionIndex: 0 }], deletePartitions: true };
    const response = await ask(StopReplica, handler, version, { controllerId: 2, controllerEpoch: 1, ...partitions });
    expect(response).toEqual({ errorCode: 0, partitionErrors: [{ topicName: TOPIC, partitionIndex: 0, errorCode: 0 }] });
    expect(stopped).toEqual([{ topicPartition: TP, leaderEpoch: version >= 3 ? 1 : undefined, deleted: true }]);
    expect(fixture.logManager.deleted).toEqual(['orders-0']);
  });
});
