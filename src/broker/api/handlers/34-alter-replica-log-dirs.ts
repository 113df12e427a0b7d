/**
 * AlterReplicaLogDirs (34), versions 0-2: moves replicas on this broker to other log dirs of it; the answer comes when the moves have begun.
 * A replica that isn't here yet gets REPLICA_NOT_AVAILABLE, and is made in that log dir when it comes (KIP-113).
 */
import type { AlterReplicaLogDirsRequest } from '../../../protocol/generated/alter-replica-log-dirs.ts';
import type { ApiHandler } from '../../network/broker-request.ts';
import type { ReplicaAlterLogDirs } from '../../replication/replica-alter-log-dirs.ts';

export interface AlterReplicaLogDirsDeps {
  readonly alterLogDirs: Pick<ReplicaAlterLogDirs, 'alter'>;
}

export function createAlterReplicaLogDirsHandler({ alterLogDirs }: AlterReplicaLogDirsDeps): ApiHandler<AlterReplicaLogDirsRequest> {
  return (request) => {
    const results = new Map<string, { partitionIndex: number; errorCode: number }[]>();
    for (const { path, topics } of request.body.dirs) {
      for (const { name, partitions } of topics) {
        const answers = results.get(name) ?? [];
        results.set(name, answers);
        for (const partition of partitions) {
          answers.push({ partitionIndex: partition, errorCode: alterLogDirs.alter({ topic: name, partition }, path) });
        }
      }
    }
    request.respond({ throttleTimeMs: 0, results: Array.from(results, ([topicName, partitions]) => ({ topicName, partitions })) });
  };
}
