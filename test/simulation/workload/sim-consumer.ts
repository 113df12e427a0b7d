/**
 * A consumer: reads partitions from their leaders, all of its topics' from the first offset on, or those that its group gave it from where
 * that has come to. It fences itself by leader
 * epochs as KIP-320 has it: a fetch carries the epoch that it knows, and under a new one it asks first whether its position is still
 * part of the history (OffsetForLeaderEpoch); where it isn't, it goes back and says so.
 */
import { ErrorCode, errorByCode } from '../../../src/protocol/errors.ts';
import { Fetch } from '../../../src/protocol/generated/fetch.ts';
import type { PartitionData } from '../../../src/protocol/generated/fetch.ts';
import { ListOffsets } from '../../../src/protocol/generated/list-offsets.ts';
import { OffsetForLeaderEpoch } from '../../../src/protocol/generated/offset-for-leader-epoch.ts';
import { iterateBatches, readBatchHeader } from '../../../src/protocol/records/record-batch.ts';
import { forEachRecord } from '../../../src/protocol/records/record-reader.ts';
import { sleep } from '../../../src/runtime/scheduler.ts';
import type { Node } from '../../../src/client/network-client.ts';
import { decodeValue, type History } from '../checks/history.ts';
import type { SimClient } from './sim-client.ts';

const FETCH_VERSION = 16;
const MAX_WAIT_MS = 400;
const IDLE_MS = 120;
const METADATA_MS = 1000;
/** A group's member looks seldomer: it is there for what its group does. */
const MEMBER_PACE = { maxWaitMs: 900, minBytes: 1500, idleMs: 250, metadataMs: 2500 } as const;
const READER_PACE = { maxWaitMs: MAX_WAIT_MS, minBytes: 1, idleMs: IDLE_MS, metadataMs: METADATA_MS } as const;
const MAX_RECORD_BYTES = 1 << 20;
const EARLIEST_TIMESTAMP = -2;
const LATEST_TIMESTAMP = -1;

/** Where a consumer begins: an offset, and the leader epoch of the record before it, -1 when it isn't known. */
export interface StartingPoint {
  readonly offset: number;
  readonly epoch: number;
}

/** What a group has to say to one of its members. */
export interface Assignment {
  /** Undefined for a partition that isn't the member's. */
  startOf(topic: string, partition: number): StartingPoint | undefined;
  onDelivered(topic: string, partition: number, offset: number, record: number): void;
  onSkipped(topic: string, partition: number, from: number, to: number): void;
}

export interface SimConsumerOptions {
  readonly client: SimClient;
  readonly history: History;
  readonly topics: () => readonly string[];
  /** False: neither fences nor validates, as before KIP-320. */
  readonly fences: boolean;
  /** Of a group's member; without it the consumer reads everything. */
  readonly assignment?: Assignment;
}

const FROM_THE_FIRST: StartingPoint = { offset: 0, epoch: -1 };

export interface Position {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  offset: number;
  /** The leader epoch of the last record read. */
  lastEpoch: number;
  /** The leader epoch under which the position was last found to be part of the history. */
  validatedEpoch: number;
  /** The largest end that it was told. */
  toldEnd: number;
  /** What it believes the partition to hold, and the leader epoch of each record. */
  readonly read: (number | undefined)[];
  readonly epochs: number[];
}

export class SimConsumer {
  readonly name: string;
  readonly positions = new Map<string, Position>();
  readonly #client: SimClient;
  readonly #history: History;
  readonly #topics: () => readonly string[];
  readonly #fences: boolean;
  readonly #assignment: Assignment | undefined;
  readonly #pace: typeof MEMBER_PACE | typeof READER_PACE;
  #isOver = false;

  constructor(options: SimConsumerOptions) {
    this.#client = options.client;
    this.name = options.client.name;
    this.#history = options.history;
    this.#topics = options.topics;
    this.#fences = options.fences;
    this.#assignment = options.assignment;
    this.#pace = options.assignment === undefined ? READER_PACE : MEMBER_PACE;
  }

  /** Reads nothing more of what it has; what is under way to it is dropped. */
  revoke(): void {
    this.positions.clear();
  }

  finish(): void {
    this.#isOver = true;
  }

  run(): void {
    void this.#followMetadata();
    for (const broker of this.#client.brokers) void this.#followBroker(broker);
  }

  async #followMetadata(): Promise<void> {
    while (!this.#isOver) {
      await this.#client.view.refresh(this.#topics());
      if (this.#assignment === undefined && this.#client.runtime.random.int(2) === 0) await this.#askForEnds();
      await sleep(this.#client.runtime.scheduler, this.#pace.metadataMs);
    }
  }

  /** The end that a consumer is told never goes back, whoever leads (KIP-207). */
  async #askForEnds(): Promise<void> {
    await Promise.all(
      Array.from(this.positions.values(), async (position) => {
        const { topic, partition } = position;
        const leader = this.#client.view.leader(topic, partition);
        if (leader?.node === undefined || this.#history.isLoose(topic)) return;
        const answer = await this.#listOffset(position, leader.node, LATEST_TIMESTAMP);
        if (answer?.errorCode !== ErrorCode.NONE || !this.#isCurrent(position)) return;
        if (answer.offset < position.toldEnd)
          this.#history.violate(
            `${this.name} is told by broker ${leader.node.id} that ${topic}-${partition} ends at ${answer.offset}; it was told ${position.toldEnd} before`,
          );
        position.toldEnd = Math.max(position.toldEnd, answer.offset);
      }),
    );
  }

  async #listOffset(position: Position, node: Node, timestamp: number): Promise<{ errorCode: number; offset: number } | undefined> {
    const { topic, partition } = position;
    const partitions = [{ partitionIndex: partition, currentLeaderEpoch: this.#epochOf(position), timestamp }];
    const body = { replicaId: -1, topics: [{ name: topic, partitions }] };
    const options = { timeoutMs: 1500, minVersion: 4 };
    const response = await this.#client.network.send(node, ListOffsets, body, options).catch(() => undefined);
    return response?.topics[0]?.partitions[0];
  }

  async #followBroker(node: Node): Promise<void> {
    const { scheduler } = this.#client.runtime;
    while (!this.#isOver) {
      const due = this.#positionsAt(node.id);
      const ready: Position[] = [];
      for (const position of due) if (await this.#isValid(position, node)) ready.push(position);
      if (ready.length === 0) await sleep(scheduler, this.#pace.idleMs);
      else if (!(await this.#fetch(node, ready))) {
        await this.#client.view.refresh(this.#topics());
        await sleep(scheduler, this.#pace.idleMs * (0.5 + this.#client.runtime.random.next()));
      }
    }
  }

  #positionsAt(brokerId: number): Position[] {
    const found: Position[] = [];
    for (const name of this.#topics()) {
      const view = this.#client.view.topics.get(name);
      if (view === undefined) continue;
      for (const [partition, leader] of view.partitions.entries()) {
        if (leader?.node?.id !== brokerId) continue;
        const key = `${view.topicId}:${partition}`;
        let position = this.positions.get(key);
        if (position === undefined) {
          const { topicId } = view;
          const start = this.#assignment === undefined ? FROM_THE_FIRST : this.#assignment.startOf(name, partition);
          if (start === undefined) continue;
          position = {
            topic: name,
            topicId,
            partition,
            offset: start.offset,
            lastEpoch: start.epoch,
            validatedEpoch: -1,
            toldEnd: 0,
            read: [],
            epochs: [],
          };
          this.positions.set(key, position);
        }
        found.push(position);
      }
    }
    return found;
  }

  /** False once it was revoked. */
  #isCurrent(position: Position): boolean {
    return this.positions.get(`${position.topicId}:${position.partition}`) === position;
  }

  #epochOf(position: Position): number {
    return this.#client.view.leader(position.topic, position.partition)?.leaderEpoch ?? -1;
  }

  /** Under a new leader epoch: is what was read still part of the history? */
  async #isValid(position: Position, node: Node): Promise<boolean> {
    const epoch = this.#epochOf(position);
    if (!this.#fences || position.lastEpoch < 0 || position.validatedEpoch >= epoch) return true;
    const { topic, partition, offset, lastEpoch } = position;
    const body = {
      replicaId: -1,
      topics: [{ topic, partitions: [{ partition, currentLeaderEpoch: epoch, leaderEpoch: position.lastEpoch }] }],
    };
    const response = await this.#client.network.send(node, OffsetForLeaderEpoch, body, { timeoutMs: 1500 }).catch(() => undefined);
    // Answered late, when another leader was asked meanwhile: that says nothing of where we are now.
    if (!this.#isCurrent(position)) return false;
    if (position.offset !== offset || position.lastEpoch !== lastEpoch || this.#epochOf(position) !== epoch) return false;
    const answer = response?.topics[0]?.partitions[0];
    if (answer === undefined || answer.errorCode !== ErrorCode.NONE || answer.endOffset < 0) {
      await this.#client.view.refresh(this.#topics());
      return false;
    }
    this.#note(
      `${topic}-${partition}: offset ${position.offset} of epoch ${position.lastEpoch} under ${epoch}: ends at ${answer.endOffset}`,
    );
    if (answer.endOffset >= position.offset && answer.leaderEpoch === position.lastEpoch) {
      position.validatedEpoch = Math.max(position.validatedEpoch, epoch);
      return true;
    }
    // Of the leader's epoch we may have less than the leader: what lies behind that is of an epoch that it doesn't know. Then it is asked
    // again of the epoch before, as a follower does. (Kafka's own consumer goes back to the leader's end only, and believes it.)
    const ours = position.epochs.findLastIndex((recordEpoch) => recordEpoch <= answer.leaderEpoch) + 1;
    this.#goBack(position, Math.min(answer.endOffset, ours, position.offset));
    return false;
  }

  #goBack(position: Position, offset: number): void {
    const { topic, partition } = position;
    if (!this.#history.isLoose(topic))
      this.#history.violate(
        `${this.name} was at offset ${position.offset} of ${topic}-${partition}, and learns that the log was cut to ${offset}`,
      );
    position.offset = offset;
    position.read.length = offset;
    position.epochs.length = offset;
    position.lastEpoch = position.epochs.at(-1) ?? -1;
  }

  /** True when it went well for all. */
  async #fetch(node: Node, positions: readonly Position[]): Promise<boolean> {
    const byTopic = Map.groupBy(positions, ({ topicId }) => topicId);
    const asked = new Map(
      positions.map((position) => [
        `${position.topicId}:${position.partition}`,
        { position, offset: position.offset, epoch: this.#epochOf(position) },
      ]),
    );
    const body = {
      maxWaitMs: this.#pace.maxWaitMs,
      minBytes: this.#pace.minBytes,
      topics: Array.from(byTopic, ([topicId, list]) => ({
        topicId,
        partitions: list.map((position) => ({
          partition: position.partition,
          currentLeaderEpoch: this.#fences ? this.#epochOf(position) : -1,
          fetchOffset: position.offset,
          partitionMaxBytes: 1 << 18,
        })),
      })),
    };
    const options = { version: FETCH_VERSION, timeoutMs: this.#pace.maxWaitMs + 2000 };
    const response = await this.#client.network.send(node, Fetch, body, options).catch(() => undefined);
    if (response === undefined || response.errorCode !== ErrorCode.NONE) return false;
    let isWell = true;
    for (const topic of response.responses) {
      for (const data of topic.partitions) {
        const found = asked.get(`${topic.topicId}:${data.partitionIndex}`);
        // Validated meanwhile under a newer epoch, or gone back: what was asked before says nothing of that.
        if (found === undefined || found.position.offset !== found.offset || !this.#isCurrent(found.position)) continue;
        if (this.#fences && this.#epochOf(found.position) !== found.epoch) continue;
        if (data.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE && !(await this.#goBeyondDeleted(found.position, node))) isWell = false;
        else if (!this.#take(found.position, data, node)) isWell = false;
      }
    }
    return isWell;
  }

  /** Out of range: that the log begins later by now is no wrong where somebody had records deleted. Goes to its begin. */
  async #goBeyondDeleted(position: Position, node: Node): Promise<boolean> {
    const { topic, partition, offset } = position;
    if (offset >= this.#history.deletedTo(topic, partition)) return true;
    const answer = await this.#listOffset(position, node, EARLIEST_TIMESTAMP);
    if (answer?.errorCode !== ErrorCode.NONE || !this.#isCurrent(position) || position.offset !== offset) return false;
    if (answer.offset <= offset) return false;
    this.#note(`${topic}-${partition}: goes from offset ${offset} to ${answer.offset}, where the log begins`);
    this.#assignment?.onSkipped(topic, partition, offset, answer.offset);
    position.offset = answer.offset;
    position.lastEpoch = -1;
    return false;
  }

  #take(position: Position, data: PartitionData, node: Node): boolean {
    const { topic, topicId, partition } = position;
    if (data.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE && !this.#history.isLoose(topic)) {
      this.#history.violate(
        `${this.name} is refused offset ${position.offset} of ${topic}-${partition} by broker ${node.id}: out of range`,
      );
      position.offset = 0;
      return false;
    }
    if (data.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE)
      this.#goBack(position, Math.min(position.offset, Math.max(0, data.highWatermark)));
    if (data.errorCode !== ErrorCode.NONE) return errorByCode(data.errorCode).name === 'OFFSET_OUT_OF_RANGE';
    for (const bytes of data.records ?? []) {
      for (const batch of iterateBatches(bytes)) {
        const header = readBatchHeader(batch, 0);
        if (header.lastOffset < position.offset) continue;
        const mayHaveGaps = this.#history.isLoose(topic) || this.#history.compactedTopics.has(topic);
        if (header.baseOffset > Math.max(position.offset, this.#history.deletedTo(topic, partition)) && !mayHaveGaps)
          this.#history.violate(
            `${this.name} finds a gap in ${topic}-${partition}: offset ${position.offset} is followed by ${header.baseOffset}`,
          );
        if (header.lastOffset >= data.highWatermark)
          this.#history.violate(`${this.name} is given offset ${header.lastOffset} of ${topic}-${partition}, above the high watermark`);
        forEachRecord(batch, MAX_RECORD_BYTES, ({ offset, value }) => {
          if (offset < position.offset) return;
          const record = decodeValue(value) ?? -1;
          position.read[offset] = record;
          position.epochs[offset] = header.partitionLeaderEpoch;
          this.#history.onRead(this.name, { topic, topicId, partition, offset }, record);
          this.#assignment?.onDelivered(topic, partition, offset, record);
        });
        this.#note(
          `${topic}-${partition}: reads up to ${header.lastOffset} of epoch ${header.partitionLeaderEpoch} from broker ${node.id}`,
        );
        position.offset = header.lastOffset + 1;
        position.lastEpoch = header.partitionLeaderEpoch;
      }
    }
    return true;
  }

  #note(text: string): void {
    const { world } = this.#client.process;
    if (world.isLogging) world.note(this.name, text);
  }
}
