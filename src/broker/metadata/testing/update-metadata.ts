/** UpdateMetadata requests for tests. */
import type { UpdateMetadataPartitionState, UpdateMetadataRequest } from '../../../protocol/generated/update-metadata.ts';

export function partitionState(
  partitionIndex: number,
  leader: number,
  replicas: readonly number[] = [leader],
  leaderEpoch = 0,
): UpdateMetadataPartitionState {
  return {
    topicName: '',
    partitionIndex,
    controllerEpoch: 1,
    leader,
    leaderEpoch,
    isr: replicas,
    zkVersion: 0,
    replicas,
    offlineReplicas: [],
  };
}

export function updateMetadata(
  topics: Readonly<Record<string, { readonly id: string; readonly states: readonly UpdateMetadataPartitionState[] }>>,
  brokerIds: readonly number[] = [1, 2, 3],
  controllerId = 1,
): UpdateMetadataRequest {
  return {
    controllerId,
    isKRaftController: false,
    type: 0,
    controllerEpoch: 1,
    brokerEpoch: 10,
    ungroupedPartitionStates: [],
    topicStates: Object.entries(topics).map(([topicName, { id, states }]) => ({ topicName, topicId: id, partitionStates: states })),
    liveBrokers: brokerIds.map((id) => ({
      id,
      v0Host: '',
      v0Port: 0,
      rack: null,
      endpoints: [{ port: 9091 + id, host: 'localhost', listener: 'PLAINTEXT', securityProtocol: 0 }],
    })),
  };
}
