import { expect, test } from 'vitest';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { ClusterSession } from './cluster-session.ts';
import { brokerReplicas, moveReplicas, placesOf } from './replica-moves.ts';

const dir = (path: string, replicas: readonly { partition: number; sizeBytes: number; isFuture?: boolean; offsetLag?: number }[]) => ({
  path,
  totalBytes: 100,
  usableBytes: 50,
  replicas: replicas.map((replica) => ({ topic: 't', isFuture: false, offsetLag: 0, ...replica })),
});

/** A session of one broker with two sound log dirs and a failed one; `asked` are the moves. */
function makeSession(results: ReadonlyMap<string, KafkaError | undefined> = new Map()) {
  const asked: unknown[] = [];
  const dirs = new Map<string, unknown>([
    ['/b', dir('/b', [{ partition: 0, sizeBytes: 3, isFuture: true, offsetLag: 7 }])],
    ['/a', dir('/a', [{ partition: 0, sizeBytes: 10 }])],
    ['/gone', new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR)],
  ]);
  const session = {
    isLocal: false,
    control: undefined,
    view: {
      get: () =>
        Promise.resolve({ value: { brokers: new Map([[1, { host: 'h', port: 1, rack: null }]]), topics: new Map(), controllerId: 1 } }),
    },
    logDirs: { invalidate: () => undefined },
    changed: () => undefined,
    admin: {
      describeConfigs: () =>
        Promise.resolve(new Map([['broker:1', [{ name: 'replica.alter.log.dirs.io.max.bytes.per.second', value: '500' }]]])),
      describeLogDirs: () => Promise.resolve(new Map([['1', dirs]])),
    },
    changer: {
      alterReplicaLogDirs: (moves: unknown) => {
        asked.push(moves);
        return Promise.resolve(results);
      },
    },
  } as unknown as ClusterSession;
  return { session, asked };
}

test('a replica that moves has one row, where it is, with how far its copy has come', async () => {
  const { logDirs, replicas, throttleBytesPerSecond } = await brokerReplicas(makeSession().session, 1);
  expect(throttleBytesPerSecond).toBe(500);
  expect(logDirs.map(({ path }) => path)).toEqual(['/a', '/b']);
  expect(replicas).toEqual([{ topic: 't', partition: 0, logDir: '/a', sizeBytes: 10, move: { logDir: '/b', copiedBytes: 3, lag: 7 } }]);
});

test('a copy whose replica isn’t told of (it has just changed over) has no row', () => {
  expect(placesOf([dir('/b', [{ partition: 0, sizeBytes: 3, isFuture: true }])])).toEqual([]);
});

test('a log dir that the broker doesn’t have is refused before it is asked; results are told by partition', async () => {
  const { session, asked } = makeSession(
    new Map([
      ['t-0@1', undefined],
      ['t-1@1', new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR)],
    ]),
  );
  const move = { topic: 't', partition: 0, logDir: '/elsewhere' };
  await expect(moveReplicas(session, 1, [move])).rejects.toMatchObject({
    failure: { kind: 'invalid', message: 'Broker 1 has no log dir /elsewhere; it has /b, /a, /gone' },
  });
  expect(asked).toEqual([]);
  const results = await moveReplicas(session, 1, [
    { ...move, logDir: '/b' },
    { ...move, partition: 1, logDir: '/b' },
  ]);
  expect(results.map(({ name, failure }) => [name, failure?.name ?? null])).toEqual([
    ['t-0', null],
    ['t-1', 'KAFKA_STORAGE_ERROR'],
  ]);
  await expect(moveReplicas(session, 9, [move])).rejects.toMatchObject({ failure: { kind: 'notFound' } });
});
