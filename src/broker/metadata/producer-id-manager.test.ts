import { expect, it } from 'vitest';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { ProducerIdManager } from './producer-id-manager.ts';

function managerWith(blocks: { start: number; length: number }[] | undefined): {
  readonly manager: ProducerIdManager;
  readonly requests: () => number;
} {
  let requests = 0;
  const channel = {
    send: (): Promise<never> => {
      const block = blocks?.[requests++];
      if (block === undefined) return Promise.reject(new KafkaError(ErrorCode.REQUEST_TIMED_OUT));
      return Promise.resolve({ throttleTimeMs: 0, errorCode: 0, producerIdStart: block.start, producerIdLen: block.length } as never);
    },
  };
  return { manager: new ProducerIdManager({ brokerId: 1, brokerEpoch: () => 1, channel, logger: silentLogger }), requests: () => requests };
}

it('hands out each id of its blocks once, over the edge of a block', async () => {
  const { manager } = managerWith([
    { start: 0, length: 20 },
    { start: 100, length: 20 },
    { start: 200, length: 20 },
  ]);
  const ids: number[] = [];
  for (let count = 0; count < 30; count++) ids.push(await manager.generateProducerId());
  expect(ids).toEqual([...Array(20).keys(), ...Array.from({ length: 10 }, (_, index) => 100 + index)]);
});

it('asks for the next block before the current one ends, once', async () => {
  const { manager, requests } = managerWith([
    { start: 0, length: 20 },
    { start: 100, length: 20 },
  ]);
  for (let count = 0; count < 17; count++) await manager.generateProducerId();
  expect(requests()).toBe(1);
  for (let count = 0; count < 3; count++) await manager.generateProducerId();
  expect(requests()).toBe(2);
});

it('serves producers that come at once from one request', async () => {
  const { manager, requests } = managerWith([{ start: 0, length: 1000 }]);
  const ids = await Promise.all(Array.from({ length: 100 }, () => manager.generateProducerId()));
  expect(new Set(ids).size).toBe(100);
  expect(requests()).toBe(1);
});

it('answers COORDINATOR_LOAD_IN_PROGRESS when the controller gives none', async () => {
  const { manager } = managerWith(undefined);
  await expect(manager.generateProducerId()).rejects.toMatchObject({ errorName: 'COORDINATOR_LOAD_IN_PROGRESS' });
});
