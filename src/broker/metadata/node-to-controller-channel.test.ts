import { expect, it } from 'vitest';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { AllocateProducerIds } from '../../protocol/generated/allocate-producer-ids.ts';
import { silentLogger } from '../../runtime/node/node-logger.ts';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { MetadataCache } from './metadata-cache.ts';
import { NodeToControllerChannel } from './node-to-controller-channel.ts';
import { updateMetadata } from './testing/update-metadata.ts';

function fixture(answer: (nodeId: number, attempt: number) => object | Promise<object>): {
  readonly time: ManualTime;
  readonly cache: MetadataCache;
  readonly asked: number[];
  readonly timeoutsMs: (number | undefined)[];
  readonly channel: NodeToControllerChannel;
} {
  const time = new ManualTime();
  const cache = new MetadataCache();
  const asked: number[] = [];
  const timeoutsMs: (number | undefined)[] = [];
  const channel = new NodeToControllerChannel({
    client: {
      send: (node, _api, _body, options) => {
        asked.push(node.id);
        timeoutsMs.push(options?.timeoutMs);
        return Promise.resolve().then(() => answer(node.id, asked.length) as never);
      },
    },
    metadataCache: cache,
    interBrokerListenerName: 'PLAINTEXT',
    clock: time,
    scheduler: time,
    logger: silentLogger,
    retryTimeoutMs: 1000,
  });
  return { time, cache, asked, timeoutsMs, channel };
}

const BODY = { brokerId: 1, brokerEpoch: 1 };

it('waits until there is a controller, and asks the next one when the first is none any more', async () => {
  const { time, cache, asked, channel } = fixture((nodeId) => ({ errorCode: nodeId === 1 ? ErrorCode.NOT_CONTROLLER : ErrorCode.NONE }));
  const response = channel.send(AllocateProducerIds, BODY);
  await time.advance(200);
  expect(asked).toEqual([]);
  cache.updateMetadata(updateMetadata({}, [1, 2], 1));
  await time.advance(60);
  expect(asked).toEqual([1]);
  cache.updateMetadata(updateMetadata({}, [1, 2], 2));
  await time.advance(60);
  expect(await response).toMatchObject({ errorCode: ErrorCode.NONE });
  expect(asked).toEqual([1, 2]);
});

it('sends again when the connection is lost', async () => {
  const { time, cache, channel } = fixture((_, attempt) => {
    if (attempt < 3) throw new KafkaError(ErrorCode.NETWORK_EXCEPTION);
    return { errorCode: ErrorCode.STALE_BROKER_EPOCH };
  });
  cache.updateMetadata(updateMetadata({}));
  const response = channel.send(AllocateProducerIds, BODY);
  await time.advance(200);
  expect(await response).toMatchObject({ errorCode: ErrorCode.STALE_BROKER_EPOCH });
});

it('takes a refusal of every topic with NOT_CONTROLLER for what it is', async () => {
  const { time, cache, asked, channel } = fixture((_, attempt) => ({
    topics: [{ errorCode: attempt === 1 ? ErrorCode.NOT_CONTROLLER : ErrorCode.NONE }],
  }));
  cache.updateMetadata(updateMetadata({}));
  const response = channel.send(AllocateProducerIds, BODY);
  await time.advance(100);
  await response;
  expect(asked).toHaveLength(2);
});

it('gives up when the time is over, and when it is closed', async () => {
  const { time, channel } = fixture(() => ({}));
  const first = channel.send(AllocateProducerIds, BODY).catch((error: unknown) => error);
  await time.advance(1100);
  expect(await first).toMatchObject({ errorName: 'REQUEST_TIMED_OUT' });
  const second = channel.send(AllocateProducerIds, BODY).catch((error: unknown) => error);
  channel.close();
  await time.advance(60);
  expect(await second).toMatchObject({ errorName: 'REQUEST_TIMED_OUT' });
});

it('gives a controller that has the request longer for its answer than it looks for one', async () => {
  const { time, cache, timeoutsMs, channel } = fixture(() => ({ errorCode: ErrorCode.NONE }));
  const response = channel.send(AllocateProducerIds, BODY, { retryTimeoutMs: 200, answerTimeoutMs: 3_000 });
  await time.advance(100);
  cache.updateMetadata(updateMetadata({}));
  await time.advance(60);
  await response;
  expect(timeoutsMs).toEqual([3_000]);
  const noController = fixture(() => ({})).channel.send(AllocateProducerIds, BODY, { retryTimeoutMs: 0, answerTimeoutMs: 3_000 });
  await expect(noController).rejects.toMatchObject({ code: ErrorCode.REQUEST_TIMED_OUT });
});

it('does not wait for the answer of a frozen controller once another is in office', async () => {
  const { time, cache, asked, channel } = fixture((nodeId) => (nodeId === 1 ? new Promise(() => {}) : { errorCode: ErrorCode.NONE }));
  cache.updateMetadata(updateMetadata({}, [1, 2], 1));
  const response = channel.send(AllocateProducerIds, BODY);
  await time.advance(100);
  cache.updateMetadata(updateMetadata({}, [1, 2], 2));
  await time.advance(60);
  expect(await response).toMatchObject({ errorCode: ErrorCode.NONE });
  expect(asked).toEqual([1, 2]);
});
