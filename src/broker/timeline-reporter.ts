/**
 * Puts what happens in the cluster into words for the console's timeline: who leads now and why, who left an ISR, which group
 * rebalances. Many elections or ISR changes at once (a broker with hundreds of partitions is lost) become one entry; each of them
 * is in the state-change log. An ISR change that a leader asked for is told by that leader, who knows how far behind whom was; the
 * controller tells only of its own. Elections of a topic's first leaders belong to its creation and are left out.
 * What recovery found in a log goes out as it is, for the flush lab; for people there are one line for all logs and one for each
 * that something was cut off. What logs do all the time (segments rolled and deleted, logs cleaned, flushes) is told every some seconds.
 */
import type { Scheduler } from '../runtime/scheduler.ts';
import type { BrokerEvent } from './broker-event.ts';
import { bytesText } from './byte-text.ts';
import { count, isLogActivity, LOG_KINDS, MAX_TEXT, logMessage, logSummary } from './timeline-log-lines.ts';
import type { LogActivityEvent } from './timeline-log-lines.ts';
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

/** What logs do goes on all the time: it is told every some seconds. */
const LOG_GATHER_MS = 5000;
/** Elections and ISR changes within this time are told together when they are many. */
const GATHER_MS = 50;
const MANY = 4;
const MAX_GATHERED = 100_000;
/** Logs that lost something are named up to this many; the rest is in the broker's log. */
const MAX_NAMED_LOGS = 20;
/** A broker that hands over its leaders tries again and again: what could not be the first time is told once in this time. */
const REPEATED_MS = 30_000;

const REASSIGNMENT_KINDS = ['reassignment-started', 'reassignment-cancelled', 'reassignment-completed'] as const;
const GATHERED_KINDS = ['leader-elected', 'leader-election-failed', 'isr-changed', ...REASSIGNMENT_KINDS] as const;
type PartitionEvent = Extract<BrokerEvent, { readonly kind: (typeof GATHERED_KINDS)[number] }>;

export class TimelineReporter {
  readonly #scheduler: Scheduler;
  readonly #send: (message: TimelineMessage | LogRecoveredMessage) => void;
  #gathered: PartitionEvent[] = [];
  #logEvents: LogActivityEvent[] = [];
  #namedLogs = 0;
  /** When it was last told of a partition that it keeps its leader, and why. */
  readonly #kept = new Map<string, { readonly atMs: number; readonly reason: string }>();

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
    if (isLogActivity(event)) {
      if (this.#logEvents.length === 0) this.#scheduler.after(LOG_GATHER_MS, () => this.#flushLogEvents());
      if (this.#logEvents.length < MAX_GATHERED) this.#logEvents.push(event);
      return;
    }
    if (!isPartitionEvent(event)) {
      this.#send(messageOf(event));
      return;
    }
    if (event.kind === 'leader-elected' && event.strategy === 'new') return;
    if (event.kind === 'isr-changed' && 'askedByLeader' in event) return;
    if (event.kind === 'leader-election-failed' && event.strategy !== 'offline' && this.#isRepeated(event)) return;
    if (this.#gathered.length === 0) this.#scheduler.after(GATHER_MS, () => this.#flush());
    if (this.#gathered.length < MAX_GATHERED) this.#gathered.push(event);
  }

  #isRepeated({ topic, partition, reason, timestampMs: atMs }: PartitionEvent): boolean {
    // Oldest first.
    for (const [old, told] of this.#kept) {
      if (atMs - told.atMs < REPEATED_MS) break;
      this.#kept.delete(old);
    }
    const name = `${topic}-${partition}`;
    if (this.#kept.get(name)?.reason === reason) return true;
    this.#kept.delete(name);
    if (this.#kept.size < MAX_GATHERED) this.#kept.set(name, { atMs, reason });
    return false;
  }

  #flushLogEvents(): void {
    const gathered = this.#logEvents;
    this.#logEvents = [];
    for (const kind of LOG_KINDS) {
      const events = gathered.filter((event) => event.kind === kind);
      if (events.length <= MANY) for (const event of events) this.#send(logMessage(event));
      else this.#send(logSummary(kind, events));
    }
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

function messageOf(event: Exclude<BrokerEvent, PartitionEvent | LogActivityEvent>): TimelineMessage {
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
    case 'logs-flushed': {
      const { flushes, fsyncs, messages, bytes, tookMs, overMs } = event;
      return message(
        `Broker ${brokerId} flushed its logs ${count(flushes, 'time')} in ${Math.round(overMs / 1000)} s (${reason}): ${count(messages, 'message')}, ${bytesText(bytes)}, ${count(fsyncs, 'fsync')} in ${tookMs} ms`,
        { brokerId },
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
        text: `Broker ${event.leader} leads ${name}${before} (${ELECTIONS[event.strategy]})${unclean}: ${reason}; ISR [${event.isr.join(', ')}]`,
      };
    }
    case 'leader-election-failed':
      // Only fail-over begins without a leader: the others leave the one there is.
      return event.strategy === 'offline'
        ? { ...about, severity: 'error', text: `${name} has no leader: ${reason}` }
        : { ...about, severity: 'warning', text: `${name} keeps its leader${strategyText(event.strategy)}: ${reason}` };
    case 'reassignment-started':
      return { ...about, severity: 'info', text: `${name} moves to [${event.replicas.join(', ')}]: ${reason}` };
    case 'reassignment-cancelled':
      return { ...about, severity: 'warning', text: `${name} goes back to [${event.replicas.join(', ')}]: ${reason}` };
    case 'reassignment-completed':
      return { ...about, severity: 'info', text: `${name} has moved to [${event.replicas.join(', ')}]` };
    case 'isr-changed':
      return { ...about, severity: isrSeverity(event), text: isrText(name, event) };
  }
}

const ELECTIONS: Readonly<Record<Extract<PartitionEvent, { readonly kind: 'leader-elected' }>['strategy'], string>> = {
  new: 'first leader',
  offline: 'fail-over',
  reassign: 'reassignment',
  preferred: 'preferred leader',
  'controlled-shutdown': 'controlled shutdown',
};

function strategyText(strategy: string): string {
  return Object.hasOwn(ELECTIONS, strategy) ? ` (${ELECTIONS[strategy as keyof typeof ELECTIONS]})` : '';
}

function are(n: number, one: string, many: string): string {
  return `${count(n, 'partition')} ${n === 1 ? one : many}`;
}

type IsrEvent = Extract<PartitionEvent, { readonly kind: 'isr-changed' }>;

const leftOf = ({ isr, previousIsr }: IsrEvent): number[] => previousIsr.filter((id) => !isr.includes(id));
const joinedOf = ({ isr, previousIsr }: IsrEvent): number[] => isr.filter((id) => !previousIsr.includes(id));

function isrSeverity(event: IsrEvent): TimelineMessage['severity'] {
  if (event.leader < 0) return 'error';
  return leftOf(event).length > 0 ? 'warning' : 'info';
}

function isrText(name: string, event: IsrEvent): string {
  const left = leftOf(event);
  const joined = joinedOf(event);
  const isr = `ISR [${event.isr.join(', ')}]`;
  if (event.leader < 0) return `${name} has lost its leader: ${event.reason}; ${isr}`;
  if (left.length > 0 && joined.length === 0) return `${brokers(left)} left the ISR of ${name}: ${ownReason(event, left)}; ${isr}`;
  if (joined.length > 0 && left.length === 0) return `${brokers(joined)} joined the ISR of ${name}: ${ownReason(event, joined)}; ${isr}`;
  return `The ISR of ${name} is [${event.isr.join(', ')}], it was [${event.previousIsr.join(', ')}]: ${event.reason}`;
}

/** The leader's reason names the broker; where it is the only one, the sentence has done so. */
function ownReason({ reason }: IsrEvent, ids: readonly number[]): string {
  const [id, ...others] = ids;
  const named = `broker ${id} `;
  if (others.length > 0 || !reason.startsWith(named)) return reason;
  return reason
    .slice(named.length)
    .replace(/^is (?=[\d])/u, '')
    .replace(/^(?=(?:is|has) )/u, 'it ');
}

function brokers(ids: readonly number[]): string {
  return ids.length === 1 ? `Broker ${ids[0]}` : `Brokers ${ids.join(' and ')}`;
}

/** Who left and who joined how many, each with the first reason told. */
function isrSummary(events: readonly IsrEvent[]): TimelineMessage {
  const phrases = new Map<string, { partitions: number; reason: string }>();
  const add = (phrase: string, { reason }: IsrEvent): void => {
    const known = phrases.get(phrase) ?? { partitions: 0, reason };
    known.partitions++;
    phrases.set(phrase, known);
  };
  for (const event of events) {
    const left = leftOf(event);
    const joined = joinedOf(event);
    for (const id of left) add(`broker ${id} left the ISR of`, event);
    for (const id of joined) add(`broker ${id} joined the ISR of`, event);
    if (event.leader < 0 && left.length === 0) add('no leader is left for', event);
    else if (left.length + joined.length === 0) add('the ISR was confirmed of', event);
  }
  const text = Array.from(phrases, ([phrase, { partitions, reason }]) => `${phrase} ${count(partitions, 'partition')}: ${reason}`).join(
    '; ',
  );
  const severities = events.map(isrSeverity);
  const severity = severities.includes('error') ? 'error' : severities.includes('warning') ? 'warning' : 'info';
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return { type: 'isr-changed', severity, atMs: events[0]?.timestampMs ?? 0, text: capital.slice(0, MAX_TEXT) };
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
    const shares = Array.from(byLeader, ([leader, partitions]) => `broker ${leader} leads ${partitions.toLocaleString('en-US')}`).join(
      ', ',
    );
    return { type: kind, severity: 'info', atMs, text: `${count(events.length, 'partition')} have a new leader: ${shares}; ${reason}` };
  }
  if (kind === 'leader-election-failed') {
    const isWithout = (event: PartitionEvent): boolean => event.kind === 'leader-election-failed' && event.strategy === 'offline';
    const without = events.filter(isWithout);
    const keeping = events.filter((event) => !isWithout(event));
    const phrases = [
      ...(without[0] === undefined ? [] : [`${are(without.length, 'has', 'have')} no leader: ${without[0].reason}`]),
      ...(keeping[0] === undefined ? [] : [`${are(keeping.length, 'keeps its', 'keep their')} leader: ${keeping[0].reason}`]),
    ];
    return { type: kind, severity: without.length > 0 ? 'error' : 'warning', atMs, text: phrases.join('; ') };
  }
  const moved = MOVES[kind];
  if (moved !== undefined) return { type: kind, severity: 'info', atMs, text: `${count(events.length, 'partition')} ${moved}; ${reason}` };
  return isrSummary(events.filter((event) => event.kind === 'isr-changed'));
}
