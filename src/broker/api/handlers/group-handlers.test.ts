/** The handlers of the group coordinator's APIs, through the codecs, where their versions differ: 8 to 16, 42, 47. */
import { describe, expect, it } from 'vitest';
import type { Api } from '../../../protocol/api.ts';
import { ErrorCode } from '../../../protocol/errors.ts';
import { decodeResponse, encodeResponse } from '../../../protocol/frames.ts';
import { DeleteGroups } from '../../../protocol/generated/delete-groups.ts';
import { DescribeGroups } from '../../../protocol/generated/describe-groups.ts';
import { FindCoordinator } from '../../../protocol/generated/find-coordinator.ts';
import { Heartbeat } from '../../../protocol/generated/heartbeat.ts';
import { JoinGroup } from '../../../protocol/generated/join-group.ts';
import { LeaveGroup } from '../../../protocol/generated/leave-group.ts';
import { ListGroups } from '../../../protocol/generated/list-groups.ts';
import { OffsetCommit } from '../../../protocol/generated/offset-commit.ts';
import { OffsetDelete } from '../../../protocol/generated/offset-delete.ts';
import { OffsetFetch } from '../../../protocol/generated/offset-fetch.ts';
import { SyncGroup } from '../../../protocol/generated/sync-group.ts';
import { Reader } from '../../../protocol/reader.ts';
import type { TopicPartition } from '../../../protocol/topic-partition.ts';
import { Writer } from '../../../protocol/writer.ts';
import { CoordinatorFixture, GROUP, subscription } from '../../coordinator/testing/coordinator-fixture.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import { fakeRequest } from '../testing/fake-request.ts';
import { createOffsetCommitHandler } from './08-offset-commit.ts';
import { createOffsetFetchHandler } from './09-offset-fetch.ts';
import { createFindCoordinatorHandler } from './10-find-coordinator.ts';
import { createJoinGroupHandler } from './11-join-group.ts';
import { createHeartbeatHandler } from './12-heartbeat.ts';
import { createLeaveGroupHandler } from './13-leave-group.ts';
import { createSyncGroupHandler } from './14-sync-group.ts';
import { createDescribeGroupsHandler } from './15-describe-groups.ts';
import { createListGroupsHandler } from './16-list-groups.ts';
import { createDeleteGroupsHandler } from './42-delete-groups.ts';
import { createOffsetDeleteHandler } from './47-offset-delete.ts';

/** What a client that speaks `version` gets for `body`. */
async function ask<Req, Res, ReqIn, ResIn>(
  api: Api<Req, Res, ReqIn, ResIn>,
  handler: ApiHandler<Req, ResIn>,
  version: number,
  body: ReqIn,
): Promise<Res> {
  const writer = new Writer(256);
  api.request.encode(writer, body, version);
  const request = fakeRequest<Req, ResIn>(api.key, version, api.request.decode(new Reader(writer.toBuffer()), version));
  await handler(request);
  const bytes = Buffer.concat(encodeResponse(api, version, 1, await request.response));
  return decodeResponse(api, version, bytes.subarray(4)).body;
}

const directory = { partitionExists: ({ topic, partition }: TopicPartition): boolean => ['t', 'u'].includes(topic) && partition < 2 };

function commitHandler({ coordinator, time }: CoordinatorFixture) {
  return createOffsetCommitHandler({ coordinator, directory, clock: time });
}

describe('JoinGroup', () => {
  const body = {
    groupId: GROUP,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription('t') }],
  };

  it.each([0, 1, 3])('%i takes a new member in at once', async (version) => {
    const fixture = await CoordinatorFixture.serving();
    const response = await ask(JoinGroup, createJoinGroupHandler(fixture), version, body);
    expect(response).toMatchObject({
      errorCode: ErrorCode.NONE,
      generationId: 1,
      protocolName: 'range',
      members: [{ metadata: subscription('t') }],
    });
    expect(fixture.group.get(response.memberId)?.clientHost).toBe('/127.0.0.1');
  });

  it('0 has no rebalance time-out: the session time-out counts', async () => {
    const fixture = await CoordinatorFixture.serving();
    await ask(JoinGroup, createJoinGroupHandler(fixture), 0, body);
    expect(fixture.group.rebalanceTimeoutMs).toBe(10_000);
    const newer = await CoordinatorFixture.serving();
    await ask(JoinGroup, createJoinGroupHandler(newer), 1, { ...body, rebalanceTimeoutMs: 20_000 });
    expect(newer.group.rebalanceTimeoutMs).toBe(20_000);
  });

  it.each([4, 5, 9])('%i first gives a new member its id (KIP-394)', async (version) => {
    const fixture = await CoordinatorFixture.serving();
    const handler = createJoinGroupHandler(fixture);
    const required = await ask(JoinGroup, handler, version, body);
    expect(required).toMatchObject({ errorCode: ErrorCode.MEMBER_ID_REQUIRED, memberId: expect.stringMatching(/^test-/) });
    expect(await ask(JoinGroup, handler, version, { ...body, memberId: required.memberId })).toMatchObject({
      errorCode: ErrorCode.NONE,
      generationId: 1,
    });
  });

  it.each([5, 9])('%i takes a static member in at once (KIP-345)', async (version) => {
    const fixture = await CoordinatorFixture.serving();
    const response = await ask(JoinGroup, createJoinGroupHandler(fixture), version, { ...body, groupInstanceId: 'i' });
    expect(response).toMatchObject({ errorCode: ErrorCode.NONE, members: [{ groupInstanceId: 'i' }] });
  });

  it('names no protocol in an error: empty until 6, null from 7 on', async () => {
    const handler = createJoinGroupHandler(await CoordinatorFixture.serving());
    expect((await ask(JoinGroup, handler, 6, { ...body, sessionTimeoutMs: 1 })).protocolName).toBe('');
    expect(await ask(JoinGroup, handler, 7, { ...body, sessionTimeoutMs: 1 })).toMatchObject({
      protocolName: null,
      protocolType: null,
      errorCode: ErrorCode.INVALID_SESSION_TIMEOUT,
    });
  });

  it('8 tells why it joins (KIP-800), cut to a length', async () => {
    const fixture = await CoordinatorFixture.serving();
    const { memberId } = await ask(JoinGroup, createJoinGroupHandler(fixture), 8, body);
    void ask(JoinGroup, createJoinGroupHandler(fixture), 8, { ...body, memberId, reason: `new${'!'.repeat(1000)}` });
    expect(fixture.group.rebalanceReason).toBe(`member ${memberId} joined: new${'!'.repeat(252)}`);
  });
});

describe('SyncGroup', () => {
  it('5 must name the protocol, and rightly', async () => {
    const fixture = await CoordinatorFixture.serving();
    const { result } = fixture.join();
    const handler = createSyncGroupHandler(fixture);
    const body = {
      groupId: GROUP,
      generationId: 1,
      memberId: result?.memberId ?? '',
      assignments: [{ memberId: result?.memberId ?? '', assignment: Buffer.of(7) }],
    };
    const code = async (protocolType: string | null, protocolName: string | null): Promise<number> =>
      (await ask(SyncGroup, handler, 5, { ...body, protocolType, protocolName })).errorCode;
    expect([await code(null, null), await code('consumer', null), await code('consumer', 'sticky')]).toEqual(
      Array.from({ length: 3 }, () => ErrorCode.INCONSISTENT_GROUP_PROTOCOL),
    );
    expect(await ask(SyncGroup, handler, 5, { ...body, protocolType: 'consumer', protocolName: 'range' })).toMatchObject({
      errorCode: ErrorCode.NONE,
      protocolType: 'consumer',
      protocolName: 'range',
      assignment: Buffer.of(7),
    });
    expect(await ask(SyncGroup, handler, 0, { ...body, assignments: [] })).toMatchObject({
      errorCode: ErrorCode.NONE,
      assignment: Buffer.of(7),
    });
  });
});

describe('Heartbeat', () => {
  it('fences an old static member from 3 on', async () => {
    const fixture = await CoordinatorFixture.serving();
    const memberId = fixture.join({ groupInstanceId: 'i' }).result?.memberId ?? '';
    const handler = createHeartbeatHandler(fixture);
    const body = { groupId: GROUP, generationId: 1, memberId };
    expect((await ask(Heartbeat, handler, 0, body)).errorCode).toBe(ErrorCode.NONE);
    expect((await ask(Heartbeat, handler, 3, { ...body, groupInstanceId: 'i' })).errorCode).toBe(ErrorCode.NONE);
    expect((await ask(Heartbeat, handler, 4, { ...body, memberId: 'old', groupInstanceId: 'i' })).errorCode).toBe(
      ErrorCode.FENCED_INSTANCE_ID,
    );
  });
});

describe('LeaveGroup', () => {
  it.each([0, 2])('%i has one member, whose code is the answer’s', async (version) => {
    const fixture = await CoordinatorFixture.serving();
    const memberId = fixture.join().result?.memberId ?? '';
    const handler = createLeaveGroupHandler(fixture);
    expect((await ask(LeaveGroup, handler, version, { groupId: GROUP, memberId })).errorCode).toBe(ErrorCode.NONE);
    expect((await ask(LeaveGroup, handler, version, { groupId: GROUP, memberId })).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  it.each([3, 5])('%i has several, each with a code', async (version) => {
    const fixture = await CoordinatorFixture.serving();
    const memberId = fixture.join().result?.memberId ?? '';
    const members = [{ memberId }, { memberId: 'stranger' }];
    expect(await ask(LeaveGroup, createLeaveGroupHandler(fixture), version, { groupId: GROUP, members })).toMatchObject({
      errorCode: ErrorCode.NONE,
      members: [
        { memberId, errorCode: ErrorCode.NONE },
        { memberId: 'stranger', groupInstanceId: null, errorCode: ErrorCode.UNKNOWN_MEMBER_ID },
      ],
    });
    expect(await ask(LeaveGroup, createLeaveGroupHandler(fixture), version, { groupId: 'my-group', members })).toMatchObject({
      errorCode: ErrorCode.NOT_COORDINATOR,
      members: [],
    });
  });
});

describe('OffsetCommit', () => {
  const partition = { partitionIndex: 0, committedOffset: 42, committedMetadata: 'm' };
  const topics = [{ name: 't', partitions: [partition] }];

  it('answers partitions that do not exist by themselves', async () => {
    const fixture = await CoordinatorFixture.serving();
    const body = {
      groupId: GROUP,
      topics: [
        { name: 't', partitions: [partition, { ...partition, partitionIndex: 2 }] },
        { name: 'none', partitions: [partition] },
      ],
    };
    const response = await ask(OffsetCommit, commitHandler(fixture), 8, body);
    expect(response.topics.map(({ name, partitions }) => [name, ...partitions.map(({ errorCode }) => errorCode)])).toEqual([
      ['t', ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      ['none', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ]);
  });

  it('of partitions that all do not exist brings no group into being', async () => {
    const fixture = await CoordinatorFixture.serving();
    await ask(OffsetCommit, commitHandler(fixture), 8, { groupId: GROUP, topics: [{ name: 'none', partitions: [partition] }] });
    expect(fixture.coordinator.groups.get(GROUP)).toBeUndefined();
  });

  it('1 has a timestamp of its own, 2 to 4 a retention, 6 the leader epoch', async () => {
    const committedBy = async (version: number, body: object): Promise<unknown> => {
      const fixture = await CoordinatorFixture.serving();
      await ask(OffsetCommit, commitHandler(fixture), version, { groupId: GROUP, topics, ...body });
      return fixture.group.offsets.get('t', 0);
    };
    const now = new CoordinatorFixture().time.wallMs();
    expect(await committedBy(1, { topics: [{ name: 't', partitions: [{ ...partition, commitTimestamp: 5 }] }] })).toMatchObject({
      commitTimestamp: 5,
      expireTimestamp: -1,
    });
    expect(await committedBy(2, {})).toMatchObject({ commitTimestamp: now, expireTimestamp: -1 });
    expect(await committedBy(4, { retentionTimeMs: 1000 })).toMatchObject({ expireTimestamp: now + 1000 });
    expect(await committedBy(9, { topics: [{ name: 't', partitions: [{ ...partition, committedLeaderEpoch: 3 }] }] })).toMatchObject({
      offset: 42,
      leaderEpoch: 3,
      metadata: 'm',
      expireTimestamp: -1,
    });
  });
});

describe('OffsetFetch', () => {
  async function committed(): Promise<CoordinatorFixture> {
    const fixture = await CoordinatorFixture.serving();
    fixture.commit(42, { metadata: 'm' });
    return fixture;
  }
  const topics = [{ name: 't', partitionIndexes: [0, 1] }];

  it.each([1, 5, 7])('%i gives a group’s offsets, -1 where there are none', async (version) => {
    const handler = createOffsetFetchHandler(await committed());
    const { topics: fetched } = await ask(OffsetFetch, handler, version, { groupId: GROUP, topics });
    expect(fetched).toMatchObject([
      {
        name: 't',
        partitions: [
          { partitionIndex: 0, committedOffset: 42, metadata: 'm', errorCode: ErrorCode.NONE },
          { partitionIndex: 1, committedOffset: -1, metadata: '', errorCode: ErrorCode.NONE },
        ],
      },
    ]);
  });

  it('2 gives all of them where no topics are named, and the group’s error in one place', async () => {
    const handler = createOffsetFetchHandler(await committed());
    expect(await ask(OffsetFetch, handler, 2, { groupId: GROUP, topics: null })).toMatchObject({
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 42 }] }],
    });
    expect(await ask(OffsetFetch, handler, 2, { groupId: 'my-group', topics })).toMatchObject({
      errorCode: ErrorCode.NOT_COORDINATOR,
      topics: [],
    });
  });

  it('1 has the group’s error at each partition', async () => {
    const handler = createOffsetFetchHandler(await committed());
    const { topics: fetched } = await ask(OffsetFetch, handler, 1, { groupId: 'my-group', topics });
    expect(fetched[0]?.partitions.map(({ errorCode, committedOffset }) => [errorCode, committedOffset])).toEqual([
      [ErrorCode.NOT_COORDINATOR, -1],
      [ErrorCode.NOT_COORDINATOR, -1],
    ]);
  });

  it('8 answers several groups', async () => {
    const handler = createOffsetFetchHandler(await committed());
    const groups = [
      { groupId: GROUP, topics: null },
      { groupId: 'my-group', topics },
    ];
    expect((await ask(OffsetFetch, handler, 8, { groups })).groups).toMatchObject([
      { groupId: GROUP, errorCode: ErrorCode.NONE, topics: [{ name: 't', partitions: [{ committedOffset: 42 }] }] },
      { groupId: 'my-group', errorCode: ErrorCode.NOT_COORDINATOR, topics: [] },
    ]);
  });

  it('7 may ask for stable offsets: UNSTABLE_OFFSET_COMMIT while one is on its way (KIP-447)', async () => {
    const fixture = await committed();
    fixture.group.offsets.addPending(7, 't', 0, { offset: 43, leaderEpoch: -1, metadata: '', commitTimestamp: 1, expireTimestamp: -1 }, 99);
    const handler = createOffsetFetchHandler(fixture);
    const codeAndOffset = async (requireStable: boolean): Promise<unknown> => {
      const { topics: fetched } = await ask(OffsetFetch, handler, 7, { groupId: GROUP, topics, requireStable });
      return fetched[0]?.partitions.map(({ errorCode, committedOffset }) => [errorCode, committedOffset]);
    };
    expect(await codeAndOffset(false)).toEqual([
      [ErrorCode.NONE, 42],
      [ErrorCode.NONE, -1],
    ]);
    expect(await codeAndOffset(true)).toEqual([
      [ErrorCode.UNSTABLE_OFFSET_COMMIT, -1],
      [ErrorCode.NONE, -1],
    ]);
  });
});

describe('FindCoordinator', () => {
  const created: string[] = [];
  const find = createFindCoordinatorHandler({
    servesTransactions: false,
    directory: {
      partitionCountOf: (topic) => (topic === '__consumer_offsets' ? 50 : undefined),
      createInternalTopic: (topic) => created.push(topic),
      // "my-group" is kept by partition 12 of 50, "g" by 3 (measured on Kafka).
      leaderEndpoint: (_, partition) => (partition === 12 ? { id: 2, host: 'localhost', port: 9093 } : undefined),
    },
  });

  it.each([0, 1, 3])('%i finds the leader of the group’s partition', async (version) => {
    expect(await ask(FindCoordinator, find, version, { key: 'my-group' })).toMatchObject({
      errorCode: ErrorCode.NONE,
      nodeId: 2,
      host: 'localhost',
      port: 9093,
    });
    expect(await ask(FindCoordinator, find, version, { key: 'g' })).toMatchObject({
      errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE,
      nodeId: -1,
    });
  });

  it('4 finds several at once', async () => {
    const { coordinators } = await ask(FindCoordinator, find, 4, { keyType: 0, coordinatorKeys: ['my-group', 'g'] });
    expect(coordinators.map(({ key, errorCode, nodeId }) => [key, errorCode, nodeId])).toEqual([
      ['my-group', ErrorCode.NONE, 2],
      ['g', ErrorCode.COORDINATOR_NOT_AVAILABLE, -1],
    ]);
  });

  it('has none for transactions, unknown kinds, and share groups, which only 6 may ask for', async () => {
    const code = async (version: number, keyType: number): Promise<number | undefined> =>
      (await ask(FindCoordinator, find, version, { keyType, coordinatorKeys: ['k'] })).coordinators[0]?.errorCode;
    expect([await code(4, 1), await code(4, 2), await code(6, 2), await code(6, 9)]).toEqual([
      ErrorCode.COORDINATOR_NOT_AVAILABLE,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.COORDINATOR_NOT_AVAILABLE,
      ErrorCode.INVALID_REQUEST,
    ]);
    expect(created).toEqual([]);
  });

  it('has the topic created when it is missing', async () => {
    const asked: string[] = [];
    const handler = createFindCoordinatorHandler({
      servesTransactions: false,
      directory: { partitionCountOf: () => undefined, createInternalTopic: (topic) => asked.push(topic), leaderEndpoint: () => undefined },
    });
    expect((await ask(FindCoordinator, handler, 2, { key: 'g' })).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    expect(asked).toEqual(['__consumer_offsets']);
  });
});

describe('DescribeGroups', () => {
  it('shows what members are assigned in a stable group alone, and an unknown group as Dead', async () => {
    const fixture = await CoordinatorFixture.serving();
    const memberId = fixture.join().result?.memberId ?? '';
    const handler = createDescribeGroupsHandler(fixture);
    const first = await ask(DescribeGroups, handler, 5, { groups: [GROUP, 'my-group'] });
    expect(first.groups).toMatchObject([
      {
        groupId: GROUP,
        groupState: 'CompletingRebalance',
        protocolType: 'consumer',
        protocolData: '',
        members: [{ memberId, memberMetadata: Buffer.alloc(0) }],
      },
      { groupId: 'my-group', errorCode: ErrorCode.NOT_COORDINATOR, groupState: '', members: [] },
    ]);
    fixture.sync(memberId, { assignments: new Map([[memberId, Buffer.of(7)]]) });
    const { groups } = await ask(DescribeGroups, handler, 0, { groups: [GROUP] });
    expect(groups).toMatchObject([
      {
        groupState: 'Stable',
        protocolData: 'range',
        members: [
          { memberId, clientId: 'client', clientHost: '/127.0.0.1', memberMetadata: subscription('t'), memberAssignment: Buffer.of(7) },
        ],
      },
    ]);
    fixture.leave(memberId);
    fixture.coordinator.deleteGroup(GROUP);
    expect((await ask(DescribeGroups, handler, 5, { groups: [GROUP] })).groups).toMatchObject([
      { errorCode: ErrorCode.NONE, groupState: 'Dead', protocolType: '', members: [] },
    ]);
  });

  it('3 tells what may be done with a group when asked', async () => {
    const fixture = await CoordinatorFixture.serving();
    fixture.stableGroup(1);
    const handler = createDescribeGroupsHandler(fixture);
    const operations = async (includeAuthorizedOperations: boolean): Promise<number | undefined> =>
      (await ask(DescribeGroups, handler, 3, { groups: [GROUP], includeAuthorizedOperations })).groups[0]?.authorizedOperations;
    expect([await operations(true), await operations(false)]).toEqual([0b1_0100_1000, -2_147_483_648]);
  });
});

describe('ListGroups', () => {
  it('4 filters by state and 5 by type, whatever their case', async () => {
    const fixture = await CoordinatorFixture.serving();
    fixture.stableGroup(1);
    const handler = createListGroupsHandler(fixture);
    const listed = async (version: number, body: { statesFilter?: string[]; typesFilter?: string[] }): Promise<string[]> =>
      (await ask(ListGroups, handler, version, body)).groups.map(({ groupId }) => groupId);
    expect(await listed(0, {})).toEqual([GROUP]);
    expect([await listed(4, { statesFilter: ['stable'] }), await listed(4, { statesFilter: ['Empty'] })]).toEqual([[GROUP], []]);
    expect([await listed(5, { typesFilter: ['Classic'] }), await listed(5, { typesFilter: ['consumer'] })]).toEqual([[GROUP], []]);
    expect((await ask(ListGroups, handler, 5, {})).groups).toMatchObject([
      { protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' },
    ]);
  });

  it('says when groups may be missing', async () => {
    const fixture = new CoordinatorFixture();
    const handler = createListGroupsHandler(fixture);
    fixture.coordinator.onElection(3, 1);
    expect((await ask(ListGroups, handler, 4, {})).errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    fixture.coordinator.shutdown();
    expect((await ask(ListGroups, handler, 4, {})).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  });
});

describe('DeleteGroups', () => {
  it('answers each group once', async () => {
    const fixture = await CoordinatorFixture.serving();
    fixture.commit(1);
    const { results } = await ask(DeleteGroups, createDeleteGroupsHandler(fixture), 2, { groupsNames: [GROUP, 'my-group', GROUP] });
    expect(results).toEqual([
      { groupId: GROUP, errorCode: ErrorCode.NONE },
      { groupId: 'my-group', errorCode: ErrorCode.NOT_COORDINATOR },
    ]);
  });
});

describe('OffsetDelete', () => {
  it('answers partitions by themselves, and an error of the group alone', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [memberId = ''] = fixture.stableGroup(1);
    fixture.commit(1, { memberId, generationId: 1, topic: 'u' });
    const handler = createOffsetDeleteHandler({ coordinator: fixture.coordinator, directory });
    const topics = ['t', 'u', 'none'].map((name) => ({ name, partitions: [{ partitionIndex: 0 }] }));
    const response = await ask(OffsetDelete, handler, 0, { groupId: GROUP, topics });
    expect(response.topics.map(({ name, partitions }) => [name, partitions[0]?.errorCode])).toEqual([
      ['t', ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC],
      ['u', ErrorCode.NONE],
      ['none', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ]);
    expect(await ask(OffsetDelete, handler, 0, { groupId: 'my-group', topics })).toMatchObject({
      errorCode: ErrorCode.NOT_COORDINATOR,
      topics: [],
    });
  });
});
