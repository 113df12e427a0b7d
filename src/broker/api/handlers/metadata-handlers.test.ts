/** The handlers that answer from the metadata cache and the controller: 3, 6, 7, 19, 20, 22, 37, 60. */
import { describe, expect, it, vi } from 'vitest';
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import { encodeResponse, decodeResponse } from '../../../protocol/frames.ts';
import type { ControlledShutdownRequest, ControlledShutdownResponseInput } from '../../../protocol/generated/controlled-shutdown.ts';
import { CreateTopics } from '../../../protocol/generated/create-topics.ts';
import { DeleteTopics } from '../../../protocol/generated/delete-topics.ts';
import { DescribeCluster } from '../../../protocol/generated/describe-cluster.ts';
import { Metadata, type MetadataRequest, type MetadataResponseInput } from '../../../protocol/generated/metadata.ts';
import { ZERO_UUID } from '../../../protocol/uuid.ts';
import { MetadataCache } from '../../metadata/metadata-cache.ts';
import { partitionState, updateMetadata } from '../../metadata/testing/update-metadata.ts';
import { fakeRequest } from '../testing/fake-request.ts';
import { createMetadataHandler } from './03-metadata.ts';
import { createUpdateMetadataHandler } from './06-update-metadata.ts';
import { createControlledShutdownHandler } from './07-controlled-shutdown.ts';
import { createCreateTopicsHandler } from './19-create-topics.ts';
import { createDeleteTopicsHandler } from './20-delete-topics.ts';
import { createInitProducerIdHandler } from './22-init-producer-id.ts';
import { createCreatePartitionsHandler } from './37-create-partitions.ts';
import { createDescribeClusterHandler } from './60-describe-cluster.ts';

const ID_T = 'txxxxxxxxxxxxxxxxxxxxA';
const ID_UNKNOWN = 'uxxxxxxxxxxxxxxxxxxxxA';

function cacheWithTopic(): MetadataCache {
  const cache = new MetadataCache();
  cache.updateMetadata(
    updateMetadata({ t: { id: ID_T, states: [partitionState(1, 2, [2, 9]), partitionState(0, 1), partitionState(2, 9)] } }),
  );
  return cache;
}

describe('Metadata', () => {
  async function ask(
    version: number,
    body: Partial<MetadataRequest>,
    { autoCreate = true, listenerName = 'PLAINTEXT' } = {},
  ): Promise<MetadataResponseInput> {
    const createTopics = vi.fn((names: readonly string[]) =>
      Promise.resolve(new Map(names.map((name) => [name, ErrorCode.LEADER_NOT_AVAILABLE as number]))),
    );
    const handler = createMetadataHandler({
      metadataCache: cacheWithTopic(),
      autoTopicCreation: { createTopics },
      clusterId: 'cluster',
      autoCreateTopicsEnable: () => autoCreate,
    });
    const full = {
      topics: null,
      allowAutoTopicCreation: true,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
      ...body,
    };
    const request = fakeRequest<MetadataRequest, MetadataResponseInput>(3, version, full, listenerName);
    await handler(request);
    const response = await request.response;
    // Whatever is answered must fit the version.
    const frame = Buffer.concat(encodeResponse(Metadata, version, 1, response)).subarray(4);
    expect(decodeResponse(Metadata, version, frame).body.topics).toHaveLength(response.topics.length);
    return response;
  }
  const named = (...names: readonly (string | null)[]): MetadataRequest['topics'] => names.map((name) => ({ name, topicId: ZERO_UUID }));

  it('gives brokers, controller, cluster id and all topics, partitions in order', async () => {
    const response = await ask(12, {});
    expect(response).toMatchObject({
      controllerId: 1,
      clusterId: 'cluster',
      brokers: [{ nodeId: 1, port: 9092 }, { nodeId: 2 }, { nodeId: 3 }],
    });
    expect(response.topics[0]).toMatchObject({ name: 't', topicId: ID_T, isInternal: false, errorCode: 0 });
    expect(response.topics[0]?.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([0, 1, 2]);
  });

  it('takes an empty list for all topics in version 0 and for none afterwards', async () => {
    expect((await ask(0, { topics: [] })).topics).toHaveLength(1);
    expect((await ask(1, { topics: [] })).topics).toHaveLength(0);
  });

  it('says LEADER_NOT_AVAILABLE where the leader is gone, LISTENER_NOT_FOUND where it has not this listener, from version 6', async () => {
    const gone = (await ask(9, { topics: named('t') })).topics[0]?.partitions[2];
    expect(gone).toMatchObject({ errorCode: ErrorCode.LEADER_NOT_AVAILABLE, leaderId: -1 });
    const options = { listenerName: 'OTHER' };
    expect((await ask(6, { topics: named('t') }, options)).topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.LISTENER_NOT_FOUND);
    expect((await ask(5, { topics: named('t') }, options)).topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.LEADER_NOT_AVAILABLE);
  });

  it('leaves replicas without endpoint out in version 0 and says so', async () => {
    const partition = (await ask(0, { topics: named('t') })).topics[0]?.partitions[1];
    expect(partition).toMatchObject({ errorCode: ErrorCode.REPLICA_NOT_AVAILABLE, replicaNodes: [2], isrNodes: [2] });
    expect((await ask(1, { topics: named('t') })).topics[0]?.partitions[1]).toMatchObject({ errorCode: 0, replicaNodes: [2, 9] });
  });

  it('creates missing topics only when the client and the broker allow it', async () => {
    const code = async (version: number, allow: boolean, autoCreate: boolean): Promise<number | undefined> =>
      (await ask(version, { topics: named('new'), allowAutoTopicCreation: allow }, { autoCreate })).topics[0]?.errorCode;
    expect(await code(9, true, true)).toBe(ErrorCode.LEADER_NOT_AVAILABLE);
    expect(await code(9, false, true)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await code(9, true, false)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await ask(9, { topics: named('a b'), allowAutoTopicCreation: false })).topics[0]?.errorCode).toBe(
      ErrorCode.INVALID_TOPIC_EXCEPTION,
    );
  });

  it('finds topics by id in version 12 and refuses ids and null names before', async () => {
    const byId = (topicId: string): MetadataRequest['topics'] => [{ name: null, topicId }];
    expect((await ask(12, { topics: byId(ID_T) })).topics[0]).toMatchObject({ name: 't', errorCode: 0 });
    expect((await ask(12, { topics: byId(ID_UNKNOWN) })).topics[0]).toMatchObject({
      name: null,
      topicId: ID_UNKNOWN,
      errorCode: ErrorCode.UNKNOWN_TOPIC_ID,
    });
    await expect(ask(10, { topics: byId(ID_T) })).rejects.toMatchObject({ code: ErrorCode.INVALID_REQUEST });
  });

  it('tells authorized operations only when asked, of the cluster in versions 8 to 10', async () => {
    const both = { includeClusterAuthorizedOperations: true, includeTopicAuthorizedOperations: true };
    expect(await ask(8, both)).toMatchObject({ clusterAuthorizedOperations: 8096, topics: [{ topicAuthorizedOperations: 3576 }] });
    expect(await ask(8, {})).toMatchObject({
      clusterAuthorizedOperations: -2147483648,
      topics: [{ topicAuthorizedOperations: -2147483648 }],
    });
    expect(await ask(11, { includeTopicAuthorizedOperations: true })).toMatchObject({ clusterAuthorizedOperations: -2147483648 });
  });
});

describe('UpdateMetadata', () => {
  it('refuses stale epochs of broker and controller, and takes over the rest', async () => {
    const metadataCache = new MetadataCache();
    let controllerEpoch = 5;
    const changes: string[] = [];
    const handler = createUpdateMetadataHandler({
      metadataCache,
      brokerEpoch: () => 10,
      controllerEpoch: { get: () => controllerEpoch, set: (epoch) => (controllerEpoch = epoch) },
      onMetadataChange: ({ topics }) => changes.push(...topics),
    });
    const update = updateMetadata({ t: { id: ID_T, states: [partitionState(0, 1)] } });
    const send = async (changed: object, version = 8): Promise<number> => {
      const request = fakeRequest<typeof update, { errorCode: number }>(6, version, { ...update, ...changed });
      await handler(request);
      return (await request.response).errorCode;
    };
    expect(await send({ brokerEpoch: 9 })).toBe(ErrorCode.STALE_BROKER_EPOCH);
    expect(await send({ controllerEpoch: 4 })).toBe(ErrorCode.STALE_CONTROLLER_EPOCH);
    expect(await send({ controllerEpoch: 6 }, 4)).toBe(ErrorCode.UNSUPPORTED_VERSION);
    expect(metadataCache.topicExists('t')).toBe(false);
    expect(await send({ controllerEpoch: 6 })).toBe(ErrorCode.NONE);
    expect(controllerEpoch).toBe(6);
    expect(changes).toEqual(['t']);
    expect(metadataCache.topicExists('t')).toBe(true);
  });
});

describe('ControlledShutdown', () => {
  it('answers what is left, or the error', async () => {
    const remaining = [{ topic: 't', partition: 3 }];
    const answers = [Promise.resolve(remaining), Promise.reject(new KafkaError(ErrorCode.STALE_BROKER_EPOCH))];
    const handler = createControlledShutdownHandler({ controller: { controlledShutdown: () => answers.shift()! } });
    const first = fakeRequest<ControlledShutdownRequest, ControlledShutdownResponseInput>(7, 3, { brokerId: 1, brokerEpoch: 1 });
    void handler(first);
    expect(await first.response).toEqual({ errorCode: 0, remainingPartitions: [{ topicName: 't', partitionIndex: 3 }] });
    const second = fakeRequest<ControlledShutdownRequest, ControlledShutdownResponseInput>(7, 3, { brokerId: 1, brokerEpoch: 1 });
    void handler(second);
    expect(await second.response).toMatchObject({ errorCode: ErrorCode.STALE_BROKER_EPOCH });
  });
});

describe('CreateTopics', () => {
  const topic = (name: string): object => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] });
  async function ask(names: readonly string[], active = true): Promise<(number | undefined)[]> {
    const handler = createCreateTopicsHandler({
      isActiveController: () => active,
      adminManager: {
        createTopics: (topics, _, onComplete) => {
          onComplete(topics.map(({ name }) => ({ name, errorCode: 0, configs: [] })));
          return Promise.resolve();
        },
      },
    });
    const request = fakeRequest<unknown, { topics: { name: string; errorCode: number }[] }>(19, 7, {
      topics: names.map(topic),
      timeoutMs: 1,
      validateOnly: false,
    });
    await handler(request as never);
    const response = await request.response;
    for (const version of [0, 4, 7]) encodeResponse(CreateTopics, version, 1, response);
    return [...new Set(names)].map((name) => response.topics.find((result) => result.name === name)?.errorCode);
  }

  it('is refused elsewhere than on the controller', async () => {
    expect(await ask(['a'], false)).toEqual([ErrorCode.NOT_CONTROLLER]);
  });

  it('refuses a name that comes twice, and the metadata topic of KRaft, and does the rest', async () => {
    expect(await ask(['a', 'b', 'a', '__cluster_metadata'])).toEqual([ErrorCode.INVALID_REQUEST, 0, ErrorCode.INVALID_REQUEST]);
  });
});

describe('DeleteTopics', () => {
  async function ask(version: number, body: object, { active = true, enabled = true } = {}): Promise<object> {
    const handler = createDeleteTopicsHandler({
      isActiveController: () => active,
      deleteTopicEnable: () => enabled,
      metadataCache: cacheWithTopic(),
      adminManager: {
        deleteTopics: (topics, _, onComplete) => {
          onComplete(new Map(topics.map((name) => [name, { errorCode: 0, errorMessage: null }])));
          return Promise.resolve();
        },
      },
    });
    const request = fakeRequest<object, { responses: readonly object[] }>(20, version, {
      topics: [],
      topicNames: [],
      timeoutMs: 1,
      ...body,
    });
    await handler(request as never);
    const response = await request.response;
    encodeResponse(DeleteTopics, version, 1, response as never);
    return response.responses;
  }
  const byId = (topicId: string): object => ({ topics: [{ name: null, topicId }] });

  it('resolves names and ids and answers both', async () => {
    expect(await ask(5, { topicNames: ['t'] })).toMatchObject([{ name: 't', errorCode: 0 }]);
    expect(await ask(6, byId(ID_T))).toMatchObject([{ name: 't', topicId: ID_T, errorCode: 0 }]);
    expect(await ask(6, byId(ID_UNKNOWN))).toMatchObject([{ name: null, topicId: ID_UNKNOWN, errorCode: ErrorCode.UNKNOWN_TOPIC_ID }]);
  });

  it('refuses a topic named twice, by name and id', async () => {
    const topics = [
      { name: 't', topicId: ZERO_UUID },
      { name: null, topicId: ID_T },
    ];
    expect(await ask(6, { topics })).toMatchObject([{ name: 't', errorCode: ErrorCode.INVALID_REQUEST }]);
    await expect(ask(6, { topics: [{ name: 't', topicId: ID_T }] })).rejects.toMatchObject({ code: ErrorCode.INVALID_REQUEST });
  });

  it('says when deletion is disabled, and that this is not the controller', async () => {
    expect(await ask(5, { topicNames: ['t'] }, { enabled: false })).toMatchObject([{ errorCode: ErrorCode.TOPIC_DELETION_DISABLED }]);
    expect(await ask(2, { topicNames: ['t'] }, { enabled: false })).toMatchObject([{ errorCode: ErrorCode.INVALID_REQUEST }]);
    expect(await ask(5, { topicNames: ['t'] }, { active: false })).toMatchObject([{ errorCode: ErrorCode.NOT_CONTROLLER }]);
  });
});

describe('InitProducerId', () => {
  async function ask(body: object): Promise<object> {
    const handler = createInitProducerIdHandler({ producerIdManager: { generateProducerId: () => Promise.resolve(4000) } });
    const request = fakeRequest<object, object>(22, 4, {
      transactionalId: null,
      transactionTimeoutMs: 0,
      producerId: -1,
      producerEpoch: -1,
      ...body,
    });
    void handler(request as never);
    return request.response;
  }

  it('gives an idempotent producer a new id, also one that has an id already', async () => {
    expect(await ask({})).toMatchObject({ errorCode: 0, producerId: 4000, producerEpoch: 0 });
    expect(await ask({ producerId: 3, producerEpoch: 7 })).toMatchObject({ errorCode: 0, producerId: 4000, producerEpoch: 0 });
  });

  it('refuses half an identity, an empty transactional id, and transactions', async () => {
    expect(await ask({ producerId: 3 })).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST, producerId: -1 });
    expect(await ask({ transactionalId: '' })).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST });
    expect(await ask({ transactionalId: 'x' })).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_VERSION });
  });
});

describe('CreatePartitions', () => {
  it('refuses duplicates and topics being deleted, and is refused elsewhere than on the controller', async () => {
    const ask = async (names: readonly string[], isActive: boolean): Promise<unknown> => {
      const handler = createCreatePartitionsHandler({
        controller: { isActive, isTopicQueuedForDeletion: (topic) => topic === 'dying' },
        adminManager: {
          createPartitions: (topics, _, onComplete) => {
            onComplete(new Map(topics.map(({ name }) => [name, { errorCode: 0, errorMessage: null }])));
            return Promise.resolve();
          },
        },
      });
      const topics = names.map((name) => ({ name, count: 2, assignments: null }));
      const request = fakeRequest<object, { results: { name: string; errorCode: number }[] }>(37, 3, {
        topics,
        timeoutMs: 1,
        validateOnly: false,
      });
      await handler(request as never);
      return Object.fromEntries((await request.response).results.map(({ name, errorCode }) => [name, errorCode]));
    };
    expect(await ask(['a', 'b', 'b', 'dying'], true)).toEqual({
      a: 0,
      b: ErrorCode.INVALID_REQUEST,
      dying: ErrorCode.INVALID_TOPIC_EXCEPTION,
    });
    expect(await ask(['a'], false)).toEqual({ a: ErrorCode.NOT_CONTROLLER });
  });
});

describe('DescribeCluster', () => {
  it('names brokers, and has no controllers to name', async () => {
    const handler = createDescribeClusterHandler({ metadataCache: cacheWithTopic(), clusterId: 'c' });
    const ask = async (endpointType: number): Promise<object> => {
      const request = fakeRequest<object, object>(60, 1, { includeClusterAuthorizedOperations: true, endpointType });
      await handler(request as never);
      const response = await request.response;
      encodeResponse(DescribeCluster, 1, 1, response as never);
      return response;
    };
    expect(await ask(1)).toMatchObject({
      errorCode: 0,
      clusterId: 'c',
      controllerId: 1,
      brokers: [{ brokerId: 1 }, {}, {}],
      clusterAuthorizedOperations: 8096,
    });
    expect(await ask(2)).toMatchObject({ errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE });
    expect(await ask(3)).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_ENDPOINT_TYPE });
  });
});
