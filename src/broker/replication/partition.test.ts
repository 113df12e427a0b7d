import { describe, expect, it } from 'vitest';
import { ErrorCode, errorByCode, KafkaError } from '../../protocol/errors.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import type { UnifiedLog } from '../log/unified-log.ts';
import type { AlterPartitionResult } from './alter-partition-manager.ts';
import { appendTo, batchOf, followerFetches, LAG_MS, partitionFixture, stateOf, TOPIC_ID } from './testing/replication-fixture.ts';
import type { FixtureOptions, PartitionFixture } from './testing/replication-fixture.ts';

/** Leads with this ISR in epoch 1. */
function leader(isr: readonly number[] = [1, 2, 3], options: FixtureOptions = {}): PartitionFixture {
  const fixture = partitionFixture(options);
  fixture.partition.makeLeader(stateOf({ isr }), TOPIC_ID);
  return fixture;
}

const appendOf = (fixture: PartitionFixture, ...values: string[]): void => appendTo(fixture, batchOf(values));
const nameOf = (outcome: UnifiedLog | number): string => (typeof outcome === 'number' ? errorByCode(outcome).name : 'the log');

describe('the high watermark of a leader', () => {
  it('is the smallest log end offset of the ISR', () => {
    const fixture = leader();
    appendOf(fixture, 'a', 'b', 'c');
    expect(fixture.log().highWatermark).toBe(0);
    followerFetches(fixture, 2, 3);
    expect(fixture.log().highWatermark).toBe(0);
    followerFetches(fixture, 3, 2);
    expect(fixture.log().highWatermark).toBe(2);
    expect(fixture.progress()).toBe(1);
    followerFetches(fixture, 3, 3);
    expect(fixture.log().highWatermark).toBe(3);
  });

  it('never goes back when a follower begins again at a lower offset', () => {
    const fixture = leader();
    appendOf(fixture, 'a', 'b');
    for (const id of [2, 3]) followerFetches(fixture, id, 2);
    followerFetches(fixture, 2, 0);
    expect(fixture.log().highWatermark).toBe(2);
  });

  it('moves with the write of a leader that is alone in its ISR', () => {
    const fixture = leader([1]);
    appendOf(fixture, 'a');
    expect(fixture.log().highWatermark).toBe(1);
  });

  it('waits for a follower outside of the ISR that has caught up and is alive: it is about to join', () => {
    const fixture = leader([1, 2]);
    appendOf(fixture, 'a');
    followerFetches(fixture, 3, 1);
    fixture.controller.last.onResult({ errorCode: ErrorCode.INELIGIBLE_REPLICA });
    appendOf(fixture, 'b');
    followerFetches(fixture, 2, 2);
    expect(fixture.log().highWatermark).toBe(1);
  });

  it('does not wait for one outside of the ISR that is dead, or that has lagged too long', async () => {
    const fixture = leader([1, 2]);
    appendOf(fixture, 'a');
    followerFetches(fixture, 3, 1);
    fixture.controller.last.onResult({ errorCode: ErrorCode.INELIGIBLE_REPLICA });
    fixture.alive.delete(3);
    appendOf(fixture, 'b');
    followerFetches(fixture, 2, 2);
    expect(fixture.log().highWatermark).toBe(2);
    fixture.alive.add(3);
    await fixture.time.advance(LAG_MS + 1);
    appendOf(fixture, 'c');
    followerFetches(fixture, 2, 3);
    expect(fixture.log().highWatermark).toBe(3);
  });

  it('moves when one that it waited for is dead or has lagged too long, without a fetch or an append: there may be none', async () => {
    const fixture = leader([1, 2]);
    const appendBehind = (value: string, offset: number): void => {
      appendOf(fixture, value);
      followerFetches(fixture, 3, offset);
      fixture.controller.last.onResult({ errorCode: ErrorCode.INELIGIBLE_REPLICA });
      appendOf(fixture, value);
      followerFetches(fixture, 2, offset + 1);
      expect(fixture.log().highWatermark).toBe(offset);
    };
    appendBehind('a', 1);
    const progress = fixture.progress();
    fixture.partition.reconsiderHighWatermark();
    expect([fixture.log().highWatermark, fixture.progress()]).toEqual([1, progress]);
    fixture.alive.delete(3);
    fixture.partition.reconsiderHighWatermark();
    expect([fixture.log().highWatermark, fixture.progress()]).toEqual([2, progress + 1]);
    fixture.alive.add(3);
    appendBehind('b', 3);
    await fixture.time.advance(LAG_MS + 1);
    fixture.partition.reconsiderHighWatermark();
    expect(fixture.log().highWatermark).toBe(4);
  });

  it('moves when the controller has refused the member that it waited for', () => {
    const fixture = leader([1, 2]);
    appendOf(fixture, 'a');
    followerFetches(fixture, 3, 1);
    appendOf(fixture, 'b');
    followerFetches(fixture, 2, 2);
    fixture.alive.delete(3);
    expect(fixture.log().highWatermark).toBe(1);
    fixture.controller.last.onResult({ errorCode: ErrorCode.INELIGIBLE_REPLICA });
    expect(fixture.log().highWatermark).toBe(2);
  });

  it('does not wait for one that has never fetched, though the process has run for less than the lag time', () => {
    const fixture = leader([1], { time: new ManualTime(0) });
    appendOf(fixture, 'a');
    expect(fixture.log().highWatermark).toBe(1);
  });

  it('moves when what a new leader had fetched before its election is written: it may be alone, and nothing else need come', async () => {
    const fixture = partitionFixture();
    fixture.partition.makeFollower(stateOf({ leader: 2 }), TOPIC_ID);
    let endWait = (): void => {};
    fixture.log().holdFirstWrite(new Promise<void>((resolve) => (endWait = resolve)));
    fixture.log().appendAsFollower(batchOf(['fetched']));
    fixture.partition.makeLeader(stateOf({ leaderEpoch: 2, isr: [1] }), TOPIC_ID);
    expect(fixture.log().highWatermark).toBe(0);
    endWait();
    await fixture.time.settle();
    expect([fixture.log().highWatermark, fixture.progress()]).toEqual([1, 1]);
  });

  it('stays while the ISR is smaller than min.insync.replicas', () => {
    const fixture = leader([1], { config: { 'min.insync.replicas': '2' } });
    appendOf(fixture, 'a');
    expect(fixture.log().highWatermark).toBe(0);
  });

  it('counts min.insync.replicas as no more than there are replicas', () => {
    const fixture = partitionFixture({ config: { 'min.insync.replicas': '3' } });
    fixture.partition.makeLeader(stateOf({ isr: [1], replicas: [1] }), TOPIC_ID);
    appendOf(fixture, 'a');
    expect(fixture.log().highWatermark).toBe(1);
  });
});

describe('the ISR', () => {
  it('is not joined by a follower before its end offset reaches the high watermark and the start of the current leader epoch', () => {
    const fixture = leader([1, 2]);
    appendOf(fixture, 'a', 'b');
    followerFetches(fixture, 2, 2);
    // Leader again in a later epoch, which begins at offset 2.
    fixture.partition.makeLeader(stateOf({ leaderEpoch: 2, isr: [1] }), TOPIC_ID);
    expect(fixture.log().highWatermark).toBe(2);
    appendOf(fixture, 'c');
    expect(fixture.log().highWatermark).toBe(3);
    followerFetches(fixture, 3, 2);
    expect(fixture.controller.submitted).toEqual([]);
    followerFetches(fixture, 3, 3);
    expect(fixture.controller.last.newIsr).toEqual([
      { brokerId: 1, brokerEpoch: -1 },
      { brokerId: 3, brokerEpoch: 103 },
    ]);
  });

  it('is not joined below the start of the leader epoch, though the high watermark lies further back (KAFKA-7128)', () => {
    const fixture = partitionFixture({ config: { 'min.insync.replicas': '2' } });
    fixture.partition.makeLeader(stateOf({ isr: [1] }), TOPIC_ID);
    appendOf(fixture, 'a', 'b');
    fixture.partition.makeLeader(stateOf({ leaderEpoch: 2, isr: [1] }), TOPIC_ID);
    expect(fixture.log().highWatermark).toBe(0);
    followerFetches(fixture, 2, 1);
    expect(fixture.controller.submitted).toEqual([]);
    followerFetches(fixture, 2, 2);
    expect(fixture.controller.submitted).toHaveLength(1);
  });

  it('is not joined by a broker that is not alive', () => {
    const fixture = leader([1, 2]);
    fixture.alive.delete(3);
    followerFetches(fixture, 3, 0);
    expect(fixture.controller.submitted).toEqual([]);
  });

  it('has a new member for the high watermark from when it is asked for, and for everyone else from the controller’s word on', async () => {
    const fixture = leader([1]);
    followerFetches(fixture, 2, 0);
    expect([...fixture.partition.isr]).toEqual([1]);
    // Caught up too long ago to be waited for, but for the pending change.
    await fixture.time.advance(LAG_MS + 1);
    appendOf(fixture, 'a');
    expect(fixture.log().highWatermark).toBe(0);
    fixture.controller.accept();
    expect([...fixture.partition.isr]).toEqual([1, 2]);
    expect(fixture.isrChanges).toEqual([{ kind: 'expand', isr: [1, 2], previousIsr: [1], leaderEpoch: 1, reason: expect.any(String) }]);
    followerFetches(fixture, 2, 1);
    expect(fixture.log().highWatermark).toBe(1);
  });

  it('is asked for one change at a time', () => {
    const fixture = leader([1]);
    followerFetches(fixture, 2, 0);
    followerFetches(fixture, 3, 0);
    expect(fixture.controller.submitted).toHaveLength(1);
    fixture.controller.accept();
    followerFetches(fixture, 3, 0);
    expect(fixture.controller.last.newIsr.map(({ brokerId }) => brokerId)).toEqual([1, 2, 3]);
    expect(fixture.controller.last.partitionEpoch).toBe(2);
  });

  it('loses a follower that has lagged for longer than replica.lag.time.max.ms, and no sooner', async () => {
    const fixture = leader();
    appendOf(fixture, 'a');
    followerFetches(fixture, 2, 1);
    followerFetches(fixture, 3, 0);
    await fixture.time.advance(LAG_MS);
    fixture.partition.maybeShrinkIsr();
    expect(fixture.controller.submitted).toEqual([]);
    await fixture.time.advance(1);
    fixture.partition.maybeShrinkIsr();
    expect(fixture.controller.last.newIsr.map(({ brokerId }) => brokerId)).toEqual([1, 2]);
    // Broker 2 is at the log end: caught up, however long ago it fetched.
    fixture.controller.accept();
    expect(fixture.isrChanges[0]?.reason).toContain('broker 3 is 1 record behind, not caught up for 30 s');
    expect(fixture.log().highWatermark).toBe(1);
  });

  it('holds the high watermark back for who is to leave until the controller has agreed', async () => {
    const fixture = leader();
    appendOf(fixture, 'a');
    followerFetches(fixture, 2, 1);
    await fixture.time.advance(LAG_MS + 1);
    fixture.partition.maybeShrinkIsr();
    expect(fixture.log().highWatermark).toBe(0);
    fixture.controller.accept();
    expect(fixture.log().highWatermark).toBe(1);
  });

  it('loses a member that is no replica any more', () => {
    const fixture = leader([1, 2, 9]);
    fixture.partition.maybeShrinkIsr();
    expect(fixture.controller.last.newIsr.map(({ brokerId }) => brokerId)).toEqual([1, 2]);
  });

  it('does not shrink under a new leader before the followers have had the lag time', async () => {
    const fixture = leader();
    appendOf(fixture, 'a');
    await fixture.time.advance(LAG_MS);
    fixture.partition.maybeShrinkIsr();
    expect(fixture.controller.submitted).toEqual([]);
  });

  const UNCLEAR = ['INVALID_UPDATE_VERSION', 'FENCED_LEADER_EPOCH', 'UNKNOWN_TOPIC_ID', 'INVALID_REQUEST', 'NEW_LEADER_ELECTED'] as const;
  it.each(UNCLEAR)('goes on counting a proposed member after %s, since the change may have been made', async (name) => {
    const fixture = leader([1]);
    followerFetches(fixture, 2, 0);
    fixture.controller.last.onResult({ errorCode: ErrorCode[name] });
    await fixture.time.advance(LAG_MS + 1);
    appendOf(fixture, 'a');
    expect(fixture.log().highWatermark).toBe(0);
    followerFetches(fixture, 3, 0);
    expect(fixture.controller.submitted).toHaveLength(1);
    // Until the controller tells.
    fixture.partition.makeLeader(stateOf({ leaderEpoch: 2, isr: [1] }), TOPIC_ID);
    expect(fixture.log().highWatermark).toBe(1);
  });

  it.each(['INELIGIBLE_REPLICA', 'OPERATION_NOT_ATTEMPTED'] as const)(
    'is as before after %s, and asked for again at the next fetch',
    (name) => {
      const fixture = leader([1]);
      followerFetches(fixture, 2, 0);
      fixture.controller.last.onResult({ errorCode: ErrorCode[name] });
      followerFetches(fixture, 2, 0);
      expect(fixture.controller.submitted).toHaveLength(2);
    },
  );

  it('is LeaderAndIsr’s, not that of an answer which comes after it', () => {
    const fixture = leader([1]);
    followerFetches(fixture, 2, 0);
    const { last } = fixture.controller;
    expect(last.isCurrent()).toBe(true);
    fixture.partition.makeLeader(stateOf({ leaderEpoch: 2, isr: [1, 3] }), TOPIC_ID);
    expect(last.isCurrent()).toBe(false);
    fixture.controller.accept();
    expect([...fixture.partition.isr]).toEqual([1, 3]);
    expect(fixture.partition.partitionEpoch).toBe(2);
  });

  it('stays pending when the answer tells of another leader epoch', () => {
    const fixture = leader([1]);
    followerFetches(fixture, 2, 0);
    const answer: AlterPartitionResult = { errorCode: 0, leaderId: 2, leaderEpoch: 2, isr: [2], partitionEpoch: 9 };
    fixture.controller.last.onResult(answer);
    expect([...fixture.partition.isr]).toEqual([1]);
    expect(fixture.partition.partitionEpoch).toBe(1);
    expect(fixture.controller.last.isCurrent()).toBe(true);
  });
});

describe('a produce request', () => {
  it('with acks=all is refused while the ISR is smaller than min.insync.replicas, with acks=1 it is not', () => {
    const fixture = leader([1], { config: { 'min.insync.replicas': '2' } });
    const produce = (requiredAcks: number) => () => appendTo(fixture, batchOf(['a']), requiredAcks);
    expect(produce(-1)).toThrow(
      new KafkaError(
        ErrorCode.NOT_ENOUGH_REPLICAS,
        'The size of the current ISR [1] of orders-0 is 1, which is less than min.insync.replicas 2',
      ),
    );
    expect(fixture.log().appendEndOffset).toBe(0);
    produce(1)();
    expect(fixture.log().logEndOffset).toBe(1);
  });

  it('is not called out of order by a broker that may have been deposed: what is missing may be with another leader', () => {
    const fixture = leader([1, 2]);
    const batch = (baseSequence: number): Buffer => batchOf([`${baseSequence}`], { producerId: 7, producerEpoch: 0, baseSequence });
    appendTo(fixture, batch(0));
    fixture.doubt.mayBeDeposed = true;
    expect(() => appendTo(fixture, batch(2))).toThrow(expect.objectContaining({ code: ErrorCode.NOT_LEADER_OR_FOLLOWER }));
    expect(fixture.log().logEndOffset).toBe(1);
    // It leads on all the same: while ZooKeeper is away, nobody else may.
    appendTo(fixture, batch(1));
    fixture.doubt.mayBeDeposed = false;
    expect(fixture.partition.appendRecordsToLeader(batch(3), { origin: 'client', requiredAcks: -1, onWritten: () => {} })).toMatchObject({
      ok: false,
      errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    });
  });

  it('is done when the high watermark has reached its end, with an error when the ISR is too small by then', () => {
    const fixture = leader([1, 2], { config: { 'min.insync.replicas': '2' } });
    appendOf(fixture, 'a');
    expect(fixture.partition.checkEnoughReplicasReachOffset(1, fixture.partition.leadership)).toBeUndefined();
    followerFetches(fixture, 2, 1);
    expect(fixture.partition.checkEnoughReplicasReachOffset(1, fixture.partition.leadership)).toBe(ErrorCode.NONE);
    fixture.partition.makeLeader(stateOf({ leaderEpoch: 2, isr: [1] }), TOPIC_ID);
    expect(fixture.partition.checkEnoughReplicasReachOffset(1, fixture.partition.leadership)).toBe(
      ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    );
    fixture.partition.makeFollower(stateOf({ leaderEpoch: 3, leader: 2 }), TOPIC_ID);
    expect(fixture.partition.checkEnoughReplicasReachOffset(1, fixture.partition.leadership)).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER);
  });

  it('that was written after the leadership was lost moves no high watermark', () => {
    const fixture = leader([1]);
    let written = false;
    fixture.partition.appendRecordsToLeader(batchOf(['a']), { origin: 'client', requiredAcks: 1, onWritten: () => (written = true) });
    fixture.partition.makeFollower(stateOf({ leaderEpoch: 2, leader: 2 }), TOPIC_ID);
    fixture.time.runTurnEnd();
    expect(written).toBe(true);
    expect(fixture.log().logEndOffset).toBe(1);
    expect(fixture.log().highWatermark).toBe(0);
  });
});

describe('a reassignment', () => {
  const moving = (isr: readonly number[]): PartitionFixture => {
    const fixture = partitionFixture();
    fixture.partition.makeLeader(stateOf({ isr, replicas: [4, 2, 1], addingReplicas: [4], removingReplicas: [1] }), TOPIC_ID);
    return fixture;
  };

  it('counts the replicas that are being added neither as missing nor towards the minimum of the ISR', () => {
    const fixture = moving([1, 2]);
    expect(fixture.partition.isReassigning).toBe(true);
    expect(fixture.partition.isUnderReplicated).toBe(false);
    expect(moving([1]).partition.isUnderReplicated).toBe(true);
    // One of the old replicas is out, the new one in: as many as there were.
    expect(moving([1, 4]).partition.isUnderReplicated).toBe(false);
  });

  it('takes an added replica into the ISR when it has caught up, and its end counts for the high watermark', () => {
    const fixture = moving([1, 2]);
    appendOf(fixture, 'a');
    followerFetches(fixture, 2, 1);
    expect(fixture.log().highWatermark).toBe(1);
    followerFetches(fixture, 4, 0);
    expect(fixture.controller.submitted).toEqual([]);
    followerFetches(fixture, 4, 1);
    expect(fixture.controller.last.newIsr.map(({ brokerId }) => brokerId)).toEqual([1, 2, 4]);
    appendOf(fixture, 'b');
    followerFetches(fixture, 2, 2);
    expect(fixture.log().highWatermark).toBe(1);
  });

  it('is over with the next state, and who was removed is no replica any more', () => {
    const fixture = moving([1, 2, 4]);
    fixture.partition.makeLeader(stateOf({ leaderEpoch: 2, isr: [1, 4], replicas: [4, 1] }), TOPIC_ID);
    expect(fixture.partition.isReassigning).toBe(false);
    expect(followerFetches(fixture, 2, 0)).toBe(false);
  });
});

describe('leadership', () => {
  it('fences older epochs and does not know newer ones (KIP-320)', () => {
    const fixture = leader();
    expect(nameOf(fixture.partition.leaderLogOrError(-1))).toBe('the log');
    expect(nameOf(fixture.partition.leaderLogOrError(1))).toBe('the log');
    expect(nameOf(fixture.partition.leaderLogOrError(0))).toBe('FENCED_LEADER_EPOCH');
    expect(nameOf(fixture.partition.leaderLogOrError(2))).toBe('UNKNOWN_LEADER_EPOCH');
    fixture.partition.makeFollower(stateOf({ leaderEpoch: 2, leader: 2 }), TOPIC_ID);
    expect(nameOf(fixture.partition.leaderLogOrError(2))).toBe('NOT_LEADER_OR_FOLLOWER');
    expect(nameOf(fixture.partition.leaderLogOrError(1))).toBe('FENCED_LEADER_EPOCH');
  });

  it('is new once: another epoch of the same leader is none, a return is', () => {
    const { partition } = partitionFixture();
    expect(partition.makeLeader(stateOf(), TOPIC_ID)).toBe(true);
    expect(partition.makeLeader(stateOf({ leaderEpoch: 2, isr: [1] }), TOPIC_ID)).toBe(false);
    expect(partition.makeFollower(stateOf({ leaderEpoch: 3, leader: 2 }), TOPIC_ID)).toBe(true);
    expect(partition.makeLeader(stateOf({ leaderEpoch: 4 }), TOPIC_ID)).toBe(true);
  });

  it('notes the start of its epoch before anything is appended, behind what still waits to be written', () => {
    const fixture = leader();
    fixture.partition.appendRecordsToLeader(batchOf(['a', 'b']), { origin: 'client', requiredAcks: 1, onWritten: () => {} });
    fixture.partition.makeLeader(stateOf({ leaderEpoch: 5 }), TOPIC_ID);
    expect(fixture.log().epochEntries).toEqual([
      { epoch: 1, startOffset: 0 },
      { epoch: 5, startOffset: 2 },
    ]);
  });

  it('ignores a state of an older partition epoch', () => {
    const fixture = leader();
    fixture.partition.makeLeader(stateOf({ leaderEpoch: 2, partitionEpoch: 7, isr: [1] }), TOPIC_ID);
    expect(fixture.partition.makeLeader(stateOf({ leaderEpoch: 3, partitionEpoch: 6 }), TOPIC_ID)).toBe(false);
    expect(fixture.partition.makeFollower(stateOf({ leaderEpoch: 3, partitionEpoch: 6, leader: 2 }), TOPIC_ID)).toBe(false);
    expect(fixture.partition.isLeader).toBe(true);
    expect(fixture.partition.leaderEpoch).toBe(2);
  });

  it('tells where an epoch ends, and for an epoch it never had, the one below', () => {
    const fixture = leader();
    appendOf(fixture, 'a', 'b');
    fixture.partition.makeLeader(stateOf({ leaderEpoch: 4 }), TOPIC_ID);
    appendOf(fixture, 'c');
    const end = (epoch: number) => fixture.partition.endOffsetForLeaderEpoch(-1, epoch);
    expect(end(1)).toEqual({ errorCode: 0, leaderEpoch: 1, endOffset: 2 });
    expect(end(3)).toEqual({ errorCode: 0, leaderEpoch: 1, endOffset: 2 });
    expect(end(4)).toEqual({ errorCode: 0, leaderEpoch: 4, endOffset: 3 });
    expect(end(5)).toEqual({ errorCode: 0, leaderEpoch: -1, endOffset: -1 });
    expect(fixture.partition.endOffsetForLeaderEpoch(1, 1).errorCode).toBe(ErrorCode.FENCED_LEADER_EPOCH);
  });

  it('has no offset to tell before the high watermark has reached its epoch’s start (KIP-207)', () => {
    const fixture = leader([1, 2]);
    appendOf(fixture, 'a');
    fixture.partition.makeLeader(stateOf({ leaderEpoch: 2, isr: [1, 2] }), TOPIC_ID);
    expect(fixture.partition.highWatermarkHasReachedEpochStart).toBe(false);
    followerFetches(fixture, 2, 1);
    expect(fixture.partition.highWatermarkHasReachedEpochStart).toBe(true);
  });

  it('does not know a broker that is no replica', () => {
    const fixture = leader();
    expect(followerFetches(fixture, 9, 0)).toBe(false);
    expect(followerFetches(fixture, 2, 0)).toBe(true);
  });

  it('ends with the log: after its deletion nobody leads, after its folder’s failure the storage is to blame', () => {
    const deleted = leader().partition;
    deleted.delete();
    expect(nameOf(deleted.leaderLogOrError())).toBe('NOT_LEADER_OR_FOLLOWER');
    expect(deleted.checkEnoughReplicasReachOffset(1, deleted.leadership)).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    const failed = leader().partition;
    failed.markOffline();
    expect(nameOf(failed.leaderLogOrError())).toBe('KAFKA_STORAGE_ERROR');
    expect(failed.checkEnoughReplicasReachOffset(1, failed.leadership)).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    expect(failed.isLeader).toBe(false);
  });
});
