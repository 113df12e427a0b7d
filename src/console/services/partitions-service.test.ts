import { expect, test } from 'vitest';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { ClusterSession } from './cluster-session.ts';
import { cancelReassignments, electPartitionLeaders, getReplication, planMoves, reassignPartitions } from './partitions-service.ts';

/** A session whose controller answers `results`; `asked` are the calls. */
function sessionOf(results: ReadonlyMap<string, KafkaError | undefined>) {
  const asked: unknown[] = [];
  const answer = (...call: unknown[]) => {
    asked.push(call);
    return Promise.resolve(results);
  };
  const changer = { electLeaders: answer, alterPartitionReassignments: answer };
  const session = { changer, control: undefined, view: { last: undefined }, changed: () => undefined } as unknown as ClusterSession;
  return { session, asked };
}

test('an election that was not needed is done; a preferred replica out of the ISR is that partition’s failure', async () => {
  const { session } = sessionOf(
    new Map([
      ['t-0', new KafkaError(ErrorCode.ELECTION_NOT_NEEDED)],
      ['t-1', new KafkaError(ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE)],
      ['t-2', undefined],
    ]),
  );
  const results = await electPartitionLeaders(session, 'preferred', 't', [0, 1, 2]);
  expect(results.map(({ name, failure }) => [name, failure?.name ?? null])).toEqual([
    ['t-0', null],
    ['t-1', 'PREFERRED_LEADER_NOT_AVAILABLE'],
    ['t-2', null],
  ]);
});

test('a list that names a broker twice is refused before the controller is asked', async () => {
  const { session, asked } = sessionOf(new Map());
  await expect(reassignPartitions(session, 't', [{ partition: 0, replicas: [1, 1] }])).rejects.toMatchObject({
    failure: { kind: 'invalid', message: 't-0: [1, 1] names a broker twice' },
  });
  expect(asked).toEqual([]);
});

test('a move is given up by a null list, and what is not under way says so', async () => {
  const { session, asked } = sessionOf(new Map([['t-0', new KafkaError(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS)]]));
  expect(await cancelReassignments(session, 't', [0])).toMatchObject([{ name: 't-0', failure: { name: 'NO_REASSIGNMENT_IN_PROGRESS' } }]);
  expect(asked).toEqual([[[{ topic: 't', partition: 0, replicas: null }]]]);
});

test('every running broker is asked for its replicas: one that is assigned none may have a log that was left over', async () => {
  const local = (partition: number, isStray: boolean) => ({ partition, isStray });
  const told = new Map([
    [1, [local(0, true)]],
    [2, [local(0, false)]],
    [4, []],
  ]);
  const asked: string[] = [];
  const processes = [1, 2, 3, 4].map((brokerId) => ({ id: `broker-${brokerId}`, brokerId, state: brokerId === 3 ? 'stopped' : 'running' }));
  const control = {
    status: () => Promise.resolve({ processes }),
    query: (id: string) => {
      asked.push(id);
      return Promise.resolve({ partitions: told.get(Number(id.slice(-1))) });
    },
  };
  const topics = new Map([['t', { partitions: [{ partition: 0, replicas: [2] }] }]]);
  const runtime = { clock: { wallMs: () => 5 } };
  const session = { control, view: { last: { value: { topics } } }, runtime } as unknown as ClusterSession;
  const { brokers } = await getReplication(session, 't', { from: 0, max: 10 });
  expect(asked.toSorted()).toEqual(['broker-1', 'broker-2', 'broker-4']);
  expect(brokers.map(({ brokerId, answer }) => [brokerId, answer?.partitions])).toEqual([
    [1, [local(0, true)]],
    [2, [local(0, false)]],
  ]);
});

test('a plan needs as many brokers as replicas, and a remote cluster tells nothing of its replicas', async () => {
  const { session } = sessionOf(new Map());
  const input = { topic: 't', partitions: [0], brokers: [1, 1], replicationFactor: 2 };
  await expect(planMoves(session, input)).rejects.toMatchObject({ failure: { kind: 'invalid' } });
  await expect(getReplication(session, 't', { from: 0, max: 1 })).rejects.toMatchObject({ failure: { kind: 'refused' } });
});
