import { describe, expect, it } from 'vitest';
import { ManualTime } from '../runtime/testing/manual-time.ts';
import type { BrokerEvent } from './broker-server.ts';
import { TimelineReporter } from './timeline-reporter.ts';
import type { TimelineMessage } from './timeline-reporter.ts';

function setUp(): { time: ManualTime; reporter: TimelineReporter; sent: TimelineMessage[] } {
  const time = new ManualTime();
  const sent: TimelineMessage[] = [];
  return { time, sent, reporter: new TimelineReporter({ scheduler: time, send: (message) => sent.push(message) }) };
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
    const { time, reporter, sent } = setUp();
    reporter.report(elected(0, 'offline'));
    reporter.report(elected(1, 'offline'));
    await time.advance(100);
    expect(sent.map(({ text }) => text)).toEqual([
      'Broker 2 leads t-0 instead of 1: broker 1 failed; ISR [2, 3]',
      'Broker 2 leads t-1 instead of 1: broker 1 failed; ISR [2, 3]',
    ]);
    expect(sent[0]).toMatchObject({ topic: 't', partition: 0, severity: 'info' });
  });

  it('tells many elections in one line', async () => {
    const { time, reporter, sent } = setUp();
    for (let partition = 0; partition < 30; partition++) reporter.report(elected(partition, 'offline', partition < 20 ? 2 : 3));
    await time.advance(100);
    expect(sent.map(({ text }) => text)).toEqual([
      '30 partitions have a new leader: broker 2 leads 20, broker 3 leads 10; broker 1 failed',
    ]);
  });

  it('leaves the first leaders of a new topic to the line of its creation', async () => {
    const { time, reporter, sent } = setUp();
    reporter.report(elected(0, 'new'));
    await time.advance(100);
    expect(sent).toEqual([]);
  });

  it('tells a lost broker and a rebalance at once', () => {
    const { reporter, sent } = setUp();
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
    expect(sent.map(({ text, severity }) => [text, severity])).toEqual([
      ['Broker 1 is gone: its session is over', 'warning'],
      ['Group g rebalances: member a left', 'info'],
    ]);
  });
});
