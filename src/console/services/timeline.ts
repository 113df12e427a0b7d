/** What happened in a cluster, in order: a ring of the last entries, each with a number that only goes up. */
import type { TimelineEntry, TimelinePage } from '../contract/live.ts';

const MAX_ENTRIES = 2000;

export type NewEntry = Pick<TimelineEntry, 'atMs' | 'type' | 'text'> & Partial<Omit<TimelineEntry, 'sequence'>>;

export class Timeline {
  readonly #entries: TimelineEntry[] = [];
  #sequence = 0;

  add(entries: readonly NewEntry[]): void {
    for (const entry of entries) {
      this.#entries.push({
        severity: 'info',
        brokerId: null,
        topic: null,
        partition: null,
        groupId: null,
        processId: null,
        ...entry,
        sequence: ++this.#sequence,
      });
    }
    if (this.#entries.length > MAX_ENTRIES) this.#entries.splice(0, this.#entries.length - MAX_ENTRIES);
  }

  /** The newest `max` entries after number `after`; `dropped` counts those after it that are not given. */
  page(after: number, max: number): TimelinePage {
    const newer = this.#entries.filter(({ sequence }) => sequence > after);
    const entries = newer.slice(-max);
    const first = entries[0]?.sequence ?? this.#sequence + 1;
    return { entries, dropped: Math.max(0, first - 1 - after) };
  }
}
