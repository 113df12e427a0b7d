import { expect, it, vi } from 'vitest';
import type { Api } from '../../protocol/api.ts';
import { UpdateMetadata, type UpdateMetadataRequestInput } from '../../protocol/generated/update-metadata.ts';
import { MetricsRegistry } from '../../runtime/metrics.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { ControllerChannelManager, type BrokerNode } from './controller-channel-manager.ts';

const NODE: BrokerNode = { id: 1, host: 'h', port: 1 };
const body = (controllerEpoch: number): UpdateMetadataRequestInput => ({ controllerId: 9, controllerEpoch, liveBrokers: [] });

interface Sent {
  readonly epoch: number;
  readonly answer: () => void;
  readonly fail: () => void;
}

function fixture(maxQueuedRequests = 100): {
  readonly time: ManualTime;
  readonly manager: ControllerChannelManager;
  readonly sent: Sent[];
  readonly overflowed: number[];
  readonly closed: number[];
} {
  const time = new ManualTime();
  const sent: Sent[] = [];
  const overflowed: number[] = [];
  const closed: number[] = [];
  const manager = new ControllerChannelManager({
    client: {
      send: <Req, Res, ReqIn extends object, ResIn>(_: BrokerNode, __: Api<Req, Res, ReqIn, ResIn>, request: ReqIn): Promise<Res> => {
        const { promise, resolve, reject } = Promise.withResolvers<Res>();
        const epoch = (request as UpdateMetadataRequestInput).controllerEpoch;
        sent.push({ epoch, answer: () => resolve({ errorCode: 0 } as Res), fail: () => reject(new Error('disconnected')) });
        return promise;
      },
      closeConnection: (id) => closed.push(id),
      close: () => Promise.resolve(),
    },
    clock: time,
    scheduler: time,
    logger: silentLogger,
    metrics: new MetricsRegistry(),
    requestTimeoutMs: 1000,
    maxQueuedRequests,
    onOverflow: (id) => overflowed.push(id),
  });
  manager.addBroker(NODE);
  return { time, manager, sent, overflowed, closed };
}

it('sends to a broker one request at a time, in order', async () => {
  const { time, manager, sent } = fixture();
  const answered: number[] = [];
  for (const epoch of [1, 2, 3]) manager.sendRequest(1, UpdateMetadata, 8, body(epoch), () => answered.push(epoch));
  await time.settle();
  expect(sent.map(({ epoch }) => epoch)).toEqual([1]);
  sent[0]!.answer();
  await time.settle();
  expect(sent.map(({ epoch }) => epoch)).toEqual([1, 2]);
  expect(answered).toEqual([1]);
});

it('sends a request again until it is answered, and nothing overtakes it', async () => {
  const { time, manager, sent } = fixture();
  for (const epoch of [1, 2]) manager.sendRequest(1, UpdateMetadata, 8, body(epoch));
  await time.settle();
  sent[0]!.fail();
  await time.advance(50);
  expect(sent).toHaveLength(1);
  await time.advance(60);
  expect(sent.map(({ epoch }) => epoch)).toEqual([1, 1]);
  sent[1]!.answer();
  await time.settle();
  expect(sent.map(({ epoch }) => epoch)).toEqual([1, 1, 2]);
});

it('drops what waits for a broker that is removed, and does not tell of an answer that comes later', async () => {
  const { time, manager, sent, closed } = fixture();
  const onResponse = vi.fn();
  manager.sendRequest(1, UpdateMetadata, 8, body(1), onResponse);
  manager.sendRequest(1, UpdateMetadata, 8, body(2), onResponse);
  await time.settle();
  manager.removeBroker(1);
  manager.addBroker({ ...NODE, port: 2 });
  manager.sendRequest(1, UpdateMetadata, 8, body(3), onResponse);
  sent[0]!.answer();
  await time.advance(1000);
  expect(sent.map(({ epoch }) => epoch)).toEqual([1, 3]);
  expect(onResponse).not.toHaveBeenCalled();
  expect(closed).toEqual([1]);
});

it('sends nothing to a broker it does not know', async () => {
  const { time, manager, sent } = fixture();
  manager.sendRequest(7, UpdateMetadata, 8, body(1));
  await time.settle();
  expect(sent).toEqual([]);
});

it('drops a queue that overflows and says so, once', async () => {
  const { manager, overflowed } = fixture(3);
  for (let epoch = 0; epoch < 10; epoch++) manager.sendRequest(1, UpdateMetadata, 8, body(epoch));
  expect(overflowed).toEqual([1]);
  expect(manager.queueSize(1)).toBe(0);
});
