/** ElectLeaders (43): what is asked of the controller, and when the answer is given. */
import { describe, expect, it } from 'vitest';
import { ErrorCode, errorByCode, KafkaError } from '../../../protocol/errors.ts';
import { decodeResponse, encodeResponse } from '../../../protocol/frames.ts';
import { ElectLeaders, type ElectLeadersRequest, type ElectLeadersResponseInput } from '../../../protocol/generated/elect-leaders.ts';
import type { TopicPartition } from '../../../protocol/topic-partition.ts';
import { ManualTime } from '../../../runtime/testing/manual-time.ts';
import type { ReplicaElectionResult } from '../../controller/replica-elections.ts';
import { MetadataCache } from '../../metadata/metadata-cache.ts';
import type { DelayedTopicOperation } from '../../metadata/topic-admin-types.ts';
import { partitionState, updateMetadata } from '../../metadata/testing/update-metadata.ts';
import { DelayedOperationPurgatory } from '../../purgatory/delayed-operation-purgatory.ts';
import { Timer } from '../../purgatory/timer.ts';
import { fakeRequest } from '../testing/fake-request.ts';
import { createElectLeadersHandler } from './43-elect-leaders.ts';

const ID_T = 'txxxxxxxxxxxxxxxxxxxxA';

interface Asked {
  readonly partitions: readonly string[];
  readonly type: string;
}

/** Topic t with partitions 0 and 1, led by 2; `elect` is the controller's part. */
function setUp(elect: (partitions: readonly TopicPartition[]) => readonly ReplicaElectionResult[]) {
  const time = new ManualTime();
  const cache = new MetadataCache();
  const lead = (leader: number): void => {
    cache.updateMetadata(updateMetadata({ t: { id: ID_T, states: [partitionState(0, leader), partitionState(1, leader)] } }));
  };
  lead(2);
  const asked: Asked[] = [];
  const purgatory = new DelayedOperationPurgatory<DelayedTopicOperation>({
    name: 'ElectLeader',
    timer: new Timer({ clock: time, scheduler: time }),
    clock: time,
  });
  const handler = createElectLeadersHandler({
    controller: {
      electLeaders: async (partitions, type) => {
        asked.push({ partitions: (partitions ?? []).map(({ topic, partition }) => `${topic}-${partition}`), type });
        return elect(partitions ?? []);
      },
    },
    metadataCache: cache,
    purgatory,
    clock: time,
  });
  const ask = (version: number, body: Partial<ElectLeadersRequest> = {}) => {
    const request = fakeRequest<ElectLeadersRequest, ElectLeadersResponseInput>(43, version, {
      electionType: 0,
      topicPartitions: [{ topic: 't', partitions: [0, 1] }],
      timeoutMs: 1_000,
      ...body,
    });
    void handler(request);
    return request;
  };
  return { time, asked, ask, lead, tryComplete: () => purgatory.checkAndComplete('t') };
}

function codesOf(version: number, response: ElectLeadersResponseInput): string[] {
  const frame = Buffer.concat(encodeResponse(ElectLeaders, version, 1, response)).subarray(4);
  return decodeResponse(ElectLeaders, version, frame).body.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
    partitionResult.map(({ partitionId, errorCode }) => `${topic}-${partitionId} ${errorByCode(errorCode).name}`),
  );
}

const elected = (topicPartition: TopicPartition): ReplicaElectionResult => ({ topicPartition, errorCode: ErrorCode.NONE, leader: 1 });
const notNeeded = (topicPartition: TopicPartition): ReplicaElectionResult => ({ topicPartition, errorCode: ErrorCode.ELECTION_NOT_NEEDED });

describe('ElectLeaders', () => {
  it.each([0, 1, 2])('answers in version %i when the new leaders are known here', async (version) => {
    const { ask, asked, lead, tryComplete } = setUp((partitions) =>
      partitions.map((partition) => (partition.partition === 0 ? elected(partition) : notNeeded(partition))),
    );
    const request = ask(version);
    await Promise.resolve();
    expect(asked).toEqual([{ partitions: ['t-0', 't-1'], type: 'preferred' }]);
    lead(1);
    tryComplete();
    expect(codesOf(version, await request.response)).toEqual(['t-0 NONE', 't-1 ELECTION_NOT_NEEDED']);
  });

  it('says REQUEST_TIMED_OUT for those that are not known in time', async () => {
    const { ask, time } = setUp((partitions) => partitions.map(elected));
    const request = ask(2);
    await time.advance(1_001);
    expect(codesOf(2, await request.response)).toEqual(['t-0 REQUEST_TIMED_OUT', 't-1 REQUEST_TIMED_OUT']);
  });

  it('takes all partitions for null, and leaves out those that need no election', async () => {
    const { ask, asked } = setUp((partitions) => partitions.map(notNeeded));
    expect(codesOf(2, await ask(2, { topicPartitions: null, electionType: 1 }).response)).toEqual([]);
    expect(asked).toEqual([{ partitions: ['t-0', 't-1'], type: 'unclean' }]);
  });

  it('gives the controller’s refusal for every partition', async () => {
    const { ask } = setUp(() => {
      throw new KafkaError(ErrorCode.NOT_CONTROLLER);
    });
    expect(codesOf(1, await ask(1).response)).toEqual(['t-0 NOT_CONTROLLER', 't-1 NOT_CONTROLLER']);
  });
});
