import { expect, test } from 'vitest';
import type { ControllerAnswer } from '../../introspection/answers/controller.ts';
import type { ReassigningAnswer } from '../../introspection/answers/reassigning.ts';
import type { ClusterSession } from './cluster-session.ts';
import { getController } from './controller-service.ts';
import { refuse } from './failures.ts';

const reassignment = { topic: 't', partition: 0, targetReplicas: [1, 2, 4], addingReplicas: [4], removingReplicas: [3], leader: 2 };
const controllerAnswer = {
  brokerId: 1,
  isActive: true,
  reassignments: [reassignment],
  reassignmentCount: 1,
} as unknown as ControllerAnswer;
const replica = { isAdding: false, isRemoving: false, isInSync: true, logEndOffset: 1100, lag: 0 };
const leaderAnswer = {
  partitions: [
    {
      topic: 't',
      partition: 0,
      sizeBytes: 5000,
      logStartOffset: 100,
      logEndOffset: 1100,
      replicas: [
        { ...replica, brokerId: 2 },
        { ...replica, brokerId: 4, isAdding: true, isInSync: false, logEndOffset: 850, lag: 250 },
      ],
    },
  ],
} as unknown as ReassigningAnswer;

/** A session whose brokers answer what `answers` has for them, by `process query`. */
function session(options: { isLocal?: boolean; controllerId?: number; answers?: Record<string, unknown> } = {}): ClusterSession {
  const { isLocal = true, controllerId = 1, answers = {} } = options;
  const query = (processId: string, name: string): Promise<unknown> => {
    const answer = answers[`${processId} ${name}`];
    return answer === undefined ? Promise.reject(refuse('unreachable', `${processId} does not answer`)) : Promise.resolve(answer);
  };
  return {
    isLocal,
    runtime: { clock: { wallMs: () => 5 } },
    view: { get: () => Promise.resolve({ value: { controllerId } }) },
    control: isLocal ? { query } : undefined,
  } as unknown as ClusterSession;
}

test('tells what the controller says, and how far the added replicas are by their leader', async () => {
  const state = await getController(
    session({ answers: { 'broker-1 controller.describe': controllerAnswer, 'broker-2 replication.reassigning': leaderAnswer } }),
  );
  expect(state).toMatchObject({ controllerId: 1, atMs: 5, inside: { reassignmentCount: 1 }, failure: null });
  expect(state.progress).toEqual([{ topic: 't', partition: 0, sizeBytes: 5000, lag: 250, done: 0.75 }]);
});

test('knows no progress of a leader that does not answer', async () => {
  const state = await getController(session({ answers: { 'broker-1 controller.describe': controllerAnswer } }));
  expect(state).toMatchObject({ inside: { reassignmentCount: 1 }, progress: [] });
});

test('says who it is and why nothing more is known when the controller does not answer', async () => {
  const state = await getController(session());
  expect(state).toMatchObject({ controllerId: 1, inside: null, failure: { kind: 'unreachable', brokerId: 1 } });
});

test('looks inside of no remote cluster, and of none without a controller', async () => {
  for (const options of [{ isLocal: false }, { controllerId: -1 }])
    expect(await getController(session(options))).toMatchObject({ inside: null, failure: null });
});
