/**
 * The mistakes that Kafka itself once made, and one that shows that groups are looked after, to be made again in a run: each puts something around methods of the real classes, as long
 * as it is switched on. Nothing of it is in the product. What a simulation is worth shows in how soon it catches them.
 */
import { BrokerZNodes } from '../../../src/broker/zk/broker-znodes.ts';
import { ControllerContext } from '../../../src/broker/controller/controller-context.ts';
import { LeaderEpochFileCache } from '../../../src/broker/log/leader-epoch-file-cache.ts';
import { SkimpyOffsetMap } from '../../../src/broker/log/cleaner/skimpy-offset-map.ts';
import { UnifiedLog } from '../../../src/broker/log/unified-log.ts';
import { ProducerStateManager } from '../../../src/broker/log/producer-state-manager.ts';
import { LeadershipDoubt } from '../../../src/broker/replication/leadership-doubt.ts';
import { Partition } from '../../../src/broker/replication/partition.ts';
import { RefusedSequences } from '../../../src/broker/replication/refused-sequences.ts';
import { ReplicaManager } from '../../../src/broker/replication/replica-manager.ts';
import { RecordAppender } from '../../../src/broker/replication/record-appender.ts';
import type { RunOptions } from '../run.ts';
import { wrapGetter, wrapMethod } from '../wrap-method.ts';

export interface Mutation {
  readonly name: string;
  readonly what: string;
  /** Makes the mistake until the function that it returns is called. */
  readonly begin: () => () => void;
  /** Part of the mistake. */
  readonly options: RunOptions;
  /** What shows the mistake and is none: the run without it has it too. */
  readonly setting?: RunOptions;
}

const all =
  (...ends: readonly (() => void)[]): (() => void) =>
  () => {
    for (const end of ends.toReversed()) end();
  };

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'KIP-101',
    what: 'a follower truncates to its high watermark, not to where the leader epochs diverge',
    options: {},
    // A log that names no epoch is cut to its high watermark, and its fetches aren't checked for divergence.
    begin: () => wrapGetter(UnifiedLog.prototype, 'latestEpoch', () => () => undefined),
  },
  {
    name: 'KIP-279',
    what: 'a leader that does not know the follower’s epoch answers with the start of its own next one, as if it knew it',
    options: {},
    begin: beginAnsweringForUnknownEpochs,
  },
  {
    name: 'KIP-320',
    what: 'consumers do not compare leader epochs, are not fenced, and do not look for truncation',
    options: { consumersFence: false },
    begin: () => () => {},
  },
  {
    name: 'KIP-207',
    what: 'a new leader tells consumers the log’s end before its high watermark has reached the start of its epoch',
    options: {},
    begin: () => wrapGetter(Partition.prototype, 'highWatermarkHasReachedEpochStart', () => () => true),
  },
  {
    name: 'KAFKA-7128',
    what: 'a follower joins the ISR at the leader’s high watermark, which may lie below the start of the leader’s epoch',
    options: {},
    begin: beginJoiningTooEarly,
  },
  {
    name: 'KAFKA-1120',
    what: 'the controller compares broker ids and not epochs: one that left and came back between two looks is not noticed',
    options: {},
    begin: beginIgnoringBrokerEpochs,
  },
  {
    name: 'sure-leaders',
    what: 'a leader that may have been deposed calls a batch out of order when those before it are with another leader',
    options: {},
    setting: { producersCompareEpochs: false },
    begin: () => wrapGetter(LeadershipDoubt.prototype, 'mayBeDeposed', () => () => false),
  },
  {
    name: 'forgotten-refusals',
    what: 'a broker that has refused a batch without a look at the log calls the next one out of order when the reason is gone (Kafka’s does)',
    options: {},
    begin: () => wrapMethod(RefusedSequences.prototype, 'refusedBefore', () => () => undefined),
  },
  {
    name: 'short-memories',
    what: 'of what a log knows by a producer snapshot it looks up nothing: all but the last batch of each producer is forgotten (Kafka’s does so)',
    options: {},
    begin: () => wrapMethod(ProducerStateManager.prototype, 'recallDuplicate', () => () => undefined),
  },
  {
    name: 'lazy-high-watermark',
    what: 'the high watermark moves only with an append or a fetch, as Kafka’s: it waits for a replica that is gone before it joined the ISR',
    options: {},
    begin: () => wrapMethod(Partition.prototype, 'reconsiderHighWatermark', () => () => {}),
  },
  {
    name: 'last-values-gone',
    what: 'the cleaner takes the last value of a key for an older one (no mistake of Kafka’s; it shows that compacted topics are looked after)',
    options: {},
    begin: () =>
      wrapMethod(
        SkimpyOffsetMap.prototype,
        'get',
        (original) =>
          function (this: SkimpyOffsetMap, bytes, start, end) {
            return original.call(this, bytes, start, end) + 1;
          },
      ),
  },
  {
    name: 'old-leaders',
    what: 'a leader of an old epoch that missed LeaderAndIsr and StopReplica goes on although metadata says who leads (no mistake of Kafka’s: with ZooKeeper it does so)',
    options: {},
    begin: () => wrapMethod(ReplicaManager.prototype, 'standDownBy', () => () => []),
  },
  {
    name: 'early-commits',
    what: 'a group’s coordinator acknowledges offsets when they are in its own log (offsets.commit.required.acks=1)',
    options: {},
    begin: () =>
      wrapMethod(
        RecordAppender.prototype,
        'append',
        (original) =>
          function (this: RecordAppender, request) {
            original.call(this, request.origin === 'coordinator' ? { ...request, requiredAcks: 1 } : request);
          },
      ),
  },
];

/**
 * What followers are told; consumers, which did not ask in those days, are told the truth. A follower with records of an epoch that its
 * leader never had is cut to where the leader's next epoch begins, and keeps those below.
 */
function beginAnsweringForUnknownEpochs(): () => void {
  let isConsumerAsking = false;
  return all(
    wrapMethod(
      LeaderEpochFileCache.prototype,
      'endOffsetFor',
      (original) =>
        function (this: LeaderEpochFileCache, epoch, logEndOffset) {
          const found = original.call(this, epoch, logEndOffset);
          return found === undefined || isConsumerAsking ? found : { ...found, epoch };
        },
    ),
    wrapMethod(
      Partition.prototype,
      'endOffsetForLeaderEpoch',
      (original) =>
        function (this: Partition, currentLeaderEpoch, leaderEpoch) {
          isConsumerAsking = true;
          try {
            return original.call(this, currentLeaderEpoch, leaderEpoch);
          } finally {
            isConsumerAsking = false;
          }
        },
    ),
  );
}

/** The epoch's start that a leader compares followers with is its high watermark. */
function beginJoiningTooEarly(): () => void {
  let isElecting = false;
  return all(
    wrapMethod(
      Partition.prototype,
      'makeLeader',
      (original) =>
        function (this: Partition, state, topicId) {
          isElecting = true;
          try {
            return original.call(this, state, topicId);
          } finally {
            isElecting = false;
          }
        },
    ),
    wrapGetter(
      UnifiedLog.prototype,
      'appendEndOffset',
      (original) =>
        function (this: UnifiedLog) {
          return isElecting ? this.highWatermark : original.call(this);
        },
    ),
    // What the log itself notes of the epoch is right.
    wrapMethod(
      UnifiedLog.prototype,
      'maybeAssignEpochStartOffset',
      (original) =>
        function (this: UnifiedLog, leaderEpoch, startOffset) {
          const wasElecting = isElecting;
          isElecting = false;
          original.call(this, leaderEpoch, wasElecting ? this.appendEndOffset : startOffset);
          isElecting = wasElecting;
        },
    ),
  );
}

/** A broker's epoch is whatever was read last for its id: none is ever newer than what is known. */
function beginIgnoringBrokerEpochs(): () => void {
  const latest = new Map<number, number>();
  return all(
    wrapMethod(
      BrokerZNodes.prototype,
      'getAllWithEpochs',
      (original) =>
        async function (this: BrokerZNodes) {
          const brokers = await original.call(this);
          for (const { broker, brokerEpoch } of brokers) latest.set(broker.id, brokerEpoch);
          return brokers;
        },
    ),
    wrapMethod(
      ControllerContext.prototype,
      'brokerEpoch',
      (original) =>
        function (this: ControllerContext, brokerId) {
          return original.call(this, brokerId) === undefined ? undefined : latest.get(brokerId);
        },
    ),
  );
}
