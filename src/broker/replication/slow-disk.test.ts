/** Leadership that comes and goes, and logs that move, while the disk makes everybody wait: at random, from seeds. */
import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { setBaseOffsetAndLeaderEpoch } from '../../protocol/records/record-batch.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import { SlowDisk } from '../../runtime/testing/slow-disk.ts';
import { inconsistencyOf, readAll } from '../log/testing/log-fixture.ts';
import { forEachSeed } from '../log/testing/seeds.ts';
import type { UnifiedLog } from '../log/unified-log.ts';
import type { Partition } from './partition.ts';
import { DIR_A, DIR_B, LogDirsFixture } from './testing/log-dirs-fixture.ts';
import { batchOf, BROKER, replicaManagerFixture, stateOf, TOPIC_ID, TP } from './testing/replication-fixture.ts';
import type { ReplicaManagerFixture } from './testing/replication-fixture.ts';

const SMALL_SEGMENTS = { 'segment.bytes': '1500', 'index.interval.bytes': '150', 'file.delete.delay.ms': '50' };
const STEPS = 300;

/** A bit of time, some promises, or the turn's end. */
async function goOn(time: ManualTime, random: SeededRandom): Promise<void> {
  const how = random.int(3);
  if (how === 0) await time.advance(random.int(60));
  else if (how === 1) for (let times = random.int(4); times > 0; times--) await Promise.resolve();
  else time.runTurnEnd();
}

const logOf = ({ log }: Pick<Partition, 'log'>): UnifiedLog => {
  if (log === undefined) throw new Error('there is no log');
  return log;
};

/** Partition 0 of a topic, with broker 2 as the other replica: what it has fetched, and what it leads, is the test's word. */
class Replica {
  readonly topic: string;
  readonly #id: string;
  readonly #fixture: ReplicaManagerFixture;
  #epoch = 0;
  #cutting: Promise<unknown> | undefined;

  constructor(fixture: ReplicaManagerFixture, topic: string, id: string) {
    this.#fixture = fixture;
    this.topic = topic;
    this.#id = id;
    this.lead();
  }

  get partition(): Partition {
    const partition = this.#fixture.manager.partition({ topic: this.topic, partition: 0 });
    if (partition === undefined) throw new Error('there is no partition');
    return partition;
  }

  get log(): UnifiedLog {
    return logOf(this.partition);
  }

  lead(): void {
    this.#fixture.leadTopic(this.topic, this.#id, { leaderEpoch: ++this.#epoch, isr: [1, 2], replicas: [1, 2] });
  }

  /** Broker 2 leads, which has all that is committed, and perhaps no more. */
  follow(random: SeededRandom): void {
    if (this.#cutting !== undefined) return;
    const epoch = ++this.#epoch;
    this.#fixture.leadTopic(this.topic, this.#id, { leader: 2, leaderEpoch: epoch, replicas: [1, 2] });
    const offset = Math.max(this.log.highWatermark, this.log.appendEndOffset - random.int(6));
    this.#cutting = this.log
      .truncateTo(offset, () => this.#epoch === epoch)
      .then(() => {
        this.#cutting = undefined;
      });
  }

  /** Broker 2 has fetched all that is written, or nearly. */
  replicate(random: SeededRandom): void {
    const { logEndOffset } = this.log;
    this.partition.updateFollowerFetchState(2, {
      followerLogEndOffset: Math.max(0, logEndOffset - random.int(3)),
      followerLogStartOffset: 0,
      leaderLogEndOffset: logEndOffset,
      fetchedAtMs: this.#fixture.time.monotonicMs(),
      brokerEpoch: 5,
    });
  }
}

describe('on a slow disk', () => {
  it('what is acknowledged to producers with acks=all, of several partitions at once, is committed in the log, where they were told, and stays', () =>
    forEachSeed(60, async (seed) => {
      const random = new SeededRandom(seed);
      const time = new ManualTime();
      const config = { ...SMALL_SEGMENTS, 'min.insync.replicas': '2', ...(random.int(3) === 0 ? { 'flush.messages': '2' } : {}) };
      const fixture = replicaManagerFixture({ disk: new SlowDisk(time, random), time, config });
      const replicas = ['A', 'g', 'w'].map((end, index) => new Replica(fixture, `t${index}`, `${'A'.repeat(21)}${end}`));
      const acknowledged: { readonly replica: Replica; readonly offset: number; readonly value: string }[] = [];
      let answered = 0;
      const produce = (number: number): void => {
        const chosen = replicas.filter(() => random.int(2) === 0);
        const value = `${number} ${'x'.repeat(random.int(100))}`;
        fixture.appender.append({
          entries: chosen.map(({ topic }) => ({ topicPartition: { topic, partition: 0 }, records: batchOf([value]) })),
          requiredAcks: -1,
          timeoutMs: 2000,
          origin: 'client',
          respond: (results) => {
            answered++;
            for (const [index, { errorCode, baseOffset: offset }] of results.entries()) {
              const replica = chosen[index];
              if (replica !== undefined && errorCode === ErrorCode.NONE) acknowledged.push({ replica, offset, value });
            }
          },
        });
      };
      const check = (some: typeof acknowledged): void => {
        for (const { replica, offset, value } of some) {
          const [record] = readAll(replica.log, { from: offset, to: Math.min(offset + 1, replica.log.logEndOffset) });
          expect([record?.value, replica.log.highWatermark > offset]).toEqual([value, true]);
        }
      };
      let produced = 0;
      for (let step = 0; step < STEPS; step++) {
        const replica = replicas[random.int(replicas.length)] as Replica;
        const what = random.int(20);
        if (what < 6) produce(produced++);
        else if (what < 9) replica.replicate(random);
        else if (what < 10) replica.follow(random);
        else if (what < 12) replica.lead();
        else await goOn(time, random);
        check(acknowledged.slice(-3));
      }
      for (let times = 0; times < 200; times++) await time.advance(20);
      check(acknowledged);
      expect(answered).toBe(produced);
    }));

  it('a partition that is led, followed, cut and moved between log dirs has what was written to it, and its high watermark', () =>
    forEachSeed(60, async (seed) => {
      const random = new SeededRandom(seed);
      const time = new ManualTime();
      const fixture = await startedOn(new SlowDisk(time, random), time, random);
      const partition = fixture.lead();
      let written: { readonly offset: number; readonly epoch: number; readonly value: string }[] = [];
      let [epoch, leads, waiting] = [1, true, 0];
      let cutting: Promise<void> | undefined;
      const states = { replicas: [BROKER, 2], isr: [BROKER] };

      const append = (value: string): void => {
        const onDone = (error?: Error): void => {
          expect(error).toBeUndefined();
          waiting--;
        };
        const offset = fixture.log.appendEndOffset;
        const batch = batchOf([value]);
        if (leads) partition.appendRecordsToLeader(batch, { origin: 'client', requiredAcks: 1, onWritten: onDone });
        else {
          setBaseOffsetAndLeaderEpoch(batch, 0, offset, epoch);
          fixture.log.appendAsFollower(batch, { onComplete: onDone });
        }
        waiting++;
        written.push({ offset, epoch, value });
      };

      /** Under a leader whose log may be shorter, also than what is left of this one. */
      const follow = (): void => {
        if (cutting !== undefined) return;
        leads = false;
        const mine = ++epoch;
        partition.makeFollower(stateOf({ ...states, leader: 2, leaderEpoch: mine }), TOPIC_ID);
        fixture.moves.resume(partition);
        const { log } = fixture;
        const offset = Math.max(random.int(3) === 0 ? 0 : log.logStartOffset, log.appendEndOffset - random.int(30));
        const isWanted = (): boolean => {
          if (epoch === mine) written = written.filter((record) => record.offset < offset);
          return epoch === mine;
        };
        cutting = log.truncateTo(offset, isWanted).then(() => {
          cutting = undefined;
        });
      };

      for (let step = 0; step < STEPS; step++) {
        const what = random.int(20);
        if (what < 8 && (leads || cutting === undefined)) append(`${step} ${'x'.repeat(random.int(200))}`);
        else if (what === 8) follow();
        else if (what === 9) {
          leads = true;
          partition.makeLeader(stateOf({ ...states, leaderEpoch: ++epoch }), TOPIC_ID);
          fixture.moves.resume(partition);
        } else if (what === 10) fixture.logManager.deleteOldSegments();
        else if (what === 11) fixture.log.maybeIncrementLogStartOffset(Math.min(fixture.log.highWatermark, fixture.log.logStartOffset + 5));
        else if (what === 12) fixture.moves.alter(TP, random.int(2) === 0 ? DIR_A : DIR_B);
        else if (what === 13) fixture.quota.updateQuota(random.int(2) === 0 ? Number.POSITIVE_INFINITY : 5000);
        else await goOn(time, random);
      }
      fixture.quota.updateQuota(Number.POSITIVE_INFINITY);
      for (let times = 0; times < 400; times++) await time.advance(20);
      const { log } = fixture;
      expect([fixture.failures, waiting, fixture.moves.movingCount, inconsistencyOf(log)]).toEqual([[], 0, 0, undefined]);
      if (leads) expect(log.highWatermark).toBe(log.logEndOffset);
      const from = Math.max(log.logStartOffset, log.segments[0]?.baseOffset ?? 0);
      const found = readAll(log, { from }).map(({ offset, leaderEpoch, value }) => ({ offset, epoch: leaderEpoch, value }));
      expect(found).toEqual(written.filter(({ offset }) => offset >= from));
    }));
});

/** Opening the folders waits for the disk, too. */
async function startedOn(disk: SlowDisk, time: ManualTime, random: SeededRandom): Promise<LogDirsFixture> {
  const topic = { ...SMALL_SEGMENTS, 'retention.bytes': '8000', ...(random.int(4) === 0 ? { 'flush.messages': '3' } : {}) };
  const starting = LogDirsFixture.start({ disk, time, topic });
  for (let times = 0; times < 100; times++) await time.advance(10);
  return starting;
}
