import { describe, expect, it } from 'vitest';
import type { NetworkClient } from '../../client/network-client.ts';
import { setBaseOffsetAndLeaderEpoch } from '../../protocol/records/record-batch.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { Fetch } from '../../protocol/generated/fetch.ts';
import type { FetchRequestInput, FetchResponse, PartitionData } from '../../protocol/generated/fetch.ts';
import type { ListOffsetsRequestInput, ListOffsetsResponse } from '../../protocol/generated/list-offsets.ts';
import type { AnyApi } from '../../protocol/api.ts';
import { MetricsRegistry } from '../../runtime/metrics.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { SeededRandom } from '../../runtime/testing/seeded-random.ts';
import { readAll } from '../log/testing/log-fixture.ts';
import type { UnifiedLog } from '../log/unified-log.ts';
import type { Partition } from './partition.ts';
import { ReplicaFetcher } from './replica-fetcher.ts';
import { ReplicationQuotaManager } from './replication-quota-manager.ts';
import { batchOf, replicaManagerFixture, stateOf, TOPIC, TOPIC_ID } from './testing/replication-fixture.ts';
import type { ReplicaManagerFixture } from './testing/replication-fixture.ts';

const LEADER = { id: 2, host: 'two', port: 9093 };
const WAIT_MS = 500;

interface FetchedPartition {
  readonly partition: number;
  readonly fetchOffset: number;
  readonly lastFetchedEpoch: number | undefined;
  readonly currentLeaderEpoch: number | undefined;
}

interface WaitingFetch {
  readonly request: FetchRequestInput;
  readonly resolve: (response: FetchResponse) => void;
  readonly reject: (error: Error) => void;
}

/** A leader that answers a fetch when the test says so. */
class ScriptedLeader {
  readonly #waiting: WaitingFetch[] = [];
  requestCount = 0;
  offsets: { earliest: number; latest: number } | undefined;

  cutCount = 0;

  readonly client: Pick<NetworkClient, 'send' | 'closeConnection'> = {
    send: (_node, api, body) => this.#send(api, body) as never,
    closeConnection: () => {
      this.cutCount++;
      this.fail();
    },
  };

  /** What is asked for by the request that waits. */
  get asked(): FetchedPartition[] {
    const { request } = this.#next();
    return request.topics.flatMap(({ partitions }) =>
      partitions.map(({ partition, fetchOffset, lastFetchedEpoch, currentLeaderEpoch }) => ({
        partition,
        fetchOffset,
        lastFetchedEpoch,
        currentLeaderEpoch,
      })),
    );
  }

  /** The most that is wanted of each partition. */
  get partitionMaxBytes(): number[] {
    return this.#next().request.topics.flatMap(({ partitions }) => partitions.map(({ partitionMaxBytes }) => partitionMaxBytes));
  }

  get maxBytes(): number | undefined {
    return this.#next().request.maxBytes;
  }

  get maxWaitMs(): number {
    return this.#next().request.maxWaitMs;
  }

  get isAsked(): boolean {
    return this.#waiting.length > 0;
  }

  answer(...partitions: Partial<PartitionData>[]): void {
    const { resolve } = this.#next();
    this.#waiting.length = 0;
    const full = partitions.map((partition) => ({ ...EMPTY, ...partition }));
    resolve({
      throttleTimeMs: 0,
      errorCode: 0,
      sessionId: 0,
      responses: [{ topic: '', topicId: TOPIC_ID, partitions: full }],
      nodeEndpoints: [],
    });
  }

  fail(): void {
    const { reject } = this.#next();
    this.#waiting.length = 0;
    reject(new Error('disconnected'));
  }

  #next(): WaitingFetch {
    const [next] = this.#waiting;
    if (next === undefined) throw new Error('nothing is asked');
    return next;
  }

  #send(api: AnyApi, body: unknown): Promise<unknown> {
    if (api.key === Fetch.key) {
      this.requestCount++;
      return new Promise((resolve, reject) => this.#waiting.push({ request: body as FetchRequestInput, resolve, reject }));
    }
    if (this.offsets === undefined) return Promise.reject(new Error('disconnected'));
    const [topic] = (body as ListOffsetsRequestInput).topics;
    const [asked] = topic?.partitions ?? [];
    const offset = asked?.timestamp === -1 ? this.offsets.latest : this.offsets.earliest;
    const partitions = [{ partitionIndex: 0, errorCode: 0, oldStyleOffsets: [], timestamp: -1, offset, leaderEpoch: 1 }];
    const response: ListOffsetsResponse = { throttleTimeMs: 0, topics: [{ name: TOPIC, partitions }] };
    return Promise.resolve(response);
  }
}

const EMPTY: PartitionData = {
  partitionIndex: 0,
  errorCode: 0,
  highWatermark: 0,
  lastStableOffset: -1,
  logStartOffset: 0,
  divergingEpoch: { epoch: -1, endOffset: -1 },
  currentLeader: { leaderId: -1, leaderEpoch: -1 },
  snapshotId: { endOffset: -1, epoch: -1 },
  abortedTransactions: null,
  preferredReadReplica: -1,
  records: null,
};

/** As the leader would send it. */
function replicated(values: readonly string[], baseOffset: number, leaderEpoch: number): readonly Buffer[] {
  const batch = batchOf(values);
  setBaseOffsetAndLeaderEpoch(batch, 0, baseOffset, leaderEpoch);
  return [batch];
}

interface Following {
  readonly fixture: ReplicaManagerFixture;
  readonly leader: ScriptedLeader;
  /** The same leader over the other connection. */
  readonly catchUp: ScriptedLeader;
  readonly quota: ReplicationQuotaManager;
  readonly fetcher: ReplicaFetcher;
  readonly appended: string[];
  readonly partition: (index?: number) => Partition;
  readonly log: (index?: number) => UnifiedLog;
  readonly settle: () => Promise<void>;
}

/** Follows partition 0 (and more) of broker 2 in epoch 5; `before` fills the logs. */
async function following(
  before: (fixture: ReplicaManagerFixture) => void = () => {},
  partitions: readonly number[] = [0],
): Promise<Following> {
  const fixture = replicaManagerFixture();
  const leader = new ScriptedLeader();
  const catchUp = new ScriptedLeader();
  const appended: string[] = [];
  const unused = (): never => {
    throw new Error('not in this test');
  };
  const runtime: Runtime = {
    clock: fixture.time,
    scheduler: fixture.time,
    disk: fixture.disk.process(),
    random: new SeededRandom(1),
    logger: silentLogger,
    metrics: new MetricsRegistry(),
    halt: {
      halt: (_code, reason, error) => {
        throw new Error(reason, { cause: error });
      },
    },
    net: { listen: unused, connect: unused },
    offload: { run: unused, close: unused },
  };
  const quota = new ReplicationQuotaManager({ clock: fixture.time, windowCount: 11, windowSizeMs: 1000 });
  const fetcher = new ReplicaFetcher({
    leader: LEADER,
    config: {
      brokerId: 1,
      fetchWaitMaxMs: WAIT_MS,
      fetchMinBytes: 1,
      fetchMaxBytes: 1 << 20,
      fetchResponseMaxBytes: 10 << 20,
      fetchBackoffMs: 1_000,
    },
    client: leader.client,
    catchUpClient: catchUp.client,
    runtime,
    brokerEpoch: () => 50,
    quota,
    onAppended: (key) => appended.push(key),
  });
  before(fixture);
  const partition = (index = 0): Partition => {
    const found = fixture.manager.partition({ topic: TOPIC, partition: index });
    if (found === undefined) throw new Error('not hosted');
    return found;
  };
  const log = (index = 0): UnifiedLog => {
    const found = partition(index).log;
    if (found === undefined) throw new Error('no log');
    return found;
  };
  for (const partitionIndex of partitions) {
    fixture.lead({ leaderEpoch: 5, leader: 2, partitionIndex });
    fetcher.add(partition(partitionIndex));
  }
  await fixture.time.settle();
  return { fixture, leader, catchUp, quota, fetcher, appended, partition, log, settle: () => fixture.time.settle() };
}

/** Leads in `leaderEpoch` and writes `values`. */
const wrote =
  (...epochs: readonly (readonly [leaderEpoch: number, ...values: string[]])[]) =>
  (fixture: ReplicaManagerFixture): void => {
    for (const [leaderEpoch, ...values] of epochs) {
      fixture.lead({ leaderEpoch, isr: [1] });
      for (const value of values) fixture.append(batchOf([value]), { acks: 1 });
    }
  };

const valuesIn = (log: UnifiedLog): (string | null)[] => readAll(log).map(({ value }) => value);

describe('a follower', () => {
  it('appends what the leader sends, and passes its high watermark and log start on', async () => {
    const { leader, log, appended, settle } = await following();
    expect(leader.asked).toEqual([{ partition: 0, fetchOffset: 0, lastFetchedEpoch: -1, currentLeaderEpoch: 5 }]);
    leader.answer({ records: replicated(['a', 'b'], 0, 5), highWatermark: 1 });
    await settle();
    expect(valuesIn(log())).toEqual(['a', 'b']);
    expect(log().highWatermark).toBe(1);
    expect(appended).toEqual(['orders-0']);
    expect(leader.asked).toEqual([{ partition: 0, fetchOffset: 2, lastFetchedEpoch: 5, currentLeaderEpoch: 5 }]);
    leader.answer({ highWatermark: 9, logStartOffset: 1 });
    await settle();
    expect([log().highWatermark, log().logStartOffset]).toEqual([2, 1]);
  });

  it('tells what it does for a partition, since when it has fetched, and what went wrong until that is over', async () => {
    const { leader, fetcher, fixture, settle } = await following();
    expect(fetcher.stateOf('orders-0')).toEqual({ activity: 'fetching', problem: null, failuresInRow: 0, msSinceFetched: null });
    leader.answer({ highWatermark: 0 });
    await settle();
    leader.fail();
    await settle();
    const failed = fetcher.stateOf('orders-0');
    expect(failed).toMatchObject({ activity: 'waiting', problem: expect.any(String), failuresInRow: 1 });
    expect(failed?.msSinceFetched).toBeGreaterThanOrEqual(0);
    await fixture.time.advance(1_000);
    leader.answer({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER });
    await settle();
    expect(fetcher.stateOf('orders-0')).toMatchObject({ activity: 'waiting', problem: 'broker 2 answered NOT_LEADER_OR_FOLLOWER' });
    await fixture.time.advance(1_000);
    leader.answer({ highWatermark: 0 });
    await settle();
    expect(fetcher.stateOf('orders-0')).toMatchObject({ activity: 'fetching', problem: null, failuresInRow: 0 });
    fetcher.remove('orders-0');
    expect(fetcher.stateOf('orders-0')).toBeUndefined();
  });

  it('asks for a throttled partition no more while the rate is exceeded, until it is in sync', async () => {
    const { leader, quota, fixture, settle } = await following(undefined, [0, 1]);
    quota.markThrottled(TOPIC, new Set([0]));
    quota.updateQuota(10);
    leader.answer({ records: replicated(['a'], 0, 5), highWatermark: 4 }, { partitionIndex: 1 });
    await settle();
    expect(quota.isQuotaExceeded).toBe(true);
    expect(leader.asked.map(({ partition }) => partition)).toEqual([1]);
    await fixture.time.advance(60_000);
    leader.answer({ partitionIndex: 1 });
    await settle();
    expect(leader.asked.map(({ partition }) => partition)).toEqual(expect.arrayContaining([0, 1]));
    // All that is committed is there now: it may not fall out of the ISR.
    leader.answer({ partitionIndex: 0, records: replicated(['b'], 1, 5), highWatermark: 2 }, { partitionIndex: 1 });
    await settle();
    expect(quota.isQuotaExceeded).toBe(true);
    expect(leader.asked.map(({ partition }) => partition)).toEqual(expect.arrayContaining([0, 1]));
  });

  it('cuts its log to where the leader’s history of its last epoch ends, and goes on from there (KIP-595)', async () => {
    const { leader, log, settle } = await following(wrote([1, 'a', 'b'], [3, 'x', 'y', 'z']));
    expect(leader.asked).toEqual([{ partition: 0, fetchOffset: 5, lastFetchedEpoch: 3, currentLeaderEpoch: 5 }]);
    leader.answer({ divergingEpoch: { epoch: 3, endOffset: 3 }, highWatermark: 9 });
    await settle();
    expect(valuesIn(log())).toEqual(['a', 'b', 'x']);
    expect(leader.asked).toEqual([{ partition: 0, fetchOffset: 3, lastFetchedEpoch: 3, currentLeaderEpoch: 5 }]);
    // The leader never had epoch 3: its last below is 1, which ends where ours does.
    leader.answer({ divergingEpoch: { epoch: 1, endOffset: 4 } });
    await settle();
    expect(valuesIn(log())).toEqual(['a', 'b']);
    expect(leader.asked).toEqual([{ partition: 0, fetchOffset: 2, lastFetchedEpoch: 1, currentLeaderEpoch: 5 }]);
    leader.answer({ records: replicated(['c'], 2, 4) });
    await settle();
    expect(valuesIn(log())).toEqual(['a', 'b', 'c']);
  });

  it('keeps only what was committed of a log without epochs', async () => {
    const { leader, log } = await following((fixture) => {
      const found = fixture.logManager.getOrCreateLog({ topic: TOPIC, partition: 0 });
      const [old] = replicated(['a', 'b'], 0, -1);
      found.appendAsFollower(old ?? Buffer.alloc(0));
      found.appendAsFollower(replicated(['c'], 2, -1)[0] ?? Buffer.alloc(0));
      fixture.time.runTurnEnd();
      found.updateHighWatermark(2);
    });
    expect(valuesIn(log())).toEqual(['a', 'b']);
    expect(leader.asked).toMatchObject([{ fetchOffset: 2, lastFetchedEpoch: -1 }]);
  });

  it('longer than its leader after an unclean election is cut to the leader’s end', async () => {
    const { leader, log, settle } = await following(wrote([1, 'a', 'b', 'c']));
    leader.offsets = { earliest: 0, latest: 1 };
    leader.answer({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE });
    await settle();
    expect(valuesIn(log())).toEqual(['a']);
    expect(leader.asked).toMatchObject([{ fetchOffset: 1 }]);
  });

  it('that ends before its leader’s log begins starts over there', async () => {
    const { leader, log, settle } = await following(wrote([1, 'a']));
    leader.offsets = { earliest: 100, latest: 200 };
    leader.answer({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE });
    await settle();
    expect([log().logStartOffset, log().logEndOffset]).toEqual([100, 100]);
    expect(leader.asked).toMatchObject([{ fetchOffset: 100, lastFetchedEpoch: -1 }]);
  });

  it('asks again later when it is out of range and the leader’s offsets say nothing of why', async () => {
    const { leader, fixture, settle } = await following(wrote([1, 'a']));
    leader.offsets = { earliest: 0, latest: 1 };
    leader.answer({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE });
    await settle();
    expect(leader.isAsked).toBe(false);
    await fixture.time.advance(1_000);
    expect(leader.asked).toMatchObject([{ fetchOffset: 1 }]);
  });

  it('drops an answer that was asked under an earlier epoch', async () => {
    const { leader, fixture, fetcher, partition, log, settle } = await following();
    fixture.lead({ leaderEpoch: 6, leader: 2 });
    fetcher.remove('orders-0');
    fetcher.add(partition());
    await settle();
    leader.answer({ records: replicated(['stale'], 0, 5), highWatermark: 1 });
    await settle();
    expect(log().logEndOffset).toBe(0);
    expect(leader.asked).toEqual([{ partition: 0, fetchOffset: 0, lastFetchedEpoch: -1, currentLeaderEpoch: 6 }]);
  });

  it('that has become the leader meanwhile appends and cuts nothing of what it fetched before', async () => {
    const { leader, fixture, fetcher, log, settle } = await following(wrote([1, 'a', 'b']));
    fetcher.remove('orders-0');
    fixture.lead({ leaderEpoch: 6, isr: [1] });
    fixture.append(batchOf(['mine']), { acks: 1 });
    leader.answer({ divergingEpoch: { epoch: 1, endOffset: 0 } });
    await settle();
    expect(valuesIn(log())).toEqual(['a', 'b', 'mine']);
  });

  it('that becomes the leader while a truncation waits for the disk keeps its records', async () => {
    const { leader, fixture, fetcher, log, settle } = await following(wrote([1, 'a', 'b', 'c']));
    await log().flush();
    expect(log().recoveryPoint).toBe(3);
    leader.answer({ divergingEpoch: { epoch: 1, endOffset: 1 } });
    // The recovery point goes back first, which takes turns; in the middle of that LeaderAndIsr comes.
    await Promise.resolve();
    await Promise.resolve();
    fetcher.remove('orders-0');
    fixture.lead({ leaderEpoch: 6, isr: [1] });
    fixture.append(batchOf(['mine']), { acks: 1 });
    await settle();
    expect(valuesIn(log())).toEqual(['a', 'b', 'c', 'mine']);
  });

  it('lets a partition that fails wait alone, longer each time', async () => {
    const { leader, fixture, settle } = await following(() => {}, [0, 1]);
    leader.answer(
      { partitionIndex: 0, errorCode: ErrorCode.UNKNOWN_LEADER_EPOCH },
      { partitionIndex: 1, records: replicated(['a'], 0, 5) },
    );
    await settle();
    expect(leader.asked).toMatchObject([{ partition: 1, fetchOffset: 1 }]);
    // The others' long poll must not hold it up.
    expect(leader.maxWaitMs).toBeLessThan(WAIT_MS);
    await fixture.time.advance(50);
    leader.answer({ partitionIndex: 1 });
    await settle();
    expect(leader.asked.map(({ partition }) => partition).toSorted((a, b) => a - b)).toEqual([0, 1]);
    leader.answer({ partitionIndex: 0, errorCode: ErrorCode.UNKNOWN_LEADER_EPOCH }, { partitionIndex: 1 });
    await settle();
    expect(leader.asked).toMatchObject([{ partition: 1 }]);
  });

  it('puts a partition that got records behind the others, so that each gets its share of an answer', async () => {
    const { leader, settle } = await following(() => {}, [0, 1, 2]);
    expect(leader.asked.map(({ partition }) => partition)).toEqual([0, 1, 2]);
    leader.answer({ partitionIndex: 0, records: replicated(['a'], 0, 5) }, { partitionIndex: 1 }, { partitionIndex: 2 });
    await settle();
    expect(leader.asked.map(({ partition }) => partition)).toEqual([1, 2, 0]);
  });

  it('goes on with the others when what one was sent is corrupt', async () => {
    const { leader, log, settle } = await following(() => {}, [0, 1]);
    const [torn] = replicated(['a'], 0, 5);
    if (torn !== undefined) torn[torn.length - 1] = (torn.at(-1) ?? 0) ^ 1;
    leader.answer({ partitionIndex: 0, records: [torn ?? Buffer.alloc(0)] }, { partitionIndex: 1, records: replicated(['b'], 0, 5) });
    await settle();
    expect(log(0).logEndOffset).toBe(0);
    expect(valuesIn(log(1))).toEqual(['b']);
    expect(leader.asked).toMatchObject([{ partition: 1 }]);
  });

  it('tries again after a lost connection, after a while that grows', async () => {
    const { leader, fixture, settle } = await following();
    leader.fail();
    await settle();
    expect(leader.isAsked).toBe(false);
    await fixture.time.advance(25);
    expect(leader.requestCount).toBe(2);
    leader.fail();
    await fixture.time.advance(25);
    expect(leader.requestCount).toBe(2);
    await fixture.time.advance(1_000);
    expect(leader.requestCount).toBe(3);
  });

  it('asks nothing more once it is closed or has no partitions', async () => {
    const { leader, fixture, fetcher, settle } = await following();
    fetcher.remove('orders-0');
    leader.answer({ records: replicated(['a'], 0, 5) });
    await settle();
    await fixture.time.advance(5_000);
    expect(leader.requestCount).toBe(1);
    fetcher.close();
    expect(fetcher.partitionCount).toBe(0);
  });

  it('cuts a long poll short when a partition is added, and asks for it at once, without backing off', async () => {
    const { fixture, fetcher, leader, partition, settle } = await following();
    fixture.lead({ leaderEpoch: 5, leader: 2, partitionIndex: 1 });
    fetcher.add(partition(1));
    await fixture.time.advance(0);
    await settle();
    expect(leader.cutCount).toBe(1);
    expect(leader.asked.map(({ partition: index }) => index)).toEqual([0, 1]);
  });

  it('cuts long polls only so often, so that an answer gets through while many partitions are added', async () => {
    const { fixture, fetcher, leader, partition, settle } = await following();
    for (const partitionIndex of [1, 2, 3]) {
      fixture.lead({ leaderEpoch: 5, leader: 2, partitionIndex });
      fetcher.add(partition(partitionIndex));
      await fixture.time.advance(1);
      await settle();
    }
    expect(leader.cutCount).toBe(1);
    await fixture.time.advance(25);
    await settle();
    expect(leader.cutCount).toBe(2);
    expect(leader.asked).toHaveLength(4);
  });

  it('does not cut the request that asks for the added partition already', async () => {
    const { fixture, fetcher, leader, partition, settle } = await following();
    fixture.lead({ leaderEpoch: 5, leader: 2, partitionIndex: 1 });
    fetcher.add(partition(1));
    await settle();
    leader.answer({});
    await settle();
    await fixture.time.advance(100);
    expect(leader.cutCount).toBe(0);
  });

  describe('far behind in a partition', () => {
    const MUCH = 'x'.repeat(300_000);
    const partitionsOf = (scripted: ScriptedLeader): number[] => scripted.asked.map(({ partition }) => partition);

    /** Partition 0 has got much, and more is there. */
    async function behind(): Promise<Following> {
      const followed = await following(() => {}, [0, 1]);
      followed.leader.answer({ records: replicated([MUCH], 0, 5), highWatermark: 4 }, { partitionIndex: 1 });
      await followed.settle();
      return followed;
    }

    it('fetches it over a connection of its own, so that those in sync don’t wait for it', async () => {
      const { leader, catchUp, log, settle } = await behind();
      expect(partitionsOf(leader)).toEqual([1]);
      expect(catchUp.asked).toMatchObject([{ partition: 0, fetchOffset: 1 }]);
      // Neither the leader nor we are held up for long by one answer.
      expect(catchUp.maxBytes).toBe(2 << 20);
      expect(leader.maxBytes).toBe(10 << 20);
      catchUp.answer({ records: replicated([MUCH], 1, 5), highWatermark: 4 });
      await settle();
      expect(catchUp.asked).toMatchObject([{ partition: 0, fetchOffset: 2 }]);
      leader.answer({ partitionIndex: 1, records: replicated(['live'], 0, 5), highWatermark: 1 });
      await settle();
      expect(valuesIn(log(1))).toEqual(['live']);
      expect(partitionsOf(leader)).toEqual([1]);
    });

    it('takes little of a partition until it is known how far behind that is', async () => {
      const { leader, catchUp, settle } = await following(() => {}, [0, 1]);
      expect(leader.partitionMaxBytes).toEqual([1 << 18, 1 << 18]);
      leader.answer({ records: replicated([MUCH], 0, 5), highWatermark: 4 }, { partitionIndex: 1 });
      await settle();
      expect(leader.partitionMaxBytes).toEqual([1 << 20]);
      expect(catchUp.partitionMaxBytes).toEqual([1 << 20]);
    });

    it('goes back to the others at once when it is in sync', async () => {
      const { leader, catchUp, fixture, settle } = await behind();
      catchUp.answer({ records: replicated(['a', 'b', 'c'], 1, 5), highWatermark: 4 });
      await fixture.time.advance(0);
      await settle();
      expect(catchUp.isAsked).toBe(false);
      // Their long poll is cut short, as for one that is added.
      expect(leader.cutCount).toBe(1);
      expect(partitionsOf(leader).toSorted((a, b) => a - b)).toEqual([0, 1]);
    });

    it('stays with the others while it gets little, or is in sync whatever it gets', async () => {
      const { leader, catchUp, settle } = await following(() => {}, [0, 1]);
      leader.answer({ records: replicated(['little'], 0, 5), highWatermark: 9 }, { partitionIndex: 1 });
      await settle();
      leader.answer({ records: replicated([MUCH], 1, 5), highWatermark: 1 }, { partitionIndex: 1 });
      await settle();
      expect(partitionsOf(leader).toSorted((a, b) => a - b)).toEqual([0, 1]);
      expect(catchUp.requestCount).toBe(0);
    });

    it('is followed under a new epoch from the beginning, and what was under way is dropped', async () => {
      const { leader, catchUp, fixture, fetcher, partition, log, settle } = await behind();
      fixture.lead({ leaderEpoch: 6, leader: 2 });
      fetcher.remove('orders-0');
      fetcher.add(partition(0));
      await fixture.time.advance(0);
      await settle();
      expect(leader.asked).toMatchObject([{ partition: 1 }, { partition: 0, fetchOffset: 1, currentLeaderEpoch: 6 }]);
      catchUp.answer({ records: replicated(['stale'], 1, 5), highWatermark: 4 });
      await settle();
      expect(log().logEndOffset).toBe(1);
      expect(catchUp.isAsked).toBe(false);
    });

    it('waits alone when the connection is lost, and tells so', async () => {
      const { leader, catchUp, fetcher, fixture, settle } = await behind();
      catchUp.fail();
      await settle();
      expect(fetcher.stateOf('orders-0')).toMatchObject({ activity: 'waiting', problem: 'disconnected', failuresInRow: 1 });
      expect(fetcher.stateOf('orders-1')).toMatchObject({ activity: 'fetching', problem: null });
      expect(leader.isAsked).toBe(true);
      await fixture.time.advance(25);
      expect(catchUp.asked).toMatchObject([{ partition: 0, fetchOffset: 1 }]);
    });
  });

  it('takes a partition up again after its last was removed', async () => {
    const { leader, fixture, fetcher, partition, settle } = await following();
    fetcher.remove('orders-0');
    leader.answer({});
    await settle();
    fixture.lead({ ...stateOf(), leaderEpoch: 7, partitionEpoch: 7, leader: 2 });
    fetcher.add(partition());
    await settle();
    expect(leader.asked).toMatchObject([{ currentLeaderEpoch: 7 }]);
  });
});
