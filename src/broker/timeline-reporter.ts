/**
 * Puts what happens in the cluster into words for the console's timeline: who leads now and why, who left an ISR, which group
 * rebalances. Many elections or ISR changes at once (a broker with hundreds of partitions is lost) become one entry; each of them
 * is in the state-change log. Elections of a topic's first leaders belong to its creation and are left out.
 * What recovery found in a log goes out as it is, for the flush lab; for people there are one line for all logs and one for each
 * that something was cut off.
 */
import type { Scheduler } from '../runtime/scheduler.ts';
import type { BrokerEvent } from './broker-server.ts';
import { bytesText } from './byte-text.ts';
import type { LogRecovered } from './log/log-events.ts';

/** One line of the timeline, as it goes to the supervisor. */
export interface TimelineMessage {
  readonly type: string;
  readonly text: string;
  readonly severity: 'info' | 'warning' | 'error';
  readonly atMs: number;
  readonly topic?: string;
  readonly partition?: number;
  readonly groupId?: string;
  readonly brokerId?: number;
}

/** What recovery found in one log. It has no text, and so is no line of the timeline. */
export interface LogRecoveredMessage extends Omit<LogRecovered, 'kind'> {
  readonly type: 'logRecovered';
  readonly brokerId: number;
  readonly atMs: number;
}

/** Elections and ISR changes within this time are told together when they are many. */
const GATHER_MS = 50;
const MANY = 4;
const MAX_GATHERED = 100_000;
/** Logs that lost something are named up to this many; the rest is in the broker's log. */
const MAX_NAMED_LOGS = 20;
/** What the console takes of a line. */
const MAX_TEXT = 480;

const REASSIGNMENT_KINDS = ['reassignment-started', 'reassignment-cancelled', 'reassignment-completed'] as const;
const GATHERED_KINDS = ['leader-elected', 'leader-election-failed', 'isr-changed', ...REASSIGNMENT_KINDS] as const;
type PartitionEvent = Extract<BrokerEvent, { readonly kind: (typeof GATHERED_KINDS)[number] }>;

export class TimelineReporter {
  readonly #scheduler: Scheduler;
  readonly #send: (message: TimelineMessage | LogRecoveredMessage) => void;
  #gathered: PartitionEvent[] = [];
  #namedLogs = 0;

  constructor(options: { scheduler: Scheduler; send: (message: TimelineMessage | LogRecoveredMessage) => void }) {
    this.#scheduler = options.scheduler;
    this.#send = options.send;
  }

  report(event: BrokerEvent): void {
    if (event.kind === 'log-recovered') {
      const { kind: _kind, timestampMs, ...outcome } = event;
      this.#send({ type: 'logRecovered', atMs: timestampMs, ...outcome });
      if (event.truncatedBytes === 0 || this.#namedLogs++ >= MAX_NAMED_LOGS) return;
    }
    if (!isPartitionEvent(event)) {
      this.#send(messageOf(event));
      return;
    }
    if (event.kind === 'leader-elected' && event.strategy === 'new') return;
    if (this.#gathered.length === 0) this.#scheduler.after(GATHER_MS, () => this.#flush());
    if (this.#gathered.length < MAX_GATHERED) this.#gathered.push(event);
  }

  #flush(): void {
    const gathered = this.#gathered;
    this.#gathered = [];
    for (const kind of GATHERED_KINDS) {
      const events = gathered.filter((event) => event.kind === kind);
      if (events.length <= MANY) for (const event of events) this.#send(partitionMessage(event));
      else this.#send(summaryOf(kind, events));
    }
  }
}

function isPartitionEvent(event: BrokerEvent): event is PartitionEvent {
  const kinds: readonly string[] = GATHERED_KINDS;
  return kinds.includes(event.kind);
}

function messageOf(event: Exclude<BrokerEvent, PartitionEvent>): TimelineMessage {
  const { kind, timestampMs, reason, brokerId } = event;
  const message = (text: string, about: Partial<TimelineMessage> = {}): TimelineMessage => ({
    type: kind,
    text,
    severity: 'info',
    atMs: timestampMs,
    ...about,
  });
  switch (event.kind) {
    case 'controller-elected':
      return message(`Broker ${brokerId} is the controller, epoch ${event.controllerEpoch}: ${reason}`, { brokerId });
    case 'controller-resigned':
      return message(`Broker ${brokerId} is no longer the controller: ${reason}`, { brokerId });
    case 'broker-started':
      return message(`Broker ${brokerId} has registered, epoch ${event.brokerEpoch}`, { brokerId });
    case 'broker-bounced':
      return message(`Broker ${brokerId} has come back before it was missed: ${reason}`, { brokerId, severity: 'warning' });
    case 'broker-failed':
      return message(`Broker ${brokerId} is gone: ${reason}`, { brokerId, severity: 'warning' });
    case 'broker-shutting-down':
      return message(`Broker ${brokerId} hands over its leaders and stops`, { brokerId });
    case 'broker-updated':
      return message(`Broker ${brokerId} has changed its registration: ${reason}`, { brokerId });
    case 'topic-created':
      return message(`Topic ${event.topic} was created with ${count(event.partitionCount, 'partition')}`, { topic: event.topic });
    case 'partitions-added':
      return message(`Topic ${event.topic} has ${count(event.partitions.length, 'more partition')}`, { topic: event.topic });
    case 'topic-deletion-started':
      return message(`Topic ${event.topic} is being deleted`, { topic: event.topic });
    case 'topic-deletion-halted':
      return message(`The deletion of topic ${event.topic} waits: ${reason}`, { topic: event.topic, severity: 'warning' });
    case 'topic-deleted':
      return message(`Topic ${event.topic} was deleted`, { topic: event.topic });
    case 'group-rebalanced':
      return message(`Group ${event.groupId} rebalances: ${reason}`, { groupId: event.groupId });
    case 'group-emptied':
      return message(`Group ${event.groupId} is empty: ${reason}`, { groupId: event.groupId });
    case 'group-deleted':
      return message(`Group ${event.groupId} was deleted: ${reason}`, { groupId: event.groupId });
    case 'log-recovered':
      return message(
        `Recovery cut ${bytesText(event.truncatedBytes)} off ${event.topic}-${event.partition} on broker ${brokerId}, which ends at offset ${event.logEndOffset} now: ${reason}`,
        { topic: event.topic, partition: event.partition, brokerId, severity: 'warning' },
      );
    case 'logs-recovered': {
      const { totalLogs, recoveredLogs, scannedBytes, truncatedLogs, truncatedBytes, tookMs } = event;
      const cut =
        truncatedLogs === 0 ? 'nothing had to be cut off' : `${bytesText(truncatedBytes)} were cut off ${count(truncatedLogs, 'log')}`;
      return message(
        `Broker ${brokerId} recovered ${recoveredLogs} of ${count(totalLogs, 'log')} in ${tookMs} ms, ${bytesText(scannedBytes)} scanned; ${cut}: ${reason}`,
        { brokerId, severity: truncatedLogs === 0 ? 'info' : 'warning' },
      );
    }
    case 'log-dir-failed':
      return message(
        `Log dir ${event.directory} of broker ${brokerId} is offline, ${event.liveLogDirs} left: ${reason}`.slice(0, MAX_TEXT),
        { brokerId, severity: 'error' },
      );
  }
}

function partitionMessage(event: PartitionEvent): TimelineMessage {
  const { kind, topic, partition, reason, timestampMs } = event;
  const name = `${topic}-${partition}`;
  const about = { type: kind, atMs: timestampMs, topic, partition };
  switch (event.kind) {
    case 'leader-elected': {
      const before = event.previousLeader >= 0 && event.previousLeader !== event.leader ? ` instead of ${event.previousLeader}` : '';
      const unclean = event.unclean ? ' (unclean: records may be lost)' : '';
      return {
        ...about,
        severity: event.unclean ? 'error' : 'info',
        text: `Broker ${event.leader} leads ${name}${before}${unclean}: ${reason}; ISR [${event.isr.join(', ')}]`,
      };
    }
    case 'leader-election-failed':
      return { ...about, severity: 'error', text: `${name} has no leader: ${reason}` };
    case 'reassignment-started':
      return { ...about, severity: 'info', text: `${name} moves to [${event.replicas.join(', ')}]: ${reason}` };
    case 'reassignment-cancelled':
      return { ...about, severity: 'warning', text: `${name} goes back to [${event.replicas.join(', ')}]: ${reason}` };
    case 'reassignment-completed':
      return { ...about, severity: 'info', text: `${name} has moved to [${event.replicas.join(', ')}]` };
    case 'isr-changed': {
      const shrunk = event.isr.length < event.previousIsr.length;
      return {
        ...about,
        severity: shrunk ? 'warning' : 'info',
        text: `The ISR of ${name} is [${event.isr.join(', ')}], it was [${event.previousIsr.join(', ')}]: ${reason}`,
      };
    }
  }
}

const MOVES: Partial<Record<PartitionEvent['kind'], string>> = {
  'reassignment-started': 'move to other replicas',
  'reassignment-cancelled': 'go back to the replicas they had',
  'reassignment-completed': 'have moved to other replicas',
};

function summaryOf(kind: PartitionEvent['kind'], events: readonly PartitionEvent[]): TimelineMessage {
  const first = events[0];
  const atMs = first?.timestampMs ?? 0;
  const reason = first?.reason ?? '';
  if (kind === 'leader-elected') {
    const byLeader = new Map<number, number>();
    for (const event of events) if (event.kind === 'leader-elected') byLeader.set(event.leader, (byLeader.get(event.leader) ?? 0) + 1);
    const shares = Array.from(byLeader, ([leader, partitions]) => `broker ${leader} leads ${partitions}`).join(', ');
    return { type: kind, severity: 'info', atMs, text: `${events.length} partitions have a new leader: ${shares}; ${reason}` };
  }
  if (kind === 'leader-election-failed')
    return { type: kind, severity: 'error', atMs, text: `${events.length} partitions have no leader: ${reason}` };
  const moved = MOVES[kind];
  if (moved !== undefined) return { type: kind, severity: 'info', atMs, text: `${events.length} partitions ${moved}; ${reason}` };
  const shrunk = events.filter((event) => event.kind === 'isr-changed' && event.isr.length < event.previousIsr.length).length;
  const words = [shrunk > 0 ? `${shrunk} shrank` : '', shrunk < events.length ? `${events.length - shrunk} grew` : ''].filter(
    (part) => part !== '',
  );
  return {
    type: kind,
    severity: shrunk > 0 ? 'warning' : 'info',
    atMs,
    text: `The ISR of ${events.length} partitions changed, ${words.join(' and ')}: ${reason}`,
  };
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
