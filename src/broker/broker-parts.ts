/** What a running broker consists of; made by `BrokerServer`, handed to the routes. */
import type { Runtime } from '../runtime/runtime.ts';
import type { ConfigAdmin } from './api/config-admin.ts';
import type { DynamicBrokerConfig } from './config/dynamic-config.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import type { KafkaController } from './controller/kafka-controller.ts';
import type { GroupCoordinator } from './coordinator/group-coordinator.ts';
import type { LogManager } from './log/log-manager.ts';
import type { AutoTopicCreationManager } from './metadata/auto-topic-creation-manager.ts';
import type { MetadataCache } from './metadata/metadata-cache.ts';
import type { DelayedTopicOperation } from './metadata/topic-admin-types.ts';
import type { DelayedOperationPurgatory } from './purgatory/delayed-operation-purgatory.ts';
import type { ProducerIdManager } from './metadata/producer-id-manager.ts';
import type { ZkAdminManager } from './metadata/zk-admin-manager.ts';
import type { ReplicationQuotas } from './replication-quotas.ts';
import type { ReplicaAlterLogDirs } from './replication/replica-alter-log-dirs.ts';
import type { RecordAppender } from './replication/record-appender.ts';
import type { RecordDeleter } from './replication/record-deleter.ts';
import type { ReplicaFetcherManager } from './replication/replica-fetcher-manager.ts';
import type { ReplicaManager } from './replication/replica-manager.ts';

export interface BrokerParts {
  readonly config: KafkaConfig;
  readonly clusterId: string;
  readonly runtime: Runtime;
  /** How many partitions `__consumer_offsets` has, or will have. */
  readonly offsetsPartitionCount: number;
  readonly brokerEpoch: () => number;
  readonly dynamicConfig: DynamicBrokerConfig;
  readonly metadataCache: MetadataCache;
  readonly logManager: LogManager;
  readonly replicaManager: ReplicaManager;
  readonly fetcherManager: ReplicaFetcherManager;
  readonly appender: RecordAppender;
  readonly recordDeleter: RecordDeleter;
  readonly groupCoordinator: GroupCoordinator;
  readonly controller: KafkaController;
  readonly adminManager: ZkAdminManager;
  readonly replicationQuotas: ReplicationQuotas;
  readonly alterLogDirs: ReplicaAlterLogDirs;
  readonly electLeaderPurgatory: DelayedOperationPurgatory<DelayedTopicOperation>;
  readonly configAdmin: ConfigAdmin;
  readonly autoTopicCreation: AutoTopicCreationManager;
  readonly producerIds: ProducerIdManager;
}
