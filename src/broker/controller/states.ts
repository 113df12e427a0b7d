/**
 * States of partitions and replicas on the controller, each with the states it may be entered from.
 * Source: kafka.controller.PartitionState, kafka.controller.ReplicaState.
 *
 * | partition            | meaning                                                          |
 * |----------------------|------------------------------------------------------------------|
 * | NonExistentPartition | never made, or deleted                                           |
 * | NewPartition         | has replicas assigned, has no leader and no state znode yet      |
 * | OnlinePartition      | has a leader                                                     |
 * | OfflinePartition     | had a leader, which is gone                                      |
 *
 * | replica                   | meaning                                                     |
 * |---------------------------|-------------------------------------------------------------|
 * | NewReplica                | assigned; has been told of its partition at most as follower |
 * | OnlineReplica             | part of the assignment, its broker lives                    |
 * | OfflineReplica            | its broker is gone, or it was told to stop                  |
 * | ReplicaDeletionStarted    | told to delete its log                                      |
 * | ReplicaDeletionSuccessful | has deleted its log                                         |
 * | ReplicaDeletionIneligible | could not delete it: tried again when its broker is back    |
 * | NonExistentReplica        | forgotten                                                   |
 */
export type PartitionState = 'NonExistentPartition' | 'NewPartition' | 'OnlinePartition' | 'OfflinePartition';

export const VALID_PREVIOUS_PARTITION_STATES: Readonly<Record<PartitionState, readonly PartitionState[]>> = {
  NewPartition: ['NonExistentPartition'],
  OnlinePartition: ['NewPartition', 'OnlinePartition', 'OfflinePartition'],
  OfflinePartition: ['NewPartition', 'OnlinePartition', 'OfflinePartition'],
  NonExistentPartition: ['OfflinePartition'],
};

export type ReplicaState =
  | 'NewReplica'
  | 'OnlineReplica'
  | 'OfflineReplica'
  | 'ReplicaDeletionStarted'
  | 'ReplicaDeletionSuccessful'
  | 'ReplicaDeletionIneligible'
  | 'NonExistentReplica';

export const VALID_PREVIOUS_REPLICA_STATES: Readonly<Record<ReplicaState, readonly ReplicaState[]>> = {
  NewReplica: ['NonExistentReplica'],
  OnlineReplica: ['NewReplica', 'OnlineReplica', 'OfflineReplica', 'ReplicaDeletionIneligible'],
  OfflineReplica: ['NewReplica', 'OnlineReplica', 'OfflineReplica', 'ReplicaDeletionIneligible'],
  ReplicaDeletionStarted: ['OfflineReplica'],
  ReplicaDeletionSuccessful: ['ReplicaDeletionStarted'],
  ReplicaDeletionIneligible: ['OfflineReplica', 'ReplicaDeletionStarted'],
  NonExistentReplica: ['ReplicaDeletionSuccessful'],
};
