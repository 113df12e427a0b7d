/**
 * What the members of a consumer group know together: who owned what in which generation, what was delivered, what was committed and
 * what was told of that. What contradicts itself is a violation, at once.
 *
 * A coordinator that was deposed and doesn't know it yet answers from memory, in Kafka too: it may tell a member of the last generation
 * an older committed offset than its successor has acknowledged to a newer one. What it can't do is acknowledge a commit or complete a
 * generation, so that a member is held to what was acknowledged up to its own generation.
 */
import type { History } from './history.ts';

/** As told by OffsetFetch. */
export interface CommittedOffset {
  readonly offset: number;
  readonly metadata: string | null;
}

interface Commit {
  readonly generation: number;
  readonly offset: number;
  isAcknowledged: boolean;
}

interface Committing {
  readonly commits: Commit[];
  /** By offset: the record that was delivered there last. */
  readonly delivered: (number | undefined)[];
  /** Everything below it was delivered, or deleted before anybody could read it. */
  deliveredTo: number;
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
    if (from <= state.deliveredTo) state.deliveredTo = Math.max(state.deliveredTo, to);
  }

  /** A commit is sent. @returns its metadata, by which it is known again, and what to call once it is acknowledged. */
  onCommit(partition: string, generation: number, offset: number): { readonly metadata: string; readonly acknowledge: () => void } {
    const state = this.#state(partition);
    if (offset > state.deliveredTo)
      this.#history.violate(`${this.groupId} commits offset ${offset} of ${partition}, delivered is what lies below ${state.deliveredTo}`);
    const commit: Commit = { generation, offset, isAcknowledged: false };
    const index = state.commits.push(commit) - 1;
    const acknowledge = (): void => {
      commit.isAcknowledged = true;
      this.commitCount++;
    };
    return { metadata: `${index}`, acknowledge };
  }

  /** What a member of `generation` may at least be told from now on; -1 for no commit. */
  acknowledgedTo(partition: string, generation = Infinity): number {
    let highest = -1;
    for (const commit of this.#state(partition).commits)
      if (commit.isAcknowledged && commit.generation <= generation) highest = Math.max(highest, commit.offset);
    return highest;
  }

  /** @param atLeast `acknowledgedTo` when the question was asked. */
  onFetched(reader: string, partition: string, told: CommittedOffset, atLeast: number): void {
    const { commits, deliveredTo } = this.#state(partition);
    const what = `${this.groupId}: ${reader} is told that offset ${told.offset} of ${partition} is committed`;
    if (told.offset < atLeast) this.#history.violate(`COMMIT LOST: ${what}, and ${atLeast} was acknowledged`);
    if (told.offset < 0) return;
    if (told.offset > deliveredTo) this.#history.violate(`SKIPPED: ${what}, and only what lies below ${deliveredTo} was delivered`);
    if (commits[Number(told.metadata)]?.offset !== told.offset)
      this.#history.violate(`${what} with metadata '${told.metadata}', which nobody sent`);
  }

  /** At the end: what was delivered is what the log holds, from its start up to the committed offset. */
  checkDelivered(partition: string, logStartOffset: number, records: readonly number[]): void {
    const { delivered } = this.#state(partition);
    const committed = this.acknowledgedTo(partition);
    for (let offset = logStartOffset; offset < Math.min(committed, records.length); offset++) {
      if (delivered[offset] === records[offset]) continue;
      const got = delivered[offset];
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
      state = { commits: [], delivered: [], deliveredTo: 0 };
      this.#partitions.set(partition, state);
    }
    return state;
  }
}
