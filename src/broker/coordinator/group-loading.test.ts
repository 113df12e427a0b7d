import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { CompressionCodec } from '../../protocol/records/compression.ts';
import { buildControlBatch, buildRecordBatch, ControlRecordType } from '../../protocol/records/record-batch-builder.ts';
import type { RecordInput } from '../../protocol/records/record-batch-builder.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { groupTombstone, offsetRecord, offsetTombstone } from './group-records.ts';
import { OffsetsTopicReplay } from './offsets-topic-replay.ts';
import { committed, CoordinatorFixture, GROUP, GROUP_PARTITION, memberIdOf } from './testing/coordinator-fixture.ts';
import { FakeCoordinatorLog } from './testing/fake-coordinator-log.ts';

const T = 1_700_000_000_000;

function write(log: FakeCoordinatorLog, ...records: RecordInput[]): void {
  log.write(GROUP_PARTITION, buildRecordBatch(records));
}

function writeTransactional(log: FakeCoordinatorLog, producerId: number, ...records: RecordInput[]): void {
  log.write(GROUP_PARTITION, buildRecordBatch(records, { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true }));
}

function writeMarker(log: FakeCoordinatorLog, producerId: number, type: ControlRecordType): void {
  log.write(GROUP_PARTITION, buildControlBatch({ type, producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp: T }));
}

const commitOf = (offset: number, topic = 't', groupId = GROUP): RecordInput => offsetRecord(groupId, topic, 0, committed(offset, T), T);
const offsetOf = (fixture: CoordinatorFixture, topic = 't', groupId = GROUP): number | undefined =>
  fixture.coordinator.groups.get(groupId)?.offsets.get(topic, 0)?.offset;

describe('a broker that takes over a partition of __consumer_offsets', () => {
  it('goes on with its groups where the last one was', async () => {
    const before = await CoordinatorFixture.serving();
    const [leaderId = '', followerId = ''] = before.stableGroup(2);
    before.commit(42, { memberId: followerId, generationId: 2 });
    const after = await CoordinatorFixture.serving({}, before.log);
    expect([after.group.state, after.group.generationId, after.group.leaderId, after.group.protocolName]).toEqual([
      'Stable',
      2,
      leaderId,
      'range',
    ]);
    expect([...(after.group.subscribedTopics ?? [])]).toEqual(['t']);
    expect([after.heartbeat(leaderId), after.heartbeat(followerId)]).toEqual([ErrorCode.NONE, ErrorCode.NONE]);
    expect([after.sync(followerId).result?.assignment, offsetOf(after)]).toEqual([Buffer.of(1), 42]);
    // Who isn't heard of here is out.
    await after.time.advance(10_000);
    expect(after.group.size).toBe(0);
  });

  it('finds empty groups, and offsets without a group', async () => {
    const before = await CoordinatorFixture.serving();
    const [memberId = ''] = before.stableGroup(1);
    before.leave(memberId);
    write(before.log, offsetRecord('g47', 't', 0, committed(7, T), T));
    const after = await CoordinatorFixture.serving({}, before.log);
    expect([after.group.state, after.group.generationId, after.group.currentStateTimestamp]).toEqual([
      'Empty',
      2,
      before.group.currentStateTimestamp,
    ]);
    expect(offsetOf(after, 't', 'g47')).toBe(7);
  });

  it('forgets what has a tombstone', async () => {
    const log = new FakeCoordinatorLog();
    const before = await CoordinatorFixture.serving({}, log);
    const [memberId = ''] = before.stableGroup(1);
    before.leave(memberId);
    write(log, commitOf(1), commitOf(2, 'u'), offsetTombstone(GROUP, 't', 0, T));
    const kept = await CoordinatorFixture.serving({}, log);
    expect([offsetOf(kept), offsetOf(kept, 'u')]).toEqual([undefined, 2]);
    write(log, offsetTombstone(GROUP, 'u', 0, T), groupTombstone(GROUP, T));
    const gone = await CoordinatorFixture.serving({}, log);
    expect(gone.coordinator.groups.get(GROUP)).toBeUndefined();
  });

  it('keeps offsets that were committed after the group was deleted', async () => {
    const log = new FakeCoordinatorLog();
    write(log, groupTombstone(GROUP, T), commitOf(3));
    expect(offsetOf(await CoordinatorFixture.serving({}, log))).toBe(3);
  });

  it('takes a transaction’s offsets when it is committed, holds those of an open one back, and drops aborted ones', async () => {
    const log = new FakeCoordinatorLog();
    writeTransactional(log, 1, commitOf(10, 'committed'));
    writeTransactional(log, 2, commitOf(20, 'aborted'));
    writeTransactional(log, 3, commitOf(30, 'open'));
    writeMarker(log, 1, ControlRecordType.COMMIT);
    writeMarker(log, 2, ControlRecordType.ABORT);
    const fixture = await CoordinatorFixture.serving({}, log);
    expect(['committed', 'aborted', 'open'].map((topic) => offsetOf(fixture, topic))).toEqual([10, undefined, undefined]);
    expect(['committed', 'aborted', 'open'].map((topic) => fixture.group.offsets.isPending(topic, 0))).toEqual([false, false, true]);
    fixture.group.offsets.completePending(3, true);
    expect(offsetOf(fixture, 'open')).toBe(30);
  });

  it('lets a commit win that was appended after a transaction’s, though the transaction ended later', async () => {
    const log = new FakeCoordinatorLog();
    writeTransactional(log, 1, commitOf(10));
    writeTransactional(log, 2, commitOf(11));
    write(log, commitOf(99));
    writeMarker(log, 1, ControlRecordType.COMMIT);
    const fixture = await CoordinatorFixture.serving({}, log);
    expect(offsetOf(fixture)).toBe(99);
    fixture.group.offsets.completePending(2, true);
    expect(offsetOf(fixture)).toBe(99);
    fixture.commit(100);
    expect(offsetOf(fixture)).toBe(100);
  });

  it('takes back a pending offset that the same transaction deletes', async () => {
    const log = new FakeCoordinatorLog();
    writeTransactional(log, 1, commitOf(10), offsetTombstone(GROUP, 't', 0, T));
    writeMarker(log, 1, ControlRecordType.COMMIT);
    const fixture = await CoordinatorFixture.serving({}, log);
    expect(fixture.coordinator.groups.get(GROUP)).toBeUndefined();
  });

  it('reads compressed batches', async () => {
    const before = await CoordinatorFixture.serving({ offsetsTopicCompressionCodec: CompressionCodec.GZIP });
    before.commit(5);
    expect(offsetOf(await CoordinatorFixture.serving({}, before.log))).toBe(5);
  });

  it('passes over records and batches that cannot be read', async () => {
    const log = new FakeCoordinatorLog();
    const broken = buildRecordBatch([commitOf(2)]);
    broken.writeInt32BE(5, 57);
    write(log, commitOf(1), { timestamp: T, key: Buffer.of(0, 1, 0, 99), value: null }, { timestamp: T, key: null, value: null });
    log.write(GROUP_PARTITION, broken);
    write(log, commitOf(3, 'u'));
    const fixture = await CoordinatorFixture.serving({}, log);
    expect(offsetOf(fixture, 'u')).toBe(3);
  });

  it('says so while it loads, a bounded number of bytes a turn', async () => {
    const log = new FakeCoordinatorLog();
    const metadata = 'x'.repeat(4000);
    for (let index = 0; index < 300; index++) write(log, offsetRecord(GROUP, 't', index, committed(index, T, { metadata }), T));
    const fixture = new CoordinatorFixture({}, log);
    fixture.coordinator.onElection(GROUP_PARTITION, 1);
    expect([fixture.coordinator.listStatus(), fixture.coordinator.fetchStatus(GROUP)]).toEqual([
      ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
      ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
    ]);
    await fixture.time.settle();
    expect([fixture.coordinator.listStatus(), fixture.group.offsets.size]).toEqual([ErrorCode.NONE, 300]);
    // 1.2 MB: three turns, and one that finds the end.
    expect(log.readSizes).toHaveLength(4);
    expect(Math.max(...log.readSizes)).toBeLessThanOrEqual(512 << 10);
  });

  it('stops loading when it resigns meanwhile', async () => {
    const log = new FakeCoordinatorLog();
    write(log, commitOf(1));
    const fixture = new CoordinatorFixture({}, log);
    fixture.coordinator.onElection(GROUP_PARTITION, 1);
    fixture.coordinator.onResignation(GROUP_PARTITION, 2);
    await fixture.time.settle();
    expect([fixture.coordinator.fetchStatus(GROUP), fixture.coordinator.groups.groups().length]).toEqual([ErrorCode.NOT_COORDINATOR, 0]);
  });

  it('loads anew when it is elected again after the log was lost under a load', async () => {
    const log = new FakeCoordinatorLog();
    write(log, commitOf(1));
    log.lostLeaderships.add(GROUP_PARTITION);
    const fixture = await CoordinatorFixture.serving({}, log);
    expect(fixture.coordinator.fetchStatus(GROUP)).toBe(ErrorCode.NOT_COORDINATOR);
    log.lostLeaderships.clear();
    fixture.coordinator.onElection(GROUP_PARTITION, 2);
    await fixture.time.settle();
    expect(offsetOf(fixture)).toBe(1);
  });

  it('ignores stale elections and resignations, and keeps its groups when it stays the leader in a new epoch', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [memberId = ''] = fixture.stableGroup(1);
    const { group } = fixture;
    fixture.coordinator.onElection(GROUP_PARTITION, 5);
    fixture.coordinator.onResignation(GROUP_PARTITION, 4);
    expect([fixture.group === group, fixture.heartbeat(memberId)]).toEqual([true, ErrorCode.NONE]);
    fixture.coordinator.onResignation(GROUP_PARTITION, 6);
    fixture.coordinator.onElection(GROUP_PARTITION, 5);
    await fixture.time.settle();
    expect(fixture.coordinator.fetchStatus(GROUP)).toBe(ErrorCode.NOT_COORDINATOR);
  });
});

it('serves again when the topic was deleted and made anew, though its epochs begin at zero', async () => {
  const fixture = await CoordinatorFixture.serving();
  fixture.coordinator.onElection(GROUP_PARTITION, 7);
  fixture.coordinator.onResignation(GROUP_PARTITION);
  expect(fixture.coordinator.fetchStatus(GROUP)).toBe(ErrorCode.NOT_COORDINATOR);
  fixture.coordinator.onElection(GROUP_PARTITION, 0);
  await fixture.time.settle();
  expect(fixture.coordinator.fetchStatus(GROUP)).toBe(ErrorCode.NONE);
});

describe('a broker that resigns', () => {
  it('sends everyone who waits to the new coordinator, and leaves nothing behind', async () => {
    const fixture = await CoordinatorFixture.serving();
    const [leaderId = ''] = fixture.stableGroup(1);
    fixture.join({ requireKnownMemberId: true });
    const joining = fixture.join({ memberId: leaderId });
    const { group } = fixture;
    fixture.coordinator.onResignation(GROUP_PARTITION, 2);
    expect([joining.result?.errorCode, group.state]).toEqual([ErrorCode.NOT_COORDINATOR, 'Dead']);
    await fixture.time.advance(400_000);
    expect([fixture.purgatories.rebalance.numDelayed, fixture.purgatories.heartbeat.numDelayed, joining.count]).toEqual([0, 0, 1]);
  });

  it('answers syncs too, and once, though the write ends later', async () => {
    const fixture = await CoordinatorFixture.serving();
    const memberId = memberIdOf(fixture.join());
    fixture.log.hold();
    const syncing = fixture.sync(memberId);
    const { group } = fixture;
    fixture.coordinator.onResignation(GROUP_PARTITION);
    fixture.log.release(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    expect([syncing.result?.errorCode, syncing.count, group.state]).toEqual([ErrorCode.NOT_COORDINATOR, 1, 'Dead']);
  });

  it('answers a commit when its write ends', async () => {
    const fixture = await CoordinatorFixture.serving();
    fixture.log.hold();
    const commit = fixture.commit(1);
    fixture.coordinator.onResignation(GROUP_PARTITION);
    fixture.log.release(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    expect(commit.codes).toEqual([ErrorCode.NOT_COORDINATOR]);
  });
});

describe('OffsetsTopicReplay', () => {
  it('gives groups whatever the records hold', () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
    const key = fc.tuple(fc.integer({ min: 0, max: 4 }), bytes).map(([version, rest]) => Buffer.concat([Buffer.of(0, version), rest]));
    const record = fc.record({ key: fc.option(key), value: fc.option(bytes) });
    const batch = fc.record({
      records: fc.array(record, { minLength: 1, maxLength: 4 }),
      isTransactional: fc.boolean(),
      isControl: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 5 }), (batches) => {
        const replay = new OffsetsTopicReplay(silentLogger);
        let next = 0;
        for (const { records, isTransactional, isControl } of batches) {
          const inputs = records.map((input) => ({ timestamp: T, ...input }));
          next = replay.replay(
            buildRecordBatch(inputs, { baseOffset: next, isTransactional, isControl, producerId: 1, producerEpoch: 0, baseSequence: 0 }),
          );
        }
        expect(replay.toGroups()).toBeInstanceOf(Array);
      }),
      { numRuns: 300 },
    );
  });

  it('gives what the coordinator has in memory, after any commits and deletions', async () => {
    const step = fc.record({ kind: fc.constantFrom('commit', 'delete'), topic: fc.constantFrom('t', 'u', 'v'), offset: fc.nat(1000) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const fixture = await CoordinatorFixture.serving();
        for (const { kind, topic, offset } of steps) {
          if (kind === 'commit') fixture.commit(offset, { topic });
          else fixture.coordinator.deleteOffsets(GROUP, [{ topic, partition: 0 }]);
        }
        const after = await CoordinatorFixture.serving({}, fixture.log);
        const offsetsOf = ({ coordinator }: CoordinatorFixture): string[] =>
          Array.from(coordinator.groups.get(GROUP)?.offsets.entries() ?? [], ({ topic, offset }) => `${topic}=${offset}`).toSorted();
        expect(offsetsOf(after)).toEqual(offsetsOf(fixture));
      }),
      { numRuns: 60 },
    );
  });
});
