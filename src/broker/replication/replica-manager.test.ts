import { describe, expect, it, vi } from 'vitest';
import { ErrorCode, errorByCode } from '../../protocol/errors.ts';
import { appendError, LogStorageError } from '../log/log-errors.ts';
import type { UnifiedLog } from '../log/unified-log.ts';
import { partitionState } from '../metadata/testing/update-metadata.ts';
import type { AppendResult } from './record-appender.ts';
import { REMEMBERED_MS } from './refused-sequences.ts';
import {
  batchOf,
  BROKER_EPOCH,
  fetchParams,
  fetchRequest,
  replicaManagerFixture,
  TOPIC,
  TOPIC_ID,
  TP,
  valuesOf,
} from './testing/replication-fixture.ts';
import type { ReplicaManagerFixture } from './testing/replication-fixture.ts';

const nameOf = (code: number | undefined): string => (code === undefined ? 'no answer' : errorByCode(code).name);
const partitionCode = (outcome: ReturnType<ReplicaManagerFixture['lead']>): string => nameOf(outcome.topics[0]?.partitions[0]?.errorCode);
const produced = ({ results }: ReturnType<ReplicaManagerFixture['append']>): string => nameOf(results?.[0]?.errorCode);
const fetched = ({ outcomes }: ReturnType<ReplicaManagerFixture['fetch']>): unknown =>
  outcomes === undefined
    ? 'no answer'
    : outcomes.map(({ result }) => (result.errorCode === ErrorCode.NONE ? valuesOf(result.records) : nameOf(result.errorCode)))[0];

/** Leads partition 0 with this ISR in epoch 1. */
function leading(isr: readonly number[] = [1, 2], options: Parameters<typeof replicaManagerFixture>[0] = {}): ReplicaManagerFixture {
  const fixture = replicaManagerFixture(options);
  fixture.lead({ isr });
  return fixture;
}

/** Broker 2 fetches from `offset`, without waiting. */
const follow = (fixture: ReplicaManagerFixture, offset: number): unknown =>
  fetched(fixture.fetch({ replicaId: 2, maxWaitMs: 0 }, { fetchOffset: offset }));

/** Produces a record of producer 7 with this sequence, acks=all; what it is answered, undefined while it waits. */
const sentBy =
  (fixture: ReplicaManagerFixture) =>
  (baseSequence: number): string =>
    produced(fixture.append(batchOf([`${baseSequence}`], { producerId: 7, producerEpoch: 0, baseSequence })));

describe('a write with acks=all whose broker led no more before all of it was written, and leads again', () => {
  it('is not acknowledged by the high watermark of the later epoch, where another partition of the request was slow', async () => {
    const fixture = leading([1, 2]);
    const [slow, slowId] = [{ topic: 'slow', partition: 0 }, 'AAAAAAAAAAAAAAAAAAAAAg'];
    let endWait = (): void => {};
    const disk = new Promise<void>((resolve) => (endWait = resolve));
    fixture.logManager.getOrCreateLog(slow, { topicId: slowId }).holdFirstWrite(disk);
    fixture.leadTopic(slow.topic, slowId, { isr: [1] });
    let results: readonly AppendResult[] | undefined;
    const entries = [TP, slow].map((topicPartition) => ({ topicPartition, records: batchOf(['v']) }));
    fixture.appender.append({
      entries,
      requiredAcks: -1,
      timeoutMs: 60_000,
      origin: 'client',
      respond: (answered) => (results = answered),
    });
    fixture.time.runTurnEnd();
    fixture.lead({ leader: 2, leaderEpoch: 2 });
    await fixture.partition().log?.truncateTo(0);
    fixture.lead({ leaderEpoch: 3, isr: [1] });
    fixture.append(batchOf(['another']), { acks: 1 });
    await fixture.time.settle();
    expect(fixture.partition().log?.highWatermark).toBe(1);
    endWait();
    await fixture.time.settle();
    expect(results?.map(({ errorCode }) => nameOf(errorCode))).toEqual(['NOT_LEADER_OR_FOLLOWER', 'NONE']);
  });
});

describe('a batch behind one that was refused', () => {
  it('for want of in-sync replicas is refused the same way, not as out of order, until that one has come again', () => {
    const fixture = leading([1, 2], { config: { 'min.insync.replicas': '2' } });
    const sent = sentBy(fixture);
    let partitionEpoch = 1;
    const inSync = (isr: number[]): unknown => fixture.lead({ leaderEpoch: ++partitionEpoch, isr });
    expect(sent(0)).toBe('no answer');
    inSync([1]);
    expect(sent(1)).toBe('NOT_ENOUGH_REPLICAS');
    inSync([1, 2]);
    expect([sent(2), sent(3)]).toEqual(['NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS']);
    expect([sent(1), sent(2), sent(3)]).toEqual(['no answer', 'no answer', 'no answer']);
    // A gap of the producer's own making is still called what it is.
    expect(sent(5)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
  });

  it('while too much waited for the disk is refused the same way', () => {
    const fixture = leading([1]);
    const sent = sentBy(fixture);
    expect(sent(0)).toBe('NONE');
    const log = fixture.partition().log as UnifiedLog;
    vi.spyOn(log, 'appendAsLeader').mockReturnValueOnce(appendError(ErrorCode.REQUEST_TIMED_OUT, 'too much waits'));
    expect([sent(1), sent(2), sent(3)]).toEqual(['REQUEST_TIMED_OUT', 'REQUEST_TIMED_OUT', 'REQUEST_TIMED_OUT']);
    expect([sent(1), sent(2), sent(3)]).toEqual(['NONE', 'NONE', 'NONE']);
  });

  it('by a broker that did not lead yet is refused the same way, for a while', async () => {
    const fixture = leading([1]);
    const sent = sentBy(fixture);
    expect(sent(0)).toBe('NONE');
    fixture.lead({ leaderEpoch: 2, leader: 2 });
    expect(sent(1)).toBe('NOT_LEADER_OR_FOLLOWER');
    fixture.lead({ leaderEpoch: 3, isr: [1] });
    expect([sent(2), sent(3)]).toEqual(['NOT_LEADER_OR_FOLLOWER', 'NOT_LEADER_OR_FOLLOWER']);
    await fixture.time.advance(REMEMBERED_MS);
    expect(sent(3)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect([sent(1), sent(2), sent(3)]).toEqual(['NONE', 'NONE', 'NONE']);
  });
});

describe('the first batches of a producer', () => {
  it('begin with the one that was refused, and not with one that was sent behind it', async () => {
    const fixture = leading([1]);
    const sent = sentBy(fixture);
    fixture.lead({ leaderEpoch: 2, leader: 2 });
    expect([sent(0), sent(1), sent(2)]).toEqual(['NOT_LEADER_OR_FOLLOWER', 'NOT_LEADER_OR_FOLLOWER', 'NOT_LEADER_OR_FOLLOWER']);
    fixture.lead({ leaderEpoch: 3, isr: [1] });
    expect(sent(3)).toBe('NOT_LEADER_OR_FOLLOWER');
    expect([sent(0), sent(1), sent(2), sent(3)]).toEqual(['NONE', 'NONE', 'NONE', 'NONE']);
  });

  it('may begin anywhere when what was refused does not come again', async () => {
    const fixture = leading([1]);
    const sent = sentBy(fixture);
    fixture.lead({ leaderEpoch: 2, leader: 2 });
    expect(sent(0)).toBe('NOT_LEADER_OR_FOLLOWER');
    fixture.lead({ leaderEpoch: 3, isr: [1] });
    await fixture.time.advance(REMEMBERED_MS);
    expect(sent(3)).toBe('NONE');
  });
});

describe('a batch behind several that were refused', () => {
  it('is refused the same way when only the first has come again, over a connection that its producer has given up, say', () => {
    const fixture = leading([1]);
    const sent = sentBy(fixture);
    expect(sent(0)).toBe('NONE');
    fixture.lead({ leaderEpoch: 2, leader: 2 });
    expect([sent(1), sent(2)]).toEqual(['NOT_LEADER_OR_FOLLOWER', 'NOT_LEADER_OR_FOLLOWER']);
    fixture.lead({ leaderEpoch: 3, isr: [1] });
    expect([sent(1), sent(3)]).toEqual(['NONE', 'NOT_LEADER_OR_FOLLOWER']);
    expect([sent(2), sent(3), sent(5)]).toEqual(['NONE', 'NONE', 'OUT_OF_ORDER_SEQUENCE_NUMBER']);
  });
});

describe('a LeaderAndIsr request', () => {
  it('from a controller that is none any more, or for an earlier life of this broker, changes nothing', () => {
    const fixture = replicaManagerFixture();
    fixture.manager.controllerEpoch = 3;
    expect(nameOf(fixture.lead({}, { controllerEpoch: 2 }).errorCode)).toBe('STALE_CONTROLLER_EPOCH');
    expect(nameOf(fixture.lead({}, { controllerEpoch: 3, brokerEpoch: BROKER_EPOCH - 1 }).errorCode)).toBe('STALE_BROKER_EPOCH');
    expect(fixture.manager.partitions()).toEqual([]);
    expect(fixture.lead({}, { controllerEpoch: 4, brokerEpoch: -1 }).errorCode).toBe(0);
    expect(fixture.manager.controllerEpoch).toBe(4);
  });

  it('to its new registration ends the doubt of a broker whose session expired, one to the old registration does not', () => {
    const fixture = leading();
    const sent = (baseSequence: number): string =>
      produced(fixture.append(batchOf([`${baseSequence}`], { producerId: 7, producerEpoch: 0, baseSequence }), { acks: 1 }));
    expect(sent(0)).toBe('NONE');
    expect(sent(5)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
    fixture.zooKeeper.isConnected = false;
    expect(sent(5)).toBe('NOT_LEADER_OR_FOLLOWER');
    fixture.doubt.onSessionExpired();
    fixture.zooKeeper.isConnected = true;
    expect(sent(5)).toBe('NOT_LEADER_OR_FOLLOWER');
    fixture.lead({ leaderEpoch: 2 }, { brokerEpoch: BROKER_EPOCH });
    expect(sent(5)).toBe('NOT_LEADER_OR_FOLLOWER');
    fixture.lead({ leaderEpoch: 3 }, { brokerEpoch: BROKER_EPOCH + 1 });
    expect(sent(5)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
  });

  it('is refused for a partition whose leader epoch is not newer, whose topic id differs, or that has no replica here', () => {
    const fixture = leading();
    expect(partitionCode(fixture.lead({ leaderEpoch: 1 }))).toBe('STALE_CONTROLLER_EPOCH');
    expect(partitionCode(fixture.lead({ leaderEpoch: 0 }))).toBe('STALE_CONTROLLER_EPOCH');
    expect(partitionCode(fixture.lead({ leaderEpoch: 2 }, { topicId: 'AAAAAAAAAAAAAAAAAAAAAg' }))).toBe('INCONSISTENT_TOPIC_ID');
    expect(partitionCode(fixture.lead({ leaderEpoch: 2, replicas: [2, 3] }))).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    expect(fixture.partition().leaderEpoch).toBe(1);
  });

  it('begins and ends following, at the address that it names', () => {
    const fixture = leading();
    expect(fixture.followed.size).toBe(0);
    fixture.lead({ leaderEpoch: 2, leader: 2 });
    expect(fixture.followed.get('orders-0')).toEqual({ id: 2, host: 'two', port: 9093 });
    fixture.lead({ leaderEpoch: 3 });
    expect(fixture.followed.size).toBe(0);
    // A leader that is not alive, and none at all.
    fixture.lead({ leaderEpoch: 4, leader: 3 });
    fixture.lead({ leaderEpoch: 5, leader: -1 });
    expect(fixture.followed.size).toBe(0);
  });

  it('tells coordinators of new leaders and of followers, not of another epoch of the same leader', () => {
    const fixture = leading();
    fixture.lead({ leaderEpoch: 2, isr: [1] });
    fixture.lead({ leaderEpoch: 3, leader: 2 });
    fixture.lead({ leaderEpoch: 4 });
    expect(fixture.told).toEqual({ leaders: ['orders-0', 'orders-0'], followers: ['orders-0'] });
  });

  it('is refused for a partition whose log dir has failed', () => {
    const fixture = leading();
    fixture.manager.onLogDirFailure(fixture.logManager.liveLogDirs[0] ?? '');
    expect(partitionCode(fixture.lead({ leaderEpoch: 2 }))).toBe('KAFKA_STORAGE_ERROR');
    expect(follow(fixture, 0)).toBe('KAFKA_STORAGE_ERROR');
  });

  it('takes a partition offline whose log may lie in a log dir that was offline at the start', () => {
    const fixture = replicaManagerFixture();
    fixture.logManager.getOrCreateLog = () => {
      throw new LogStorageError('/data', 'it may lie in a folder that is offline');
    };
    expect(partitionCode(fixture.lead())).toBe('KAFKA_STORAGE_ERROR');
    expect(follow(fixture, 0)).toBe('KAFKA_STORAGE_ERROR');
  });
});

describe('the metrics of ISRs', () => {
  it('count growth, shrinking and refusals under Kafka’s names', () => {
    const fixture = leading([1, 2]);
    const counts = (): unknown[] =>
      ['IsrExpandsPerSec', 'IsrShrinksPerSec', 'FailedIsrUpdatesPerSec'].map(
        (name) => fixture.runtime.metrics.snapshot().find((sample) => sample.name === name)?.value,
      );
    fixture.fetch({ replicaId: 3 });
    fixture.controller.last.onResult({ errorCode: ErrorCode.INELIGIBLE_REPLICA });
    expect(counts()).toEqual([0, 0, 1]);
    fixture.fetch({ replicaId: 3 });
    fixture.controller.accept();
    expect(counts()).toEqual([1, 0, 1]);
  });
});

describe('a log that lies there from an earlier topic of the name', () => {
  it('is set aside, and the replica begins empty', () => {
    const fixture = replicaManagerFixture();
    const stale = fixture.logManager.getOrCreateLog(TP, { topicId: 'BBBBBBBBBBBBBBBBBBBBBQ' });
    stale.appendAsLeader(batchOf(['old']), { leaderEpoch: 0, origin: 'client', onComplete: () => {} });
    fixture.time.runTurnEnd();
    expect(fixture.lead({ isr: [1] }).topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.NONE);
    expect(fixture.logManager.setAside).toEqual(['orders-0']);
    expect(fixture.partition().log?.logEndOffset).toBe(0);
  });

  it('is never taken from a partition that is hosted: another id is refused', () => {
    const fixture = leading();
    const outcome = fixture.lead({ leaderEpoch: 2 }, { topicId: 'BBBBBBBBBBBBBBBBBBBBBQ' });
    expect(outcome.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.INCONSISTENT_TOPIC_ID);
    expect(fixture.logManager.setAside).toEqual([]);
  });
});

describe('metadata that is newer than LeaderAndIsr', () => {
  const metadata = (leader: number, leaderEpoch: number, replicas: readonly number[] = [1, 2, 3], topicId = TOPIC_ID) => ({
    type: 0,
    topicStates: [{ topicName: TOPIC, topicId, partitionStates: [partitionState(0, leader, replicas, leaderEpoch)] }],
  });
  const sent = (fixture: ReplicaManagerFixture): string => produced(fixture.append(batchOf(['late']), { acks: 1 }));
  const leaderCount = ({ runtime }: ReplicaManagerFixture): unknown =>
    runtime.metrics.snapshot().find(({ name }) => name === 'LeaderCount')?.value;

  it('ends the leadership: what waits is answered so, nothing is taken or read, and no leader is counted', () => {
    const fixture = leading([1, 2]);
    const waiting = fixture.append(batchOf(['a']));
    const reading = fixture.fetch({ replicaId: -1, maxWaitMs: 500 });
    expect([produced(waiting), fetched(reading), leaderCount(fixture)]).toEqual(['no answer', 'no answer', 1]);
    expect(fixture.manager.standDownBy(metadata(2, 2))).toEqual([TP]);
    expect([produced(waiting), fetched(reading), leaderCount(fixture)]).toEqual(['NOT_LEADER_OR_FOLLOWER', 'NOT_LEADER_OR_FOLLOWER', 0]);
    expect([sent(fixture), follow(fixture, 0)]).toEqual(['NOT_LEADER_OR_FOLLOWER', 'NOT_LEADER_OR_FOLLOWER']);
    expect([fixture.partition().isStray, fixture.logManager.deleted]).toEqual([false, []]);
    // Told again it changes nothing.
    expect(fixture.manager.standDownBy(metadata(2, 2))).toEqual([]);
  });

  it('changes nothing when it is older, or names the same leader', () => {
    const fixture = leading([1, 2], {});
    fixture.lead({ leaderEpoch: 5, isr: [1] });
    for (const older of [metadata(2, 4), metadata(1, 5), metadata(1, 6), metadata(2, 3, [2, 3])])
      expect(fixture.manager.standDownBy(older)).toEqual([]);
    expect(sent(fixture)).toBe('NONE');
  });

  it('holds until LeaderAndIsr of that epoch or a later one comes, not an older one', () => {
    const fixture = leading([1]);
    fixture.manager.standDownBy(metadata(2, 4));
    expect(partitionCode(fixture.lead({ leaderEpoch: 3, isr: [1] }))).toBe('STALE_CONTROLLER_EPOCH');
    expect(partitionCode(fixture.lead({ leaderEpoch: 4, leader: 2 }))).toBe('NONE');
    expect(fixture.followed.size).toBe(1);
    fixture.lead({ leaderEpoch: 5, isr: [1] });
    expect(sent(fixture)).toBe('NONE');
  });

  it('makes a stray of a replica that it does not list: it neither leads nor follows, and its log stays', () => {
    const fixture = leading([1]);
    fixture.lead({ leaderEpoch: 2, leader: 2 });
    expect(fixture.followed.size).toBe(1);
    expect(fixture.manager.standDownBy(metadata(2, 3, [2, 3]))).toEqual([TP]);
    expect([fixture.followed.size, fixture.partition().isStray]).toEqual([0, true]);
    expect([fixture.logManager.deleted, fixture.logManager.setAside]).toEqual([[], []]);
  });

  it('makes strays of all that a full request leaves out; the controller may take that back in the same leader epoch', () => {
    const fixture = leading([1]);
    expect(fixture.manager.standDownBy({ type: 0, topicStates: [] })).toEqual([]);
    expect(fixture.manager.standDownBy({ type: 2, topicStates: [] })).toEqual([TP]);
    expect(sent(fixture)).toBe('NOT_LEADER_OR_FOLLOWER');
    expect(partitionCode(fixture.lead({ leaderEpoch: 1, isr: [1] }))).toBe('NONE');
    expect([sent(fixture), fixture.partition().isStray, fixture.partition().highWatermarkHasReachedEpochStart]).toEqual([
      'NONE',
      false,
      true,
    ]);
    expect(fixture.told.leaders).toHaveLength(2);
  });

  it('sets a stray of an earlier topic aside when the new one gets a replica here', () => {
    const fixture = leading([1]);
    const other = 'BBBBBBBBBBBBBBBBBBBBBQ';
    fixture.manager.standDownBy(metadata(2, 0, [2, 3], other));
    expect(partitionCode(fixture.lead({ leaderEpoch: 0, isr: [1] }, { topicId: other }))).toBe('NONE');
    expect(fixture.logManager.setAside).toHaveLength(1);
    expect([sent(fixture), fixture.partition().topicId]).toEqual(['NONE', other]);
  });
});

describe('a StopReplica request', () => {
  const stop = (
    fixture: ReplicaManagerFixture,
    leaderEpoch: number,
    deletePartition: boolean,
    controllerEpoch = 1,
    brokerEpoch = BROKER_EPOCH,
  ) => {
    const stopped: unknown[] = [];
    const { errorCode, partitionErrors } = fixture.manager.stopReplicas(
      { controllerId: 2, controllerEpoch, brokerEpoch },
      [{ topicPartition: TP, leaderEpoch, deletePartition }],
      (partitions) => stopped.push(...partitions),
    );
    return { code: nameOf(errorCode), partition: nameOf(partitionErrors[0]?.errorCode), stopped };
  };

  it('from a stale controller, for an earlier life, or with an older leader epoch deletes nothing', () => {
    const fixture = leading();
    fixture.lead({ leaderEpoch: 5, leader: 2 });
    expect(stop(fixture, 5, true, 0).code).toBe('STALE_CONTROLLER_EPOCH');
    expect(stop(fixture, 5, true, 1, BROKER_EPOCH - 1).code).toBe('STALE_BROKER_EPOCH');
    expect(stop(fixture, 4, true)).toEqual({ code: 'NONE', partition: 'FENCED_LEADER_EPOCH', stopped: [] });
    expect(fixture.logManager.deleted).toEqual([]);
    expect(fixture.followed.size).toBe(1);
  });

  it('is refused for a partition whose log dir has failed', () => {
    const fixture = leading();
    fixture.manager.onLogDirFailure(fixture.logManager.liveLogDirs[0] ?? '');
    expect(stop(fixture, 5, true)).toEqual({ code: 'NONE', partition: 'KAFKA_STORAGE_ERROR', stopped: [] });
  });

  it('ends following, and deletes the log only when told', () => {
    const fixture = leading();
    fixture.lead({ leaderEpoch: 5, leader: 2 });
    expect(stop(fixture, 5, false).partition).toBe('NONE');
    expect(fixture.followed.size).toBe(0);
    expect(fixture.logManager.deleted).toEqual([]);
    // -2: the topic is being deleted, whatever the epoch.
    expect(stop(fixture, -2, true)).toEqual({
      code: 'NONE',
      partition: 'NONE',
      stopped: [{ topicPartition: TP, leaderEpoch: undefined, deleted: true }],
    });
    expect(fixture.logManager.deleted).toEqual(['orders-0']);
    expect(fixture.manager.partitions()).toEqual([]);
  });

  it('answers what waits for a partition that is deleted', () => {
    const fixture = leading();
    const waiting = fixture.append(batchOf(['a']));
    const poll = fixture.fetch({}, { fetchOffset: 0 });
    stop(fixture, -2, true);
    expect(produced(waiting)).toBe('NOT_LEADER_OR_FOLLOWER');
    expect(fetched(poll)).toBe('NOT_LEADER_OR_FOLLOWER');
  });
});

describe('a produce request', () => {
  it('with acks=1 is answered when it is written, with acks=all when the ISR has it', () => {
    const fixture = leading();
    expect(fixture.append(batchOf(['a', 'b']), { acks: 1 }).results).toMatchObject([{ errorCode: 0, baseOffset: 0 }]);
    const all = fixture.append(batchOf(['c']));
    expect(produced(all)).toBe('no answer');
    follow(fixture, 2);
    expect(produced(all)).toBe('no answer');
    follow(fixture, 3);
    expect(all.results).toMatchObject([{ errorCode: 0, baseOffset: 2 }]);
  });

  it('with acks=all times out with what it has', async () => {
    const fixture = leading();
    const all = fixture.append(batchOf(['a']), { timeoutMs: 100 });
    await fixture.time.advance(99);
    expect(produced(all)).toBe('no answer');
    await fixture.time.advance(2);
    expect(all.results).toMatchObject([{ errorCode: ErrorCode.REQUEST_TIMED_OUT, baseOffset: -1 }]);
    expect(fixture.partition().log?.logEndOffset).toBe(1);
  });

  it('with acks=all fails at once when the leadership is lost, and goes on waiting through another epoch of the same leader', () => {
    const fixture = leading([1, 2, 3]);
    const all = fixture.append(batchOf(['a']));
    fixture.lead({ leaderEpoch: 2, isr: [1, 2] });
    expect(produced(all)).toBe('no answer');
    follow(fixture, 1);
    expect(produced(all)).toBe('NONE');
    const lost = fixture.append(batchOf(['b']));
    fixture.lead({ leaderEpoch: 3, leader: 2 });
    expect(produced(lost)).toBe('NOT_LEADER_OR_FOLLOWER');
  });

  it('is done when the last follower that lacks it leaves the ISR', () => {
    const fixture = leading();
    const all = fixture.append(batchOf(['a']));
    fixture.lead({ leaderEpoch: 2, isr: [1] });
    expect(produced(all)).toBe('NONE');
  });

  it('fails when the ISR is too small, before it is written or after', () => {
    const fixture = leading([1, 2], { config: { 'min.insync.replicas': '2' } });
    const all = fixture.append(batchOf(['a']));
    follow(fixture, 1);
    expect(produced(all)).toBe('NONE');
    fixture.lead({ leaderEpoch: 2, isr: [1] });
    expect(produced(fixture.append(batchOf(['b'])))).toBe('NOT_ENOUGH_REPLICAS');
    expect(fixture.partition().log?.logEndOffset).toBe(1);
    expect(produced(fixture.append(batchOf(['b']), { acks: 1 }))).toBe('NONE');
  });

  it('for several partitions is answered once, with a code for each', () => {
    const fixture = leading([1]);
    let answers = 0;
    let codes: string[] = [];
    const elsewhere = { topic: TOPIC, partition: 7 };
    fixture.appender.append({
      entries: [
        { topicPartition: elsewhere, records: batchOf(['a']) },
        { topicPartition: TP, records: batchOf(['b']) },
      ],
      requiredAcks: -1,
      timeoutMs: 100,
      origin: 'client',
      respond: (results) => {
        answers++;
        codes = results.map(({ errorCode }) => nameOf(errorCode));
      },
    });
    fixture.time.runTurnEnd();
    expect([answers, codes]).toEqual([1, ['NOT_LEADER_OR_FOLLOWER', 'NONE']]);
  });

  it('with a large batch to compress waits for a worker, while others go past it', async () => {
    const fixture = leading([1], { config: { 'compression.type': 'gzip' } });
    const large = fixture.append(batchOf(['x'.repeat(100_000)]), { acks: 1 });
    const small = fixture.append(batchOf(['y']), { acks: 1 });
    expect([large.results, small.results]).toMatchObject([undefined, [{ errorCode: ErrorCode.NONE, baseOffset: 0 }]]);
    await fixture.time.settle();
    expect(large.results).toMatchObject([{ errorCode: ErrorCode.NONE, baseOffset: 1 }]);
    expect(fixture.partition().log?.sizeBytes).toBeLessThan(1000);
  });

  it('with a large batch that a worker refuses is refused with its reason', async () => {
    const fixture = leading([1], { config: { 'compression.type': 'gzip', 'max.message.bytes': '50000' } });
    const refused = fixture.append(batchOf(['x'.repeat(100_000)]), { acks: 1 });
    await fixture.time.settle();
    expect(refused.results).toMatchObject([{ errorCode: ErrorCode.MESSAGE_TOO_LARGE, baseOffset: -1 }]);
  });

  it('is refused by the log with its reason', () => {
    const fixture = leading([1]);
    const torn = batchOf(['a']);
    torn[torn.length - 1] = (torn.at(-1) ?? 0) ^ 1;
    const { results } = fixture.append(torn);
    expect(results).toMatchObject([{ errorCode: ErrorCode.CORRUPT_MESSAGE, baseOffset: -1, errorMessage: expect.any(String) }]);
  });
});

describe('a fetch', () => {
  it('of a consumer waits for the high watermark, that of a follower for the log end', () => {
    const fixture = leading();
    const consumer = fixture.fetch();
    const follower = fixture.fetch({ replicaId: 2 });
    fixture.append(batchOf(['a']), { acks: 1 });
    expect(fetched(follower)).toEqual(['a']);
    expect(fetched(consumer)).toBe('no answer');
    follow(fixture, 1);
    expect(fetched(consumer)).toEqual(['a']);
  });

  it('ends empty when its time is over', async () => {
    const fixture = leading();
    const poll = fixture.fetch({ maxWaitMs: 500 });
    await fixture.time.advance(502);
    expect(fetched(poll)).toEqual([]);
  });

  it('of a throttled follower that is not in sync gets nothing while the rate is exceeded; one in sync goes on', async () => {
    const fixture = leading([1, 2]);
    fixture.append(batchOf(['a']), { acks: 1 });
    fixture.leaderQuota.markThrottled(TP.topic, new Set([0]));
    const behind = () => fixture.fetch({ replicaId: 3, maxWaitMs: 0 }, { fetchOffset: 0 });
    fixture.leaderQuota.updateQuota(10);
    expect(fetched(behind())).toEqual(['a']);
    expect(fixture.leaderQuota.isQuotaExceeded).toBe(true);
    expect(fetched(behind())).toEqual([]);
    const waiting = fixture.fetch({ replicaId: 3, maxWaitMs: 500 });
    fixture.append(batchOf(['b']), { acks: 1 });
    expect(fetched(waiting)).toBe('no answer');
    expect(fetched(fixture.fetch({ replicaId: 2 }))).toEqual(['a', 'b']);
    fixture.leaderQuota.updateQuota(1e9);
    expect(fetched(behind())).toEqual(['a', 'b']);
  });

  it('waits until its min bytes have come', () => {
    const fixture = leading([1]);
    const batchBytes = batchOf(['a']).length;
    const poll = fixture.fetch({ minBytes: batchBytes + 1 });
    fixture.append(batchOf(['a']), { acks: 1 });
    expect(fetched(poll)).toBe('no answer');
    fixture.append(batchOf(['b']), { acks: 1 });
    expect(fetched(poll)).toEqual(['a', 'b']);
  });

  it('that waits is answered when its epoch is fenced, or the leadership lost', () => {
    const fixture = leading();
    const known = fixture.fetch({}, { currentLeaderEpoch: 1 });
    const careless = fixture.fetch();
    fixture.lead({ leaderEpoch: 2 });
    expect(fetched(known)).toBe('FENCED_LEADER_EPOCH');
    expect(fetched(careless)).toBe('no answer');
    fixture.lead({ leaderEpoch: 3, leader: 2 });
    expect(fetched(careless)).toBe('NOT_LEADER_OR_FOLLOWER');
  });

  it('of a broker that is no replica counts for nothing', () => {
    const fixture = leading();
    fixture.append(batchOf(['a']), { acks: 1 });
    expect(fetched(fixture.fetch({ replicaId: 9 }))).toBe('UNKNOWN_LEADER_EPOCH');
  });

  it('of a follower that diverges is told where, and is no progress of it (KIP-595)', () => {
    const fixture = leading();
    fixture.append(batchOf(['a', 'b']), { acks: 1 });
    fixture.lead({ leaderEpoch: 4 });
    fixture.append(batchOf(['c']), { acks: 1 });
    // Broker 2 was the leader in epoch 2 and has written five records.
    const { outcomes } = fixture.fetch({ replicaId: 2 }, { fetchOffset: 5, lastFetchedEpoch: 2 });
    expect(outcomes?.[0]?.result).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: 1, endOffset: 2 }, sizeBytes: 0 });
    expect(fixture.partition().remoteReplicas.find(({ brokerId }) => brokerId === 2)?.logEndOffset).toBe(-1);
    expect(fetched(fixture.fetch({ replicaId: 2 }, { fetchOffset: 2, lastFetchedEpoch: 1 }))).toEqual(['c']);
    // An epoch above all that are known here.
    expect(fetched(fixture.fetch({ replicaId: 2 }, { fetchOffset: 2, lastFetchedEpoch: 9 }))).toBe('OFFSET_OUT_OF_RANGE');
  });

  it('beyond the log is out of range', () => {
    const fixture = leading([1]);
    fixture.append(batchOf(['a']), { acks: 1 });
    expect(fetched(fixture.fetch({}, { fetchOffset: 2 }))).toBe('OFFSET_OUT_OF_RANGE');
    expect(fetched(fixture.fetch({ maxWaitMs: 0 }, { fetchOffset: 1 }))).toEqual([]);
  });

  it('names another topic id: the name was given to another topic meanwhile', () => {
    const fixture = leading([1]);
    expect(fetched(fixture.fetch({}, { topicId: 'AAAAAAAAAAAAAAAAAAAAAg' }))).toBe('INCONSISTENT_TOPIC_ID');
  });

  it('gives one whole batch at least, however small its limits, and then keeps to them', () => {
    const fixture = leading([1]);
    fixture.append(batchOf(['a']), { acks: 1 });
    fixture.append(batchOf(['b']), { acks: 1 });
    expect(fetched(fixture.fetch({ maxBytes: 1 }))).toEqual(['a']);
    let answers: unknown;
    fixture.manager.fetch(fetchParams({ maxBytes: 1 }), [fetchRequest(), fetchRequest({ fetchOffset: 1 })], (outcomes) => {
      answers = outcomes.map(({ result }) => valuesOf(result.records));
    });
    expect(answers).toEqual([['a'], []]);
  });

  it('tells a follower the high watermark that its own fetch has moved', () => {
    const fixture = leading();
    fixture.append(batchOf(['a']), { acks: 1 });
    const { outcomes } = fixture.fetch({ replicaId: 2, maxWaitMs: 0 }, { fetchOffset: 1 });
    expect(outcomes?.[0]?.result.highWatermark).toBe(1);
  });
});

describe('high watermarks', () => {
  it('are in the checkpoint file after a while', async () => {
    const fixture = leading([1]);
    fixture.append(batchOf(['a', 'b']), { acks: 1 });
    await fixture.time.advance(5_000);
    const path = `${fixture.logManager.liveLogDirs[0]}/replication-offset-checkpoint`;
    expect(fixture.disk.process().readFile(path).toString()).toBe('0\n1\norders 0 2\n');
  });

  it('of a broker that has not heard from the controller stay in the file, also when it stops: they are known to nobody else', async () => {
    const before = leading([1]);
    const { disk } = before;
    before.append(batchOf(['a', 'b']), { acks: 1 });
    await before.manager.shutdown();
    const path = `${before.logManager.liveLogDirs[0]}/replication-offset-checkpoint`;
    const fixture = replicaManagerFixture({ disk });
    await fixture.time.advance(5_000);
    await fixture.manager.shutdown();
    expect(disk.process().readFile(path).toString()).toBe('0\n1\norders 0 2\n');
  });
});

describe('time', () => {
  it('shrinks the ISR of a partition whose follower does not fetch', async () => {
    const fixture = leading();
    fixture.append(batchOf(['a']), { acks: 1 });
    await fixture.time.advance(60_000);
    expect(fixture.controller.last.newIsr.map(({ brokerId }) => brokerId)).toEqual([1]);
    await fixture.manager.shutdown();
  });
});
