/**
 * The state-change log: a line per change of leadership, ISR, broker, topic or controller, each with its reason, and the last
 * of them in memory for whoever asks (introspection). Source: kafka.controller.StateChangeLogger; the events are ours.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ClusterEvent, ClusterEventSink, TimedClusterEvent } from './cluster-events.ts';

/** Events kept in memory; the oldest go first. */
const MAX_RECENT_EVENTS = 1000;

export interface StateChangeLoggerOptions {
  readonly brokerId: number;
  readonly controllerEpoch: () => number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sink?: ClusterEventSink;
}

export class StateChangeLogger {
  readonly #options: StateChangeLoggerOptions;
  readonly #recent: TimedClusterEvent[] = [];
  /** The plain log of the same name: failures and requests sent. */
  readonly log: Logger;

  constructor(options: StateChangeLoggerOptions) {
    this.#options = options;
    this.log = options.logger.child({ component: 'state.change.logger', brokerId: options.brokerId });
  }

  record(event: ClusterEvent): void {
    const timed: TimedClusterEvent = {
      ...event,
      timestampMs: this.#options.clock.wallMs(),
      controllerId: this.#options.brokerId,
      controllerEpoch: 'controllerEpoch' in event ? event.controllerEpoch : this.#options.controllerEpoch(),
    };
    this.#recent.push(timed);
    if (this.#recent.length > MAX_RECENT_EVENTS) this.#recent.shift();
    this.log.info({ event: timed }, describeClusterEvent(event));
    this.#options.sink?.emit(timed);
  }

  /** The last events, oldest first. */
  recentEvents(): readonly TimedClusterEvent[] {
    return [...this.#recent];
  }
}

/** One line of prose, the reason at its end. */
export function describeClusterEvent(event: ClusterEvent): string {
  return `${subjectOf(event)}: ${event.reason}`;
}

function subjectOf(event: ClusterEvent): string {
  switch (event.kind) {
    case 'controller-elected':
      return `broker ${event.brokerId} became controller with epoch ${event.controllerEpoch}`;
    case 'controller-resigned':
      return `broker ${event.brokerId} resigned as controller of epoch ${event.controllerEpoch}`;
    case 'broker-started':
      return `broker ${event.brokerId} started with epoch ${event.brokerEpoch}`;
    case 'broker-bounced':
      return `broker ${event.brokerId} bounced from epoch ${event.previousBrokerEpoch} to ${event.brokerEpoch}`;
    case 'broker-failed':
      return `broker ${event.brokerId} of epoch ${event.brokerEpoch} is gone`;
    case 'broker-shutting-down':
      return `broker ${event.brokerId} is shutting down`;
    case 'broker-updated':
      return `broker ${event.brokerId} changed its registration`;
    case 'topic-created':
      return `topic ${event.topic} was created with ${event.partitionCount} partitions`;
    case 'partitions-added':
      return `topic ${event.topic} got the partitions ${event.partitions.join(',')}`;
    case 'topic-deletion-started':
      return `deletion of topic ${event.topic} started`;
    case 'topic-deletion-halted':
      return `deletion of topic ${event.topic} was halted`;
    case 'topic-deleted':
      return `topic ${event.topic} was deleted`;
    case 'leader-elected':
      return `${event.topic}-${event.partition} is led by ${event.leader} (before: ${event.previousLeader}) with leader epoch ${event.leaderEpoch}, ISR [${event.isr.join(',')}]`;
    case 'leader-election-failed':
      return `${event.topic}-${event.partition} has no leader (${event.strategy} election)`;
    case 'reassignment-started':
      return `${event.topic}-${event.partition} moves to [${event.replicas.join(',')}] (adding [${event.addingReplicas.join(',')}], removing [${event.removingReplicas.join(',')}])`;
    case 'reassignment-cancelled':
      return `${event.topic}-${event.partition} goes back to [${event.replicas.join(',')}]`;
    case 'reassignment-completed':
      return `${event.topic}-${event.partition} has moved to [${event.replicas.join(',')}]`;
    default:
      return `ISR of ${event.topic}-${event.partition} went from [${event.previousIsr.join(',')}] to [${event.isr.join(',')}]`;
  }
}
