/** Lines of the timeline for what logs do: segments rolled and deleted, logs cleaned. Each by itself, or many of a kind in one. */
import type { BrokerEvent } from './broker-event.ts';
import { bytesText } from './byte-text.ts';
import type { TimelineMessage } from './timeline-reporter.ts';

/** What the console takes of a line. */
export const MAX_TEXT = 480;

export const LOG_KINDS = ['segment-rolled', 'segments-deleted', 'log-cleaned'] as const;
export type LogActivityEvent = Extract<BrokerEvent, { readonly kind: (typeof LOG_KINDS)[number] }>;

export function isLogActivity(event: BrokerEvent): event is LogActivityEvent {
  const kinds: readonly string[] = LOG_KINDS;
  return kinds.includes(event.kind);
}

export function logMessage(event: LogActivityEvent): TimelineMessage {
  const { kind, topic, partition, reason, timestampMs, brokerId } = event;
  const about = { type: kind, severity: 'info', atMs: timestampMs, topic, partition, brokerId } as const;
  const name = `${topic}-${partition}`;
  const where = `on broker ${brokerId}`;
  switch (event.kind) {
    case 'segment-rolled':
      return {
        ...about,
        text: `${name} ${where} has a new segment from offset ${event.nextOffset}; the one from ${event.baseOffset} is closed with ${bytesText(event.sizeBytes)}: ${reason}`,
      };
    case 'segments-deleted':
      return {
        ...about,
        text: `${name} ${where} has lost ${count(event.segments, 'segment')}, ${bytesText(event.sizeBytes)}, and starts at offset ${event.logStartOffset}: ${reason}`,
      };
    case 'log-cleaned':
      return {
        ...about,
        text: `${name} ${where} was cleaned, dirty from offset ${event.firstDirtyOffset} to ${event.nextDirtyOffset - 1}: ${bytesText(event.bytesRead)} became ${bytesText(event.bytesWritten)}, ${reason} of ${count(event.recordsRead, 'record')}, ${count(event.tombstonesDropped, 'tombstone')} dropped`,
      };
  }
}

const LOG_SUMMARIES: Readonly<Record<LogActivityEvent['kind'], string>> = {
  'segment-rolled': 'were rolled',
  'segments-deleted': 'were deleted',
  'log-cleaned': 'were cleaned',
};

export function logSummary(kind: LogActivityEvent['kind'], events: readonly LogActivityEvent[]): TimelineMessage {
  const logs = new Set(events.map(({ topic, partition }) => `${topic}-${partition}`)).size;
  const segments = events.reduce((sum, event) => sum + (event.kind === 'segments-deleted' ? event.segments : 1), 0);
  const bytes = events.reduce((sum, event) => sum + (event.kind === 'log-cleaned' ? event.bytesRead : event.sizeBytes), 0);
  const reasons = [...new Set(events.map(({ reason }) => reason))];
  const [first] = events;
  const what =
    kind === 'log-cleaned'
      ? `${count(logs, 'log')}, ${bytesText(bytes)},`
      : `${count(segments, 'segment')} of ${count(logs, 'log')}, ${bytesText(bytes)},`;
  const why = kind === 'log-cleaned' ? '' : `: ${reasons.slice(0, 3).join('; ')}${reasons.length > 3 ? '; …' : ''}`;
  const text = `On broker ${first?.brokerId} ${what} ${LOG_SUMMARIES[kind]}${why}`;
  return { type: kind, severity: 'info', atMs: first?.timestampMs ?? 0, brokerId: first?.brokerId ?? -1, text: text.slice(0, MAX_TEXT) };
}

export function count(n: number, noun: string): string {
  return `${n.toLocaleString('en-US')} ${noun}${n === 1 ? '' : 's'}`;
}
