import { describe, expect, it } from 'vitest';
import { ManualTime } from '../runtime/testing/manual-time.ts';
import type { BrokerEvent } from './broker-event.ts';
import { TimelineReporter } from './timeline-reporter.ts';
import type { LogRecoveredMessage, TimelineMessage } from './timeline-reporter.ts';

type Sent = TimelineMessage | LogRecoveredMessage;

function setUp(): { time: ManualTime; reporter: TimelineReporter; sent: Sent[]; lines: () => string[] } {
  const time = new ManualTime();
  const sent: Sent[] = [];
  const lines = (): string[] => sent.flatMap((message) => ('text' in message ? [message.text] : []));
  return { time, sent, lines, reporter: new TimelineReporter({ scheduler: time, send: (message) => sent.push(message) }) };
}

function elected(partition: number, strategy: 'new' | 'offline', leader = 2): BrokerEvent {
  return {
    kind: 'leader-elected',
    topic: 't',
    partition,
    leader,
    previousLeader: 1,
    leaderEpoch: 4,
    isr: [2, 3],
    strategy,
    unclean: false,
    reason: 'broker 1 failed',
    timestampMs: 5,
    controllerId: 3,
    controllerEpoch: 1,
    brokerId: 3,
  };
}

describe('TimelineReporter', () => {
  it('tells a few elections one by one, with the reason', async () => {
    const { time, reporter, sent, lines } = setUp();
    reporter.report(elected(0, 'offline'));
    reporter.report(elected(1, 'offline'));
    await time.advance(100);
    expect(lines()).toEqual([
      'Broker 2 leads t-0 instead of 1 (fail-over): broker 1 failed; ISR [2, 3]',
      'Broker 2 leads t-1 instead of 1 (fail-over): broker 1 failed; ISR [2, 3]',
    ]);
    expect(sent[0]).toMatchObject({ topic: 't', partition: 0, severity: 'info' });
  });

  it('does not say that a partition has no leader whose leader could only not be handed over, and says so once', async () => {
    const { time, reporter, sent, lines } = setUp();
    const failed = (partition: number, strategy: string, timestampMs: number): BrokerEvent => {
      const reason = 'no live in-sync replica of [2, 1] would stay';
      const about = { topic: 't', partition, timestampMs, controllerId: 3, controllerEpoch: 1, brokerId: 3 };
      return { kind: 'leader-election-failed', strategy, reason, ...about };
    };
    for (const atMs of [0, 200, 400]) {
      reporter.report(failed(0, 'controlled-shutdown', atMs));
      await time.advance(200);
    }
    reporter.report(failed(1, 'offline', 600));
    await time.advance(100);
    reporter.report(failed(0, 'controlled-shutdown', 60_000));
    await time.advance(100);
    const kept = 't-0 keeps its leader (controlled shutdown): no live in-sync replica of [2, 1] would stay';
    expect(lines()).toEqual([kept, 't-1 has no leader: no live in-sync replica of [2, 1] would stay', kept]);
    expect(sent).toMatchObject([{ severity: 'warning' }, { severity: 'error' }, { severity: 'warning' }]);
    for (let partition = 10; partition < 1_012; partition++)
      reporter.report(failed(partition, partition < 12 ? 'offline' : 'preferred', 61_000));
    await time.advance(100);
    expect(lines().at(-1)).toBe(
      '2 partitions have no leader: no live in-sync replica of [2, 1] would stay; 1,000 partitions keep their leader: no live in-sync replica of [2, 1] would stay',
    );
  });

  it('tells many elections in one line', async () => {
    const { time, reporter, lines } = setUp();
    for (let partition = 0; partition < 30; partition++) reporter.report(elected(partition, 'offline', partition < 20 ? 2 : 3));
    await time.advance(100);
    expect(lines()).toEqual(['30 partitions have a new leader: broker 2 leads 20, broker 3 leads 10; broker 1 failed']);
  });

  it('leaves the first leaders of a new topic to the line of its creation', async () => {
    const { time, reporter, sent } = setUp();
    reporter.report(elected(0, 'new'));
    await time.advance(100);
    expect(sent).toEqual([]);
  });

  it('tells a lost broker and a rebalance at once', () => {
    const { reporter, lines, sent } = setUp();
    reporter.report({
      kind: 'broker-failed',
      brokerId: 1,
      brokerEpoch: 9,
      reason: 'its session is over',
      timestampMs: 7,
      controllerId: 2,
      controllerEpoch: 1,
    });
    reporter.report({
      kind: 'group-rebalanced',
      groupId: 'g',
      generationId: 3,
      memberCount: 2,
      reason: 'member a left',
      timestampMs: 8,
      brokerId: 2,
    });
    expect(lines()).toEqual(['Broker 1 is gone: its session is over', 'Group g rebalances: member a left']);
    expect(sent).toMatchObject([{ severity: 'warning' }, { severity: 'info' }]);
  });

  const isrChange = (partition: number, change: Partial<Extract<BrokerEvent, { kind: 'isr-changed' }>>): BrokerEvent => ({
    kind: 'isr-changed',
    topic: 't',
    partition,
    leader: 1,
    leaderEpoch: 3,
    brokerId: 1,
    timestampMs: 5,
    isr: [1],
    previousIsr: [1, 2],
    reason: 'broker 2 is 1,240 records behind, not caught up for 30 s',
    ...change,
  });

  it('says who left the ISR and why, who came back, and that a partition without a leader has lost it', async () => {
    const { time, reporter, lines, sent } = setUp();
    reporter.report(isrChange(0, {}));
    reporter.report(isrChange(0, { isr: [1, 2], previousIsr: [1], reason: 'broker 2 has caught up at offset 48,211' }));
    reporter.report(isrChange(1, { leader: -1, previousIsr: [1], reason: 'broker 1 is gone' }));
    await time.advance(100);
    expect(lines()).toEqual([
      'Broker 2 left the ISR of t-0: 1,240 records behind, not caught up for 30 s; ISR [1]',
      'Broker 2 joined the ISR of t-0: it has caught up at offset 48,211; ISR [1, 2]',
      't-1 has lost its leader: broker 1 is gone; ISR [1]',
    ]);
    expect(sent).toMatchObject([{ severity: 'warning' }, { severity: 'info' }, { severity: 'error' }]);
  });

  it('leaves to the leader what it has asked the controller for: it knows how far behind', async () => {
    const { time, reporter, sent } = setUp();
    reporter.report({ ...isrChange(0, {}), askedByLeader: true, controllerId: 1, controllerEpoch: 1 } as BrokerEvent);
    await time.advance(100);
    expect(sent).toEqual([]);
  });

  it('tells many ISR changes in one line, and calls none of them grown when its leader was lost', async () => {
    const { time, reporter, lines } = setUp();
    for (let partition = 0; partition < 4; partition++) reporter.report(isrChange(partition, {}));
    for (let partition = 4; partition < 7; partition++)
      reporter.report(isrChange(partition, { leader: -1, previousIsr: [1], reason: 'broker 1 is gone' }));
    await time.advance(100);
    expect(lines()).toEqual([
      'Broker 2 left the ISR of 4 partitions: broker 2 is 1,240 records behind, not caught up for 30 s; no leader is left for 3 partitions: broker 1 is gone',
    ]);
  });

  it('passes on what recovery found in each log, and has a line for those that lost something and one for all', () => {
    const { reporter, lines, sent } = setUp();
    const about = { brokerId: 1, timestampMs: 7, recoveryPoint: 4, scannedBytes: 3000, tookMs: 2 };
    const whole = { ...about, topic: 't', partition: 0, truncatedBytes: 0, logEndOffset: 9, reason: 'every batch is whole' };
    const torn = { ...about, topic: 't', partition: 1, truncatedBytes: 70, logEndOffset: 8, reason: 'a wrong checksum' };
    reporter.report({ kind: 'log-recovered', ...whole });
    reporter.report({ kind: 'log-recovered', ...torn });
    reporter.report({
      kind: 'logs-recovered',
      brokerId: 1,
      timestampMs: 8,
      totalLogs: 5,
      recoveredLogs: 2,
      truncatedLogs: 1,
      truncatedBytes: 70,
      scannedBytes: 6000,
      tookMs: 12,
      reason: 'the broker had not closed them in order',
    });
    const { timestampMs: atMs, ...outcome } = torn;
    expect(sent[1]).toEqual({ type: 'logRecovered', atMs, ...outcome });
    expect(lines()).toEqual([
      'Recovery cut 70 bytes off t-1 on broker 1, which ends at offset 8 now: a wrong checksum',
      'Broker 1 recovered 2 of 5 logs in 12 ms, 5.9 KiB scanned; 70 bytes were cut off 1 log: the broker had not closed them in order',
    ]);
  });

  it('tells a failed log dir as an error', () => {
    const { reporter, sent } = setUp();
    reporter.report({ kind: 'log-dir-failed', directory: '/d/a', reason: 'ENOSPC', liveLogDirs: 1, brokerId: 2, timestampMs: 7 });
    expect(sent).toMatchObject([
      { type: 'log-dir-failed', severity: 'error', brokerId: 2, text: 'Log dir /d/a of broker 2 is offline, 1 left: ENOSPC' },
    ]);
  });

  it('tells what logs do every some seconds, a few one by one and many in one line', async () => {
    const { reporter, lines, time, sent } = setUp();
    const about = { topic: 'orders', brokerId: 1, timestampMs: 7 };
    const roll = (partition: number, reason: string): BrokerEvent => ({
      kind: 'segment-rolled',
      ...about,
      partition,
      baseOffset: 100,
      sizeBytes: 2048,
      nextOffset: 250,
      reason,
    });
    reporter.report(roll(3, 'segment.bytes 2000'));
    reporter.report({
      kind: 'segments-deleted',
      ...about,
      partition: 3,
      segments: 2,
      sizeBytes: 4096,
      logStartOffset: 100,
      reason: 'retention.ms 1000',
    });
    reporter.report({
      kind: 'log-cleaned',
      ...about,
      partition: 3,
      firstDirtyOffset: 100,
      nextDirtyOffset: 250,
      bytesRead: 4096,
      bytesWritten: 1024,
      recordsRead: 150,
      recordsWritten: 30,
      tombstonesDropped: 1,
      tookMs: 3,
      reason: 'newer records had replaced 119',
    });
    expect(sent).toEqual([]);
    await time.advance(5000);
    expect(lines()).toEqual([
      'orders-3 on broker 1 has a new segment from offset 250; the one from 100 is closed with 2.0 KiB: segment.bytes 2000',
      'orders-3 on broker 1 has lost 2 segments, 4.0 KiB, and starts at offset 100: retention.ms 1000',
      'orders-3 on broker 1 was cleaned, dirty from offset 100 to 249: 4.0 KiB became 1.0 KiB, newer records had replaced 119 of 150 records, 1 tombstone dropped',
    ]);
    expect(sent[2]).toMatchObject({ type: 'log-cleaned', severity: 'info', topic: 'orders', partition: 3, brokerId: 1, atMs: 7 });
    for (let count = 0; count < 12; count++) reporter.report(roll(count % 3, count < 9 ? 'segment.bytes 2000' : 'segment.ms 60000'));
    await time.advance(5000);
    expect(lines().slice(3)).toEqual(['On broker 1 12 segments of 3 logs, 24.0 KiB, were rolled: segment.bytes 2000; segment.ms 60000']);
  });

  it('tells what flushes have cost', () => {
    const { reporter, lines } = setUp();
    reporter.report({
      kind: 'logs-flushed',
      flushes: 3,
      fsyncs: 9,
      messages: 40,
      bytes: 2048,
      tookMs: 12,
      overMs: 10_001,
      reason: '1 by roll, 2 by flush.ms',
      brokerId: 2,
      timestampMs: 7,
    });
    expect(lines()).toEqual([
      'Broker 2 flushed its logs 3 times in 10 s (1 by roll, 2 by flush.ms): 40 messages, 2.0 KiB, 9 fsyncs in 12 ms',
    ]);
  });
});
