/**
 * A producer: a lane to each partition of its topic. A lane makes some batches, has them under way together (or one after another, over a long way, as
 * librdkafka does), and sends again, in order, what wasn't acknowledged, until it is. An idempotent one keeps each batch's sequence, and
 * reports an error for which librdkafka would give it up for good. One with acks 0 or 1 gives up what failed.
 */
import { ErrorCode, errorByCode } from '../../../src/protocol/errors.ts';
import { InitProducerId } from '../../../src/protocol/generated/init-producer-id.ts';
import { Produce } from '../../../src/protocol/generated/produce.ts';
import { compressionByName } from '../../../src/protocol/records/compression.ts';
import { buildRecordBatch } from '../../../src/protocol/records/record-batch-builder.ts';
import type { Node } from '../../../src/client/network-client.ts';
import { sleep } from '../../../src/runtime/scheduler.ts';
import type { History, Lane } from '../checks/history.ts';
import { encodeValue, keyOf, recordOf } from '../checks/history.ts';
import type { SentBatch } from '../checks/held-batches.ts';
import type { ProducerSpec } from '../schedule.ts';
import type { SimClient } from './sim-client.ts';

/** The broker gives up a produce request after it, where nothing else is asked for. */
const PRODUCE_TIMEOUT_MS = 1200;
/** The client gives it up so long after that. */
const ANSWER_MS = 1300;
const RETRY_MS = 60;
const FILL_BYTES = 40;

interface Batch {
  readonly from: number;
  readonly count: number;
  readonly baseSequence: number;
}

type Outcome =
  | { readonly kind: 'acked'; readonly baseOffset: number }
  | { readonly kind: 'failed'; readonly errorCode: number; readonly brokerId: number };
/** Not a code of Kafka's: no answer came. */
const NO_ANSWER = -1000;

const NOT_SENT: Outcome = { kind: 'failed', errorCode: NO_ANSWER, brokerId: -1 };

export class SimProducer {
  readonly #client: SimClient;
  readonly #history: History;
  readonly #spec: ProducerSpec;
  readonly #index: number;
  readonly #holds: (brokerId: number, batch: SentBatch) => boolean;
  readonly #lanes = new Map<number, Promise<void>>();
  #producerId = -1;
  #isOver = false;
  #idleLanes = 0;

  /** @param options.holds whether that broker's log has the batch: somebody who looks into every disk can tell. */
  constructor(options: {
    client: SimClient;
    history: History;
    spec: ProducerSpec;
    index: number;
    holds: (brokerId: number, batch: SentBatch) => boolean;
  }) {
    this.#holds = options.holds;
    this.#client = options.client;
    this.#history = options.history;
    this.#spec = options.spec;
    this.#index = options.index;
  }

  /** Makes nothing new; what it has made goes on until it is acknowledged. */
  finish(): void {
    this.#isOver = true;
  }

  /** True when everything made is acknowledged, or given up where its acks allow that. */
  get isDone(): boolean {
    return this.#isOver && this.#idleLanes === this.#lanes.size;
  }

  async run(): Promise<void> {
    if (this.#spec.isIdempotent) await this.#initProducerId();
    while (!this.#isOver) {
      await this.#client.view.refresh([this.#spec.topic]);
      const count = this.#client.view.topics.get(this.#spec.topic)?.partitions.length ?? 0;
      for (let partition = 0; partition < count; partition++) {
        if (!this.#lanes.has(partition)) this.#lanes.set(partition, this.#runLane(partition));
      }
      await sleep(this.#client.runtime.scheduler, 1000);
    }
  }

  async #initProducerId(): Promise<void> {
    while (this.#producerId < 0) {
      const response = await this.#client.sendToAny(InitProducerId, { transactionalId: null, transactionTimeoutMs: 60_000 });
      if (response?.errorCode === ErrorCode.NONE) this.#producerId = response.producerId;
      else await sleep(this.#client.runtime.scheduler, RETRY_MS);
    }
  }

  async #runLane(partition: number): Promise<void> {
    const { scheduler, random } = this.#client.runtime;
    const lane = this.#history.addLane(this.#spec.topic, partition, this.#index, this.#spec);
    while (!this.#isOver && !this.#history.isFull) {
      await sleep(scheduler, this.#spec.intervalMs * 2 * random.next());
      const batches: Batch[] = [];
      for (let wanted = 1 + random.int(this.#spec.pipeline); wanted > 0 && !this.#isOver; wanted--)
        batches.push(this.#make(lane, 1 + random.int(this.#spec.maxRecords)));
      await this.#deliver(lane, batches);
    }
    while (!this.#isOver) await sleep(scheduler, RETRY_MS);
    // The faults are over: what is made now must be acknowledged too.
    await this.#deliver(lane, [this.#make(lane, 1)]);
    this.#idleLanes++;
  }

  #make(lane: Lane, count: number): Batch {
    const batch = { from: lane.made, count, baseSequence: lane.made };
    lane.made += count;
    this.#history.madeCount += count;
    return batch;
  }

  /** Sends until each batch is acknowledged. */
  async #deliver(lane: Lane, batches: readonly Batch[]): Promise<void> {
    let rest = batches;
    for (;;) {
      const outcomes = await this.#sendInOrder(lane, rest);
      const left: { readonly batch: Batch; readonly outcome: Outcome }[] = [];
      for (const [index, batch] of rest.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined) continue;
        if (outcome.kind === 'acked') this.#history.onAcked(lane, batch.from, batch.count, outcome.baseOffset);
        else left.push({ batch, outcome });
        this.#note(lane, batch, outcome);
      }
      if (this.#spec.acks !== -1) return;
      const retried = left.filter(({ batch, outcome }) => !this.#isWrittenAndDeleted(lane, batch, outcome));
      if (retried.length === 0) return;
      this.#judge(
        lane,
        retried.map(({ outcome }) => outcome),
      );
      rest = retried.map(({ batch }) => batch);
      const refreshed = this.#client.view.refresh([lane.topic]);
      // librdkafka tries again while it asks.
      if (this.#spec.gapMs === undefined) await refreshed;
      await sleep(this.#client.runtime.scheduler, RETRY_MS * (0.5 + this.#client.runtime.random.next()));
    }
  }

  /** All together, or with some time between; then none is sent any more once one is known to have failed, as librdkafka does. */
  async #sendInOrder(lane: Lane, batches: readonly Batch[]): Promise<Outcome[]> {
    const { gapMs, acks } = this.#spec;
    const { scheduler, random } = this.#client.runtime;
    // Those of one round all go to one broker, also when another becomes known meanwhile.
    const leader = this.#client.view.leader(lane.topic, lane.partition)?.node;
    if (leader === undefined) return batches.map(() => NOT_SENT);
    if (gapMs === undefined) return Promise.all(batches.map((batch) => this.#send(lane, batch, leader)));
    let hasFailed = false;
    const answers: Promise<Outcome>[] = [];
    for (const batch of batches) {
      if (answers.length > 0) await sleep(scheduler, gapMs * 2 * random.next());
      if (hasFailed) break;
      answers.push(
        this.#send(lane, batch, leader).then((outcome) => {
          // With acks 0 nothing is known, and with acks 1 what fails isn't sent again.
          if (outcome.kind === 'failed' && acks === -1) hasFailed = true;
          return outcome;
        }),
      );
    }
    const outcomes = await Promise.all(answers);
    return batches.map((_, index) => outcomes[index] ?? NOT_SENT);
  }

  /** What follows an acknowledged or a refused batch is behind no gap of the producer's making; what follows one that wasn't answered may be. */
  #judge(lane: Lane, unacknowledged: readonly Outcome[]): void {
    if (this.#history.isLoose(lane.topic)) return;
    for (const outcome of unacknowledged) {
      if (outcome.kind === 'acked') continue;
      if (outcome.errorCode === NO_ANSWER) return;
      const { name, retriable } = errorByCode(outcome.errorCode);
      if (!retriable) this.#history.violate(`${lane.name}: a batch that follows an acknowledged or a refused one is refused with ${name}`);
    }
  }

  /**
   * Retention and DeleteRecords may take what a broker that has started again since would have to look up: it refuses such a batch as out of
   * order. That it was in the log shows a later one that was acknowledged.
   */
  #isWrittenAndDeleted({ topic, partition, acked }: Lane, { from, count, baseSequence }: Batch, outcome: Outcome): boolean {
    if (outcome.kind === 'acked' || outcome.errorCode !== ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER) return false;
    if (acked.length <= from + count) return false;
    return !this.#holds(outcome.brokerId, { topic, partition, producerId: this.#producerId, baseSequence });
  }

  #note(lane: Lane, { from, count }: Batch, outcome: Outcome | undefined): void {
    const { world, name } = this.#client.process;
    if (!world.isLogging || outcome === undefined) return;
    const answer =
      outcome.kind === 'acked'
        ? `acknowledged at ${outcome.baseOffset}`
        : outcome.errorCode === NO_ANSWER
          ? 'not answered'
          : errorByCode(outcome.errorCode).name;
    world.note(name, `${lane.name} #${from} to #${from + count - 1}: ${answer}`);
  }

  async #send(lane: Lane, batch: Batch, leader: Node): Promise<Outcome> {
    const { network, runtime } = this.#client;
    const { acks, codec, isIdempotent, timeoutMs = PRODUCE_TIMEOUT_MS } = this.#spec;
    const nowMs = runtime.clock.wallMs();
    const records = Array.from({ length: batch.count }, (_, index) => ({
      timestamp: nowMs,
      key: keyBytes(this.#spec, batch.from + index),
      value: encodeValue(recordOf(lane, batch.from + index), FILL_BYTES),
    }));
    const bytes = buildRecordBatch(records, {
      codec: compressionByName(codec) ?? 0,
      ...(isIdempotent ? { producerId: this.#producerId, producerEpoch: 0, baseSequence: batch.baseSequence } : {}),
    });
    const body = {
      acks,
      timeoutMs,
      topicData: [{ name: lane.topic, partitionData: [{ index: lane.partition, records: [bytes] }] }],
    };
    try {
      const response = await network.send(leader, Produce, body, { timeoutMs: timeoutMs + ANSWER_MS, expectsResponse: acks !== 0 });
      if (acks === 0) return { kind: 'failed', errorCode: NO_ANSWER, brokerId: leader.id };
      const answer = response.responses[0]?.partitionResponses[0];
      if (answer === undefined) return { kind: 'failed', errorCode: NO_ANSWER, brokerId: leader.id };
      if (answer.errorCode === ErrorCode.NONE) return { kind: 'acked', baseOffset: answer.baseOffset };
      if (answer.errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) return { kind: 'acked', baseOffset: -1 };
      return { kind: 'failed', errorCode: answer.errorCode, brokerId: leader.id };
    } catch {
      return { kind: 'failed', errorCode: NO_ANSWER, brokerId: leader.id };
    }
  }
}

function keyBytes(spec: ProducerSpec, place: number): Buffer | null {
  const key = keyOf(spec, place);
  return key === undefined ? null : Buffer.from(key);
}
