import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import type { AlterPartitionRequestInput, AlterPartitionResponse } from '../../protocol/generated/alter-partition.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { AlterPartitionManager } from './alter-partition-manager.ts';
import type { AlterPartitionItem, AlterPartitionResult } from './alter-partition-manager.ts';

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

class ScriptedController {
  readonly requests: AlterPartitionRequestInput[] = [];
  answers: (((request: AlterPartitionRequestInput) => Partial<AlterPartitionResponse>) | Error)[] = [];
  gate: Promise<void> = Promise.resolve();

  async alterPartition(request: AlterPartitionRequestInput): Promise<AlterPartitionResponse> {
    this.requests.push(request);
    await this.gate;
    const answer = this.answers.shift();
    if (answer instanceof Error) throw answer;
    return { throttleTimeMs: 0, errorCode: 0, topics: [], ...answer?.(request) };
  }
}

function accept(request: AlterPartitionRequestInput): Partial<AlterPartitionResponse> {
  return {
    topics: request.topics.map(({ topicId = '', partitions }) => ({
      topicName: '',
      topicId,
      partitions: partitions.map((p) => ({
        partitionIndex: p.partitionIndex,
        errorCode: 0,
        leaderId: 1,
        leaderEpoch: p.leaderEpoch,
        isr: (p.newIsrWithEpochs ?? []).map(({ brokerId }) => brokerId ?? -1),
        leaderRecoveryState: 0,
        partitionEpoch: p.partitionEpoch + 1,
      })),
    })),
  };
}

function setUp(): {
  time: ManualTime;
  controller: ScriptedController;
  manager: AlterPartitionManager;
  item: (partition: number) => AlterPartitionItem;
  results: Map<number, AlterPartitionResult[]>;
} {
  const time = new ManualTime();
  const controller = new ScriptedController();
  const manager = new AlterPartitionManager({
    brokerId: 1,
    brokerEpoch: () => 77,
    sender: controller,
    scheduler: time,
    logger: silentLogger,
  });
  const results = new Map<number, AlterPartitionResult[]>();
  const item = (partition: number): AlterPartitionItem => ({
    topicId: TOPIC_ID,
    topicPartition: { topic: 't', partition },
    leaderEpoch: 3,
    newIsr: [{ brokerId: 1, brokerEpoch: -1 }],
    leaderRecoveryState: 0,
    partitionEpoch: 5,
    isCurrent: () => true,
    onResult: (result) => results.set(partition, [...(results.get(partition) ?? []), result]),
  });
  return { time, controller, manager, item, results };
}

describe('AlterPartitionManager', () => {
  it('sends the changes of one turn in one request and gives each its answer', async () => {
    const { time, controller, manager, item, results } = setUp();
    controller.answers.push(accept);
    manager.submit(item(0));
    manager.submit(item(1));
    await time.settle();
    expect(controller.requests).toHaveLength(1);
    expect(controller.requests[0]?.brokerEpoch).toBe(77);
    expect(results.get(0)).toEqual([{ errorCode: 0, leaderId: 1, leaderEpoch: 3, isr: [1], partitionEpoch: 6 }]);
    expect(results.get(1)).toHaveLength(1);
  });

  it('has one request in flight and takes one change per partition', async () => {
    const { time, controller, manager, item, results } = setUp();
    let open = (): void => {};
    controller.gate = new Promise((resolve) => (open = resolve));
    controller.answers.push(accept, accept);
    manager.submit(item(0));
    await time.settle();
    expect(manager.submit(item(0))).toBe(false);
    expect(manager.submit(item(1))).toBe(true);
    await time.settle();
    expect(controller.requests).toHaveLength(1);
    open();
    await time.settle();
    expect(controller.requests).toHaveLength(2);
    expect(results.get(1)).toHaveLength(1);
  });

  it('sends again what did not reach the controller, or reached a broker that is none', async () => {
    const { time, controller, manager, item, results } = setUp();
    controller.answers.push(new Error('disconnected'), () => ({ errorCode: ErrorCode.NOT_CONTROLLER }), accept);
    manager.submit(item(0));
    await time.settle();
    expect(results.size).toBe(0);
    await time.advance(1_000);
    expect(controller.requests).toHaveLength(3);
    expect(results.get(0)).toHaveLength(1);
  });

  it('lets the callback submit the next change of the same partition', async () => {
    const { time, controller, manager, item } = setUp();
    controller.answers.push(accept, accept);
    let accepted: boolean | undefined;
    manager.submit({ ...item(0), onResult: () => (accepted = manager.submit(item(0))) });
    await time.settle();
    expect(accepted).toBe(true);
    expect(controller.requests).toHaveLength(2);
  });

  it('sends a change again whose answer says nothing of it, and delivers what does', async () => {
    const { time, controller, manager, item, results } = setUp();
    const answerWith = (errorCode: number) => (request: AlterPartitionRequestInput) => ({
      topics: (accept(request).topics ?? []).map((topic) => ({ ...topic, partitions: topic.partitions.map((p) => ({ ...p, errorCode })) })),
    });
    controller.answers.push(answerWith(ErrorCode.NOT_CONTROLLER), () => ({ topics: [] }), answerWith(ErrorCode.INVALID_UPDATE_VERSION));
    manager.submit(item(0));
    await time.settle();
    expect(results.size).toBe(0);
    await time.advance(1_000);
    expect(controller.requests).toHaveLength(3);
    expect(results.get(0)).toEqual([{ errorCode: ErrorCode.INVALID_UPDATE_VERSION }]);
  });

  it('drops a change that LeaderAndIsr has overtaken, and takes the next one for that partition', async () => {
    const { time, controller, manager, item, results } = setUp();
    let current = true;
    controller.answers.push(new Error('disconnected'), accept);
    manager.submit({ ...item(0), isCurrent: () => current });
    await time.settle();
    current = false;
    expect(manager.submit({ ...item(0), leaderEpoch: 4 })).toBe(true);
    await time.advance(1_000);
    expect(controller.requests.map(({ topics }) => topics[0]?.partitions[0]?.leaderEpoch)).toEqual([3, 4]);
    expect(results.get(0)).toHaveLength(1);
    manager.submit({ ...item(1), isCurrent: () => false });
    await time.settle();
    expect(controller.requests).toHaveLength(2);
  });
});
