/**
 * Every API that a broker advertises, in every version, with requests that succeed and requests that don't: an answer that sets a
 * field which its version lacks breaks the writer, which closes the connection, and that is what this looks for.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../src/client/admin/admin.ts';
import { NetworkClient } from '../../src/client/network-client.ts';
import type { Node } from '../../src/client/network-client.ts';
import type { RunningCluster } from '../../src/cluster/start-cluster.ts';
import type { Api } from '../../src/protocol/api.ts';
import { apiByKey } from '../../src/protocol/apis.ts';
import { ErrorCode, errorByCode } from '../../src/protocol/errors.ts';
import { AllocateProducerIds } from '../../src/protocol/generated/allocate-producer-ids.ts';
import { AlterConfigs } from '../../src/protocol/generated/alter-configs.ts';
import { AlterPartitionReassignments } from '../../src/protocol/generated/alter-partition-reassignments.ts';
import { AlterReplicaLogDirs } from '../../src/protocol/generated/alter-replica-log-dirs.ts';
import { AlterPartition } from '../../src/protocol/generated/alter-partition.ts';
import { ApiVersions } from '../../src/protocol/generated/api-versions.ts';
import { ControlledShutdown } from '../../src/protocol/generated/controlled-shutdown.ts';
import { CreatePartitions } from '../../src/protocol/generated/create-partitions.ts';
import { CreateTopics } from '../../src/protocol/generated/create-topics.ts';
import { DeleteGroups } from '../../src/protocol/generated/delete-groups.ts';
import { DeleteRecords } from '../../src/protocol/generated/delete-records.ts';
import { DeleteTopics } from '../../src/protocol/generated/delete-topics.ts';
import { DescribeCluster } from '../../src/protocol/generated/describe-cluster.ts';
import { DescribeConfigs } from '../../src/protocol/generated/describe-configs.ts';
import { DescribeGroups } from '../../src/protocol/generated/describe-groups.ts';
import { DescribeLogDirs } from '../../src/protocol/generated/describe-log-dirs.ts';
import { ElectLeaders } from '../../src/protocol/generated/elect-leaders.ts';
import { Fetch } from '../../src/protocol/generated/fetch.ts';
import { FindCoordinator } from '../../src/protocol/generated/find-coordinator.ts';
import { Heartbeat } from '../../src/protocol/generated/heartbeat.ts';
import { IncrementalAlterConfigs } from '../../src/protocol/generated/incremental-alter-configs.ts';
import { InitProducerId } from '../../src/protocol/generated/init-producer-id.ts';
import { JoinGroup } from '../../src/protocol/generated/join-group.ts';
import { LeaderAndIsr } from '../../src/protocol/generated/leader-and-isr.ts';
import { LeaveGroup } from '../../src/protocol/generated/leave-group.ts';
import { ListGroups } from '../../src/protocol/generated/list-groups.ts';
import { ListOffsets } from '../../src/protocol/generated/list-offsets.ts';
import { ListPartitionReassignments } from '../../src/protocol/generated/list-partition-reassignments.ts';
import { Metadata } from '../../src/protocol/generated/metadata.ts';
import { OffsetCommit } from '../../src/protocol/generated/offset-commit.ts';
import { OffsetDelete } from '../../src/protocol/generated/offset-delete.ts';
import { OffsetFetch } from '../../src/protocol/generated/offset-fetch.ts';
import { OffsetForLeaderEpoch } from '../../src/protocol/generated/offset-for-leader-epoch.ts';
import { Produce } from '../../src/protocol/generated/produce.ts';
import { StopReplica } from '../../src/protocol/generated/stop-replica.ts';
import { SyncGroup } from '../../src/protocol/generated/sync-group.ts';
import { UpdateFeatures } from '../../src/protocol/generated/update-features.ts';
import { UpdateMetadata } from '../../src/protocol/generated/update-metadata.ts';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import { iterateRecords } from '../../src/protocol/records/record-reader.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZooKeeper } from '../../src/zk-client/connect.ts';
import { adminOf, Cleanups, describePartition, describeTopic, startTestCluster, until, untilInSync, valueOf } from './support/clusters.ts';

const TOPIC = 'matrix';
const GROUP = 'matrix-group';
const TIMEOUT_MS = 60_000;
const NO_SUCH_TOPIC = 'no-such-topic';
const NO_SUCH_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

const cleanups = new Cleanups();
let cluster: RunningCluster;
let admin: Admin;
let client: NetworkClient;
let nodes: ReadonlyMap<number, Node>;
let leader: Node;
let follower: Node;
let controller: Node;
let coordinator: Node;
let topicId: string;
let advertised: ReadonlyMap<number, { readonly minVersion: number; readonly maxVersion: number }>;
const brokerEpochs = new Map<number, number>();
let controllerEpoch: number;

beforeAll(async () => {
  cluster = await startTestCluster(cleanups);
  admin = adminOf(cleanups, cluster.bootstrapServers);
  client = new NetworkClient({ runtime: createNodeRuntime(silentLogger), clientId: 'matrix' });
  cleanups.add(() => client.close());
  valueOf((await admin.createTopics([{ name: TOPIC, numPartitions: 1, replicationFactor: 3 }])).get(TOPIC));
  await untilInSync(admin, TOPIC, 3);
  const description = await admin.describeCluster();
  nodes = new Map(description.brokers.map((broker) => [broker.id, broker]));
  const { leaderId } = await describePartition(admin, TOPIC);
  leader = nodeOf(leaderId);
  follower = nodeOf([1, 2, 3].find((id) => id !== leaderId) ?? -1);
  controller = nodeOf(description.controllerId);
  topicId = (await describeTopic(admin, TOPIC)).topicId;
  coordinator = await findCoordinator(GROUP);
  advertised = await client.versionsOf(leader);
  const zookeeper = await connectZooKeeper({
    connectString: cluster.zookeeperConnect,
    sessionTimeoutMs: 6_000,
    runtime: createNodeRuntime(silentLogger),
    implementation: 'own',
  });
  cleanups.add(() => zookeeper.close());
  for (const id of nodes.keys()) brokerEpochs.set(id, (await zookeeper.getData(`/brokers/ids/${id}`)).stat.czxid);
  controllerEpoch = Number(String((await zookeeper.getData('/controller_epoch')).data));
});
afterAll(() => cleanups.run());

function nodeOf(id: number): Node {
  const node = nodes.get(id);
  if (node === undefined) throw new Error(`there is no broker ${id}`);
  return node;
}

function findCoordinator(group: string): Promise<Node> {
  return until(`the coordinator of ${group}`, async () => {
    const { errorCode, nodeId } = await client.send(nodeOf(1), FindCoordinator, { key: group, keyType: 0 }, { version: 2 });
    return errorCode === ErrorCode.NONE ? nodeOf(nodeId) : undefined;
  });
}

const covered = new Set<number>();

/** One test per version of `api`; `ask` sends requests through `send`, which has the version in it. */
function matrix<Req, Res, ReqIn extends object, ResIn>(
  api: Api<Req, Res, ReqIn, ResIn>,
  ask: (send: (node: Node, body: ReqIn) => Promise<Res>, version: number) => Promise<void>,
  /** Where the broker serves less than the codec knows. */
  minVersion: number = api.minVersion,
): void {
  covered.add(api.key);
  describe(api.name, () => {
    for (let version = minVersion; version <= api.maxVersion; version++) {
      it(`version ${version}`, async () => {
        expect(advertised.get(api.key)).toMatchObject({ minVersion, maxVersion: api.maxVersion });
        await ask((node, body) => client.send(node, api, body, { version, timeoutMs: TIMEOUT_MS }), version);
      });
    }
  });
}

const nameOf = (code: number | undefined): string => (code === undefined ? 'no code' : errorByCode(code).name);
const batch = (value = 'v'): Buffer =>
  buildRecordBatch([{ key: Buffer.from('k'), value: Buffer.from(value), timestamp: 1_700_000_000_000 }]);

matrix(Produce, async (send, version) => {
  const produce = (node: Node, acks: number, records: Buffer | null, name = TOPIC, index = 0) =>
    send(node, {
      acks,
      timeoutMs: TIMEOUT_MS,
      topicData: [{ name, partitionData: [{ index, records: records === null ? null : [records] }] }],
    });
  const codeOf = async (...args: Parameters<typeof produce>): Promise<string> =>
    nameOf((await produce(...args)).responses[0]?.partitionResponses[0]?.errorCode);
  const good = version < 3 ? 'UNSUPPORTED_FOR_MESSAGE_FORMAT' : 'NONE';
  const or = (name: string): string => (version < 3 ? 'UNSUPPORTED_FOR_MESSAGE_FORMAT' : name);
  expect(await codeOf(leader, 1, batch())).toBe(good);
  expect(await codeOf(leader, -1, batch())).toBe(good);
  const torn = batch();
  torn[torn.length - 1] = (torn.at(-1) ?? 0) ^ 0xff;
  expect(await codeOf(leader, 1, torn)).toBe(or('CORRUPT_MESSAGE'));
  const badTimestamp = buildRecordBatch([{ key: null, value: null, timestamp: -5 }]);
  await produce(leader, 1, badTimestamp);
  expect(await codeOf(leader, 1, batch(), NO_SUCH_TOPIC)).toBe(or('UNKNOWN_TOPIC_OR_PARTITION'));
  expect(await codeOf(leader, 1, batch(), TOPIC, 99)).toBe(or('UNKNOWN_TOPIC_OR_PARTITION'));
  expect(await codeOf(leader, 1, null)).toBe(or('CORRUPT_MESSAGE'));
  expect(await codeOf(leader, 7, batch())).toBe('INVALID_REQUIRED_ACKS');
  const elsewhere = await produce(follower, 1, batch());
  expect(nameOf(elsewhere.responses[0]?.partitionResponses[0]?.errorCode)).toBe(or('NOT_LEADER_OR_FOLLOWER'));
  if (version >= 10) {
    expect(elsewhere.responses[0]?.partitionResponses[0]?.currentLeader.leaderId).toBe(leader.id);
    expect(elsewhere.nodeEndpoints.map(({ nodeId }) => nodeId)).toEqual([leader.id]);
  }
});

matrix(Fetch, async (send, version) => {
  const byId = version >= 13;
  const fetch = (
    node: Node,
    partition: Partial<{ partition: number; fetchOffset: number; currentLeaderEpoch: number }>,
    topic: { topic?: string; topicId?: string } = {},
    more: object = {},
  ) =>
    send(node, {
      maxWaitMs: 50,
      minBytes: 1,
      maxBytes: 1 << 20,
      topics: [
        {
          ...(byId ? { topicId, ...topic } : { topic: TOPIC, ...topic }),
          partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20, ...partition }],
        },
      ],
      forgottenTopicsData: [],
      rackId: '',
      ...more,
    });
  const partitionOf = async (...args: Parameters<typeof fetch>) => {
    const { responses, errorCode } = await fetch(...args);
    expect(nameOf(errorCode)).toBe('NONE');
    return responses[0]?.partitions[0];
  };
  const data = await partitionOf(leader, {});
  expect(nameOf(data?.errorCode)).toBe('NONE');
  expect([...iterateRecords(data?.records?.[0] ?? Buffer.alloc(0), 1 << 20)].length).toBeGreaterThan(0);
  // What was written with acks=1 before may still be on its way to the followers.
  const end = await until('a fetch at the end finds nothing', async () => {
    const highWatermark = (await partitionOf(leader, {}))?.highWatermark ?? 0;
    const found = await partitionOf(leader, { fetchOffset: highWatermark });
    return (found?.records?.[0]?.length ?? 0) === 0 ? highWatermark : undefined;
  });
  expect(nameOf((await partitionOf(leader, { fetchOffset: end + 1_000 }))?.errorCode)).toBe('OFFSET_OUT_OF_RANGE');
  await partitionOf(leader, {}, {}, { isolationLevel: 1 });
  const unknown = byId ? { topicId: NO_SUCH_ID } : { topic: NO_SUCH_TOPIC };
  expect(nameOf((await partitionOf(leader, {}, unknown))?.errorCode)).toBe(byId ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION');
  const elsewhere = await fetch(follower, {});
  expect(nameOf(elsewhere.responses[0]?.partitions[0]?.errorCode)).toBe('NOT_LEADER_OR_FOLLOWER');
  if (version >= 16) expect(elsewhere.nodeEndpoints.map(({ nodeId }) => nodeId)).toEqual([leader.id]);
  if (version >= 9) expect(nameOf((await partitionOf(leader, { currentLeaderEpoch: 1_000 }))?.errorCode)).toBe('UNKNOWN_LEADER_EPOCH');
  if (version >= 7) {
    expect(nameOf((await fetch(leader, {}, {}, { sessionId: 5, sessionEpoch: 1 })).errorCode)).toBe('FETCH_SESSION_ID_NOT_FOUND');
    expect((await fetch(leader, {}, {}, { sessionId: 0, sessionEpoch: 0 })).sessionId).toBe(0);
  }
  // A broker that has no replica here.
  const stranger = version >= 15 ? { replicaState: { replicaId: 77, replicaEpoch: 1 } } : { replicaId: 77 };
  expect(nameOf((await partitionOf(leader, {}, {}, stranger))?.errorCode)).toBe('UNKNOWN_LEADER_EPOCH');
  expect(await send(leader, { maxWaitMs: 0, minBytes: 0, maxBytes: 1, topics: [], forgottenTopicsData: [] })).toMatchObject({
    responses: [],
  });
});

matrix(ListOffsets, async (send, version) => {
  const list = async (node: Node, timestamp: number, name = TOPIC, more: object = {}) => {
    const response = await send(node, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name, partitions: [{ partitionIndex: 0, timestamp, ...more }] }],
    });
    const answer = response.topics[0]?.partitions[0];
    return { code: nameOf(answer?.errorCode), offset: version === 0 ? answer?.oldStyleOffsets[0] : answer?.offset };
  };
  const latest = await list(leader, -1);
  expect(latest.code).toBe('NONE');
  expect(latest.offset).toBeGreaterThan(0);
  expect(await list(leader, -2)).toEqual({ code: 'NONE', offset: 0 });
  expect(await list(leader, 0)).toEqual({ code: 'NONE', offset: version === 0 ? expect.any(Number) : 0 });
  expect((await list(leader, Number.MAX_SAFE_INTEGER)).code).toBe('NONE');
  expect((await list(leader, -3)).code).toBe(version >= 7 ? 'NONE' : 'UNSUPPORTED_VERSION');
  expect((await list(leader, -4)).code).toBe(version >= 8 ? 'NONE' : 'UNSUPPORTED_VERSION');
  expect((await list(leader, -5)).code).toBe(version >= 9 ? 'NONE' : 'UNSUPPORTED_VERSION');
  expect((await list(leader, -99)).code).toBe('UNSUPPORTED_VERSION');
  expect((await list(leader, -1, NO_SUCH_TOPIC)).code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  expect((await list(follower, -1)).code).toBe('NOT_LEADER_OR_FOLLOWER');
  if (version >= 4) expect((await list(leader, -1, TOPIC, { currentLeaderEpoch: 1_000 })).code).toBe('UNKNOWN_LEADER_EPOCH');
});

matrix(Metadata, async (send, version) => {
  const all = await send(leader, { topics: version === 0 ? [] : null });
  expect(all.topics.map(({ name }) => name)).toContain(TOPIC);
  expect(all.brokers).toHaveLength(3);
  const [named] = (await send(leader, { topics: [{ name: TOPIC }] })).topics;
  expect(named).toMatchObject({
    errorCode: 0,
    name: TOPIC,
    partitions: [{ leaderId: leader.id, isrNodes: expect.arrayContaining([1, 2, 3]) }],
  });
  if (version >= 1) expect((await send(leader, { topics: [] })).topics).toEqual([]);
  if (version >= 4) {
    const [missing] = (await send(leader, { topics: [{ name: NO_SUCH_TOPIC }], allowAutoTopicCreation: false })).topics;
    expect(nameOf(missing?.errorCode)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  }
  expect(nameOf((await send(leader, { topics: [{ name: 'not a name' }] })).topics[0]?.errorCode)).toBe('INVALID_TOPIC_EXCEPTION');
  if (version >= 8 && version <= 10)
    await send(leader, { topics: null, includeClusterAuthorizedOperations: true, includeTopicAuthorizedOperations: true });
  if (version >= 11) await send(leader, { topics: null, includeTopicAuthorizedOperations: true });
  if (version >= 12) {
    expect((await send(leader, { topics: [{ topicId, name: null }] })).topics[0]?.name).toBe(TOPIC);
    expect(nameOf((await send(leader, { topics: [{ topicId: NO_SUCH_ID, name: null }] })).topics[0]?.errorCode)).toBe('UNKNOWN_TOPIC_ID');
  }
});

matrix(ApiVersions, async (send, version) => {
  const named = version >= 3 ? { clientSoftwareName: 'matrix', clientSoftwareVersion: '1.0' } : {};
  const { errorCode, apiKeys } = await send(leader, named);
  expect(nameOf(errorCode)).toBe('NONE');
  expect(apiKeys.map(({ apiKey }) => apiKey)).toContain(Produce.key);
  if (version >= 3)
    expect(nameOf((await send(leader, { clientSoftwareName: 'not valid!', clientSoftwareVersion: '' })).errorCode)).toBe('INVALID_REQUEST');
});

matrix(DescribeCluster, async (send, version) => {
  expect(await send(leader, { includeClusterAuthorizedOperations: true })).toMatchObject({ errorCode: 0, controllerId: controller.id });
  if (version >= 1) {
    expect(nameOf((await send(leader, { includeClusterAuthorizedOperations: false, endpointType: 2 })).errorCode)).toBe(
      'MISMATCHED_ENDPOINT_TYPE',
    );
    expect(nameOf((await send(leader, { includeClusterAuthorizedOperations: false, endpointType: 9 })).errorCode)).toBe(
      'UNSUPPORTED_ENDPOINT_TYPE',
    );
  }
});

matrix(DeleteRecords, async (send, version) => {
  const ask = async (node: Node, offset: number, name = `deleted-${version}`) => {
    const { topics } = await send(node, { topics: [{ name, partitions: [{ partitionIndex: 0, offset }] }], timeoutMs: TIMEOUT_MS });
    const { errorCode, lowWatermark } = topics[0]?.partitions[0] ?? {};
    return [nameOf(errorCode), lowWatermark];
  };
  const topic = `deleted-${version}`;
  valueOf((await admin.createTopics([{ name: topic, numPartitions: 1, replicationFactor: 3 }])).get(topic));
  await untilInSync(admin, topic, 3);
  const node = nodeOf((await describePartition(admin, topic)).leaderId);
  const other = nodeOf([1, 2, 3].find((id) => id !== node.id) ?? -1);
  const acks = { acks: -1, timeoutMs: TIMEOUT_MS, topicData: [{ name: topic, partitionData: [{ index: 0, records: [batch()] }] }] };
  for (let count = 0; count < 3; count++) await client.send(node, Produce, acks, { version: 9 });
  expect(await ask(node, 2)).toEqual(['NONE', 2]);
  expect(await ask(node, 1)).toEqual(['NONE', 2]);
  expect(await ask(node, -1)).toEqual(['NONE', 3]);
  expect(await ask(node, 4)).toEqual(['OFFSET_OUT_OF_RANGE', -1]);
  expect(await ask(other, 3)).toEqual(['NOT_LEADER_OR_FOLLOWER', -1]);
  expect(await ask(node, 0, NO_SUCH_TOPIC)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', -1]);
  expect(await ask(node, 0, '__consumer_offsets')).toEqual([
    expect.stringMatching(/^(INVALID_TOPIC_EXCEPTION|UNKNOWN_TOPIC_OR_PARTITION)$/),
    -1,
  ]);
});

matrix(AlterReplicaLogDirs, async (send) => {
  const [own = ''] = valueOf((await admin.describeLogDirs([leader.id])).get(String(leader.id))).keys();
  const ask = async (path: string, name = TOPIC) => {
    const { results } = await send(leader, { dirs: [{ path, topics: [{ name, partitions: [0] }] }] });
    return nameOf(results[0]?.partitions[0]?.errorCode);
  };
  expect(await ask('/nowhere')).toBe('LOG_DIR_NOT_FOUND');
  expect(await ask(own)).toBe('NONE');
  expect(await ask(own, NO_SUCH_TOPIC)).toBe('REPLICA_NOT_AVAILABLE');
});

matrix(DescribeLogDirs, async (send) => {
  const all = await send(leader, { topics: null });
  expect(all.results[0]?.topics.map(({ name }) => name)).toContain(TOPIC);
  const one = await send(leader, { topics: [{ topic: TOPIC, partitions: [0] }] });
  expect(one.results[0]?.topics).toHaveLength(1);
  await send(leader, { topics: [{ topic: NO_SUCH_TOPIC, partitions: [0] }] });
});

matrix(OffsetForLeaderEpoch, async (send, version) => {
  const ask = async (node: Node, leaderEpoch: number, topic = TOPIC, currentLeaderEpoch = -1) => {
    const { topics } = await send(node, { topics: [{ topic, partitions: [{ partition: 0, leaderEpoch, currentLeaderEpoch }] }] });
    const answer = topics[0]?.partitions[0];
    return { code: nameOf(answer?.errorCode), endOffset: answer?.endOffset };
  };
  expect(await ask(leader, 0)).toEqual({ code: 'NONE', endOffset: expect.any(Number) });
  expect(await ask(leader, 1_000)).toEqual({ code: 'NONE', endOffset: -1 });
  expect((await ask(follower, 0)).code).toBe('NOT_LEADER_OR_FOLLOWER');
  expect((await ask(leader, 0, NO_SUCH_TOPIC)).code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  if (version >= 2) expect((await ask(leader, 0, TOPIC, 1_000)).code).toBe('UNKNOWN_LEADER_EPOCH');
});

matrix(InitProducerId, async (send, version) => {
  const first = await send(leader, { transactionalId: null, transactionTimeoutMs: 60_000 });
  expect(first).toMatchObject({ errorCode: 0, producerEpoch: 0 });
  expect((await send(leader, { transactionalId: 'tx', transactionTimeoutMs: 60_000 })).errorCode).not.toBe(0);
  if (version >= 3)
    await send(leader, { transactionalId: null, transactionTimeoutMs: 60_000, producerId: first.producerId, producerEpoch: 0 });
});

matrix(CreateTopics, async (send, version) => {
  const name = `created-${version}`;
  const topic = (more: object = {}) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...more });
  const create = async (node: Node, body: object) => (await send(node, { topics: [topic()], timeoutMs: TIMEOUT_MS, ...body })).topics[0];
  if (version >= 1) expect(nameOf((await create(controller, { validateOnly: true }))?.errorCode)).toBe('NONE');
  expect(nameOf((await create(controller, { topics: [topic({ configs: [{ name: 'flush.messages', value: '7' }] })] }))?.errorCode)).toBe(
    'NONE',
  );
  expect(nameOf((await create(controller, {}))?.errorCode)).toBe('TOPIC_ALREADY_EXISTS');
  expect(nameOf((await create(controller, { topics: [topic({ name: 'a/b' })] }))?.errorCode)).toBe('INVALID_TOPIC_EXCEPTION');
  expect(nameOf((await create(controller, { topics: [topic({ name: `${name}-r`, replicationFactor: 9 })] }))?.errorCode)).toBe(
    'INVALID_REPLICATION_FACTOR',
  );
  expect(
    nameOf((await create(controller, { topics: [topic({ name: `${name}-c`, configs: [{ name: 'no.such', value: '1' }] })] }))?.errorCode),
  ).toBe('INVALID_CONFIG');
  const assigned = topic({
    name: `${name}-a`,
    numPartitions: -1,
    replicationFactor: -1,
    assignments: [{ partitionIndex: 0, brokerIds: [2, 1] }],
  });
  expect(nameOf((await create(controller, { topics: [assigned] }))?.errorCode)).toBe('NONE');
  const other = nodeOf([1, 2, 3].find((id) => id !== controller.id) ?? -1);
  expect(nameOf((await create(other, { topics: [topic({ name: `${name}-x` })] }))?.errorCode)).toBe('NOT_CONTROLLER');
});

matrix(CreatePartitions, async (send, version) => {
  const name = `grown-${version}`;
  valueOf((await admin.createTopics([{ name, numPartitions: 1, replicationFactor: 1 }])).get(name));
  const grow = async (count: number, more: object = {}, topic = name) =>
    nameOf(
      (await send(controller, { topics: [{ name: topic, count, assignments: null, ...more }], timeoutMs: TIMEOUT_MS, validateOnly: false }))
        .results[0]?.errorCode,
    );
  expect(await grow(2)).toBe('NONE');
  expect(await grow(3, { assignments: [{ brokerIds: [3] }] })).toBe('NONE');
  expect(await grow(1)).toBe('INVALID_PARTITIONS');
  expect(await grow(2, {}, NO_SUCH_TOPIC)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
});

matrix(DeleteTopics, async (send, version) => {
  const name = `doomed-${version}`;
  valueOf((await admin.createTopics([{ name, numPartitions: 1, replicationFactor: 2 }])).get(name));
  const remove = async (node: Node, topic: string) =>
    nameOf(
      (await send(node, { timeoutMs: TIMEOUT_MS, ...(version >= 6 ? { topics: [{ name: topic }] } : { topicNames: [topic] }) }))
        .responses[0]?.errorCode,
    );
  expect(await remove(controller, NO_SUCH_TOPIC)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  expect(await remove(nodeOf([1, 2, 3].find((id) => id !== controller.id) ?? -1), name)).toBe('NOT_CONTROLLER');
  expect(await remove(controller, name)).toBe('NONE');
  if (version >= 6) {
    const byId = await send(controller, { timeoutMs: TIMEOUT_MS, topics: [{ topicId: NO_SUCH_ID, name: null }] });
    expect(nameOf(byId.responses[0]?.errorCode)).toBe('UNKNOWN_TOPIC_ID');
  }
});

const TOPIC_RESOURCE = 2;
const BROKER_RESOURCE = 4;

matrix(DescribeConfigs, async (send, version) => {
  const ask = async (resourceType: number, resourceName: string, configurationKeys: string[] | null = null) =>
    (
      await send(leader, {
        resources: [{ resourceType, resourceName, configurationKeys }],
        ...(version >= 1 ? { includeSynonyms: true } : {}),
        ...(version >= 3 ? { includeDocumentation: true } : {}),
      })
    ).results[0];
  expect((await ask(TOPIC_RESOURCE, TOPIC))?.configs.length).toBeGreaterThan(10);
  expect((await ask(TOPIC_RESOURCE, TOPIC, ['flush.messages']))?.configs.map(({ name }) => name)).toEqual(['flush.messages']);
  expect((await ask(BROKER_RESOURCE, String(leader.id)))?.configs.length).toBeGreaterThan(10);
  expect(nameOf((await ask(BROKER_RESOURCE, ''))?.errorCode)).toBe('NONE');
  expect(nameOf((await ask(BROKER_RESOURCE, String(follower.id)))?.errorCode)).toBe('INVALID_REQUEST');
  expect(nameOf((await ask(TOPIC_RESOURCE, NO_SUCH_TOPIC))?.errorCode)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  expect(nameOf((await ask(99, 'x'))?.errorCode)).toBe('INVALID_REQUEST');
});

matrix(AlterConfigs, async (send) => {
  const alter = async (resourceType: number, resourceName: string, name: string, value: string | null) =>
    nameOf(
      (await send(leader, { resources: [{ resourceType, resourceName, configs: [{ name, value }] }], validateOnly: false })).responses[0]
        ?.errorCode,
    );
  expect(await alter(TOPIC_RESOURCE, TOPIC, 'flush.messages', '1000')).toBe('NONE');
  expect(await alter(TOPIC_RESOURCE, TOPIC, 'flush.messages', 'many')).toBe('INVALID_CONFIG');
  expect(await alter(TOPIC_RESOURCE, NO_SUCH_TOPIC, 'flush.messages', '1')).toBe('UNKNOWN_TOPIC_OR_PARTITION');
});

matrix(IncrementalAlterConfigs, async (send) => {
  const alter = async (configOperation: number, name: string, value: string | null, resourceName = TOPIC) =>
    nameOf(
      (
        await send(leader, {
          resources: [{ resourceType: TOPIC_RESOURCE, resourceName, configs: [{ name, configOperation, value }] }],
          validateOnly: false,
        })
      ).responses[0]?.errorCode,
    );
  expect(await alter(0, 'flush.messages', '500')).toBe('NONE');
  expect(await alter(1, 'flush.messages', null)).toBe('NONE');
  expect(await alter(0, 'no.such', '1')).toBe('INVALID_CONFIG');
  expect(await alter(0, 'flush.messages', '1', NO_SUCH_TOPIC)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
});

matrix(FindCoordinator, async (send, version) => {
  const ask = async (key: string, keyType: number) => {
    const response = await send(leader, { keyType, ...(version >= 4 ? { coordinatorKeys: [key] } : { key }) });
    const [first] = version >= 4 ? response.coordinators : [response];
    return { code: nameOf(first?.errorCode), nodeId: first?.nodeId };
  };
  expect(await ask(GROUP, 0)).toEqual({ code: 'NONE', nodeId: coordinator.id });
  if (version >= 1) expect((await ask('tx', 1)).code).toBe('COORDINATOR_NOT_AVAILABLE');
  if (version >= 1) expect((await ask('x', 9)).code).toBe('INVALID_REQUEST');
});

const position = (version: number, more: object = {}) => ({ partitionIndex: 0, committedOffset: version, committedMetadata: 'm', ...more });

matrix(
  OffsetCommit,
  async (send, version) => {
    const groupId = `commit-${version}`;
    const node = await findCoordinator(groupId);
    const commit = async (topics: object[], more: object = {}) => {
      const response = await send(node, { groupId, topics: topics as never, ...more });
      return nameOf(response.topics[0]?.partitions[0]?.errorCode);
    };
    expect(await commit([{ name: TOPIC, partitions: [position(version)] }])).toBe('NONE');
    expect(await commit([{ name: NO_SUCH_TOPIC, partitions: [position(version)] }])).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    expect(await commit([{ name: TOPIC, partitions: [position(version, { committedMetadata: 'x'.repeat(5_000) })] }])).toBe(
      'OFFSET_METADATA_TOO_LARGE',
    );
    if (version >= 1) {
      const stranger = { generationIdOrMemberEpoch: 5, memberId: 'nobody' };
      expect(await commit([{ name: TOPIC, partitions: [position(version)] }], stranger)).toMatch(/UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION/);
    }
  },
  2,
);

matrix(OffsetFetch, async (send, version) => {
  const groupId = `fetch-${version}`;
  const node = await findCoordinator(groupId);
  await client.send(
    node,
    OffsetCommit,
    { groupId, topics: [{ name: TOPIC, partitions: [position(version, { committedLeaderEpoch: 0 })] }] },
    { version: 8 },
  );
  const fetch = async (topics: { name: string; partitionIndexes: number[] }[] | null, id = groupId, to = node) => {
    const response = await send(to, version >= 8 ? { groups: [{ groupId: id, topics }] } : { groupId: id, topics });
    const group = version >= 8 ? response.groups[0] : response;
    return { code: nameOf(group?.errorCode), partitions: group?.topics.flatMap(({ partitions }) => partitions) ?? [] };
  };
  expect(await fetch([{ name: TOPIC, partitionIndexes: [0, 1] }])).toMatchObject({
    code: 'NONE',
    partitions: [{ committedOffset: version, metadata: 'm' }, { committedOffset: -1 }],
  });
  expect(
    (await fetch([{ name: NO_SUCH_TOPIC, partitionIndexes: [0] }], 'nobody', await findCoordinator('nobody'))).partitions,
  ).toMatchObject([{ committedOffset: -1, errorCode: 0 }]);
  if (version >= 2) expect((await fetch(null)).partitions).toHaveLength(1);
  const elsewhere = nodeOf([1, 2, 3].find((id) => id !== node.id) ?? -1);
  const refused = await fetch([{ name: TOPIC, partitionIndexes: [0] }], groupId, elsewhere);
  expect(version >= 2 ? refused.code : nameOf(refused.partitions[0]?.errorCode)).toBe('NOT_COORDINATOR');
  if (version >= 7)
    await send(node, { requireStable: true, ...(version >= 8 ? { groups: [{ groupId, topics: null }] } : { groupId, topics: null }) });
});

const protocols = [{ name: 'range', metadata: Buffer.from('meta') }];

/** Joins alone and syncs, with version 5 and 3 unless told otherwise. */
async function joinAlone(node: Node, groupId: string, joinVersion = 5): Promise<{ memberId: string; generationId: number }> {
  const join = (memberId: string) =>
    client.send(
      node,
      JoinGroup,
      {
        groupId,
        memberId,
        sessionTimeoutMs: 30_000,
        protocolType: 'consumer',
        protocols,
        ...(joinVersion >= 1 ? { rebalanceTimeoutMs: 5_000 } : {}),
      },
      { version: joinVersion },
    );
  const first = await join('');
  const joined = first.errorCode === ErrorCode.MEMBER_ID_REQUIRED ? await join(first.memberId) : first;
  expect(nameOf(joined.errorCode)).toBe('NONE');
  const { memberId, generationId } = joined;
  expect(joined).toMatchObject({ leader: memberId, protocolName: 'range', members: [{ memberId }] });
  return { memberId, generationId };
}

async function settle(node: Node, groupId: string, member: { memberId: string; generationId: number }): Promise<void> {
  const assignments = [{ memberId: member.memberId, assignment: Buffer.from('all') }];
  const synced = await client.send(node, SyncGroup, { groupId, ...member, assignments }, { version: 3 });
  expect(nameOf(synced.errorCode)).toBe('NONE');
}

matrix(JoinGroup, async (send, version) => {
  const groupId = `join-${version}`;
  const node = await findCoordinator(groupId);
  await settle(node, groupId, await joinAlone(node, groupId, version));
  const join = async (more: object, to = node) =>
    send(to, {
      groupId,
      memberId: '',
      sessionTimeoutMs: 30_000,
      protocolType: 'consumer',
      protocols,
      ...(version >= 1 ? { rebalanceTimeoutMs: 5_000 } : {}),
      ...more,
    });
  expect(nameOf((await join({ memberId: 'nobody' })).errorCode)).toBe('UNKNOWN_MEMBER_ID');
  expect(nameOf((await join({ sessionTimeoutMs: 1 })).errorCode)).toBe('INVALID_SESSION_TIMEOUT');
  expect(nameOf((await join({ groupId: '' })).errorCode)).toBe('INVALID_GROUP_ID');
  expect(nameOf((await join({ protocolType: 'connect' })).errorCode)).toBe('INCONSISTENT_GROUP_PROTOCOL');
  expect(nameOf((await join({}, nodeOf([1, 2, 3].find((id) => id !== node.id) ?? -1))).errorCode)).toBe('NOT_COORDINATOR');
  if (version >= 5) {
    const statics = { groupId: `static-${version}`, groupInstanceId: 'i1' };
    const home = await findCoordinator(statics.groupId);
    const { memberId, generationId, errorCode } = await join(statics, home);
    expect(nameOf(errorCode)).toBe('NONE');
    await client.send(
      home,
      SyncGroup,
      { groupId: statics.groupId, memberId, generationId, groupInstanceId: 'i1', assignments: [] },
      { version: 3 },
    );
    expect(nameOf((await join(statics, home)).errorCode)).toBe('NONE');
  }
});

matrix(SyncGroup, async (send, version) => {
  const groupId = `sync-${version}`;
  const node = await findCoordinator(groupId);
  const member = await joinAlone(node, groupId);
  const kind = version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {};
  const sync = (more: object = {}) =>
    send(node, { groupId, ...member, ...kind, assignments: [{ memberId: member.memberId, assignment: Buffer.from('all') }], ...more });
  const { errorCode, assignment } = await sync();
  expect([nameOf(errorCode), String(assignment)]).toEqual(['NONE', 'all']);
  expect(nameOf((await sync({ memberId: 'nobody' })).errorCode)).toBe('UNKNOWN_MEMBER_ID');
  expect(nameOf((await sync({ generationId: 77 })).errorCode)).toBe('ILLEGAL_GENERATION');
  if (version >= 5) expect(nameOf((await sync({ protocolName: 'other' })).errorCode)).toBe('INCONSISTENT_GROUP_PROTOCOL');
});

matrix(Heartbeat, async (send, version) => {
  const groupId = `beat-${version}`;
  const node = await findCoordinator(groupId);
  const member = await joinAlone(node, groupId);
  await settle(node, groupId, member);
  expect(nameOf((await send(node, { groupId, ...member })).errorCode)).toBe('NONE');
  expect(nameOf((await send(node, { groupId, ...member, memberId: 'nobody' })).errorCode)).toBe('UNKNOWN_MEMBER_ID');
});

matrix(LeaveGroup, async (send, version) => {
  const groupId = `leave-${version}`;
  const node = await findCoordinator(groupId);
  const { memberId } = await joinAlone(node, groupId);
  const leave = async (id: string) => {
    const response = await send(node, { groupId, ...(version >= 3 ? { members: [{ memberId: id }] } : { memberId: id }) });
    return nameOf(version >= 3 ? response.members[0]?.errorCode : response.errorCode);
  };
  expect(await leave('nobody')).toBe('UNKNOWN_MEMBER_ID');
  expect(await leave(memberId)).toBe('NONE');
});

matrix(DescribeGroups, async (send, version) => {
  const groupId = `described-${version}`;
  const node = await findCoordinator(groupId);
  await settle(node, groupId, await joinAlone(node, groupId));
  const more = version >= 3 ? { includeAuthorizedOperations: true } : {};
  expect((await send(node, { groups: [groupId], ...more })).groups[0]).toMatchObject({
    errorCode: 0,
    groupState: 'Stable',
    protocolData: 'range',
    members: [{ memberAssignment: Buffer.from('all') }],
  });
  const unknown = await findCoordinator('unknown');
  expect((await send(unknown, { groups: ['unknown'] })).groups[0]).toMatchObject({ errorCode: 0, groupState: 'Dead' });
  const elsewhere = nodeOf([1, 2, 3].find((id) => id !== node.id) ?? -1);
  expect(nameOf((await send(elsewhere, { groups: [groupId] })).groups[0]?.errorCode)).toBe('NOT_COORDINATOR');
});

matrix(ListGroups, async (send, version) => {
  const groupId = `listed-${version}`;
  const node = await findCoordinator(groupId);
  await settle(node, groupId, await joinAlone(node, groupId));
  expect((await send(node, {})).groups).toContainEqual(expect.objectContaining({ groupId, protocolType: 'consumer' }));
  if (version >= 4)
    expect((await send(node, { statesFilter: ['Stable'] })).groups).toContainEqual(
      expect.objectContaining({ groupId, groupState: 'Stable' }),
    );
  if (version >= 5) expect((await send(node, { typesFilter: ['consumer'] })).groups).toEqual([]);
});

matrix(DeleteGroups, async (send, version) => {
  const groupId = `deleted-${version}`;
  const node = await findCoordinator(groupId);
  const member = await joinAlone(node, groupId);
  await settle(node, groupId, member);
  await client.send(
    node,
    OffsetCommit,
    {
      groupId,
      generationIdOrMemberEpoch: member.generationId,
      memberId: member.memberId,
      topics: [{ name: TOPIC, partitions: [position(1)] }],
    },
    { version: 7 },
  );
  const remove = async (id: string, to = node) =>
    (await send(to, { groupsNames: [id] })).results.map((result) => [result.groupId, nameOf(result.errorCode)]);
  expect(await remove(groupId)).toEqual([[groupId, 'NON_EMPTY_GROUP']]);
  await client.send(node, LeaveGroup, { groupId, memberId: member.memberId }, { version: 2 });
  expect(await remove(groupId)).toEqual([[groupId, 'NONE']]);
  expect(await remove('nobody', await findCoordinator('nobody'))).toEqual([['nobody', 'GROUP_ID_NOT_FOUND']]);
});

matrix(ElectLeaders, async (send, version) => {
  const elect = (node: Node, topicPartitions: { topic: string; partitions: number[] }[] | null, more: object = {}) =>
    send(node, { topicPartitions, timeoutMs: TIMEOUT_MS, ...more });
  const codeOf = async (...args: Parameters<typeof elect>): Promise<string> =>
    nameOf((await elect(...args)).replicaElectionResults[0]?.partitionResult[0]?.errorCode);
  const topicPartitions = [{ topic: TOPIC, partitions: [0] }];
  // Whether one is needed depends on what the tests before did to the leader.
  expect(['NONE', 'ELECTION_NOT_NEEDED']).toContain(await codeOf(controller, topicPartitions));
  expect(await codeOf(controller, topicPartitions)).toBe('ELECTION_NOT_NEEDED');
  expect(await codeOf(controller, [{ topic: NO_SUCH_TOPIC, partitions: [0] }])).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  expect((await elect(controller, null)).replicaElectionResults.some(({ topic }) => topic === TOPIC)).toBe(false);
  const other = [...nodes.values()].find(({ id }) => id !== controller.id) ?? leader;
  expect(await codeOf(other, topicPartitions)).toBe('NOT_CONTROLLER');
  if (version >= 1) {
    expect(await codeOf(controller, topicPartitions, { electionType: 1 })).toBe('ELECTION_NOT_NEEDED');
    expect(nameOf((await elect(controller, topicPartitions, { electionType: 7 })).errorCode)).toBe('INVALID_REQUEST');
  }
});

matrix(AlterPartitionReassignments, async (send) => {
  const alter = async (node: Node, replicas: number[] | null, name = TOPIC) => {
    const response = await send(node, { timeoutMs: TIMEOUT_MS, topics: [{ name, partitions: [{ partitionIndex: 0, replicas }] }] });
    return nameOf(response.responses[0]?.partitions[0]?.errorCode ?? response.errorCode);
  };
  const replicas = (await describePartition(admin, TOPIC)).replicas;
  expect(await alter(controller, [...replicas])).toBe('NONE');
  expect(await alter(controller, null)).toBe('NO_REASSIGNMENT_IN_PROGRESS');
  expect(await alter(controller, [])).toBe('INVALID_REPLICA_ASSIGNMENT');
  expect(await alter(controller, [77])).toBe('INVALID_REPLICA_ASSIGNMENT');
  expect(await alter(controller, [1], NO_SUCH_TOPIC)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  const other = [...nodes.values()].find(({ id }) => id !== controller.id) ?? leader;
  expect(await alter(other, null)).toBe('NOT_CONTROLLER');
});

matrix(ListPartitionReassignments, async (send) => {
  expect(await send(controller, { timeoutMs: TIMEOUT_MS, topics: null })).toMatchObject({ errorCode: 0, topics: [] });
  expect(await send(controller, { timeoutMs: TIMEOUT_MS, topics: [{ name: TOPIC, partitionIndexes: [0] }] })).toMatchObject({ topics: [] });
  const other = [...nodes.values()].find(({ id }) => id !== controller.id) ?? leader;
  expect(nameOf((await send(other, { timeoutMs: TIMEOUT_MS, topics: null })).errorCode)).toBe('NOT_CONTROLLER');
});

matrix(UpdateFeatures, async (send, version) => {
  const update = (node: Node, feature: string) =>
    send(node, {
      timeoutMs: TIMEOUT_MS,
      featureUpdates: [{ feature, maxVersionLevel: 1, ...(version === 0 && { allowDowngrade: false }) }],
    });
  for (const feature of ['', 'metadata.version'])
    expect(nameOf((await update(controller, feature)).results[0]?.errorCode), feature).toBe('INVALID_REQUEST');
  const other = [...nodes.values()].find(({ id }) => id !== controller.id) ?? leader;
  expect(nameOf((await update(other, 'f')).errorCode)).toBe('NOT_CONTROLLER');
});

matrix(OffsetDelete, async (send) => {
  const groupId = 'offset-delete';
  const node = await findCoordinator(groupId);
  await client.send(node, OffsetCommit, { groupId, topics: [{ name: TOPIC, partitions: [position(1)] }] }, { version: 7 });
  const remove = (id: string, to = node) => send(to, { groupId: id, topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0 }] }] });
  expect(await remove(groupId)).toMatchObject({ errorCode: 0, topics: [{ partitions: [{ errorCode: 0 }] }] });
  expect(nameOf((await remove('nobody', await findCoordinator('nobody'))).errorCode)).toBe('GROUP_ID_NOT_FOUND');
});

const STALE_EPOCH = 0;

matrix(AllocateProducerIds, async (send) => {
  const brokerId = leader.id;
  expect(await send(controller, { brokerId, brokerEpoch: brokerEpochs.get(brokerId) ?? -1 })).toMatchObject({
    errorCode: 0,
    producerIdLen: 1_000,
  });
  expect(nameOf((await send(controller, { brokerId, brokerEpoch: STALE_EPOCH })).errorCode)).toBe('STALE_BROKER_EPOCH');
  expect(nameOf((await send(nodeOf([1, 2, 3].find((id) => id !== controller.id) ?? -1), { brokerId, brokerEpoch: -1 })).errorCode)).toBe(
    'NOT_CONTROLLER',
  );
});

matrix(AlterPartition, async (send, version) => {
  const { isr, leaderEpoch } = await describePartition(admin, TOPIC);
  const ask = (brokerEpoch: number, partition: object, topic: object = {}) =>
    send(controller, {
      brokerId: leader.id,
      brokerEpoch,
      topics: [
        {
          ...(version >= 2 ? { topicId } : { topicName: TOPIC }),
          ...topic,
          partitions: [
            {
              partitionIndex: 0,
              leaderEpoch,
              partitionEpoch: 0,
              ...(version >= 3 ? { newIsrWithEpochs: isr.map((brokerId) => ({ brokerId })) } : { newIsr: isr }),
              ...partition,
            },
          ],
        },
      ],
    });
  const epoch = brokerEpochs.get(leader.id) ?? -1;
  expect(nameOf((await ask(STALE_EPOCH, {})).errorCode)).toBe('STALE_BROKER_EPOCH');
  const codeOf = async (...args: Parameters<typeof ask>) => nameOf((await ask(...args)).topics[0]?.partitions[0]?.errorCode);
  // The same ISR again is granted without a change.
  expect(await codeOf(epoch, { partitionEpoch: 0 })).toBe('NONE');
  expect(await codeOf(epoch, { partitionEpoch: 5_000 })).toBe('NOT_CONTROLLER');
  expect(await codeOf(epoch, { leaderEpoch: leaderEpoch + 5 })).toBe('NOT_CONTROLLER');
  expect(await codeOf(epoch, {}, version >= 2 ? { topicId: NO_SUCH_ID } : { topicName: NO_SUCH_TOPIC })).toBe(
    version >= 2 ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION',
  );
});

/** A state of the topic's partition that is older than what the broker has: refused, so that nothing changes. */
const oldState = { partitionIndex: 0, controllerEpoch: 1, leader: 1, leaderEpoch: 0, isr: [1], partitionEpoch: 0, replicas: [1, 2, 3] };

matrix(
  LeaderAndIsr,
  async (send, version) => {
    const ask = (controllerEpochSent: number, brokerEpoch: number) =>
      send(leader, {
        controllerId: controller.id,
        controllerEpoch: controllerEpochSent,
        brokerEpoch,
        ...(version >= 5 ? { type: 0 } : {}),
        topicStates: [{ topicName: TOPIC, ...(version >= 5 ? { topicId } : {}), partitionStates: [oldState] }],
        liveLeaders: [],
      });
    const epoch = brokerEpochs.get(leader.id) ?? -1;
    expect(nameOf((await ask(controllerEpoch - 1, epoch)).errorCode)).toBe('STALE_CONTROLLER_EPOCH');
    expect(nameOf((await ask(controllerEpoch, STALE_EPOCH)).errorCode)).toBe('STALE_BROKER_EPOCH');
    const { errorCode, partitionErrors, topics } = await ask(controllerEpoch, epoch);
    expect(nameOf(errorCode)).toBe('NONE');
    const [own] = version >= 5 ? (topics[0]?.partitionErrors ?? []) : partitionErrors;
    expect(nameOf(own?.errorCode)).toBe('STALE_CONTROLLER_EPOCH');
  },
  2,
);

matrix(StopReplica, async (send, version) => {
  // Not hosted anywhere: stopping it is a success that changes nothing.
  const topic = NO_SUCH_TOPIC;
  const partitions =
    version >= 3
      ? { topicStates: [{ topicName: topic, partitionStates: [{ partitionIndex: 0, leaderEpoch: 0, deletePartition: false }] }] }
      : version >= 1
        ? { topics: [{ name: topic, partitionIndexes: [0] }], deletePartitions: false }
        : { ungroupedPartitions: [{ topicName: topic, partitionIndex: 0 }], deletePartitions: false };
  const ask = (controllerEpochSent: number, brokerEpoch: number) =>
    send(leader, {
      controllerId: controller.id,
      controllerEpoch: controllerEpochSent,
      ...(version >= 1 ? { brokerEpoch } : {}),
      ...partitions,
    });
  const epoch = brokerEpochs.get(leader.id) ?? -1;
  expect(nameOf((await ask(controllerEpoch - 1, epoch)).errorCode)).toBe('STALE_CONTROLLER_EPOCH');
  if (version >= 1) expect(nameOf((await ask(controllerEpoch, STALE_EPOCH)).errorCode)).toBe('STALE_BROKER_EPOCH');
  expect(await ask(controllerEpoch, epoch)).toEqual({
    errorCode: 0,
    partitionErrors: [{ topicName: topic, partitionIndex: 0, errorCode: 0 }],
  });
});

matrix(
  UpdateMetadata,
  async (send) => {
    const ask = async (controllerEpochSent: number, brokerEpoch: number) =>
      nameOf(
        (
          await send(leader, {
            controllerId: controller.id,
            controllerEpoch: controllerEpochSent,
            brokerEpoch,
            topicStates: [],
            liveBrokers: [],
          })
        ).errorCode,
      );
    const epoch = brokerEpochs.get(leader.id) ?? -1;
    expect(await ask(controllerEpoch - 1, epoch)).toBe('STALE_CONTROLLER_EPOCH');
    expect(await ask(controllerEpoch, STALE_EPOCH)).toBe('STALE_BROKER_EPOCH');
  },
  5,
);

matrix(ControlledShutdown, async (send, version) => {
  const other = nodeOf([1, 2, 3].find((id) => id !== controller.id) ?? -1);
  const more = version >= 2 ? { brokerEpoch: STALE_EPOCH } : {};
  expect(nameOf((await send(other, { brokerId: other.id, ...more })).errorCode)).toBe('NOT_CONTROLLER');
  if (version >= 2) expect(nameOf((await send(controller, { brokerId: other.id, ...more })).errorCode)).toBe('STALE_BROKER_EPOCH');
  expect(nameOf((await send(controller, { brokerId: 99, ...(version >= 2 ? { brokerEpoch: -1 } : {}) })).errorCode)).toBe(
    'BROKER_NOT_AVAILABLE',
  );
});

it('covers every API that is advertised', () => {
  const missing = [...advertised.keys()].filter((key) => !covered.has(key)).map((key) => apiByKey(key)?.name ?? key);
  expect(missing).toEqual([]);
});
