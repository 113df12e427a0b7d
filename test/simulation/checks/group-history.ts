/**
 * What the members of a consumer group know together: who owned what in which generation, what was delivered, what was committed and
 * what was told of that. What contradicts itself is a violation, at once.
 *
 * A coordinator that was deposed and doesn't know it yet answers from memory, in Kafka too: it may tell a member of the last generation
 * an older committed offset than its successor has acknowledged to a newer one. What it can't do is acknowledge a commit or complete a
 * generation, so that a member is held to what was acknowledged up to its own generation. And a commit that was given up with its
 * connection may arrive after a later one of its generation, and undo it: Kafka's coordinator doesn't know their order either.
 */
import type { History } from './history.ts';

/** As told by OffsetFetch. */
export interface CommittedOffset {
  readonly offset: number;
  readonly metadata: string | null;
}

interface Commit {
  readonly index: number;
  readonly generation: number;
  readonly offset: number;
  isAcknowledged: boolean;
  /** A member was told it. A commit whose answer says that the coordinator is another one may count all the same. */
  wasTold: boolean;
}

/** The last commit that was acknowledged when a question was asked; undefined for none. */
export type LastCommit = Commit | undefined;

interface Committing {
  readonly commits: Commit[];
  /** By offset: the record that was delivered there last. */
  readonly delivered: (number | undefined)[];
  /** Everything below it was delivered, or deleted before anybody could read it. */
  deliveredTo: number;
  /** Below it something was deleted before it was read. A log whose brokers died before they noted its new start may hold it again. */
  skippedTo: number;
}

export class GroupHistory {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly #history: History;
  readonly #owners = new Map<string, string>();
  readonly #partitions = new Map<string, Committing>();
  commitCount = 0;
  generations = 0;

  constructor(history: History, groupId: string, topics: readonly string[]) {
    this.#history = history;
    this.groupId = groupId;
    this.topics = topics;
  }

  /** A sync was answered: `member` owns these partitions (`topic-0`) in `generation`. */
  onAssigned(member: string, generation: number, partitions: readonly string[]): void {
    this.generations = Math.max(this.generations, generation);
    for (const partition of partitions) {
      const key = `${generation} ${partition}`;
      const owner = this.#owners.get(key);
      if (owner === undefined) this.#owners.set(key, member);
      else if (owner !== member)
        this.#history.violate(`${this.groupId}: ${partition} is owned by ${owner} and by ${member} in generation ${generation}`);
    }
  }

  onDelivered(partition: string, offset: number, record: number): void {
    const state = this.#state(partition);
    state.delivered[offset] = record;
    if (offset === state.deliveredTo) state.deliveredTo++;
  }

  /** What lay between was deleted on request before it was read. */
  onSkipped(partition: string, from: number, to: number): void {
    const state = this.#state(partition);
    state.skippedTo = Math.max(state.skippedTo, to);
    if (from <= state.deliveredTo) state.deliveredTo = Math.max(state.deliveredTo, to);
  }

  /** A commit is sent. @returns its metadata, by which it is known again, and what to call once it is acknowledged. */
  onCommit(partition: string, generation: number, offset: number): { readonly metadata: string; readonly acknowledge: () => void } {
    const state = this.#state(partition);
    if (offset > state.deliveredTo)
      this.#history.violate(`${this.groupId} commits offset ${offset} of ${partition}, delivered is what lies below ${state.deliveredTo}`);
    const index = state.commits.length;
    const commit: Commit = { index, generation, offset, isAcknowledged: false, wasTold: false };
    state.commits.push(commit);
    const acknowledge = (): void => {
      commit.isAcknowledged = true;
      this.commitCount++;
    };
    return { metadata: `${index}`, acknowledge };
  }

  /** The last acknowledged commit that a member of `generation` must know of: of the newest generation, and there the last one sent. */
  lastCommit(partition: string, generation = Infinity): LastCommit {
    return this.#last(partition, (commit) => commit.isAcknowledged && commit.generation <= generation);
  }

  /** What the group goes on from, as far as anybody has heard: acknowledged, or told to a member. */
  lastKnownCommit(partition: string): LastCommit {
    return this.#last(partition, (commit) => commit.isAcknowledged || commit.wasTold);
  }

  #last(partition: string, counts: (commit: Commit) => boolean): LastCommit {
    let last: LastCommit;
    for (const commit of this.#state(partition).commits) if (counts(commit) && !isBefore(commit, last)) last = commit;
    return last;
  }

  /** @param last `lastCommit` when the question was asked. */
  onFetched(reader: string, partition: string, told: CommittedOffset, last: LastCommit): void {
    const { commits, deliveredTo } = this.#state(partition);
    const what = `${this.groupId}: ${reader} is told that offset ${told.offset} of ${partition} is committed`;
    const commit = commits[Number(told.metadata)];
    if (told.offset >= 0 && commit?.offset !== told.offset) {
      this.#history.violate(`${what} with metadata '${told.metadata}', which nobody sent`);
      return;
    }
    if (commit !== undefined) commit.wasTold = true;
    if (told.offset > deliveredTo) this.#history.violate(`SKIPPED: ${what}, and only what lies below ${deliveredTo} was delivered`);
    if (last === undefined || (told.offset >= 0 && commit !== undefined && !isBefore(commit, last))) return;
    const isLate = told.offset >= 0 && commit?.isAcknowledged === false && commit.generation === last.generation;
    if (!isLate) this.#history.violate(`COMMIT LOST: ${what}, and ${last.offset} was acknowledged in generation ${last.generation}`);
  }

  /** At the end: what was delivered is what the log holds, from its start up to the committed offset. */
  checkDelivered(partition: string, logStartOffset: number, records: readonly number[]): void {
    const { delivered, skippedTo } = this.#state(partition);
    const committed = this.lastCommit(partition)?.offset ?? 0;
    for (let offset = logStartOffset; offset < Math.min(committed, records.length); offset++) {
      if (delivered[offset] === records[offset]) continue;
      const got = delivered[offset];
      if (got === undefined && offset < skippedTo) continue;
      this.#history.violate(
        `${this.groupId} has committed ${committed} of ${partition}, and ${this.#history.nameOf(records[offset] ?? -1)} at offset ${offset} ` +
          (got === undefined ? 'was delivered to nobody' : `was delivered as ${this.#history.nameOf(got)}`),
      );
      return;
    }
  }

  #state(partition: string): Committing {
    let state = this.#partitions.get(partition);
    if (state === undefined) {
      state = { commits: [], delivered: [], deliveredTo: 0, skippedTo: 0 };
      this.#partitions.set(partition, state);
    }
    return state;
  }
}

/** By generation, and in one by the order of sending. */
function isBefore(a: Commit, b: LastCommit): boolean {
  return b !== undefined && (a.generation < b.generation || (a.generation === b.generation && a.index < b.index));
}
