/**
 * Fetch, API 1. Reads record batches from partitions: consumers and follower replicas.
 *
 * v4 (KIP-98): isolationLevel, lastStableOffset, abortedTransactions. v5: logStartOffset.
 * v7 (KIP-227): sessions and forgotten topics. v9 (KIP-320): currentLeaderEpoch. v10 (KIP-110): zstd.
 * v11 (KIP-392): rackId, preferredReadReplica. v12 (KIP-595): flexible, lastFetchedEpoch, divergingEpoch.
 * v13 (KIP-516): topic ids in place of names. v15 (KIP-903): replicaState in place of replicaId.
 * v16 (KIP-951): nodeEndpoints. v17 (KIP-853): replicaDirectoryId.
 * Not here: v0-v3, which may have to be answered in message formats 0 and 1.
 */
import { array, defineApi, field, struct } from '../generator/definition.ts';

export default defineApi({
  key: 1,
  name: 'Fetch',
  versions: '4-17',
  flexible: '12+',
  request: [
    field('clusterId', 'string', '12+', { nullable: '12+', tag: 0, default: null, ignorable: true }),
    field('replicaId', 'int32', '0-14', { default: -1 }),
    field(
      'replicaState',
      struct('ReplicaState', [field('replicaId', 'int32', '15+', { default: -1 }), field('replicaEpoch', 'int64', '15+', { default: -1 })]),
      '15+',
      { tag: 1 },
    ),
    field('maxWaitMs', 'int32', '0+'),
    field('minBytes', 'int32', '0+'),
    field('maxBytes', 'int32', '3+', { default: 0x7fffffff, ignorable: true }),
    field('isolationLevel', 'int8', '4+', { default: 0, ignorable: true }),
    field('sessionId', 'int32', '7+', { default: 0, ignorable: true }),
    field('sessionEpoch', 'int32', '7+', { default: -1, ignorable: true }),
    field(
      'topics',
      array('FetchTopic', [
        field('topic', 'string', '0-12', { ignorable: true }),
        field('topicId', 'uuid', '13+', { ignorable: true }),
        field(
          'partitions',
          array('FetchPartition', [
            field('partition', 'int32', '0+'),
            field('currentLeaderEpoch', 'int32', '9+', { default: -1, ignorable: true }),
            field('fetchOffset', 'int64', '0+'),
            field('lastFetchedEpoch', 'int32', '12+', { default: -1 }),
            field('logStartOffset', 'int64', '5+', { default: -1, ignorable: true }),
            field('partitionMaxBytes', 'int32', '0+'),
            field('replicaDirectoryId', 'uuid', '17+', { tag: 0, ignorable: true }),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
    field(
      'forgottenTopicsData',
      array('ForgottenTopic', [
        field('topic', 'string', '7-12', { ignorable: true }),
        field('topicId', 'uuid', '13+', { ignorable: true }),
        field('partitions', array('int32'), '7+'),
      ]),
      '7+',
    ),
    field('rackId', 'string', '11+', { ignorable: true }),
  ],
  response: [
    field('throttleTimeMs', 'int32', '1+', { ignorable: true }),
    field('errorCode', 'int16', '7+', { ignorable: true }),
    field('sessionId', 'int32', '7+', { default: 0 }),
    field(
      'responses',
      array('FetchableTopicResponse', [
        field('topic', 'string', '0-12', { ignorable: true }),
        field('topicId', 'uuid', '13+', { ignorable: true }),
        field(
          'partitions',
          array('PartitionData', [
            field('partitionIndex', 'int32', '0+'),
            field('errorCode', 'int16', '0+'),
            field('highWatermark', 'int64', '0+'),
            field('lastStableOffset', 'int64', '4+', { default: -1, ignorable: true }),
            field('logStartOffset', 'int64', '5+', { default: -1, ignorable: true }),
            field(
              'divergingEpoch',
              struct('EpochEndOffset', [
                field('epoch', 'int32', '12+', { default: -1 }),
                field('endOffset', 'int64', '12+', { default: -1 }),
              ]),
              '12+',
              { tag: 0 },
            ),
            field(
              'currentLeader',
              struct('LeaderIdAndEpoch', [
                field('leaderId', 'int32', '12+', { default: -1 }),
                field('leaderEpoch', 'int32', '12+', { default: -1 }),
              ]),
              '12+',
              { tag: 1 },
            ),
            field(
              'snapshotId',
              struct('SnapshotId', [field('endOffset', 'int64', '0+', { default: -1 }), field('epoch', 'int32', '0+', { default: -1 })]),
              '12+',
              { tag: 2 },
            ),
            field(
              'abortedTransactions',
              array('AbortedTransaction', [field('producerId', 'int64', '4+'), field('firstOffset', 'int64', '4+')]),
              '4+',
              { nullable: '4+', ignorable: true },
            ),
            field('preferredReadReplica', 'int32', '11+', { default: -1 }),
            field('records', 'records', '0+', { nullable: '0+' }),
          ]),
          '0+',
        ),
      ]),
      '0+',
    ),
    field(
      'nodeEndpoints',
      array('NodeEndpoint', [
        field('nodeId', 'int32', '16+'),
        field('host', 'string', '16+'),
        field('port', 'int32', '16+'),
        field('rack', 'string', '16+', { nullable: '16+', default: null }),
      ]),
      '16+',
      { tag: 0 },
    ),
  ],
});
