/**
 * What Kafka's znodes hold, to and from JSON: topics, partition states, the controller, configurations, notifications, producer
 * id blocks, features. (A broker's registration is in `broker-info.ts`.)
 *
 * Written as Kafka 3.9 writes it; read in every older version that it reads. The order of JSON keys has no meaning.
 * Source: kafka.zk.ZkData.
 */
import type { TopicPartition } from '../../protocol/topic-partition.ts';
import { isUuid } from '../../protocol/uuid.ts';
import { LeaderRecoveryState, type LeaderIsrAndControllerEpoch } from './leader-and-isr.ts';
import type { ReplicaAssignment } from './replica-assignment.ts';
import {
  arrayOf,
  encodeZNodeJson,
  int32Of,
  integerOf,
  int32sOf,
  integerStringOf,
  isRecord,
  parseZNodeJson,
  recordOf,
  stringOf,
  ZNodeFormatError,
} from './znode-json.ts';
import { ConfigType } from './zk-paths.ts';

// /controller

export interface ControllerRegistration {
  readonly brokerId: number;
  readonly timestampMs: number;
  /** -1 unless a KRaft controller holds office (KIP-866). */
  readonly kraftControllerEpoch: number;
}

export function encodeController(brokerId: number, timestampMs: number): Buffer {
  return encodeZNodeJson({ version: 2, brokerid: brokerId, timestamp: String(timestampMs), kraftControllerEpoch: -1 });
}

export function decodeController(path: string, data: Buffer): ControllerRegistration {
  const json = recordOf(parseZNodeJson(path, data), path, 'registration');
  const epoch = json['kraftControllerEpoch'];
  return {
    brokerId: int32Of(json['brokerid'], path, 'brokerid'),
    timestampMs: json['timestamp'] === undefined ? -1 : integerStringOf(json['timestamp'], path, 'timestamp'),
    kraftControllerEpoch: typeof epoch === 'number' ? epoch : -1,
  };
}

// /controller_epoch: decimal digits

export function encodeControllerEpoch(epoch: number): Buffer {
  return Buffer.from(String(epoch), 'utf8');
}

export function decodeControllerEpoch(path: string, data: Buffer): number {
  return int32Of(integerStringOf(data.toString('utf8'), path, 'epoch'), path, 'epoch');
}

// /cluster/id: the version is a string

export function encodeClusterId(clusterId: string): Buffer {
  return encodeZNodeJson({ version: '1', id: clusterId });
}

export function decodeClusterId(path: string, data: Buffer): string {
  return stringOf(recordOf(parseZNodeJson(path, data), path, 'cluster id')['id'], path, 'id');
}

// /brokers/topics/T

export interface TopicAssignment {
  /** undefined in topics made before Kafka 2.8. */
  readonly topicId: string | undefined;
  readonly partitions: ReadonlyMap<number, ReplicaAssignment>;
}

export function encodeTopic(topic: TopicAssignment): Buffer {
  const partitions: Record<string, readonly number[]> = {};
  const adding: Record<string, readonly number[]> = {};
  const removing: Record<string, readonly number[]> = {};
  for (const [partition, assignment] of topic.partitions) {
    partitions[partition] = assignment.replicas;
    if (assignment.addingReplicas.length > 0) adding[partition] = assignment.addingReplicas;
    if (assignment.removingReplicas.length > 0) removing[partition] = assignment.removingReplicas;
  }
  return encodeZNodeJson({
    version: 3,
    partitions,
    adding_replicas: adding,
    removing_replicas: removing,
    ...(topic.topicId === undefined ? {} : { topic_id: topic.topicId }),
  });
}

export function decodeTopic(path: string, data: Buffer): TopicAssignment {
  const json = recordOf(parseZNodeJson(path, data), path, 'topic');
  const adding = isRecord(json['adding_replicas']) ? json['adding_replicas'] : {};
  const removing = isRecord(json['removing_replicas']) ? json['removing_replicas'] : {};
  const partitions = new Map<number, ReplicaAssignment>();
  for (const [key, replicas] of Object.entries(isRecord(json['partitions']) ? json['partitions'] : {})) {
    partitions.set(int32Of(integerStringOf(key, path, 'partition'), path, 'partition'), {
      replicas: int32sOf(replicas, path, `replicas of partition ${key}`),
      addingReplicas: int32sOf(adding[key] ?? [], path, `adding replicas of partition ${key}`),
      removingReplicas: int32sOf(removing[key] ?? [], path, `removing replicas of partition ${key}`),
    });
  }
  const topicId = json['topic_id'];
  if (typeof topicId !== 'string') return { topicId: undefined, partitions };
  if (!isUuid(topicId)) throw new ZNodeFormatError(path, `topic id ${JSON.stringify(topicId)}`);
  return { topicId, partitions };
}

// /brokers/topics/T/partitions/P/state

export function encodePartitionState(state: LeaderIsrAndControllerEpoch): Buffer {
  const { leader, leaderEpoch, isr, leaderRecoveryState } = state.leaderAndIsr;
  return encodeZNodeJson({
    version: 1,
    leader,
    leader_epoch: leaderEpoch,
    controller_epoch: state.controllerEpoch,
    isr,
    ...(leaderRecoveryState === LeaderRecoveryState.RECOVERED ? {} : { leader_recovery_state: leaderRecoveryState }),
  });
}

/** `version` is the znode's (Stat.version): it becomes the partition epoch. */
export function decodePartitionState(path: string, data: Buffer, version: number): LeaderIsrAndControllerEpoch {
  const json = recordOf(parseZNodeJson(path, data), path, 'partition state');
  const recovery = json['leader_recovery_state'] ?? LeaderRecoveryState.RECOVERED;
  if (recovery !== LeaderRecoveryState.RECOVERED && recovery !== LeaderRecoveryState.RECOVERING) {
    throw new ZNodeFormatError(path, `leader recovery state ${JSON.stringify(recovery)}`);
  }
  return {
    leaderAndIsr: {
      leader: int32Of(json['leader'], path, 'leader'),
      leaderEpoch: int32Of(json['leader_epoch'], path, 'leader_epoch'),
      isr: int32sOf(json['isr'], path, 'isr'),
      leaderRecoveryState: recovery,
      partitionEpoch: version,
    },
    controllerEpoch: int32Of(json['controller_epoch'], path, 'controller_epoch'),
  };
}

// /config/<type>/<name>

export function encodeConfigs(configs: Readonly<Record<string, string>>): Buffer {
  return encodeZNodeJson({ version: 1, config: configs });
}

/** An empty znode or one without `config` holds nothing. */
export function decodeConfigs(path: string, data: Buffer): Record<string, string> {
  if (data.length === 0) return {};
  const json = parseZNodeJson(path, data);
  const config = isRecord(json) ? json['config'] : undefined;
  if (!isRecord(config)) return {};
  const configs: Record<string, string> = {};
  for (const [key, value] of Object.entries(config)) configs[key] = stringOf(value, path, key);
  return configs;
}

// /config/changes/config_change_N

export function encodeConfigChange(entityPath: string): Buffer {
  return encodeZNodeJson({ version: 2, entity_path: entityPath });
}

/** The path of the changed entity under /config, such as `topics/t` or `users/u/clients/c`. */
export function decodeConfigChange(path: string, data: Buffer): string {
  const json = recordOf(parseZNodeJson(path, data), path, 'notification');
  if (json['version'] !== 1) return stringOf(json['entity_path'], path, 'entity_path');
  const type = stringOf(json['entity_type'], path, 'entity_type');
  if (type !== ConfigType.TOPIC && type !== ConfigType.CLIENT) throw new ZNodeFormatError(path, `version 1 for an entity of type ${type}`);
  return `${type}/${stringOf(json['entity_name'], path, 'entity_name')}`;
}

// lists of partitions: /isr_change_notification/*, /admin/preferred_replica_election

export function encodePartitionList(partitions: readonly TopicPartition[]): Buffer {
  return encodeZNodeJson({ version: 1, partitions: partitions.map(({ topic, partition }) => ({ topic, partition })) });
}

export function decodePartitionList(path: string, data: Buffer): TopicPartition[] {
  const json = recordOf(parseZNodeJson(path, data), path, 'partitions');
  return arrayOf(json['partitions'], path, 'partitions').map((entry) => {
    const fields = recordOf(entry, path, 'partition');
    return { topic: stringOf(fields['topic'], path, 'topic'), partition: int32Of(fields['partition'], path, 'partition') };
  });
}

// /admin/reassign_partitions

export interface PartitionReassignment extends TopicPartition {
  readonly replicas: readonly number[];
}

export function encodeReassignments(reassignments: readonly PartitionReassignment[]): Buffer {
  return encodeZNodeJson({
    version: 1,
    partitions: reassignments.map(({ topic, partition, replicas }) => ({ topic, partition, replicas })),
  });
}

export function decodeReassignments(path: string, data: Buffer): PartitionReassignment[] {
  const json = recordOf(parseZNodeJson(path, data), path, 'reassignments');
  return arrayOf(json['partitions'], path, 'partitions').map((entry) => {
    const fields = recordOf(entry, path, 'partition');
    return {
      topic: stringOf(fields['topic'], path, 'topic'),
      partition: int32Of(fields['partition'], path, 'partition'),
      replicas: int32sOf(fields['replicas'], path, 'replicas'),
    };
  });
}

// /log_dir_event_notification/log_dir_event_N

/** The only kind of event there is: a log dir of the broker has failed. */
export const LOG_DIR_FAILURE_EVENT = 1;

export function encodeLogDirEvent(brokerId: number): Buffer {
  return encodeZNodeJson({ version: 1, broker: brokerId, event: LOG_DIR_FAILURE_EVENT });
}

export function decodeLogDirEvent(path: string, data: Buffer): number {
  return int32Of(recordOf(parseZNodeJson(path, data), path, 'log dir event')['broker'], path, 'broker');
}

// /latest_producer_id_block: the block's bounds are strings, both inclusive

export interface ProducerIdBlock {
  /** The broker that took it, or -1 when the controller did in its own name. */
  readonly brokerId: number;
  readonly firstProducerId: number;
  readonly lastProducerId: number;
}

export function encodeProducerIdBlock(block: ProducerIdBlock): Buffer {
  return encodeZNodeJson({
    version: 1,
    broker: block.brokerId,
    block_start: String(block.firstProducerId),
    block_end: String(block.lastProducerId),
  });
}

export function decodeProducerIdBlock(path: string, data: Buffer): ProducerIdBlock {
  const json = recordOf(parseZNodeJson(path, data), path, 'producer id block');
  return {
    brokerId: integerOf(json['broker'], path, 'broker'),
    firstProducerId: integerStringOf(json['block_start'], path, 'block_start'),
    lastProducerId: integerStringOf(json['block_end'], path, 'block_end'),
  };
}

// /feature (KIP-584)

export interface FeatureNode {
  readonly enabled: boolean;
  readonly features: Readonly<Record<string, number>>;
}

export function encodeFeatures(node: FeatureNode): Buffer {
  return encodeZNodeJson({ version: 2, status: node.enabled ? 1 : 0, features: node.features });
}

/** Version 1 gave each feature a range: its upper end is the finalized level. */
export function decodeFeatures(path: string, data: Buffer): FeatureNode {
  const json = recordOf(parseZNodeJson(path, data), path, 'features');
  const features: Record<string, number> = {};
  for (const [name, level] of Object.entries(isRecord(json['features']) ? json['features'] : {})) {
    features[name] = integerOf(isRecord(level) ? level['max_version_level'] : level, path, `feature ${name}`);
  }
  return { enabled: json['status'] === 1, features };
}
