import { describe, expect, it } from 'vitest';
import { ManualTime } from '../runtime/testing/manual-time.ts';
import type { BrokerEvent } from './broker-server.ts';
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
      'Broker 2 left the ISR of 4 partitions: broker 2 is 1,240 records behind, not caught up for 30 s; no leader is left of 3 partitions: broker 1 is gone',
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
});
