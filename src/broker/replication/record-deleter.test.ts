import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { ErrorCode, errorByCode } from '../../protocol/errors.ts';
import { RecordDeleter } from './record-deleter.ts';
import type { DeleteRecordsResult } from './record-deleter.ts';
import { batchOf, replicaManagerFixture, TP } from './testing/replication-fixture.ts';
import type { ReplicaManagerFixture } from './testing/replication-fixture.ts';

interface Deletion {
  readonly fixture: ReplicaManagerFixture;
  /** Undefined while it waits. */
  readonly answer: () => string | undefined;
  /** Broker `replicaId` fetches from `offset` with its log's start. */
  readonly follow: (replicaId: number, offset: number, logStartOffset: number) => void;
}

/** A leader with ten committed records and followers 2 and 3, asked to delete. */
function deleting(offset: number, options: { config?: Record<string, string>; topic?: string; timeoutMs?: number } = {}): Deletion {
  const fixture = replicaManagerFixture(options.config === undefined ? {} : { config: options.config });
  fixture.lead({ isr: [1, 2, 3] });
  const follow = (replicaId: number, fetchOffset: number, logStartOffset: number): void =>
    void fixture.fetch({ replicaId, maxWaitMs: 0 }, { fetchOffset, logStartOffset });
  for (let index = 0; index < 10; index++) fixture.append(batchOf([`value ${index}`]), { acks: 1 });
  for (const replicaId of [2, 3]) follow(replicaId, 10, 0);
  const deleter = new RecordDeleter({ replicaManager: fixture.manager, logger: silentLogger });
  let results: readonly DeleteRecordsResult[] | undefined;
  const topicPartition = { ...TP, topic: options.topic ?? TP.topic };
  deleter.delete([{ topicPartition, offset }], options.timeoutMs ?? 1_000, (given) => (results = given));
  const answer = (): string | undefined => results?.map((result) => `${errorByCode(result.errorCode).name} ${result.lowWatermark}`).join();
  return { fixture, answer, follow };
}

describe('deleting records', () => {
  it('moves the log start offset at once and answers when every live replica has moved it too', () => {
    const { fixture, answer, follow } = deleting(4);
    expect(fixture.partition().log?.logStartOffset).toBe(4);
    follow(2, 10, 4);
    expect(answer()).toBeUndefined();
    follow(3, 10, 4);
    expect(answer()).toBe('NONE 4');
  });

  it('takes -1 for the high watermark', () => {
    const { answer, follow } = deleting(-1);
    for (const replicaId of [2, 3]) follow(replicaId, 10, 10);
    expect(answer()).toBe('NONE 10');
  });

  it('answers a time-out with how far the slowest replica is', async () => {
    const { fixture, answer, follow } = deleting(4, { timeoutMs: 50 });
    follow(2, 10, 4);
    follow(3, 10, 3);
    await fixture.time.advance(100);
    expect(answer()).toBe('REQUEST_TIMED_OUT 3');
  });

  it('is answered when the broker leads no more, and when its log dir fails', () => {
    const moved = deleting(4);
    moved.fixture.lead({ leaderEpoch: 2, leader: 2 });
    expect(moved.answer()).toBe('NOT_LEADER_OR_FOLLOWER -1');
    const failed = deleting(4);
    failed.fixture.manager.onLogDirFailure(failed.fixture.logManager.liveLogDirs[0] ?? '');
    expect(failed.answer()).toBe('KAFKA_STORAGE_ERROR -1');
  });

  it('refuses offsets above the high watermark and negative ones, a compacted topic, an internal one', () => {
    expect(deleting(11).answer()).toBe('OFFSET_OUT_OF_RANGE -1');
    expect(deleting(-2).answer()).toBe('OFFSET_OUT_OF_RANGE -1');
    expect(deleting(4, { config: { 'cleanup.policy': 'compact' } }).answer()).toBe('POLICY_VIOLATION -1');
    expect(deleting(4, { config: { 'cleanup.policy': 'compact,delete' } }).answer()).toBeUndefined();
    expect(deleting(4, { topic: '__consumer_offsets' }).answer()).toBe('INVALID_TOPIC_EXCEPTION -1');
    expect(deleting(4, { topic: 'elsewhere' }).answer()).toBe('NOT_LEADER_OR_FOLLOWER -1');
  });

  it('tells a consumer that waits below the new start that it is out of range', () => {
    const { fixture } = deleting(4);
    const { outcomes } = fixture.fetch({ maxWaitMs: 0 }, { fetchOffset: 3 });
    expect(outcomes?.[0]?.result.errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
  });
});
